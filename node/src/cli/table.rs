//! An answer as a table: every noisy number with the half-width of its 95 % noise interval.

use std::io::Write;

use policies::plan::Layout;
use policies::rules::Privacy;
use schemas::answer::Answer;
use schemas::dictionary::Dictionary;
use schemas::question::Measure;

/// Writes tab-separated lines: table, cell, measure, number, half-width.
pub(super) fn write(
    layout: &Layout,
    dictionary: &Dictionary,
    answer: &Answer,
    _policy: &Privacy,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    writeln!(out, "cell\tmeasure\tnoisy number\t95 % ±")?;
    for (spec, block) in layout.blocks.iter().zip(&answer.blocks) {
        let Some(table) = layout.table_of(spec) else {
            continue;
        };
        let name = name(&spec.measure, spec.centre);
        let Some(numbers) = block else {
            writeln!(out, "all\t{name}\tno data\t")?;
            continue;
        };
        let width = usize::try_from(spec.width)?;
        for (position, number) in numbers.iter().enumerate() {
            let mut rest = position / width;
            let mut keys = Vec::new();
            for axis in table.axes.iter().rev() {
                keys.push(
                    axis.keys
                        .get(rest % axis.keys.len())
                        .cloned()
                        .unwrap_or_default(),
                );
                rest /= axis.keys.len();
            }
            keys.reverse();
            let cell = if keys.is_empty() {
                "hospital".to_owned()
            } else {
                keys.join(" ")
            };
            let part = part(&spec.measure, position % width, dictionary);
            let error = 1.96 * spec.sigma.as_f64();
            writeln!(out, "{cell}\t{name}{part}\t{number}\t{error:.1}")?;
        }
    }
    Ok(())
}

/// What a measure is, in words; `centre` is what each stay's value counts less in it.
pub(super) fn name(measure: &Measure, centre: u32) -> String {
    let less = match centre {
        0 => String::new(),
        centre => format!(", each less {centre} thousandths"),
    };
    match measure {
        Measure::Count => "count".to_owned(),
        Measure::CountWhere { .. } => "count where".to_owned(),
        Measure::Sum { field } => format!("sum of {field} (thousandths of the reference{less})"),
        Measure::Relative { field } => format!("sum of {field} relative to own references{less}"),
        Measure::Squares { field } => format!("sum of squares of {field}{less}"),
        Measure::Histogram { field } => format!("stays by {field}"),
        Measure::Structure { field } => format!("items of {field}"),
    }
}

/// The unit of a measure's numbers and of their noise.
pub(super) fn unit(measure: &Measure) -> &'static str {
    match measure {
        Measure::Count | Measure::CountWhere { .. } | Measure::Histogram { .. } => "stays",
        Measure::Sum { .. } | Measure::Relative { .. } | Measure::Structure { .. } => {
            "thousandths of the reference"
        }
        Measure::Squares { .. } => "squared thousandths of the reference",
    }
}

/// The bin or item of a number inside its cell.
fn part(measure: &Measure, at: usize, dictionary: &Dictionary) -> String {
    match measure {
        Measure::Histogram { .. } => {
            let edge = |at: usize| {
                dictionary
                    .bin_edges
                    .get(at)
                    .map_or("…".to_owned(), u32::to_string)
            };
            format!(" [{}, {})", edge(at), edge(at + 1))
        }
        Measure::Structure { field } => {
            let item = dictionary.items_of(field).nth(at);
            item.map_or_else(String::new, |item| format!(" {}", item.id))
        }
        Measure::Count
        | Measure::CountWhere { .. }
        | Measure::Sum { .. }
        | Measure::Relative { .. }
        | Measure::Squares { .. } => String::new(),
    }
}
