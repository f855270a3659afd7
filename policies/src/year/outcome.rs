//! The results that a year proposes, computed from their inputs. Whoever has rules and inputs gets the
//! same bytes and the same digest.

use std::collections::BTreeSet;

use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::unique;
use schemas::year::Matter;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Rules;
use crate::figures::appraisal::{Appraisal, AppraisalError, Appraised, appraise};
use crate::figures::bonus::{Bonus, BonusError, BonusInput, bonus};
use crate::figures::budget::{BudgetError, BudgetInput, Plan, plan};
use crate::figures::overspend::{OverspendError, OverspendInput, Settlement, settle};

/// A computed result.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Computed {
    /// The split.
    Plan(Plan),
    /// Who bears the overspend.
    Settlement(Settlement),
    /// Surplus and bonus.
    Bonus(Bonus),
    /// The appraisal of all members.
    Appraisal(Vec<Appraisal>),
}

/// What an appraisal is computed from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppraisalInput {
    /// The year.
    pub year: u16,
    /// Which stage's weights.
    pub stage: Slug,
    /// The members.
    pub members: Vec<Appraised>,
}

/// Most members of an alliance.
const MOST_MEMBERS: usize = 500;
/// Most classified parts of overspend.
const MOST_LINES: usize = 5_000;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum OutcomeError {
    /// Not the expected shape.
    #[error("the inputs are not of the expected shape, or hold a key twice, line {line}")]
    Shape {
        /// The line where reading stopped.
        line: usize,
    },
    /// About another year.
    #[error("the inputs are about {0}")]
    Year(u16),
    /// The split.
    #[error(transparent)]
    Budget(#[from] BudgetError),
    /// Overspend.
    #[error(transparent)]
    Overspend(#[from] OverspendError),
    /// Bonus.
    #[error(transparent)]
    Bonus(#[from] BonusError),
    /// Appraisal.
    #[error(transparent)]
    Appraisal(#[from] AppraisalError),
    /// More than a year's result is computed from, so that a file cannot keep its reader busy.
    #[error("a result is computed from at most {MOST_MEMBERS} members and {MOST_LINES} lines")]
    Many,
    /// A member twice.
    #[error("member `{0}` stands twice")]
    Twice(Slug),
}

/// Computes a matter's result for a year from the text of its inputs (JSON).
pub fn compute(
    rules: &Rules,
    year: u16,
    matter: Matter,
    inputs: &str,
) -> Result<Computed, OutcomeError> {
    fn read<T: DeserializeOwned>(text: &str) -> Result<T, OutcomeError> {
        // What stands there stays unsaid.
        unique::read(text).map_err(|error| OutcomeError::Shape { line: error.line() })
    }
    let about = |input: u16| {
        if input == year {
            Ok(())
        } else {
            Err(OutcomeError::Year(input))
        }
    };
    let few = |found: usize, most: usize| {
        if found <= most {
            Ok(())
        } else {
            Err(OutcomeError::Many)
        }
    };
    Ok(match matter {
        Matter::Plan => {
            let input: BudgetInput = read(inputs)?;
            about(input.year)?;
            few(input.members.len(), MOST_MEMBERS)?;
            Computed::Plan(plan(&rules.budget, &input)?)
        }
        Matter::Settlement => {
            let input: OverspendInput = read(inputs)?;
            about(input.year)?;
            few(input.overspend.len(), MOST_MEMBERS)?;
            few(input.classified.len(), MOST_LINES)?;
            Computed::Settlement(settle(&rules.overspend, &input)?)
        }
        Matter::Bonus => {
            let input: BonusInput = read(inputs)?;
            about(input.year)?;
            few(input.members.len(), MOST_MEMBERS)?;
            Computed::Bonus(bonus(&rules.bonus, &input)?)
        }
        Matter::Appraisal => {
            let input: AppraisalInput = read(inputs)?;
            about(input.year)?;
            few(input.members.len(), MOST_MEMBERS)?;
            let digest = canonical::digest("consilium-appraisal-input-v1", &input);
            let digest = digest.map_err(|_| AppraisalError::Canonical)?;
            let about = (&input.stage, digest);
            let mut known = BTreeSet::new();
            let mut all = Vec::with_capacity(input.members.len());
            for member in &input.members {
                if !known.insert(&member.id) {
                    return Err(OutcomeError::Twice(member.id.clone()));
                }
                all.push(appraise(&rules.appraisal, about, member)?);
            }
            Computed::Appraisal(all)
        }
    })
}

impl Computed {
    /// The digest by which statements speak about the result.
    pub fn digest(&self) -> Result<Digest, canonical::Error> {
        canonical::digest("consilium-year-result-v1", self)
    }

    /// About what it is.
    pub fn matter(&self) -> Matter {
        match self {
            Self::Plan(_) => Matter::Plan,
            Self::Settlement(_) => Matter::Settlement,
            Self::Bonus(_) => Matter::Bonus,
            Self::Appraisal(_) => Matter::Appraisal,
        }
    }
}
