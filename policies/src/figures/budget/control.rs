//! Control figures of case groups (病种控制指标): standard fee, fee of a day, days. They break the budget
//! down to what a ward can look at; the mean of a benchmark carries its noise.

use std::collections::BTreeSet;

use dashu::rational::RBig;
use schemas::money::Fen;
use serde::{Deserialize, Serialize};

use super::error::BudgetError;
use super::rules::BudgetRules;
use crate::figures::exact::round;
use crate::figures::{Exact, half_up};

/// Most case groups.
const MOST: usize = 20_000;
/// Longest code of a case group in characters.
const LONGEST: usize = 64;

/// What the alliance's benchmark says of a case group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupLevel {
    /// The case group.
    pub group: String,
    /// Mean cost of a stay.
    pub cost: Fen,
    /// Mean days of a stay, at most nine decimals.
    pub days: Exact,
}

/// Control figures of a case group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// The case group.
    pub group: String,
    /// Standard fee of a stay (标准费用).
    pub fee: Fen,
    /// Fee of a day (日均费用).
    pub day: Fen,
    /// Days of a stay (住院天数), one decimal.
    pub days: String,
}

/// fee = mean cost · the rules' level, rounded once; fee of a day = fee / days.
pub(super) fn controls(
    rules: &BudgetRules,
    groups: &[GroupLevel],
) -> Result<Vec<Control>, BudgetError> {
    if groups.len() > MOST {
        return Err(BudgetError::Groups);
    }
    let mut known = BTreeSet::new();
    let mut controls = Vec::with_capacity(groups.len());
    for one in groups {
        let long = one.group.is_empty() || one.group.chars().count() > LONGEST;
        if long || !schemas::shown::is_plain(&one.group) || !known.insert(&one.group) {
            return Err(BudgetError::Groups);
        }
        if one.cost <= Fen(0) || one.days.0 <= RBig::ZERO {
            return Err(BudgetError::Group(one.group.clone()));
        }
        let fee = RBig::from(one.cost.0) * &rules.control_level.0;
        let fee = round(&fee).ok_or(BudgetError::OutOfRange)?;
        let day = round(&(RBig::from(fee.0) / &one.days.0)).ok_or(BudgetError::OutOfRange)?;
        controls.push(Control {
            group: one.group.clone(),
            fee,
            day,
            days: half_up(&one.days.0, 1),
        });
    }
    Ok(controls)
}
