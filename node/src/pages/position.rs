//! My hospital against the alliance: own exact figures beside the benchmark, the gap in money by case group
//! and cost category, and what it would save to come down to the median. It is computed here and leaves
//! nothing.

use std::path::Path;
use std::sync::Arc;

use policies::figures::Benchmark;
use schemas::dictionary::Dictionary;
use schemas::id::Slug;
use schemas::money::Fen;
use web::block::{Block, Cell, Level, Table, Window};
use web::chart::{self, Bar};
use web::number;
use web::shell::Page;
use web::site::answer::Visit;

use super::compared::{self, Gap, Group};
use super::desk::Desk;
use super::fault::Fault;
use super::named::tile;
use super::own::{self, Asked};
use crate::snapshot;
use crate::store::dictionaries;

/// The alliance's benchmark below the data folder, as the report wrote it.
const BENCHMARK: &str = "benchmark.json";
/// Longest benchmark that is read.
const LONGEST: u64 = 64 * 1024 * 1024;
/// Case groups on the page; a download has them all.
const ROWS: usize = 40;

/// Why there is no position: the end of a key of words.
type Missing = &'static str;

/// The hospital's position.
pub(super) struct Position {
    pub(super) dictionary: Dictionary,
    pub(super) benchmark: Benchmark,
    pub(super) groups: Vec<Group>,
    /// Months of the benchmark that are released here.
    pub(super) months: usize,
}

impl Position {
    /// What all stays cost more than at the alliance's means.
    pub(super) fn gap(&self) -> Gap {
        compared::sum(self.groups.iter().filter_map(Group::gap))
    }

    /// What it would save to come down to the medians.
    pub(super) fn saving(&self) -> i128 {
        self.groups.iter().filter_map(Group::saving).sum()
    }
}

fn read(data: &Path, dictionary: &Dictionary) -> Result<Benchmark, Missing> {
    let path = data.join(BENCHMARK);
    let length = std::fs::metadata(&path).map_err(|_| "no-benchmark")?.len();
    if length > LONGEST {
        return Err("benchmark-refused");
    }
    let bytes = std::fs::read(&path).map_err(|_| "no-benchmark")?;
    let read: Benchmark = serde_json::from_slice(&bytes).map_err(|_| "benchmark-refused")?;
    if read.alliance == dictionary.alliance && read.currency == dictionary.currency {
        Ok(read)
    } else {
        Err("benchmark-other")
    }
}

/// Computes the position, one at a time.
pub(super) async fn position(desk: &Desk) -> Result<Result<Position, Missing>, Fault> {
    let Some(dictionary) = dictionaries::latest(&desk.state).await? else {
        return Ok(Err("no-dictionary"));
    };
    let _turn = desk.heavy.lock().await;
    let data = desk.config.data.clone();
    let place = data.clone();
    let worked = tokio::task::spawn_blocking(move || (read(&place, &dictionary), dictionary)).await;
    let (benchmark, dictionary) = worked.map_err(|error| Fault::broken("the benchmark", error))?;
    let benchmark = match benchmark {
        Ok(benchmark) => benchmark,
        Err(missing) => return Ok(Err(missing)),
    };
    let released = snapshot::released(&desk.state, &data, &benchmark.period).await?;
    if released.months.is_empty() {
        return Ok(Err("no-months"));
    }
    let coded = dictionary.digest().ok();
    if released.dictionaries.len() != 1 || released.dictionaries.first().copied() != coded {
        return Ok(Err("other-dictionary"));
    }
    let cache = Arc::clone(&desk.cache);
    let worked = tokio::task::spawn_blocking(move || {
        let rows = cache.rows(&released, &dictionary)?;
        let Some(cost) = &benchmark.cost else {
            return Ok(Err("no-cost"));
        };
        let asked = Asked {
            cost: &cost.id,
            items: benchmark
                .items
                .iter()
                .map(|item| &item.id)
                .collect::<Vec<&Slug>>(),
            cap: benchmark.cap,
        };
        let Some(own) = own::own(&rows, &dictionary, &asked) else {
            return Ok(Err("no-cost"));
        };
        let groups = compared::groups(own, &dictionary, &benchmark);
        Ok(Ok(Position {
            months: released.months.len(),
            groups,
            dictionary,
            benchmark,
        }))
    });
    let made: Result<_, snapshot::SnapshotError> = worked
        .await
        .map_err(|error| Fault::broken("the own figures", error))?;
    Ok(made?)
}

fn money(fen: i128) -> Cell {
    i64::try_from(fen).map_or_else(|_| Cell::text("–"), |fen| Cell::Money(Fen(fen)))
}

fn text(fen: i128) -> String {
    i64::try_from(fen).map_or_else(|_| "–".to_owned(), |fen| Fen(fen).to_string())
}

fn ranged(gap: Gap) -> Cell {
    match gap.low {
        Some(low) => Cell::Ranged {
            value: text(gap.value),
            low: text(low),
            high: Some(text(gap.high)),
            share: false,
        },
        None => money(gap.value),
    }
}

/// An amount as a tile shows it.
pub(super) fn short(visit: &Visit, fen: i128) -> String {
    let fen = i64::try_from(fen).unwrap_or(i64::MAX);
    number::money_short(Fen(fen), visit.language)
}

/// The page.
pub(super) async fn show(desk: Arc<Desk>, visit: Visit) -> Result<Page, Fault> {
    let mut page = Page::new(
        visit.say("node.way-position"),
        visit.say("node.position-lead"),
    );
    let of = match position(&desk).await? {
        Ok(of) => of,
        Err(missing) => {
            let told = visit.say(&format!("node.missing-{missing}"));
            page.add(String::new(), vec![Block::Note(Level::Notice, told)]);
            return Ok(page);
        }
    };
    let benchmark = &of.benchmark;
    let note = visit.tell(
        "node.position-note",
        &[
            ("period", &number::period(&benchmark.period)),
            ("months", &of.months.to_string()),
            ("cap", &benchmark.cap.to_string()),
            ("currency", &benchmark.currency),
        ],
    );
    page.add(
        String::new(),
        vec![tiles(&visit, &of), Block::Note(Level::Notice, note)],
    );
    page.add(visit.say("node.gap-by-item"), by_item(&visit, &of));
    page.add(
        visit.say("node.gap-by-group"),
        vec![Block::Table(by_group(&visit, &of))],
    );
    page.sources = vec![
        (
            visit.say("source-question"),
            benchmark.inputs.question.to_string(),
        ),
        (
            visit.say("source-dictionary"),
            benchmark.inputs.dictionary.to_string(),
        ),
        (
            visit.say("source-rules"),
            benchmark.inputs.rules.to_string(),
        ),
    ];
    Ok(page)
}

fn tiles(visit: &Visit, of: &Position) -> Block {
    let stays: i128 = of.groups.iter().map(|group| group.own.stays).sum();
    let cost: i128 = of.groups.iter().map(|group| group.own.cost).sum();
    let mean = schemas::money::half_up(cost, stays.max(1)).unwrap_or_default();
    let compared = of.groups.iter().filter(|group| group.mean.is_some());
    let compared: i128 = compared.map(|group| group.own.stays).sum();
    let gap = of.gap();
    let range = gap.low.map_or_else(String::new, |low| {
        format!("{} – {}", short(visit, low), short(visit, gap.high))
    });
    // Noise alone can make either sign: only an interval on one side of zero is one.
    let level = match gap.low {
        Some(low) if low > 0 => Level::Warning,
        _ if gap.high < 0 => Level::Good,
        _ => Level::Plain,
    };
    let part = compared.saturating_mul(100).checked_div(stays.max(1));
    Block::Tiles(vec![
        tile(
            visit,
            "node.own-stays",
            (
                number::grouped(&stays.to_string()),
                visit.tell(
                    "node.compared",
                    &[("part", &part.unwrap_or_default().to_string())],
                ),
            ),
            Level::Plain,
            "",
        ),
        tile(
            visit,
            "node.own-mean",
            (number::grouped(&text(mean)), visit.say("node.exact")),
            Level::Plain,
            "",
        ),
        tile(
            visit,
            "node.gap",
            (short(visit, gap.value), range),
            level,
            "",
        ),
        tile(
            visit,
            "node.saving",
            (short(visit, of.saving()), visit.say("node.saving-note")),
            Level::Plain,
            "",
        ),
    ])
}

#[expect(clippy::cast_precision_loss, reason = "a length on a chart, no amount")]
fn drawn(fen: i128) -> f64 {
    fen as f64 / 100.0
}

/// Own cost by category against what the same stays would cost at the alliance's means and parts.
fn by_item(visit: &Visit, of: &Position) -> Vec<Block> {
    let items = &of.benchmark.items;
    let sums = compared::by_item(&of.groups, items.len());
    if sums.iter().all(|sum| sum.expected == 0) {
        return vec![Block::Text(visit.say("node.no-structure"))];
    }
    let heads = ["node.category", "#node.own", "#node.expected", "#node.gap"];
    let mut table = visit.table("items", "node.gap-by-item", &heads);
    let mut bars = Vec::new();
    for (place, (item, sum)) in items.iter().zip(sums).enumerate() {
        let name = visit.language.pick(&item.label.zh, &item.label.en);
        let above = |expected: i128| sum.own.saturating_sub(expected);
        let gap = Gap {
            value: above(sum.expected),
            low: Some(above(sum.high)),
            high: above(sum.low),
        };
        table.rows.push(vec![
            Cell::text(name),
            money(sum.own),
            ranged(Gap {
                value: sum.expected,
                low: Some(sum.low),
                high: sum.high,
            }),
            ranged(gap),
        ]);
        bars.push(Bar {
            name: name.to_owned(),
            value: drawn(sum.own),
            interval: Some((drawn(sum.low), drawn(sum.high))),
            line: Some(drawn(sum.expected)),
            told: format!("{} ({})", short(visit, sum.own), short(visit, gap.value)),
            colour: place,
        });
    }
    let caption = visit.say("node.items-caption");
    let svg = chart::bars(&caption, &bars);
    vec![Block::Chart { svg, caption }, Block::Table(table)]
}

/// By case group, the greatest gap first.
fn by_group(visit: &Visit, of: &Position) -> Table {
    let heads = [
        "code",
        "name",
        "#node.own-stays",
        "#node.own-mean",
        "#node.own-capped",
        "#node.alliance-mean",
        "#node.gap",
        "#node.median",
        "#node.saving",
    ];
    let mut table = visit.table("groups", "node.gap-by-group", &heads);
    let mut groups: Vec<&Group> = of.groups.iter().collect();
    let size = |group: &Group| group.gap().map_or(i128::MIN, |gap| gap.value);
    groups.sort_by_key(|group| std::cmp::Reverse(size(group)));
    let hidden = || Cell::Missing(visit.say("outcome-suppressed"));
    for group in groups {
        let Some(known) = of.dictionary.groups.get(group.place) else {
            continue;
        };
        let mean = group.mean.map_or_else(hidden, |mean| Cell::Ranged {
            value: text(mean.value),
            low: text(mean.low),
            high: mean.high.map(text),
            share: false,
        });
        let median = group.median.map_or_else(hidden, |median| Cell::Ranged {
            value: text(median.value),
            low: text(median.low),
            high: median.high.map(text),
            share: false,
        });
        table.rows.push(vec![
            Cell::text(&known.code),
            Cell::text(visit.language.pick(&known.name.zh, &known.name.en)),
            Cell::Number(group.own.stays.to_string()),
            money(group.mean(group.own.cost)),
            money(group.mean(group.own.capped)),
            mean,
            group.gap().map_or_else(hidden, ranged),
            median,
            group.saving().map_or_else(hidden, money),
        ]);
    }
    table.window = Some(window(visit, table.rows.len()));
    table
}

/// The part of a long table that the page shows.
fn window(visit: &Visit, all: usize) -> Window {
    let last = all.saturating_sub(1);
    let from = visit.number("from", 1_000_000).unwrap_or(0).min(last);
    let to = from.saturating_add(ROWS).min(all);
    let address = |from: usize| format!("{}#groups", visit.with(&[("from", &from.to_string())]));
    let named = [("from", from.saturating_add(1)), ("to", to), ("all", all)];
    let named = named.map(|(name, number)| (name, number.to_string()));
    Window {
        from,
        most: ROWS,
        before: (from > 0).then(|| (address(from.saturating_sub(ROWS)), visit.say("before"))),
        behind: (to < all).then(|| (address(to), visit.say("behind"))),
        told: visit.tell(
            "rows-shown",
            &named.each_ref().map(|(name, text)| (*name, text.as_str())),
        ),
    }
}
