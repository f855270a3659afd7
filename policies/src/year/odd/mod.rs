//! What rules allow and a reviewer would ask about: each with its field, what is odd and what is expected.
//! Faults are refused when rules are read; these are only said.

mod appraisal;
mod money;
#[cfg(test)]
mod test;

use dashu::rational::RBig;
use schemas::year::Matter;

use self::appraisal::appraisal;
use self::money::{bonus, budget, overspend};
use super::{Rules, YearRules};
use crate::figures::Exact;
use crate::figures::alerts::AlertRules;

/// Fewest days in which a member is expected to be able to look at a result.
const LEAST_DAYS: u32 = 7;

/// A rule that is allowed and odd.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Odd {
    /// Its file.
    pub file: &'static str,
    /// Its field.
    pub field: String,
    /// What is odd about it.
    pub found: String,
    /// What a reviewer expects.
    pub expected: String,
}

impl std::fmt::Display for Odd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            file,
            field,
            found,
            expected,
        } = self;
        write!(f, "`{file}`: `{field}` {found}; expected: {expected}")
    }
}

impl Rules {
    /// What is odd about all of the rules, file by file.
    pub fn odd(&self) -> Vec<Odd> {
        let [course, split, payout, bearers, grades, warnings] = Self::FILES;
        let mut all = Found::default();
        all.of(course, year(&self.year));
        all.of(split, budget(&self.budget));
        all.of(payout, bonus(&self.bonus));
        all.of(bearers, overspend(&self.overspend));
        all.of(grades, appraisal(&self.appraisal));
        all.of(warnings, alerts(&self.alerts));
        all.0
    }
}

#[derive(Default)]
struct Found(Vec<Odd>);

/// Whether it is odd, its field, what is odd, what is expected.
type Look = (bool, String, String, &'static str);

impl Found {
    fn of(&mut self, file: &'static str, looks: Vec<Look>) {
        let odd = looks.into_iter().filter(|(odd, ..)| *odd);
        self.0.extend(odd.map(|(_, field, found, expected)| Odd {
            file,
            field,
            found,
            expected: expected.to_owned(),
        }));
    }
}

fn look(odd: bool, field: &str, what: &str, expected: &'static str) -> Look {
    (odd, field.to_owned(), what.to_owned(), expected)
}

fn year(of: &YearRules) -> Vec<Look> {
    let matters = of.matters.iter().flat_map(|(matter, rules)| {
        let name = matter.as_str();
        let days = rules.objection_days;
        [
            (
                days < LEAST_DAYS,
                format!("matters.{name}.objection_days"),
                format!("is {days}: members can hardly look at a result in that time"),
                "a week or more",
            ),
            (
                rules.signers.len() > 8,
                format!("matters.{name}.signers"),
                format!("are {}: one who is away holds up all", rules.signers.len()),
                "two to six parties",
            ),
        ]
    });
    let mut looks: Vec<Look> = matters.collect();
    if let Some(settlement) = of.matters.get(&Matter::Settlement) {
        let both = [&of.insurer, &of.committee];
        looks.push(look(
            !both
                .into_iter()
                .all(|party| settlement.deciders.contains(party)),
            "matters.settlement.deciders",
            "do not hear appeals by insurer and committee together",
            "both of them",
        ));
    }
    looks
}

fn alerts(of: &AlertRules) -> Vec<Look> {
    let half = Exact(RBig::from_parts(1.into(), 2_u8.into()));
    let one = Exact(RBig::ONE);
    vec![
        look(
            of.red > one,
            "red",
            "warns only when more than the whole budget is spent",
            "1",
        ),
        look(
            of.blue < half,
            "blue",
            "warns from less than half of the budget on: nobody will look",
            "0.9",
        ),
        look(
            of.deviation > half,
            "deviation",
            "is more than half: months that differ are not seen",
            "0.1",
        ),
        look(
            of.anomaly > one,
            "anomaly",
            "is above 1: only doubled spending is seen",
            "0.2",
        ),
        look(
            of.splurge > half,
            "splurge",
            "lets the last quarter spend half as much again",
            "0.1",
        ),
        look(
            of.volume > half,
            "volume",
            "is more than half: services may halve unseen",
            "0.15",
        ),
    ]
}
