//! What the node's values are called on pages.

use schemas::answer::Grade;
use schemas::dictionary::Dictionary;
use schemas::loss::Rho;
use schemas::question::{Measure, Purpose};
use web::block::{Cell, Level, Tile};
use web::site::answer::Visit;

use crate::ledger;

/// The name of a dimension or field in the visitor's language; the code where the dictionary has none.
pub(super) fn field(visit: &Visit, dictionary: &Dictionary, id: &str) -> String {
    let dimension = dictionary.dimension(id).map(|one| &one.label);
    let label = dimension.or_else(|| dictionary.field(id).map(|one| &one.label));
    label.map_or_else(
        || id.to_owned(),
        |label| visit.language.pick(&label.zh, &label.en).to_owned(),
    )
}

/// The name of a key of a dimension, its code before it.
pub(super) fn key(visit: &Visit, dictionary: &Dictionary, dimension: &str, code: &str) -> String {
    let group = dictionary.groups.iter().find(|one| one.code == code);
    let label = if dimension == "case_group" {
        group.map(|one| &one.name)
    } else {
        let known = dictionary.dimension(dimension);
        let mut keys = known.into_iter().flat_map(|one| &one.keys);
        keys.find(|one| one.code == code).map(|one| &one.label)
    };
    let name = label.map(|label| visit.language.pick(&label.zh, &label.en));
    match name {
        Some(name) if name != code => format!("{code} {name}"),
        _ => code.to_owned(),
    }
}

/// What a measure is.
pub(super) fn measure(visit: &Visit, dictionary: &Dictionary, measure: &Measure) -> String {
    let (key, of) = match measure {
        Measure::Count => return visit.say("measure-count"),
        Measure::CountWhere { .. } => return visit.say("measure-count-where"),
        Measure::Sum { field } => ("measure-sum", field),
        Measure::Relative { field } => ("measure-relative", field),
        Measure::Squares { field } => ("measure-squares", field),
        Measure::Histogram { field } => ("measure-histogram", field),
        Measure::Structure { field } => ("measure-structure", field),
    };
    visit.tell(key, &[("field", &field(visit, dictionary, of.as_str()))])
}

/// What a question is for.
pub(super) fn purpose(visit: &Visit, purpose: Purpose) -> String {
    line(visit, ledger::name(purpose))
}

/// A line of the ledger.
pub(super) fn line(visit: &Visit, name: &str) -> String {
    let key = format!("node.purpose-{name}");
    if visit.language.knows(&key) {
        visit.say(&key)
    } else {
        name.to_owned()
    }
}

/// A grade of data.
pub(super) fn grade(grade: Grade) -> Cell {
    let level = match grade {
        Grade::A | Grade::B => Level::Good,
        Grade::C => Level::Warning,
        Grade::D => Level::Alarm,
    };
    Cell::Mark(level, format!("{grade:?}"))
}

/// A number that is seen first.
pub(super) fn tile(
    visit: &Visit,
    key: &str,
    (value, note): (String, String),
    level: Level,
    to: &str,
) -> Tile {
    Tile {
        label: visit.say(key),
        value,
        note,
        level,
        to: to.to_owned(),
    }
}

/// A loss as a tile holds it: cut, never rounded up, behind the fourth decimal.
pub(super) fn rho(rho: Rho) -> String {
    let text = rho.to_string();
    match text.split_once('.') {
        Some((whole, decimals)) => {
            let short: String = decimals.chars().take(4).collect();
            format!("ρ {whole}.{short}")
        }
        None => format!("ρ {text}"),
    }
}

/// Thousandths as a percentage with one decimal.
pub(super) fn permille(of: u128) -> String {
    format!("{}.{}\u{a0}%", of / 10, of % 10)
}
