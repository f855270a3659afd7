//! What the inputs of a plan have to be before anything is computed.

use dashu::rational::RBig;
use schemas::id::Slug;
use schemas::money::Fen;

use super::error::BudgetError;
use super::rules::BudgetRules;
use super::split::{BudgetInput, MOST, Measured, Member};

pub(super) fn check(rules: &BudgetRules, input: &BudgetInput) -> Result<(), BudgetError> {
    if input.members.is_empty() {
        return Err(BudgetError::Empty);
    }
    if input.members.len() > MOST {
        return Err(BudgetError::TooMany);
    }
    if input.total < Fen(0) {
        return Err(BudgetError::OutOfRange);
    }
    for (place, member) in input.members.iter().enumerate() {
        let id = || member.id.clone();
        let mut earlier = input.members.iter().take(place);
        if earlier.any(|other| other.id == member.id) {
            return Err(BudgetError::Twice(id()));
        }
        let before = &member.before;
        if before.is_empty() || before.len() > 5 || before.iter().any(|fen| *fen < Fen(0)) {
            return Err(BudgetError::Before(id()));
        }
        if member.deduction < Fen(0) {
            return Err(BudgetError::Deduction(id()));
        }
        for factor in &rules.factors {
            if !member.factors.contains_key(&factor.id) {
                return Err(BudgetError::Missing(id(), factor.id.clone()));
            }
        }
        for (name, measured) in &member.factors {
            if !rules.factors.iter().any(|factor| factor.id == *name) {
                return Err(BudgetError::Unknown(id(), name.clone()));
            }
            self::measured(member, name, measured)?;
        }
    }
    Ok(())
}

/// A value and its variance.
pub(super) fn measured(
    member: &Member,
    name: &Slug,
    measured: &Measured,
) -> Result<(), BudgetError> {
    let variance = measured.variance.as_ref();
    if !measured.value.fits_nine_decimals()
        || variance.is_some_and(|variance| !variance.fits_nine_decimals())
    {
        return Err(BudgetError::Decimals(member.id.clone(), name.clone()));
    }
    if variance.is_some_and(|variance| variance.0 < RBig::ZERO) {
        return Err(BudgetError::Variance(member.id.clone()));
    }
    Ok(())
}
