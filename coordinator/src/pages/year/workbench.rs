//! What if the rules of the split were others: sliders, the split they would give, and the difference to
//! the plan. Computed anew by the same pure function as the plan; nothing is kept, proposed or spent.

use std::sync::Arc;

use dashu::rational::RBig;
use policies::figures::Exact;
use policies::figures::budget::{BudgetInput, BudgetRules, Noise, Part, Plan};
use policies::year::{Computed, Rules, compute};
use schemas::money::Fen;
use schemas::year::Matter;
use web::block::{Block, Cell, Level, Slider, Sliders, Table};
use web::chart::{self, Bar};
use web::number;
use web::shell::Page;

use super::super::answer::Visit;
use super::super::charts::paper;
use super::super::desk::Desk;
use super::super::fault::Fault;
use super::super::routes::Places;
use super::super::words;
use super::results::{newest, tile};
use super::{head, named, read};

/// A rule that slides: its name, least, most, step.
const RULES: [(&str, &str, &str, &str); 4] = [
    ("alpha", "0", "1", "0.01"),
    ("reserve", "0", "0.3", "0.005"),
    ("floor", "0.5", "0.99", "0.01"),
    ("ceiling", "1.01", "2", "0.01"),
];
const WEIGHT: (&str, &str, &str) = ("0.01", "1", "0.01");

/// A number within two ends, as it was slid; nothing where it is none.
fn slid(text: &str, least: &str, most: &str) -> Option<Exact> {
    let value: Exact = Some(text).filter(|text| text.len() <= 12)?.parse().ok()?;
    let end = |text: &str| text.parse::<Exact>().ok();
    (value.0 >= end(least)?.0 && value.0 <= end(most)?.0).then_some(value)
}

/// The rules with what was slid put in; weights of factors are scaled so that they add up to one.
fn changed(visit: &Visit, rules: &BudgetRules) -> BudgetRules {
    let mut under = rules.clone();
    for (name, least, most, _) in RULES {
        let Some(value) = slid(visit.asked(name), least, most) else {
            continue;
        };
        match name {
            "alpha" => under.alpha = value,
            "reserve" => under.reserve = value,
            "floor" => under.floor = value,
            _ => under.ceiling = value,
        }
    }
    let mut moved = false;
    for factor in &mut under.factors {
        let asked = visit.asked(&format!("w-{}", factor.id));
        if let Some(weight) = slid(asked, WEIGHT.0, WEIGHT.1) {
            moved |= weight != factor.weight;
            factor.weight = weight;
        }
    }
    if moved {
        let whole = under
            .factors
            .iter()
            .fold(RBig::ZERO, |all, one| all + &one.weight.0);
        for factor in &mut under.factors {
            factor.weight = Exact(&factor.weight.0 / &whole);
        }
    }
    under
}

fn sliders(visit: &Visit, rules: &BudgetRules) -> Sliders {
    let value = |name: &str, ends: (&str, &str), own: &Exact| {
        let asked = visit.asked(name);
        let taken = slid(asked, ends.0, ends.1).is_some();
        if taken {
            asked.to_owned()
        } else {
            own.to_string()
        }
    };
    let note = |own: &Exact| visit.tell("bench-now", &[("value", &own.to_string())]);
    let own = [&rules.alpha, &rules.reserve, &rules.floor, &rules.ceiling];
    let split = RULES
        .iter()
        .zip(own)
        .map(|((name, least, most, step), own)| Slider {
            name: (*name).to_owned(),
            label: visit.say(&format!("bench-{name}")),
            least: (*least).to_owned(),
            most: (*most).to_owned(),
            step,
            value: value(name, (least, most), own),
            note: note(own),
        });
    let weights = rules.factors.iter().map(|factor| {
        let name = format!("w-{}", factor.id);
        Slider {
            label: named(visit, &factor.id),
            least: WEIGHT.0.to_owned(),
            most: WEIGHT.1.to_owned(),
            step: WEIGHT.2,
            value: value(&name, (WEIGHT.0, WEIGHT.1), &factor.weight),
            note: note(&factor.weight),
            name,
        }
    });
    Sliders {
        to: visit.path.clone(),
        groups: vec![
            (visit.say("bench-split"), split.collect()),
            (visit.say("bench-weights"), weights.collect()),
        ],
        button: visit.say("bench-show"),
        back: visit.say("bench-back"),
    }
}

fn ends(part: &Part) -> Option<(Fen, Fen)> {
    match &part.noise {
        Some(Noise::Interval { low, high }) => Some((*low, *high)),
        _ => None,
    }
}

fn minus(one: Fen, other: Fen) -> Fen {
    Fen(one.0.saturating_sub(other.0))
}

/// What each member would get against the plan and against last year.
fn differences(visit: &Visit, plan: &Plan, other: &Plan, input: &BudgetInput) -> Table {
    let heads = [
        "member",
        "#bench-last",
        "#bench-plan",
        "#bench-if",
        "#low",
        "#high",
        "#bench-difference",
        "pinned",
    ];
    let mut table = words::table(visit, "differences", "bench-differences", &heads);
    for part in &other.members {
        let now = plan.members.iter().find(|one| one.id == part.id);
        let now = now.map(|one| one.amount);
        let money = |fen: Option<Fen>| fen.map_or_else(|| Cell::text("–"), Cell::Money);
        let pinned = format!("{:?}", part.pinned).to_lowercase();
        table.rows.push(vec![
            Cell::text(&part.id),
            money(last_year(input, part)),
            money(now),
            Cell::Money(part.amount),
            money(ends(part).map(|one| one.0)),
            money(ends(part).map(|one| one.1)),
            money(now.map(|now| minus(part.amount, now))),
            Cell::Text(visit.say(&format!("pinned-{pinned}"))),
        ]);
    }
    table
}

fn last_year(input: &BudgetInput, part: &Part) -> Option<Fen> {
    let member = input.members.iter().find(|one| one.id == part.id)?;
    member.before.last().copied()
}

fn drawing(visit: &Visit, other: &Plan, input: &BudgetInput) -> Block {
    let drawn = |amount: Fen| paper(&amount.to_string());
    let bars = other.members.iter().map(|part| Bar {
        name: part.id.to_string(),
        value: drawn(part.amount),
        interval: ends(part).map(|(low, high)| (drawn(low), drawn(high))),
        line: last_year(input, part).map(drawn),
        told: format!(
            "{} ({})",
            number::money_short(part.amount, visit.language),
            number::percent(&part.share)
        ),
        colour: 0,
    });
    let caption = visit.say("bench-caption");
    Block::Chart {
        svg: chart::bars(&caption, &bars.collect::<Vec<_>>()),
        caption,
    }
}

/// The page.
pub(in crate::pages) async fn show(
    desk: Arc<Desk>,
    visit: Visit,
    places: Places,
) -> Result<Page, Fault> {
    let (published, of) = read(&desk, places.year()?).await?;
    let found = newest(&published, &of, Matter::Plan)?;
    let Computed::Plan(plan) = &found.computed else {
        return Err(Fault::Missing);
    };
    let input = serde_json::from_str::<BudgetInput>(&found.inputs);
    let input = input.map_err(|error| Fault::broken("a plan's inputs", error))?;
    let budget = changed(&visit, &published.rules.budget);
    let mut page = head(&visit, &of, Some("bench"));
    page.add(
        String::new(),
        vec![
            Block::Note(Level::Notice, visit.say("bench-lead")),
            Block::Sliders(sliders(&visit, &published.rules.budget)),
        ],
    );
    let under = Rules {
        budget,
        ..published.rules.clone()
    };
    let number = of.number;
    let inputs = found.inputs.clone();
    let computed =
        tokio::task::spawn_blocking(move || compute(&under, number, Matter::Plan, &inputs));
    let computed = computed.await;
    match computed.map_err(|error| Fault::broken("a what-if", error))? {
        Ok(Computed::Plan(other)) => {
            let tiles = vec![
                tile(&visit, "target", other.total),
                tile(&visit, "reserve", other.reserve),
                tile(&visit, "distributed", other.distributable),
            ];
            let pairs = other.not_separable.iter().map(|(one, other)| {
                visit.tell(
                    "not-separable",
                    &[("one", one.as_str()), ("other", other.as_str())],
                )
            });
            page.add(
                visit.say("bench-if"),
                vec![
                    Block::Tiles(tiles),
                    drawing(&visit, &other, &input),
                    Block::Table(differences(&visit, plan, &other, &input)),
                    Block::List(pairs.collect()),
                ],
            );
        }
        Ok(_) => return Err(Fault::Missing),
        Err(why) => {
            let told = visit.tell("bench-refused", &[("why", &why.to_string())]);
            page.add(String::new(), vec![Block::Note(Level::Alarm, told)]);
        }
    }
    page.sources
        .push(words::source(&visit, "source-inputs", &plan.inputs));
    Ok(page)
}
