//! The rules, and the lines of the alerts as whole-number fractions.

use schemas::money::Fen;
use schemas::time::Month;
use serde::{Deserialize, Serialize};

use crate::figures::Exact;
use crate::figures::alerts::{AlertRules, Level};
use crate::figures::settings::{Faults, RulesError, read};

/// The rules as shipped.
pub const DEFAULT: &str = include_str!("../../rules/early.toml");

/// Rules of early warning, beside those of [`AlertRules`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyRules {
    /// Rises with each change.
    pub version: u32,
    /// The first month that they hold for.
    pub effective: Month,
    /// Fewest earlier values that a mean is taken of, 2 to 100.
    pub least: u32,
    /// Most earlier days that the mean of the past is taken of, 2 to 1,000.
    pub days: u32,
    /// Most earlier months, 2 to 120.
    pub months: u32,
    /// Most categories that are named as a cause, 0 to 20.
    pub hints: u32,
}

impl EarlyRules {
    /// Reads and checks rules.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        read(text, Self::check)
    }

    fn check(&self, faults: &mut Faults) {
        for (sound, fault) in [
            ((2..=100).contains(&self.least), "`least` is from 2 to 100"),
            ((2..=1000).contains(&self.days), "`days` is from 2 to 1,000"),
            (
                (2..=120).contains(&self.months),
                "`months` is from 2 to 120",
            ),
            (self.hints <= 20, "`hints` is at most 20"),
            (
                self.least <= self.days && self.least <= self.months,
                "`least` is not above `days` or `months`",
            ),
        ] {
            faults.check(sound, fault);
        }
    }
}

/// A part as a fraction of whole numbers, each below 2^63.
type Part = (i128, i128);

/// The lines that a case's cost crosses, compared by cross-multiplication alone (rule R4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lines {
    blue: Part,
    yellow: Part,
    red: Part,
    above: Part,
}

impl Lines {
    /// The lines of rules.
    pub fn of(rules: &AlertRules) -> Result<Self, RulesError> {
        let part = |value: &Exact, more: i64| {
            let top = i64::try_from(value.0.numerator().clone()).ok();
            let bottom = i64::try_from(value.0.denominator().clone()).ok();
            let parts = top.zip(bottom).and_then(|(top, bottom)| {
                Some((top.checked_add(bottom.checked_mul(more)?)?, bottom))
            });
            let (top, bottom) = parts
                .ok_or_else(|| RulesError::Values(vec!["a line has too many digits".to_owned()]))?;
            Ok((i128::from(top), i128::from(bottom)))
        };
        Ok(Self {
            blue: part(&rules.blue, 0)?,
            yellow: part(&rules.yellow, 0)?,
            red: part(&rules.red, 0)?,
            above: part(&rules.anomaly, 1)?,
        })
    }

    /// How near a cost is to a standard.
    pub fn level(&self, cost: Fen, standard: Fen) -> Level {
        // Both sides stay below 2^126.
        let sides = |(top, bottom): Part| {
            let cost = i128::from(cost.0).saturating_mul(bottom);
            (cost, i128::from(standard.0).saturating_mul(top))
        };
        let reaches = |part| {
            let (cost, line) = sides(part);
            cost >= line && cost > 0
        };
        let (cost, line) = sides(self.red);
        if cost > line {
            Level::Red
        } else if reaches(self.yellow) {
            Level::Yellow
        } else if reaches(self.blue) {
            Level::Blue
        } else {
            Level::None
        }
    }

    /// Whether a cost lies far above a mean (strict).
    pub fn far_above(&self, cost: Fen, mean: Fen) -> bool {
        let (top, bottom) = self.above;
        let cost = i128::from(cost.0).saturating_mul(bottom);
        cost > i128::from(mean.0).saturating_mul(top)
    }
}
