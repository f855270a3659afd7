//! A year's figures as rows, for people and spreadsheets.

use policies::figures::alerts::{self, Execution};
use policies::figures::budget::Plan;
use policies::year::{Computed, Published, Year};
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::year::Matter;

use super::sheet::{self, Field, Sheet};
use super::{YearError, by_member, parts};

/// Where each member's spending stands after `month` months, of the plan in force and of what the
/// insurer says it paid.
pub fn execution(
    published: &Published,
    year: &Year,
    month: u8,
) -> Vec<(Slug, Fen, Fen, Option<Execution>)> {
    let Some(plan) = published.plan(year) else {
        return Vec::new();
    };
    let rows = plan.members.iter().map(|part| {
        let paid = year.paid.get(&part.id);
        let months = paid.into_iter().flatten();
        let until = months
            .filter(|(paid, _)| paid.number() <= month)
            .map(|(_, fen)| fen.0);
        let spent = Fen(until.fold(0, i64::saturating_add));
        let budget = Fen(part.amount.0.saturating_sub(part.deduction.0));
        let rules = &published.rules.alerts;
        let months = year.planned_months_of(&part.id);
        let gone = months.iter().filter(|one| one.number() <= month).count();
        let count = |months: usize| u8::try_from(months).unwrap_or(0);
        let of = (count(gone), count(months.len()));
        let stands = alerts::execution(rules, budget, spent, of);
        (part.id.clone(), budget, spent, stands)
    });
    rows.collect()
}

/// A year's results by member as CSV: the newest plan, and of bonus, settlement and appraisal what is in
/// force; money in yuan. A field is empty where nothing is; the last line adds the amounts up.
pub fn members(published: &Published, year: &Year) -> Result<String, YearError> {
    Ok(by_member::sheet(published, year).csv()?)
}

/// A year as a workbook (XLSX): about it, members, months, payments, pool, overspend, points, objections,
/// control figures.
pub fn workbook(published: &Published, year: &Year) -> Result<Vec<u8>, YearError> {
    let sheets = [
        about(published, year),
        by_member::sheet(published, year),
        months(published, year),
        payments(year),
        parts::pool(published, year),
        parts::overspend(published, year),
        parts::points(published, year),
        parts::objections(year),
        controls(published, year),
    ];
    Ok(sheet::workbook(&sheets)?)
}

/// Control figures of case groups as CSV; money in yuan. `None` where the plan has none.
pub fn control_figures(published: &Published, year: &Year) -> Result<Option<String>, YearError> {
    let sheet = controls(published, year);
    Ok(match sheet.rows.as_slice() {
        [] => None,
        _ => Some(sheet.csv()?),
    })
}

pub(super) fn plan<'a>(published: &'a Published, year: &Year) -> Option<&'a Plan> {
    match &published.newest(year, Matter::Plan)?.computed {
        Computed::Plan(plan) => Some(plan),
        _ => None,
    }
}

pub(super) fn text(value: &(impl ToString + ?Sized)) -> Field {
    Field::Text(value.to_string())
}

pub(super) fn number(value: &(impl ToString + ?Sized)) -> Field {
    Field::Number(value.to_string())
}

/// What the file is about, and by what it is checked.
fn about(published: &Published, year: &Year) -> Sheet {
    let mut sheet = Sheet::new("about", &["what", "value"]);
    let mut row = |what: &str, value: Field| sheet.rows.push(vec![text(what), value]);
    row("alliance", text(&published.alliance));
    row("year", number(&year.number));
    row("stage", text(year.stage.as_str()));
    row("target", Field::Money(year.target));
    row("unit of money", text("yuan"));
    row("rules", text(&year.rules));
    row("statements", number(&published.statements.len()));
    for (matter, course) in &year.matters {
        let state = if course.in_force {
            "in force"
        } else {
            "proposed"
        };
        row(
            matter.as_str(),
            text(&format!("{state}, {}", course.result)),
        );
    }
    row(
        "check",
        text("consilium-node year verify year.json computes all of it again"),
    );
    sheet
}

/// Advances of twelve months.
fn months(published: &Published, year: &Year) -> Sheet {
    let mut head = vec!["member".to_owned()];
    head.extend((1..=12).map(|month| format!("{}-{month:02}", year.number)));
    let mut sheet = Sheet {
        name: "advances",
        head,
        rows: Vec::new(),
    };
    for part in plan(published, year).map_or(&[][..], |plan| &plan.members) {
        let mut row = vec![text(&part.id)];
        row.extend(part.monthly.iter().map(|fen| Field::Money(*fen)));
        sheet.rows.push(row);
    }
    sheet.add_up(&[]);
    sheet
}

/// What the insurer says it paid.
fn payments(year: &Year) -> Sheet {
    let mut sheet = Sheet::new("payments", &["member", "month", "paid"]);
    for (member, months) in &year.paid {
        for (month, fen) in months {
            let row = vec![text(member), text(month), Field::Money(*fen)];
            sheet.rows.push(row);
        }
    }
    sheet.add_up(&[]);
    sheet
}

fn controls(published: &Published, year: &Year) -> Sheet {
    let head = ["case_group", "standard_fee", "fee_of_a_day", "days"];
    let mut sheet = Sheet::new("control figures", &head);
    for one in plan(published, year).map_or(&[][..], |plan| &plan.controls) {
        sheet.rows.push(vec![
            text(&one.group),
            Field::Money(one.fee),
            Field::Money(one.day),
            number(&one.days),
        ]);
    }
    sheet
}
