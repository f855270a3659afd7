//! A year's results by member, as a table.

use std::collections::BTreeMap;

use policies::figures::bonus::Bonus;
use policies::figures::budget::{Noise, Part};
use policies::year::{Computed, Published, Year};
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::year::Matter;

use super::sheet::{Field, Sheet};
use super::table::{number, plan, text};

/// Columns of money that do not add up.
const APART: [&str; 2] = ["budget_low", "budget_high"];

/// A row: its columns' names and fields.
type Row = Vec<(String, Field)>;

/// The newest plan, and of bonus, settlement and appraisal what is in force. New columns come last:
/// programs count from the left.
pub(super) fn sheet(published: &Published, year: &Year) -> Sheet {
    let mut sheet = Sheet::new("members", &[]);
    let plan = plan(published, year);
    let members = plan.map_or(&[][..], |plan| &plan.members);
    // Every row has every earmark, whoever gets it.
    let mut marks: Vec<&Slug> = members
        .iter()
        .flat_map(|part| part.earmarks.keys())
        .collect();
    marks.sort();
    marks.dedup();
    for part in members {
        let row = row(published, year, (part, &marks));
        sheet.head = row.iter().map(|(name, _)| name.clone()).collect();
        sheet
            .rows
            .push(row.into_iter().map(|(_, field)| field).collect());
    }
    sheet.add_up(&APART);
    sheet
}

fn row(published: &Published, year: &Year, (part, marks): (&Part, &[&Slug])) -> Row {
    let id = &part.id;
    let word = |value: &dyn std::fmt::Debug| text(&format!("{value:?}").to_lowercase());
    let applied = year.applications.get(id).map(|one| one.amount);
    let (low, high) = match &part.noise {
        Some(Noise::Interval { low, high }) => (Field::Money(*low), Field::Money(*high)),
        _ => (Field::Empty, Field::Empty),
    };
    let in_force = |matter| published.in_force(year, matter).map(|one| &one.computed);
    let bonus = match in_force(Matter::Bonus) {
        Some(Computed::Bonus(bonus)) => Some(bonus),
        _ => None,
    };
    let settled = match in_force(Matter::Settlement) {
        Some(Computed::Settlement(settled)) => Some(settled),
        _ => None,
    };
    let graded = match in_force(Matter::Appraisal) {
        Some(Computed::Appraisal(all)) => all.iter().find(|one| one.id == *id),
        _ => None,
    };
    let of_bonus = |map: fn(&Bonus) -> &BTreeMap<Slug, Fen>| {
        bonus.map_or(Field::Empty, |bonus| of(map(bonus), id))
    };
    let score = bonus.and_then(|bonus| bonus.scores.iter().find(|score| score.id == *id));
    let told = |field: Option<Field>| field.unwrap_or(Field::Empty);
    let mut row: Row = Vec::new();
    let mut column = |name: &str, field: Field| row.push((name.to_owned(), field));
    column("member", text(id));
    column("tier", word(&part.tier));
    column("applied", told(applied.map(Field::Money)));
    column("base_share", number(&part.base_share));
    column("factor_share", number(&part.factor_share));
    column("share", number(&part.share));
    column("floor", Field::Money(part.floor));
    column("ceiling", Field::Money(part.ceiling));
    column("decided_by", word(&part.pinned));
    column("budget", Field::Money(part.amount));
    column("deduction", Field::Money(part.deduction));
    column("spent", Field::Money(spent(year, id)));
    column("bonus_basic", of_bonus(|bonus| &bonus.basic));
    column("bonus_performance", of_bonus(|bonus| &bonus.performance));
    column("borne", told(settled.map(|one| of(&one.responsible, id))));
    column("grade", told(graded.map(|one| text(&one.grade))));
    column("bonus_score", told(score.map(|one| number(&one.counts))));
    column("pool_put_in", of_bonus(|bonus| &bonus.pool.put_in));
    column("pool_prize", of_bonus(|bonus| &bonus.pool.referrals));
    column(
        "next_year_deduction",
        told(settled.map(|one| of(&one.next_year, id))),
    );
    column("budget_low", low);
    column("budget_high", high);
    let range = score.and_then(|one| one.interval.as_ref());
    column("bonus_score_low", told(range.map(|(low, _)| number(low))));
    column(
        "bonus_score_high",
        told(range.map(|(_, high)| number(high))),
    );
    column(
        "bonus_score_before",
        told(score.map(|one| number(&one.before))),
    );
    let lowered = score.map(|one| {
        let gate = one.gated.then(|| "quality fell".to_owned());
        let flags = one.flagged.iter().map(Slug::to_string);
        gate.into_iter().chain(flags).collect::<Vec<_>>().join("; ")
    });
    column("bonus_lowered_by", told(lowered.map(|all| text(&all))));
    column("pool_kept", of_bonus(|bonus| &bonus.pool.kept));
    let net = bonus.map(|bonus| Field::Money(bonus.net(id)));
    column("bonus_net", told(net));
    column(
        "appraisal_points",
        told(graded.map(|one| number(&one.points))),
    );
    column(
        "appraisal_score",
        told(graded.map(|one| number(&one.composite))),
    );
    for mark in marks {
        let fen = part.earmarks.get(*mark).copied();
        column(
            &format!("earmark_{mark}"),
            Field::Money(fen.unwrap_or_default()),
        );
    }
    row
}

fn of(map: &BTreeMap<Slug, Fen>, id: &Slug) -> Field {
    Field::Money(map.get(id).copied().unwrap_or_default())
}

fn spent(year: &Year, member: &Slug) -> Fen {
    let months = year.paid.get(member).into_iter().flatten();
    Fen(months.fold(0_i64, |sum, (_, fen)| sum.saturating_add(fen.0)))
}
