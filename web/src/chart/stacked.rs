//! Stacked bars: parts of a whole, and parts of a sum.

use serde::Serialize;

use super::{LEFT, RIGHT, ROW, WIDTH, colour, cut, label, line, open, rect, top, with_figures};

#[derive(Serialize)]
struct Figures<'a> {
    kind: &'static str,
    title: &'a str,
    parts: &'a [String],
    percent: bool,
    rows: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    values: &'a [f64],
    low: Option<f64>,
    high: Option<f64>,
}

/// One sum of parts.
#[derive(Clone, PartialEq, Debug)]
pub struct Sum {
    /// Its name.
    pub name: String,
    /// Its parts, none below zero.
    pub values: Vec<f64>,
    /// The ends of the sum's interval, where there is one.
    pub interval: Option<(f64, f64)>,
    /// What stands behind it.
    pub told: String,
}

fn legend(svg: &mut String, parts: &[String], rows: usize) {
    for (place, name) in parts.iter().enumerate() {
        let column = f64::from(u32::try_from(place % 4).unwrap_or(0));
        let (x, y) = (
            20.0 + column * 230.0,
            top(rows.saturating_add(place / 4)) + 12.0,
        );
        rect(svg, (x, y), (13.0, 13.0), colour(place));
        label(svg, (x + 20.0, y + 11.0), "value", &cut(name, 28));
    }
}

/// Parts of a whole, a row each, and the names of the parts below. Parts are shares of one.
pub fn stacked(title: &str, parts: &[String], rows: &[(String, Vec<f64>)]) -> String {
    let mut svg = open(rows.len().saturating_add(parts.len().div_ceil(4)), title);
    for (row, (name, shares)) in rows.iter().enumerate() {
        let y = top(row) + ROW / 2.0;
        label(&mut svg, (LEFT - 10.0, y + 4.0), "name", &cut(name, 18));
        let mut x = LEFT;
        for (place, share) in shares.iter().enumerate() {
            let width = share.clamp(0.0, 1.0) * (WIDTH - LEFT - 10.0);
            rect(&mut svg, (x, y - 11.0), (width, 22.0), colour(place));
            if width > 44.0 {
                let dark = matches!(colour(place), "#0072B2" | "#009E73" | "#D55E00");
                let class = if dark { "light" } else { "dark" };
                let text = format!("{:.0}\u{a0}%", share * 100.0);
                label(&mut svg, (x + width / 2.0, y + 4.0), class, &text);
            }
            x += width;
        }
    }
    legend(&mut svg, parts, rows.len());
    svg.push_str("</svg>");
    let rows = rows.iter().map(|(name, values)| Row {
        name,
        values,
        low: None,
        high: None,
    });
    let rows = rows.collect();
    with_figures(
        &svg,
        &Figures {
            kind: "stacked",
            title,
            parts,
            percent: true,
            rows,
        },
    )
}

/// Sums of parts, a row each, all of one axis.
pub fn sums(title: &str, parts: &[String], rows: &[Sum]) -> String {
    let part = |value: f64| {
        if value.is_finite() {
            value.max(0.0)
        } else {
            0.0
        }
    };
    let whole = |row: &Sum| row.values.iter().map(|value| part(*value)).sum::<f64>();
    let ends = |row: &Sum| whole(row).max(row.interval.map_or(0.0, |(_, high)| part(high)));
    let most = rows.iter().map(ends).fold(0.0_f64, f64::max);
    let scale = if most > 0.0 {
        (RIGHT - LEFT) / most
    } else {
        0.0
    };
    let mut svg = open(rows.len().saturating_add(parts.len().div_ceil(4)), title);
    for (row, sum) in rows.iter().enumerate() {
        let y = top(row) + ROW / 2.0;
        label(
            &mut svg,
            (LEFT - 10.0, y + 4.0),
            "name",
            &cut(&sum.name, 18),
        );
        let mut x = LEFT;
        for (place, value) in sum.values.iter().enumerate() {
            let width = part(*value) * scale;
            rect(&mut svg, (x, y - 9.0), (width, 18.0), colour(place));
            x += width;
        }
        if let Some((low, high)) = sum.interval {
            let at = |value: f64| LEFT + part(value).min(most) * scale;
            line(&mut svg, (at(low), y), (at(high), y), "thin");
            for end in [low, high] {
                line(&mut svg, (at(end), y - 7.0), (at(end), y + 7.0), "thin");
            }
        }
        label(&mut svg, (RIGHT + 14.0, y + 4.0), "value", &sum.told);
    }
    legend(&mut svg, parts, rows.len());
    svg.push_str("</svg>");
    let rows = rows.iter().map(|sum| Row {
        name: &sum.name,
        values: &sum.values,
        low: sum.interval.map(|ends| ends.0),
        high: sum.interval.map(|ends| ends.1),
    });
    let rows = rows.collect();
    with_figures(
        &svg,
        &Figures {
            kind: "stacked",
            title,
            parts,
            percent: false,
            rows,
        },
    )
}
