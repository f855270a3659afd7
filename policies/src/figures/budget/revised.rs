//! A plan made again because members join or leave in mid-year. What the plan before gave for the months
//! that are over stays as it is; what is left is split by the same rules among those who are there from
//! then on.

use std::collections::BTreeMap;

use dashu::rational::RBig;
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::time::Month;
use serde::{Deserialize, Serialize};

use super::bounds::Pinned;
use super::error::BudgetError;
use super::rules::{BudgetRules, Tier};
use super::split::{BudgetInput, Part, Plan, earmarks};
use crate::figures::exact::total;
use crate::figures::half_up;

/// The plan before, as far as a later one keeps it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revision {
    /// The first month of the new split, February to December.
    pub from: Month,
    /// What each member of the plan before got for the months before `from`. Who is not among the members
    /// of the inputs has left and keeps this.
    pub given: Vec<Given>,
}

/// What a member got for the months that stay as they are.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// The member.
    pub id: Slug,
    /// Its level.
    pub tier: Tier,
    /// Its advances from January on.
    pub monthly: Vec<Fen>,
    /// What the plan takes from it for last year, in all.
    pub deduction: Fen,
    /// How much of that was taken in these months.
    pub taken: Fen,
}

/// What a plan keeps of the one before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revised {
    /// The first month of the new split.
    pub from: Month,
    /// How much of each member's deduction was taken in the months before.
    pub taken: BTreeMap<Slug, Fen>,
}

impl Given {
    /// What it got before anything was taken from it; counts into its amount.
    fn gross(&self) -> Option<Fen> {
        total(self.monthly.iter().copied().chain([self.taken]))
    }
}

impl Plan {
    /// What it gives for the months before a month of its year: what a plan from that month on keeps.
    pub fn given(&self, from: Month) -> Vec<Given> {
        let before = usize::from(from.number()).saturating_sub(1);
        let parts = self.members.iter().map(|part| Given {
            id: part.id.clone(),
            tier: part.tier,
            monthly: part.monthly.iter().take(before).copied().collect(),
            deduction: part.deduction,
            taken: self.taken(part, before),
        });
        parts.collect()
    }

    /// How much of a deduction is taken in the first months of the year: as evenly as fen allow, in each
    /// split of it for itself.
    fn taken(&self, part: &Part, before: usize) -> Fen {
        let (since, already) = match &self.revised {
            None => (0, Fen(0)),
            Some(revised) => (
                usize::from(revised.from.number()).saturating_sub(1),
                revised.taken.get(&part.id).copied().unwrap_or_default(),
            ),
        };
        let rest = Fen(part.deduction.0.saturating_sub(already.0));
        let even = rest.split(&vec![1; 12_usize.saturating_sub(since)]);
        let even = even.unwrap_or_default().into_iter();
        let some = total(even.take(before.saturating_sub(since))).unwrap_or_default();
        Fen(already.0.saturating_add(some.0))
    }
}

/// What is left to split, and what each present member brings along.
pub(super) struct Frame<'a> {
    revision: Option<&'a Revision>,
    /// All that is split by shares.
    pub(super) money: Fen,
}

/// What a present member has before the split.
pub(super) struct Before<'a> {
    /// Counts into its amount already.
    pub(super) gross: Fen,
    /// Its advances of the months that stay.
    pub(super) monthly: &'a [Fen],
    /// How much of its deduction was taken in them.
    pub(super) taken: Fen,
}

impl<'a> Frame<'a> {
    /// Checks the revision, if there is one, against the members.
    pub(super) fn of(input: &'a BudgetInput, distributable: Fen) -> Result<Self, BudgetError> {
        let Some(revision) = &input.revision else {
            let (revision, money) = (None, distributable);
            return Ok(Self { revision, money });
        };
        let months = usize::from(revision.from.number()).saturating_sub(1);
        if revision.from.year().0 != input.year || months == 0 || revision.given.is_empty() {
            return Err(BudgetError::From(revision.from));
        }
        let mut spent = 0_i64;
        for (place, given) in revision.given.iter().enumerate() {
            let mut earlier = revision.given.iter().take(place);
            if earlier.any(|other| other.id == given.id) {
                return Err(BudgetError::Twice(given.id.clone()));
            }
            let sound = given.monthly.len() == months
                && given.monthly.iter().all(|fen| *fen >= Fen(0))
                && (Fen(0)..=given.deduction).contains(&given.taken);
            let gross = given.gross().filter(|_| sound);
            let gross = gross.ok_or_else(|| BudgetError::Given(given.id.clone()))?;
            spent = spent.checked_add(gross.0).ok_or(BudgetError::OutOfRange)?;
        }
        for member in &input.members {
            let mut given = revision.given.iter();
            let given = given.find(|given| given.id == member.id);
            if member.deduction != given.map_or(Fen(0), |given| given.deduction) {
                return Err(BudgetError::Taken(member.id.clone()));
            }
        }
        let money = distributable.0.checked_sub(spent).filter(|rest| *rest >= 0);
        let (revision, money) = (Some(revision), Fen(money.ok_or(BudgetError::OutOfRange)?));
        Ok(Self { revision, money })
    }

    pub(super) fn before(&self, member: &Slug) -> Before<'a> {
        let given = self.revision.and_then(|revision| {
            let mut given = revision.given.iter();
            given.find(|given| given.id == *member)
        });
        match given {
            Some(given) => Before {
                gross: given.gross().unwrap_or_default(),
                monthly: &given.monthly,
                taken: given.taken,
            },
            None => Before {
                gross: Fen(0),
                monthly: &[],
                taken: Fen(0),
            },
        }
    }

    /// How many months of the year are split anew.
    pub(super) fn months(&self) -> usize {
        let before = self.revision.map_or(0, |revision| {
            usize::from(revision.from.number()).saturating_sub(1)
        });
        12_usize.saturating_sub(before)
    }

    /// Those who left: they keep what they got.
    pub(super) fn left(
        &self,
        rules: &BudgetRules,
        input: &BudgetInput,
    ) -> Result<Vec<Part>, BudgetError> {
        let given = self.revision.into_iter().flat_map(|one| &one.given);
        let gone = given.filter(|given| input.members.iter().all(|one| one.id != given.id));
        let parts = gone.map(|given| {
            let amount = given.gross().ok_or(BudgetError::OutOfRange)?;
            let mut monthly = given.monthly.clone();
            monthly.resize(12, Fen(0));
            Part::kept(rules, given, (amount, monthly))
        });
        parts.collect()
    }

    /// What the plan says of it.
    pub(super) fn revised(&self) -> Option<Revised> {
        let revision = self.revision?;
        let taken = revision.given.iter();
        let taken = taken.map(|given| (given.id.clone(), given.taken)).collect();
        let from = revision.from;
        Some(Revised { from, taken })
    }
}

impl Part {
    /// What a member keeps that left: a part of no split.
    fn kept(
        rules: &BudgetRules,
        given: &Given,
        (amount, monthly): (Fen, Vec<Fen>),
    ) -> Result<Self, BudgetError> {
        let nothing = half_up(&RBig::ZERO, 6);
        Ok(Self {
            id: given.id.clone(),
            tier: given.tier,
            base_share: nothing.clone(),
            factor_share: nothing.clone(),
            share: nothing.clone(),
            unclipped: amount,
            floor: amount,
            ceiling: amount,
            pinned: Pinned::Free,
            amount,
            deduction: given.taken,
            change: nothing,
            earmarks: earmarks(rules, given.tier, amount)?,
            monthly,
            noise: None,
        })
    }
}
