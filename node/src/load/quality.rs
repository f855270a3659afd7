//! The quality report of a month: four scores from 0 to 100 and a grade. It stays at the node.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemas::answer::Grade;
use schemas::time::{Month, Timestamp};
use serde::Serialize;

use super::tally::Tally;
use crate::check::rules::{Aspect, Rule};
use crate::ingest::date::days_after;

/// Scores of one month.
#[derive(Clone, Debug, Serialize)]
pub struct Quality {
    /// The month.
    pub month: Month,
    /// Rows kept.
    pub kept: u64,
    /// Rows in quarantine, those without a month shared out by size.
    pub refused: u64,
    /// 准确率: rows that break no rule of accuracy, in percent, rounded down.
    pub accuracy: u8,
    /// 完整性: rows without a missing value.
    pub completeness: u8,
    /// 一致性: rows that break no rule of consistency.
    pub consistency: u8,
    /// 时效性: 100 if loaded in time, then one less every three days, not below 70.
    pub timeliness: u8,
    /// From the lowest score.
    pub grade: Grade,
    /// The lowest score and what lowered it most; empty for grade A.
    pub why: String,
    /// Rows in quarantine by rule.
    pub rules: BTreeMap<&'static str, u64>,
}

/// How timeliness is judged.
#[derive(Clone, Copy, Debug)]
pub struct Timeliness {
    /// When the file was loaded.
    pub loaded: Timestamp,
    /// Days after a month's end that are in time.
    pub days: u16,
    /// History brought in when the node starts: always timely.
    pub history: bool,
}

/// The scores of every month that has rows.
pub(super) fn judge(tally: &Tally, timeliness: Timeliness) -> Vec<Quality> {
    let all: u64 = tally
        .months
        .values()
        .map(|m| m.kept + m.refused.values().sum::<u64>())
        .sum();
    let months = tally.months.iter().filter(|(_, counts)| counts.kept > 0);
    months
        .map(|(month, counts)| {
            let placed: u64 = counts.refused.values().sum();
            let mut rules = counts.refused.clone();
            for (rule, count) in &tally.unplaced {
                // Rounded up: a month is never judged better for rows that hide their month.
                let share = (count * (counts.kept + placed)).div_ceil(all.max(1));
                *rules.entry(*rule).or_default() += share;
            }
            let refused: u64 = rules.values().sum();
            let rows = counts.kept + refused;
            let broken = |aspect: Aspect| -> u64 {
                let of = rules.iter().filter(|(rule, _)| rule.entry().1 == aspect);
                of.map(|(_, count)| *count).sum()
            };
            let score = |bad: u64| {
                let good = rows.saturating_sub(bad) * 100 / rows.max(1);
                u8::try_from(good).unwrap_or(100)
            };
            let accuracy = score(broken(Aspect::Accuracy));
            let completeness = score(broken(Aspect::Completeness) + counts.incomplete);
            let consistency = score(broken(Aspect::Consistency));
            let timely = timely(*month, timeliness);
            let scores = [
                (accuracy, "accuracy", Some(Aspect::Accuracy)),
                (completeness, "completeness", Some(Aspect::Completeness)),
                (consistency, "consistency", Some(Aspect::Consistency)),
                (timely, "timeliness", None),
            ];
            let lowest = scores.iter().map(|score| score.0).min().unwrap_or(0);
            let cause = scores.into_iter().find(|score| score.0 == lowest);
            let cause = cause.filter(|_| grade(lowest) != Grade::A);
            let why = cause.map_or_else(String::new, |(score, name, aspect)| {
                let most = aspect.map_or("loaded late".to_owned(), |aspect| {
                    most_of(aspect, &rules, counts.incomplete)
                });
                format!("{name} {score}: {most}")
            });
            Quality {
                month: *month,
                kept: counts.kept,
                refused,
                accuracy,
                completeness,
                consistency,
                timeliness: timely,
                grade: grade(lowest),
                why,
                rules: rules
                    .iter()
                    .map(|(rule, count)| (rule.id(), *count))
                    .collect(),
            }
        })
        .collect()
}

/// What lowers a score most, with its rows.
fn most_of(aspect: Aspect, rules: &BTreeMap<Rule, u64>, incomplete: u64) -> String {
    let of = rules.iter().filter(|(rule, _)| rule.entry().1 == aspect);
    let most = of.max_by_key(|(_, rows)| **rows);
    let empty = if aspect == Aspect::Completeness {
        incomplete
    } else {
        0
    };
    match most {
        Some((rule, rows)) if *rows >= empty => format!("{} ({rows} rows)", rule.id()),
        _ => format!("empty codes ({empty} rows)"),
    }
}

fn timely(month: Month, timeliness: Timeliness) -> u8 {
    if timeliness.history {
        return 100;
    }
    let late = days_after(month, timeliness.loaded)
        .unwrap_or(0)
        .saturating_sub(u64::from(timeliness.days));
    // Late data are worth less, but lateness alone never makes a D.
    u8::try_from(late.div_ceil(3)).map_or(70, |less| 100_u8.saturating_sub(less).max(70))
}

fn grade(lowest: u8) -> Grade {
    match lowest {
        95.. => Grade::A,
        85.. => Grade::B,
        70.. => Grade::C,
        _ => Grade::D,
    }
}

/// The report for people.
pub(super) fn text(months: &[Quality]) -> String {
    let mut text = String::from(
        "Quality by month (质量报告)\n\nmonth    rows kept  refused  accuracy  completeness  \
         consistency  timeliness  grade\n",
    );
    for m in months {
        let line = writeln!(
            text,
            "{}  {:>9}  {:>7}  {:>8}  {:>12}  {:>11}  {:>10}  {:>5?}",
            m.month,
            m.kept,
            m.refused,
            m.accuracy,
            m.completeness,
            m.consistency,
            m.timeliness,
            m.grade
        );
        debug_assert!(line.is_ok(), "writing to a string does not fail");
    }
    for m in months.iter().filter(|m| !m.why.is_empty()) {
        let line = writeln!(text, "{}: grade {:?} for {}", m.month, m.grade, m.why);
        debug_assert!(line.is_ok(), "writing to a string does not fail");
    }
    text.push_str("\nRules (the quarantine file names row, field and rule):\n");
    for rule in Rule::ALL {
        let rows: u64 = months.iter().filter_map(|m| m.rules.get(rule.id())).sum();
        if rows > 0 {
            let line = writeln!(text, "  {:<12} {:>9}  {}", rule.id(), rows, rule.entry().2);
            debug_assert!(line.is_ok(), "writing to a string does not fail");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::rules::Fault;

    fn month(text: &str) -> Month {
        text.parse().unwrap()
    }

    #[test]
    fn scores_grades_and_rows_without_a_month() {
        let mut tally = Tally::default();
        for row in 0..96 {
            tally.keep(month("2025-01"), row > 0);
        }
        for rule in [Rule::Range, Rule::TotalParts, Rule::Required] {
            tally.refuse(&Fault::new(rule, "cost").in_month(month("2025-01")));
        }
        tally.refuse(&Fault::new(Rule::Date, "discharge"));
        let timeliness = Timeliness {
            loaded: Timestamp(1_738_368_000), // 2025-02-01
            days: 45,
            history: false,
        };
        let quality = judge(&tally, timeliness).remove(0);
        let scores = (quality.accuracy, quality.completeness, quality.consistency);
        assert_eq!(scores, (98, 98, 99));
        assert_eq!(
            (quality.timeliness, quality.grade, quality.refused),
            (100, Grade::A, 4)
        );
        assert!(text(&[quality]).contains("total-parts"));
        let late = Timeliness {
            loaded: Timestamp(1_738_368_000 + 86_400 * 105),
            ..timeliness
        };
        assert_eq!(judge(&tally, late)[0].timeliness, 80);
        let years_late = Timeliness {
            loaded: Timestamp(1_938_368_000),
            ..timeliness
        };
        assert_eq!(judge(&tally, years_late)[0].timeliness, 70);
        assert_eq!(judge(&tally, years_late)[0].grade, Grade::C);
        assert_eq!(
            judge(&tally, years_late)[0].why,
            "timeliness 70: loaded late"
        );
        assert_eq!(judge(&tally, timeliness)[0].why, "");
        for _ in 0..20 {
            tally.refuse(&Fault::new(Rule::Range, "cost").in_month(month("2025-01")));
        }
        assert_eq!(
            judge(&tally, timeliness)[0].why,
            "accuracy 81: range (21 rows)"
        );
    }

    #[test]
    fn grades_at_their_edges() {
        let edges = [
            (95, Grade::A),
            (94, Grade::B),
            (85, Grade::B),
            (84, Grade::C),
        ];
        for (score, expected) in edges.into_iter().chain([(70, Grade::C), (69, Grade::D)]) {
            assert_eq!(grade(score), expected);
        }
    }
}
