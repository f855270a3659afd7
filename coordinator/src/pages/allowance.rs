//! What members have answered and what that cost of a data year's allowance, as far as the coordinator
//! knows it. A node's own ledger may hold more: questions asked at the hospital itself.

use std::collections::{BTreeMap, BTreeSet};

use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::loss::{NotALoss, Rho};
use schemas::round::Said;
use web::block::{Block, Cell, Level, Table};
use web::chart::{self, Sum};

use super::answer::Visit;
use super::charts::paper;
use super::desk::Desk;
use super::fault::Fault;
use super::words;
use crate::ask::{self, Drawn};
use crate::collect;
use crate::pooled;

type Spent = BTreeMap<(Slug, u16), Rho>;
/// What was paid for: by whom, of which data year, which answer or series.
type Paid = BTreeSet<(Slug, u16, Digest)>;

/// Spent by member and data year. The same answer sent again cost nothing more.
async fn spent(desk: &Desk) -> Result<(Spent, Paid), Fault> {
    let broken = |error: NotALoss| Fault::broken("an allowance", error);
    let mut all = Spent::new();
    let mut pay = |who: &Slug, year: u16, rho: Rho| -> Result<(), NotALoss> {
        let sum = all.entry((who.clone(), year)).or_default();
        *sum = sum.checked_add(rho)?;
        Ok(())
    };
    let mut known = Paid::new();
    for held in ask::list(&desk.store, &desk.authority).await? {
        let question = &held.round.question;
        let price = question.rho().map_err(broken)?;
        for (hospital, (sealed, key)) in collect::replies(&desk.store, &held.round.id).await? {
            let Ok(Said::Answered(answer)) = sealed.open(&key).map(|reply| reply.said) else {
                continue;
            };
            // A series reserves for all its months at once.
            let (paid, rho) = match question.series {
                Some(series) => (
                    question.series_digest(),
                    price
                        .checked_mul(u64::from(series.months))
                        .map_err(broken)?,
                ),
                None => (
                    answer
                        .digest()
                        .map_err(|error| Fault::broken("an answer", error))
                        .map(Ok)?,
                    price,
                ),
            };
            let paid = paid.map_err(|error| Fault::broken("a question", error))?;
            for year in question.period.years() {
                if known.insert((hospital.clone(), year.0, paid)) {
                    pay(&hospital, year.0, rho).map_err(broken)?;
                }
            }
        }
    }
    for held in pooled::rounds(&desk.store, &desk.authority).await? {
        let progress = pooled::progress(&desk.store, &held, desk.clock.now()).await?;
        if matches!(progress.state.as_str(), "void" | "dead") {
            continue;
        }
        let price = held.asked.question.rho().map_err(broken)?;
        for place in progress
            .hospitals
            .iter()
            .filter(|one| one.uploaded.is_some())
        {
            for year in progress.period.years() {
                pay(&place.hospital, year.0, price).map_err(broken)?;
            }
        }
    }
    Ok((all, known))
}

/// What is left, a row a member and data year, drawn and as a table.
pub(super) async fn blocks(desk: &Desk, visit: &Visit) -> Result<Vec<Block>, Fault> {
    let total = desk.rules()?.allowance.total;
    let heads = [
        "member",
        "data-year",
        "#allowance-spent",
        "#allowance-left",
        "#allowance-total",
    ];
    let mut table = words::table(visit, "allowance", "allowance", &heads);
    let mut sums = Vec::new();
    for ((member, year), rho) in spent(desk).await?.0 {
        let number = |rho: Rho| Cell::Number(rho.to_string());
        let left = total.saturating_sub(rho);
        sums.push(Sum {
            name: format!("{member} {year}"),
            values: [rho, left].map(|one| paper(&one.to_string())).to_vec(),
            interval: None,
            told: format!("{left} / {total}"),
        });
        table.rows.push(vec![
            Cell::text(member),
            Cell::text(year),
            number(rho),
            number(left),
            number(total),
        ]);
    }
    let mut blocks = vec![Block::Text(visit.say("allowance-lead"))];
    if !sums.is_empty() {
        let caption = visit.say("allowance-caption");
        let parts = ["allowance-spent", "allowance-left"].map(|key| {
            let words = visit.say(key);
            words.split('|').next().unwrap_or_default().to_owned()
        });
        blocks.push(Block::Chart {
            svg: chart::sums(&caption, &parts, &sums),
            caption,
        });
    }
    blocks.push(Block::Table(table));
    Ok(blocks)
}

/// What an answer to a drawn round would leave each hospital, at least: what it has answered already
/// costs nothing again.
pub(super) async fn after(desk: &Desk, visit: &Visit, drawn: &Drawn) -> Result<Table, Fault> {
    let total = desk.rules()?.allowance.total;
    let heads = [
        "member",
        "data-year",
        "#allowance-left",
        "#price-rho",
        "#allowance-after",
        "state",
    ];
    let mut table = words::table(visit, "after", "compose-after", &heads);
    let question = &drawn.round.question;
    let series = question
        .series
        .map(|_| question.series_digest())
        .transpose();
    let series = series.map_err(|error| Fault::broken("a question", error))?;
    let (spent, paid) = spent(desk).await?;
    for member in &drawn.round.roster {
        for year in question.period.years() {
            let gone = spent.get(&(member.clone(), year.0)).copied();
            let left = total.saturating_sub(gone.unwrap_or_default());
            // A month of a series that is reserved already.
            let again = series.is_some_and(|one| paid.contains(&(member.clone(), year.0, one)));
            let price = if again { Rho::default() } else { drawn.charge };
            let number = |rho: Rho| Cell::Number(rho.to_string());
            table.rows.push(vec![
                Cell::text(member),
                Cell::text(year.0),
                number(left),
                number(price),
                number(left.saturating_sub(price)),
                match (again, left >= price) {
                    (true, _) => Cell::Mark(Level::Good, visit.say("allowance-paid")),
                    (_, true) => Cell::Mark(Level::Good, visit.say("allowance-enough")),
                    _ => Cell::Mark(Level::Alarm, visit.say("reason-out-of-allowance")),
                },
            ]);
        }
    }
    Ok(table)
}
