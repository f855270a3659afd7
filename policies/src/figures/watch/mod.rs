//! The warnings of a budget year, in order: spending against the budget and the month's target, months
//! far from their mean, a splurge at the year's end, services that fall while money is short, and case
//! groups far from the alliance. What noise leaves open is said to be open, with how many more months of
//! the same would decide it.

mod groups;
#[cfg(test)]
mod test;

pub use groups::deviating;

use std::collections::BTreeMap;

use dashu::rational::RBig;
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::time::Month;
use serde::{Deserialize, Serialize};

use super::decimal::float;
use super::decompose::Known;
use crate::figures::alerts::{AlertRules, Deviation, Level, mean, months_to_decide};
use crate::figures::exact::sum;
use crate::figures::{Exact, half_up};

/// Fewest earlier months that a month is held against.
const LEAST: usize = 3;
/// Months after which what is open is not said to be decided by waiting.
const MOST: u32 = 24;
/// 97.5 % of a normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// What is known of a member's year.
#[derive(Clone, PartialEq, Debug)]
pub struct Watched {
    /// The member.
    pub id: Slug,
    /// Its budget, less what is deducted.
    pub budget: Fen,
    /// The months' advances, January first: what a month may spend.
    pub targets: Vec<Fen>,
    /// What was paid, by month.
    pub paid: BTreeMap<Month, Fen>,
    /// Twelve months' usual parts of a year, in any one unit; even where they are not known.
    pub usual: Option<[Exact; 12]>,
    /// Released numbers of stays, by month.
    pub stays: BTreeMap<Month, Known>,
}

/// What a warning is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The year's spending reaches a level of the budget (预算执行).
    Budget,
    /// A month lies outside the band around the mean of the months before (长期偏差).
    Deviation,
    /// A month lies far above that mean (异常).
    Anomaly,
    /// The last months were all over their targets: no new equipment (连续超支).
    OverTarget,
    /// The last quarter spent more than its share (突击花钱).
    Splurge,
    /// Services fell while a red warning stands: look at quality (推诿病人).
    ServicesFell,
    /// A case group costs more, or less, than the alliance's band (病组偏差).
    CaseGroup,
}

/// A warning.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warning {
    /// The member.
    pub member: Slug,
    /// The month that it is of.
    pub month: Month,
    /// About what.
    pub kind: Kind,
    /// The case group, of [`Kind::CaseGroup`].
    pub group: Option<String>,
    /// How near the budget, of [`Kind::Budget`]; otherwise nothing.
    pub level: Option<Level>,
    /// What was found: an amount in yuan, a number of stays.
    pub found: String,
    /// What it is held against, in the same unit.
    pub against: String,
    /// Whether the noise of the figures lets it stand.
    pub certainty: Certainty,
}

/// Whether a warning stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Certainty {
    /// It stands: the noise, if there is any, cannot have made it.
    Decided,
    /// The noise may have made it.
    Open {
        /// After how many more months of the same it would be decided; nothing where not in two years.
        months: Option<u32>,
    },
}

/// All warnings of a member up to a month, by month.
pub fn watch(rules: &AlertRules, of: &Watched, until: Month) -> Vec<Warning> {
    let mut found = Vec::new();
    let (mut spent, mut reached) = (Fen(0), Level::None);
    let mut before: Vec<Fen> = Vec::new();
    let mut months: Vec<(Fen, Fen)> = Vec::new();
    let (mut last, mut in_row) = (None::<Month>, false);
    let year = of.paid.keys().map(|month| month.year()).max();
    let paid = of.paid.iter().filter(|(month, _)| **month <= until);
    for (month, fen) in paid {
        let warn = |kind, found: Fen, against: Fen| Warning {
            member: of.id.clone(),
            month: *month,
            kind,
            group: None,
            level: None,
            found: found.to_string(),
            against: against.to_string(),
            certainty: Certainty::Decided,
        };
        spent = Fen(spent.0.saturating_add(fen.0));
        let level = rules.level(spent, of.budget);
        if level > reached {
            reached = level;
            found.push(Warning {
                level: Some(level),
                ..warn(Kind::Budget, spent, of.budget)
            });
        }
        if let Some(mean) = mean(&before).filter(|_| before.len() >= LEAST) {
            let usual = crate::figures::exact::round(&mean).unwrap_or_default();
            if rules.anomaly(*fen, &mean) {
                found.push(warn(Kind::Anomaly, *fen, usual));
            } else if rules.deviation(*fen, &mean) != Deviation::Within {
                found.push(warn(Kind::Deviation, *fen, usual));
            }
        }
        before.push(*fen);
        // Months in a row have none between them that is not known.
        if last.and_then(Month::next) != Some(*month) {
            months.clear();
        }
        last = Some(*month);
        let target = usize::from(month.number()).checked_sub(1);
        let target = target.and_then(|place| of.targets.get(place)).copied();
        months.push((*fen, target.unwrap_or_default()));
        // Told once, when there are enough of them.
        let row = rules.over_target(&months);
        if target.is_some() && row && !in_row {
            found.push(warn(Kind::OverTarget, *fen, target.unwrap_or_default()));
        }
        in_row = row;
        found.extend(fell(rules, of, *month, reached));
    }
    if let Some(year) = year
        && let Ok(all) = <[Fen; 12]>::try_from(before)
    {
        found.extend(splurge(rules, of, &all, until).filter(|one| one.month.year() == year));
    }
    found
}

/// Whether the year's last quarter spent more than its share.
fn splurge(rules: &AlertRules, of: &Watched, months: &[Fen; 12], until: Month) -> Option<Warning> {
    let even = || std::array::from_fn(|_| Exact(RBig::ONE));
    let usual = of.usual.clone().unwrap_or_else(even);
    if !rules.splurge(months, &usual) {
        return None;
    }
    let spent = |from: usize| sum(months.iter().skip(from).map(|fen| RBig::from(fen.0)));
    let part = |from: usize| sum(usual.iter().skip(from).map(|part| &part.0));
    let expected = spent(0) * part(9) / part(0);
    let yuan = |fen: &RBig| half_up(&(fen / RBig::from(100)), 2);
    Some(Warning {
        member: of.id.clone(),
        month: until,
        kind: Kind::Splurge,
        group: None,
        level: None,
        found: yuan(&spent(9)),
        against: yuan(&expected),
        certainty: Certainty::Decided,
    })
}

/// Whether stays fell below their mean while a red warning stands, as far as the noise tells.
fn fell(rules: &AlertRules, of: &Watched, month: Month, level: Level) -> Option<Warning> {
    let now = of.stays.get(&month)?;
    let before: Vec<&Known> = of.stays.range(..month).map(|(_, known)| known).collect();
    if level != Level::Red || before.len() < LEAST {
        return None;
    }
    let count = RBig::from(before.len());
    let mean = sum(before.iter().map(|known| &known.value)) / &count;
    let line = &mean * (RBig::ONE - &rules.volume.0);
    let squares: f64 = before.iter().map(|known| known.sd * known.sd).sum();
    let of_mean = float(&((RBig::ONE - &rules.volume.0) / &count)) * libm::sqrt(squares);
    let certainty = beyond(&(&line - &now.value), (now.sd, of_mean))?;
    Some(Warning {
        member: of.id.clone(),
        month,
        kind: Kind::ServicesFell,
        group: None,
        level: Some(level),
        found: half_up(&now.value, 0),
        against: half_up(&line, 0),
        certainty,
    })
}

/// How sure it is that a figure lies beyond a line, by `distance`; nothing where it does not.
/// The noise is each month's own, and the line's, which stays.
fn beyond(distance: &RBig, (own, of_line): (f64, f64)) -> Option<Certainty> {
    let distance = float(distance);
    if distance > Z * libm::hypot(own, of_line) {
        Some(Certainty::Decided)
    } else if distance > 0.0 {
        let months = months_to_decide(distance, (own, of_line), 1, MOST);
        Some(Certainty::Open { months })
    } else {
        None
    }
}
