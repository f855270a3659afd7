//! What a round would ask, cost and tell, before it is sent.

use policies::plan::{self, ExplainedBlock};
use schemas::dictionary::Dictionary;
use schemas::question::Measure;
use web::block::{Block, Cell, Level, Table, Tile};
use web::shell::Page;

use super::answer::Visit;
use super::desk::Desk;
use super::fault::Fault;
use super::{allowance, round, words};
use crate::ask::Drawn;
use crate::dictionary;

/// Cell sizes for which errors are foretold.
const SIZES: [u32; 5] = [30, 100, 300, 1000, 3000];

/// Adds what people need to know of a round before it begins.
pub(super) async fn add(
    desk: &Desk,
    visit: &Visit,
    drawn: &Drawn,
    page: &mut Page,
) -> Result<(), Fault> {
    let of = &drawn.round;
    let published = dictionary::latest(&desk.store, &desk.authority).await;
    let published = published.map_err(|error| Fault::broken("the dictionary", error))?;
    let dictionary = published.ok_or(Fault::Missing)?.dictionary;
    let layout = plan::compile(&of.question, &dictionary, &desk.rules()?);
    let layout = layout.map_err(|error| Fault::broken("a layout", error))?;
    let explained = plan::explain(&layout);
    let tile = |key: &str, value: String, note: String| Tile {
        label: visit.say(key),
        value,
        note,
        level: Level::Plain,
        to: String::new(),
    };
    let needed = visit.tell("answers-needed", &[("n", &of.min_answers.to_string())]);
    let mut blocks = vec![Block::Tiles(vec![
        tile(
            "price",
            format!("ρ {}", drawn.charge),
            visit.say("price-note"),
        ),
        tile("compose-asked", of.roster.len().to_string(), needed),
        tile(
            "compose-numbers",
            explained.numbers.to_string(),
            visit.say("compose-numbers-note"),
        ),
        tile("deadline", words::moment(of.deadline), String::new()),
    ])];
    for before in &drawn.before {
        let told = visit.tell("compose-before", &[("round", before.as_str())]);
        blocks.push(Block::Note(Level::Notice, told));
    }
    if !drawn.left_out.is_empty() {
        let names = drawn.left_out.join(&visit.say("comma"));
        let told = visit.tell("compose-left-out", &[("names", &names)]);
        blocks.push(Block::Note(Level::Warning, told));
    }
    page.add(String::new(), blocks);
    let plain = round::plain(visit, &of.question, Some(&dictionary));
    page.add(visit.say("question"), vec![Block::List(plain)]);
    let (numbers, expected) = errors(visit, &explained.blocks, &dictionary);
    page.add(
        visit.say("compose-errors"),
        vec![
            Block::Text(visit.say("compose-errors-lead")),
            Block::Table(expected),
            Block::Table(numbers),
        ],
    );
    let after = allowance::after(desk, visit, drawn).await?;
    page.add(
        visit.say("compose-after"),
        vec![
            Block::Text(visit.say("allowance-lead")),
            Block::Table(after),
        ],
    );
    Ok(())
}

fn by(visit: &Visit, block: &ExplainedBlock, dictionary: &Dictionary) -> String {
    if block.by.is_empty() {
        return visit.say("ask-whole");
    }
    let named = |id: &String| round::label(visit, Some(dictionary), id);
    block.by.iter().map(named).collect::<Vec<_>>().join(" × ")
}

/// Each block's price and noise, and the errors that follow for cells of several sizes.
fn errors(visit: &Visit, blocks: &[ExplainedBlock], dictionary: &Dictionary) -> (Table, Table) {
    let heads = [
        "split",
        "measure",
        "#compose-numbers",
        "#price-rho",
        "#compose-half",
        "unit",
    ];
    let mut numbers = words::table(visit, "noise", "compose-noise", &heads);
    let mut expected = words::table(
        visit,
        "errors",
        "compose-errors",
        &["split", "measure", "compose-error-of"],
    );
    expected
        .columns
        .extend(SIZES.map(|size| web::block::Column {
            title: visit.tell("of-stays", &[("n", &size.to_string())]),
            unit: String::new(),
            numeric: true,
        }));
    for block in blocks {
        let by = by(visit, block, dictionary);
        let measure = round::measure(visit, Some(dictionary), &block.measure);
        let unit = match block.measure {
            Measure::Sum { .. } | Measure::Relative { .. } | Measure::Structure { .. } => {
                "unit-thousandths"
            }
            Measure::Squares { .. } => "unit-squares",
            Measure::Count | Measure::CountWhere { .. } | Measure::Histogram { .. } => "unit-stays",
        };
        numbers.rows.push(vec![
            Cell::text(&by),
            Cell::text(&measure),
            Cell::count(block.numbers),
            Cell::Number(block.rho.to_string()),
            Cell::Number(block.error.clone()),
            Cell::Text(visit.say(unit)),
        ]);
        for (key, sign, errors) in [
            ("error-mean", "%", &block.mean_error_percent),
            ("error-improved", "%", &block.shrunken_error_percent),
            ("error-rank", "", &block.rank_error_points),
            ("error-share", "", &block.share_error_points),
        ] {
            if errors.is_empty() {
                continue;
            }
            let cells = SIZES.map(|size| {
                let found = errors.iter().find(|(known, _)| *known == size);
                found.map_or_else(
                    || Cell::text("–"),
                    |(_, error)| Cell::Text(format!("± {error} {sign}").trim().to_owned()),
                )
            });
            let first = [
                Cell::text(&by),
                Cell::text(&measure),
                Cell::Text(visit.say(key)),
            ];
            expected.rows.push(first.into_iter().chain(cells).collect());
        }
    }
    (numbers, expected)
}
