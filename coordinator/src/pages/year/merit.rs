//! Bonus and appraisal of a year.

use std::sync::Arc;

use policies::figures::bonus::{Bonus, BonusRules, Dimension, Score};
use policies::year::Computed;
use schemas::money::Fen;
use schemas::year::Matter;
use web::block::{Block, Cell, Level};
use web::chart::{self, Sum};
use web::shell::Page;

use super::super::answer::Visit;
use super::super::charts::paper;
use super::super::desk::Desk;
use super::super::fault::Fault;
use super::super::routes::Places;
use super::super::words;
use super::results::{about, newest, tile};
use super::{exact, named, read};

/// Contribution, and what members get.
pub(in crate::pages) async fn bonus(
    desk: Arc<Desk>,
    visit: Visit,
    places: Places,
) -> Result<Page, Fault> {
    let (published, of) = read(&desk, places.year()?).await?;
    let Computed::Bonus(bonus) = &newest(&published, &of, Matter::Bonus)?.computed else {
        return Err(Fault::Missing);
    };
    let heads = [
        "member",
        "#score",
        "#low",
        "#high",
        "gated",
        "flagged",
        "#basic",
        "#performance",
        "#prize",
        "#put-in",
        "#net",
    ];
    let mut table = words::table(&visit, "bonus", "matter-bonus", &heads);
    let mut sums = Vec::new();
    for score in &bonus.scores {
        let of = |all: &std::collections::BTreeMap<schemas::id::Slug, Fen>| {
            all.get(&score.id).copied().unwrap_or_default()
        };
        let ends = score.interval.as_ref();
        let end = |text: Option<&String>| {
            text.map_or_else(|| Cell::text("–"), |text| Cell::Number(text.clone()))
        };
        let flagged: Vec<String> = score.flagged.iter().map(|id| named(&visit, id)).collect();
        table.rows.push(vec![
            Cell::text(&score.id),
            Cell::Number(score.counts.clone()),
            end(ends.map(|one| &one.0)),
            end(ends.map(|one| &one.1)),
            if score.gated {
                Cell::Mark(Level::Warning, visit.say("yes"))
            } else {
                Cell::Text(visit.say("no"))
            },
            if flagged.is_empty() {
                Cell::text("–")
            } else {
                Cell::Mark(Level::Warning, flagged.join(", "))
            },
            Cell::Money(of(&bonus.basic)),
            Cell::Money(of(&bonus.performance)),
            Cell::Money(of(&bonus.pool.referrals)),
            Cell::Money(of(&bonus.pool.put_in)),
            Cell::Money(bonus.net(&score.id)),
        ]);
        sums.push(contribution(bonus, &published.rules.bonus, score));
    }
    let parts = dimensions(&published.rules.bonus, &bonus.scores);
    let parts: Vec<String> = parts.iter().map(|one| named(&visit, &one.id)).collect();
    let caption = visit.say("score-caption");
    let blocks = vec![
        Block::Tiles(vec![
            tile(&visit, "pool", bonus.pool.total),
            tile(&visit, "retained", bonus.retained),
        ]),
        Block::Chart {
            svg: chart::sums(&caption, &parts, &sums),
            caption,
        },
        Block::Table(table),
    ];
    about(&visit, &of, Matter::Bonus, blocks)
}

/// The dimensions that counted: those in which anybody had anything.
fn dimensions<'a>(rules: &'a BonusRules, scores: &[Score]) -> Vec<&'a Dimension> {
    let counted = |one: &&Dimension| scores.iter().any(|score| score.moved.contains_key(&one.id));
    rules.dimensions.iter().filter(counted).collect()
}

/// A score as the sum of what each dimension gave it, drawn: an equal part of the dimension's weight and
/// what the member's own part moved it by, after gate and flags.
fn contribution(of: &Bonus, rules: &BonusRules, score: &Score) -> Sum {
    let number = |text: &str| paper(text);
    let counted = dimensions(rules, &of.scores);
    let weights: f64 = counted
        .iter()
        .map(|one| number(&one.weight.to_string()))
        .sum();
    let members = of.scores.iter().map(|_| 1.0).sum::<f64>();
    let (before, counts) = (number(&score.before), number(&score.counts));
    let keeps = if before > 0.0 { counts / before } else { 0.0 };
    let values = counted.iter().map(|one| {
        let equal = number(&one.weight.to_string()) / weights / members;
        let moved = score.moved.get(&one.id).map_or(0.0, |text| number(text));
        ((equal + moved) * keeps).max(0.0)
    });
    let ends = score.interval.as_ref();
    Sum {
        name: score.id.to_string(),
        values: values.collect(),
        interval: ends.map(|(low, high)| (number(low), number(high))),
        told: score.counts.clone(),
    }
}

/// Composites and grades.
pub(in crate::pages) async fn appraisal(
    desk: Arc<Desk>,
    visit: Visit,
    places: Places,
) -> Result<Page, Fault> {
    let (published, of) = read(&desk, places.year()?).await?;
    let Computed::Appraisal(all) = &newest(&published, &of, Matter::Appraisal)?.computed else {
        return Err(Fault::Missing);
    };
    let heads = [
        "member",
        "#composite",
        "#low",
        "#high",
        "grade",
        "settled",
        "#payment",
        "improve-days",
    ];
    let mut table = words::table(&visit, "appraisal", "matter-appraisal", &heads);
    let mut points = words::table(
        &visit,
        "indicators",
        "indicators",
        &["member", "indicator", "#indicator-score", "#points"],
    );
    for one in all {
        let end = |text: Option<&String>| {
            text.map_or_else(|| Cell::text("–"), |text| Cell::Number(text.clone()))
        };
        let ends = one.interval.as_ref();
        table.rows.push(vec![
            Cell::text(&one.id),
            Cell::Number(one.composite.clone()),
            end(ends.map(|one| &one.0)),
            end(ends.map(|one| &one.1)),
            Cell::Text(named(&visit, &one.grade)),
            if one.settled {
                Cell::Mark(Level::Good, visit.say("yes"))
            } else {
                Cell::Mark(Level::Warning, visit.say("grade-open"))
            },
            Cell::Number(exact(&one.payment)),
            Cell::text(
                one.improve_days
                    .map_or_else(|| "–".to_owned(), |days| days.to_string()),
            ),
        ]);
        for (id, (score, got)) in &one.indicators {
            points.rows.push(vec![
                Cell::text(&one.id),
                Cell::Text(named(&visit, id)),
                Cell::Number(score.clone()),
                Cell::Number(got.clone()),
            ]);
        }
    }
    super::super::groups::window(&visit, &mut points);
    about(
        &visit,
        &of,
        Matter::Appraisal,
        vec![Block::Table(table), Block::Table(points)],
    )
}
