//! CSV for spreadsheets: UTF-8 with a byte order mark so that Chinese opens well, and no cell that
//! a spreadsheet would take for a formula. Only what was asked for has columns; `columns.csv` says
//! what each means.

use policies::figures::Benchmark;
use policies::figures::benchmark::{Asked, Cell, Figure, Hospital, Kind, Split, Way};
use schemas::outcome::Outcome;
use web::download::harmless;

use super::ReportError;
use super::columns::{self, Column, Summed, column};
use super::guide::{FACTS, KEYS};
use super::words::{counted, graded, newest, useless};

const MARK: &str = "\u{feff}";
const ALLIANCE: &str = "(alliance)";

/// A number, or text, that stands beside a figure in a column of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Status,
    Value,
    Noisy,
    Above,
    NoiseLow,
    NoiseHigh,
    SamplingLow,
    SamplingHigh,
    Improved,
    ImprovedLow,
    ImprovedHigh,
    ImprovedBy,
    Obtained,
    Hospitals,
}

impl Part {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Value => "value",
            Self::Noisy => "noisy",
            Self::Above => "above",
            Self::NoiseLow => "noise_low",
            Self::NoiseHigh => "noise_high",
            Self::SamplingLow => "sampling_low",
            Self::SamplingHigh => "sampling_high",
            Self::Improved => "improved",
            Self::ImprovedLow => "improved_low",
            Self::ImprovedHigh => "improved_high",
            Self::ImprovedBy => "improved_by",
            Self::Obtained => "obtained",
            Self::Hospitals => "hospitals",
        }
    }

    /// Of a share: nothing but the word where its interval says nothing.
    fn of_share(self, outcome: &Outcome<Figure>, summed: Option<Summed>) -> String {
        match (self, outcome.value().is_some_and(useless)) {
            (Self::Status, true) => "not_usable".to_owned(),
            (_, true) => String::new(),
            (part, false) => part.of(outcome, summed),
        }
    }

    fn of(self, outcome: &Outcome<Figure>, summed: Option<Summed>) -> String {
        let figure = outcome.value();
        let improved = figure.and_then(|f| f.improved.as_ref());
        let text = match self {
            Self::Status => Some(outcome.word().to_owned()),
            Self::Value => figure.map(|f| f.value.clone()),
            Self::Noisy => figure.map(|f| f.noisy.clone().unwrap_or_else(|| f.value.clone())),
            Self::Above => figure.map(|f| if f.above { "yes" } else { "no" }.to_owned()),
            Self::NoiseLow => figure.map(|f| f.noise.low.clone()),
            Self::NoiseHigh => figure.and_then(|f| f.noise.high.clone()),
            Self::SamplingLow => figure.and_then(|f| Some(f.sampling.as_ref()?.low.clone())),
            Self::SamplingHigh => figure.and_then(|f| f.sampling.as_ref()?.high.clone()),
            Self::Improved => improved.map(|i| i.value.clone()),
            Self::ImprovedLow => improved.map(|i| i.interval.low.clone()),
            Self::ImprovedHigh => improved.and_then(|i| i.interval.high.clone()),
            Self::ImprovedBy => improved.map(|i| i.method.name().to_owned()),
            Self::Obtained => figure.and_then(|f| Some(f.way?.name().to_owned())),
            Self::Hospitals => figure.and_then(|f| Some(summed?.by(f.way?).to_string())),
        };
        text.unwrap_or_default()
    }
}

/// The columns that a figure can fill.
pub(super) fn parts(asked: Asked) -> Vec<Part> {
    let mut parts = vec![Part::Status, Part::Value];
    match asked.figure {
        Kind::Structure => parts.push(Part::Noisy),
        Kind::P25 | Kind::P50 | Kind::P75 | Kind::P90 => parts.push(Part::Above),
        _ => {}
    }
    parts.extend([Part::NoiseLow, Part::NoiseHigh]);
    if asked.sampling {
        parts.extend([Part::SamplingLow, Part::SamplingHigh]);
    }
    if asked.improved.is_some() {
        let ends = [Part::ImprovedLow, Part::ImprovedHigh, Part::ImprovedBy];
        parts.push(Part::Improved);
        parts.extend(ends);
    }
    if asked.way.is_some() {
        parts.extend([Part::Obtained, Part::Hospitals]);
    }
    parts
}

/// One row a hospital, and one for the alliance.
pub(super) fn hospitals(benchmark: &Benchmark) -> Result<Vec<u8>, ReportError> {
    let asked = &benchmark.asked;
    let mut head: Vec<String> = FACTS.iter().map(|fact| fact.0.to_owned()).collect();
    head.extend(
        names(benchmark, asked, false)
            .into_iter()
            .map(|name| name.0),
    );
    let mut rows = vec![head];
    for hospital in &benchmark.hospitals {
        let mut row = facts(hospital);
        let totals = &hospital.totals;
        let own = |kind| {
            totals
                .figure(kind)
                .filter(|_| !columns::pooled(asked, kind))
        };
        row.extend(figures(asked, &totals.all, None, own));
        rows.push(row);
    }
    let mut alliance: Vec<String> = vec![ALLIANCE.to_owned()];
    alliance.resize(FACTS.len(), String::new());
    let total = &benchmark.total;
    let own = |kind| {
        total
            .figure(kind)
            .filter(|_| !columns::of_hospitals_only(kind))
    };
    let summed = Summed::of(benchmark);
    alliance.extend(figures(asked, &total.all, summed, own));
    rows.push(alliance);
    bytes(&rows)
}

/// The alliance alone: one row.
pub(super) fn alliance(benchmark: &Benchmark) -> Result<Vec<u8>, ReportError> {
    let (asked, total) = (&benchmark.asked, &benchmark.total);
    let names = names(benchmark, asked, false).into_iter();
    let row = figures(asked, &total.all, None, |kind| total.figure(kind));
    bytes(&[names.map(|name| name.0).collect(), row])
}

/// One row a hospital and key, and one a key for the alliance.
pub(super) fn split(benchmark: &Benchmark, split: &Split) -> Result<Vec<u8>, ReportError> {
    let [hospital, rest @ ..] = KEYS;
    let mut head = vec![hospital.0.to_owned(), split.dimension.to_string()];
    head.extend(rest.iter().map(|key| key.0.to_owned()));
    let names = names(benchmark, &split.asked, split.in_money);
    head.extend(names.into_iter().map(|name| name.0));
    let mut rows = vec![head];
    for row in &split.rows {
        let named = benchmark
            .hospitals
            .iter()
            .map(|hospital| hospital.id.as_str());
        let cells = std::iter::once((ALLIANCE, &row.alliance)).chain(named.zip(&row.hospitals));
        for (hospital, cell) in cells {
            let mut line = vec![
                hospital.to_owned(),
                row.code.clone(),
                row.name.zh.clone(),
                row.name.en.clone(),
            ];
            let asked = &split.asked;
            let of_sum = |kind| hospital != ALLIANCE && columns::pooled(asked, kind);
            let own = |kind| cell.figure(kind).filter(|_| !of_sum(kind));
            let summed = Summed::of(benchmark).filter(|_| hospital == ALLIANCE);
            line.extend(figures(asked, cell, summed, own));
            rows.push(line);
        }
    }
    bytes(&rows)
}

fn facts(hospital: &Hospital) -> Vec<String> {
    let data = hospital.data.value();
    let rank = hospital.rank.value();
    vec![
        hospital.id.to_string(),
        hospital.data.word().to_owned(),
        data.and_then(graded).unwrap_or_default(),
        data.map_or_else(String::new, |data| counted(data).0.to_owned()),
        data.and_then(newest).unwrap_or_default(),
        data.map_or_else(String::new, |data| data.missing.len().to_string()),
        rank.map_or_else(String::new, |rank| rank.first.to_string()),
        rank.map_or_else(String::new, |rank| rank.last.to_string()),
    ]
}

/// What a column is about: a figure, or the share of an item by its place.
pub(super) enum About {
    Figure(Column),
    Item(usize),
}

/// Names of the columns that [`figures`] fills, and what they are about.
pub(super) fn names(
    benchmark: &Benchmark,
    asked: &[Asked],
    in_money: bool,
) -> Vec<(String, About, Part)> {
    let mut names = Vec::new();
    for one in asked {
        let parts = parts(*one);
        if one.figure == Kind::Structure {
            let shares = columns::share_names(benchmark, asked);
            for (place, share) in shares.iter().enumerate() {
                let each = parts.iter();
                names.extend(each.map(|part| {
                    let name = format!("{share}_{}", part.name());
                    (name, About::Item(place), *part)
                }));
            }
            continue;
        }
        names.extend(parts.into_iter().map(|part| {
            let column = column(one.figure);
            let unit = match part {
                Part::Status
                | Part::Above
                | Part::ImprovedBy
                | Part::Obtained
                | Part::Hospitals => String::new(),
                _ => column.suffix(&benchmark.currency, in_money),
            };
            let name = format!("{}{unit}_{}", column.name, part.name());
            (name, About::Figure(column), part)
        }));
    }
    names
}

/// A row's figures; empty where a figure is not of this kind of row.
fn figures<'a>(
    asked: &[Asked],
    cell: &'a Cell,
    summed: Option<Summed>,
    figure: impl Fn(Kind) -> Option<&'a Outcome<Figure>>,
) -> Vec<String> {
    let mut row = Vec::new();
    for one in asked {
        let parts = parts(*one);
        if one.figure == Kind::Structure {
            for share in &cell.structure {
                // Nobody knows a hospital's own part of what is pooled.
                let unknown = one.way == Some(Way::Pooled) && *share == Outcome::NoData;
                let text = |part: &Part| {
                    if unknown {
                        String::new()
                    } else {
                        part.of_share(share, summed)
                    }
                };
                row.extend(parts.iter().map(text));
            }
        } else {
            let outcome = figure(one.figure);
            let share = one.figure == Kind::CappedShare;
            let text = |part: &Part| {
                outcome.map_or_else(String::new, |outcome| {
                    if share {
                        part.of_share(outcome, summed)
                    } else {
                        part.of(outcome, summed)
                    }
                })
            };
            row.extend(parts.iter().map(text));
        }
    }
    row
}

pub(super) fn bytes(rows: &[Vec<String>]) -> Result<Vec<u8>, ReportError> {
    let wrong = |_| ReportError::Form("CSV");
    let mut writer = csv::Writer::from_writer(MARK.as_bytes().to_vec());
    for row in rows {
        writer
            .write_record(row.iter().map(|text| harmless(text)))
            .map_err(wrong)?;
    }
    writer.into_inner().map_err(|_| ReportError::Form("CSV"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_taken_for_a_formula() {
        let made = bytes(&[vec!["a".to_owned(), "=b,\"c\"".to_owned()]]).unwrap();
        assert_eq!(made, "\u{feff}a,\"'=b,\"\"c\"\"\"\n".as_bytes());
    }
}
