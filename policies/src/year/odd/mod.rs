//! What rules allow and a reviewer would ask about: each with its field, what is odd and what is expected.
//! Faults are refused when rules are read; these are only said.

mod money;
#[cfg(test)]
mod test;

use self::money::{bonus, budget, overspend};
use super::{Rules, YearRules};
use crate::figures::appraisal::AppraisalRules;

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
        let [course, split, payout, bearers, grades, _] = Self::FILES;
        let mut all = Found::default();
        all.of(course, year(&self.year));
        all.of(split, budget(&self.budget));
        all.of(payout, bonus(&self.bonus));
        all.of(bearers, overspend(&self.overspend));
        all.of(grades, appraisal(&self.appraisal));
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
                !rules.signers.contains(&of.insurer),
                format!("matters.{name}.signers"),
                "leaves out the insurer, whose money it is".to_owned(),
                "the insurer among the signers",
            ),
        ]
    });
    matters.collect()
}

fn appraisal(of: &AppraisalRules) -> Vec<Look> {
    let mut looks: Vec<Look> = of
        .warnings()
        .into_iter()
        .map(|odd| {
            let expected = "referrals at least a third of what control of costs weighs";
            (true, "stages".to_owned(), odd, expected)
        })
        .collect();
    for two in of.grades.windows(2) {
        let [better, worse] = two else { continue };
        looks.push((
            better.payment < worse.payment,
            format!("grades.{}.payment", better.id),
            format!("pays less than the worse grade `{}`", worse.id),
            "a better grade paid no less",
        ));
        looks.push((
            better.improve_days.is_some() && worse.improve_days.is_none(),
            format!("grades.{}.improve_days", better.id),
            format!(
                "asks for a plan that the worse grade `{}` is spared",
                worse.id
            ),
            "plans from the worse grades",
        ));
    }
    let last = of.grades.last();
    looks.push(look(
        last.is_some_and(|grade| grade.improve_days.is_none()),
        "grades",
        "ask nothing of the worst",
        "`improve_days` of the last grade",
    ));
    looks
}
