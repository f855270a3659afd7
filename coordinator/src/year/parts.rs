//! What a year's results hold beside the members' rows, as tables: pool, bearers of overspend, points of
//! the appraisal, objections of every version.

use policies::figures::appraisal::{Appraisal, Indicator};
use policies::figures::overspend::{Cause, OverspendInput};
use policies::year::{Computed, Objection, Published, Year};
use schemas::money::Fen;
use schemas::year::Matter;

use super::sheet::{Field, Sheet};
use super::table::{number, text};

/// Where the surplus and the pool went, of a bonus in force; it stays empty before.
pub(super) fn pool(published: &Published, year: &Year) -> Sheet {
    let mut sheet = Sheet::new("surplus and pool", &["what", "who", "amount"]);
    let Some(Computed::Bonus(bonus)) = published
        .in_force(year, Matter::Bonus)
        .map(|one| &one.computed)
    else {
        return sheet;
    };
    let mut line = |what: &str, who: &str, fen: Fen| {
        let row = vec![text(what), text(who), Field::Money(fen)];
        sheet.rows.push(row);
    };
    line("surplus that stays with the alliance", "", bonus.retained);
    line("pool, all of it", "", bonus.pool.total);
    for (member, fen) in &bonus.pool.referrals {
        line("pool, prize for referrals", member.as_str(), *fen);
    }
    if let Some((team, fen)) = &bonus.pool.team {
        line("pool, prize of the team", team.as_str(), *fen);
    }
    line("pool, given to nobody", "", bonus.pool.left);
    sheet
}

/// Score and points of each indicator, of an appraisal in force; it stays empty before.
pub(super) fn points(published: &Published, year: &Year) -> Sheet {
    let head = [
        "member",
        "stage",
        "indicator",
        "score",
        "points",
        "numerator",
        "denominator",
    ];
    let mut sheet = Sheet::new("appraisal points", &head);
    let Some(Computed::Appraisal(all)) = published
        .in_force(year, Matter::Appraisal)
        .map(|one| &one.computed)
    else {
        return sheet;
    };
    for one in all {
        let Appraisal { id, stage, .. } = one;
        for (indicator, (score, points)) in &one.indicators {
            let mut rules = published.rules.appraisal.indicators.iter();
            let means = rules.find(|one| one.id == *indicator);
            let means =
                |of: fn(&Indicator) -> &String| means.map_or(Field::Empty, |one| text(of(one)));
            sheet.rows.push(vec![
                text(id),
                text(stage),
                text(indicator),
                number(score),
                number(points),
                means(|one| &one.numerator),
                means(|one| &one.denominator),
            ]);
        }
    }
    sheet
}

/// Who bears the overspend, and what was classified how, of a settlement in force; it stays empty before.
pub(super) fn overspend(published: &Published, year: &Year) -> Sheet {
    let mut sheet = Sheet::new("overspend", &["what", "who", "amount"]);
    let proposed = published.in_force(year, Matter::Settlement);
    let Some((Computed::Settlement(of), inputs)) = proposed.map(|one| (&one.computed, &one.inputs))
    else {
        return sheet;
    };
    let mut line = |what: &str, who: &str, fen: Fen| {
        let row = vec![text(what), text(who), Field::Money(fen)];
        sheet.rows.push(row);
    };
    let classified = serde_json::from_str::<OverspendInput>(inputs).map(|input| input.classified);
    for one in classified.unwrap_or_default() {
        let what = format!("classified as {}", word(one.cause));
        line(&what, one.member.as_str(), one.amount);
    }
    line("borne by the insurer", "", of.insurer);
    line("borne by the reserve", "", of.from_reserve);
    line("left in the reserve", "", of.reserve_after);
    line("borne by nobody yet", "", of.uncovered);
    for (member, fen) in &of.responsible {
        line("borne by the member", member.as_str(), *fen);
    }
    for (member, fen) in &of.next_year {
        line("taken from the next budget", member.as_str(), *fen);
    }
    sheet
}

/// A cause as inputs write it.
fn word(cause: Cause) -> String {
    let name = serde_json::to_value(cause).ok();
    let name = name.as_ref().and_then(|name| name.as_str());
    name.unwrap_or_default().to_owned()
}

/// Every objection to every version, with what was answered.
pub(super) fn objections(year: &Year) -> Sheet {
    let head = [
        "about",
        "version",
        "member",
        "objection",
        "answers",
        "outcome",
    ];
    let mut sheet = Sheet::new("objections", &head);
    for (matter, course) in &year.matters {
        for (version, member, objection) in course.heard() {
            sheet.rows.push(vec![
                text(matter.as_str()),
                number(&version),
                text(member),
                text(&objection.why),
                text(&answers(objection)),
                text(objection.outcome()),
            ]);
        }
    }
    sheet
}

/// What was answered, by whom.
pub(super) fn answers(objection: &Objection) -> String {
    let answers = objection.answers.iter().map(|(by, one)| {
        let word = if one.upheld { "right" } else { "not right" };
        format!("{by} ({word}): {}", one.why)
    });
    answers.collect::<Vec<_>>().join("; ")
}
