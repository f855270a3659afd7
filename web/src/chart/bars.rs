//! Bars from zero with their intervals.

use serde::Serialize;

use super::{LEFT, RIGHT, ROW, TOP, colour, cut, label, line, open, rect, top, with_figures};

/// One bar.
#[derive(Clone, PartialEq, Debug)]
pub struct Bar {
    /// Its name.
    pub name: String,
    /// Its length.
    pub value: f64,
    /// The ends of its interval, where there is one.
    pub interval: Option<(f64, f64)>,
    /// A line across it, such as a limit or last year's.
    pub line: Option<f64>,
    /// What stands behind it.
    pub told: String,
    /// Which colour of the palette.
    pub colour: usize,
}

/// Bars from zero, all of one axis; values below zero are drawn as zero, with their number.
pub fn bars(title: &str, bars: &[Bar]) -> String {
    let ends = |bar: &Bar| {
        let high = bar
            .interval
            .map_or(bar.value, |(_, high)| high.max(bar.value));
        high.max(bar.line.unwrap_or(0.0))
    };
    let most = bars
        .iter()
        .map(ends)
        .filter(|end| end.is_finite())
        .fold(0.0_f64, f64::max);
    let scale = if most > 0.0 {
        (RIGHT - LEFT) / most
    } else {
        0.0
    };
    let at = |value: f64| LEFT + value.max(0.0).min(most) * scale;
    let mut svg = open(bars.len(), title);
    line(&mut svg, (LEFT, TOP), (LEFT, top(bars.len())), "base");
    for (row, bar) in bars.iter().enumerate() {
        let y = top(row) + ROW / 2.0;
        label(
            &mut svg,
            (LEFT - 10.0, y + 4.0),
            "name",
            &cut(&bar.name, 18),
        );
        rect(
            &mut svg,
            (LEFT, y - 9.0),
            (at(bar.value) - LEFT, 18.0),
            colour(bar.colour),
        );
        if let Some((low, high)) = bar.interval {
            line(&mut svg, (at(low), y), (at(high), y), "thin");
            for end in [low, high] {
                line(&mut svg, (at(end), y - 7.0), (at(end), y + 7.0), "thin");
            }
        }
        if let Some(limit) = bar.line {
            line(
                &mut svg,
                (at(limit), y - 13.0),
                (at(limit), y + 13.0),
                "limit",
            );
        }
        label(&mut svg, (RIGHT + 14.0, y + 4.0), "value", &bar.told);
    }
    svg.push_str("</svg>");
    let rows = bars.iter().map(Row::of).collect();
    with_figures(
        &svg,
        &Figures {
            kind: "bars",
            title,
            rows,
        },
    )
}

#[derive(Serialize)]
struct Figures<'a> {
    kind: &'static str,
    title: &'a str,
    rows: Vec<Row<'a>>,
}

/// A bar; ends that are no numbers are left out.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    value: f64,
    low: Option<f64>,
    high: Option<f64>,
    line: Option<f64>,
    told: &'a str,
    colour: usize,
}

impl<'a> Row<'a> {
    fn of(bar: &'a Bar) -> Self {
        Self {
            name: &bar.name,
            value: bar.value,
            low: bar.interval.map(|ends| ends.0),
            high: bar.interval.map(|ends| ends.1),
            line: bar.line,
            told: &bar.told,
            colour: bar.colour,
        }
    }
}
