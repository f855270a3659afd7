//! The de-identification report in words.

use std::fmt::Write as _;

use schemas::id::Slug;

use super::exposure::{Exposure, Report, decimal};
use crate::config::Quality;
use crate::deidentify::risk::{Risk, Share};

const HEAD: &str = "                rows  classes      k  in classes < {small}      l  entropy l  t group  t stay  \
                    mean risk  risk > {risk}\n";

/// The report for people.
pub(super) fn text(report: &Report, settings: &Quality, findings: u64) -> String {
    let quasi = settings.quasi_identifiers.iter().take(4);
    let names: Vec<&str> = quasi.map(Slug::as_str).collect();
    let mut text = format!(
        "De-identification by month (去标识化报告): for this hospital's eyes only\n\nclasses by {}\n\n",
        names.join(", ")
    );
    let risk = decimal(u128::from(settings.risk_permille));
    let head = HEAD.replace("{small}", &settings.small_class.to_string());
    text += &head.replace("{risk}", &risk);
    for month in &report.months {
        text += &line(&month.month.to_string(), &month.risk);
    }
    if let Some(whole) = &report.whole {
        text += &line("all months", whole);
    }
    text.push_str(
        "\nk: rows of the smallest class (fewer persons where one has several of them); a known row is found with a \
         chance of at most 1/k. l: case groups of the class with the fewest,\nand as evenly spread ones (entropy). t: how far a class's case \
         groups and stays are from all rows'. Mean risk: of a row, 1 / rows of its class.\n",
    );
    for month in report.months.iter().filter(|month| !month.short.is_empty()) {
        text += &remarks(month);
    }
    let verdict = if findings == 0 {
        "Identifiers found in what was written: none.\n"
    } else {
        "Identifiers were found in what was written: these months cannot be released.\n"
    };
    text.push('\n');
    text.push_str(verdict);
    text
}

fn line(name: &str, of: &Risk) -> String {
    let share = |share: Share| decimal(share.permille());
    let stay = of.t_days.map_or_else(|| "-".to_owned(), share);
    format!(
        "{name:<10}  {:>8}  {:>7}  {:>5}  {:>13}  {:>5}  {:>9}  {:>7}  {stay:>6}  {:>9}  {:>12}\n",
        of.rows,
        of.classes,
        of.smallest_class,
        decimal(u128::from(of.small_permille)),
        of.fewest_groups,
        of.entropy_groups,
        share(of.t_groups),
        share(of.mean),
        share(of.above),
    )
}

/// What falls short in a month; of a small one also which quasi-identifier tells most apart.
fn remarks(month: &Exposure) -> String {
    let mut text = format!("\n{}: {}.\n", month.month, month.short.join("; "));
    text.push_str(
        "  No row of this month leaves as a row; answers to questions carry their own protection (noise).\n",
    );
    for (name, risk) in &month.without {
        let above = decimal(risk.above.permille());
        let written = writeln!(
            text,
            "  without {name}: k {}, l {}, rows at high risk {above}",
            risk.smallest_class, risk.fewest_groups
        );
        debug_assert!(written.is_ok(), "writing to a string does not fail");
    }
    if !month.without.is_empty() {
        text.push_str(
            "  Few rows: read the line of all months too. Coarser keys are the alliance's to publish, in the \
             dictionary.\n",
        );
    }
    text
}
