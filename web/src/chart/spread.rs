//! How costs spread: quarters, median and tail of each row.

use serde::Serialize;

use super::{LEFT, RIGHT, ROW, colour, cut, label, line, open, rect, top, with_figures};

/// One row's percentiles, as far as they are known.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Spread {
    /// Its name.
    pub name: String,
    /// 25th percentile.
    pub p25: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 75th percentile.
    pub p75: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// All of them in words.
    pub told: String,
}

#[derive(Serialize)]
struct Figures<'a> {
    kind: &'static str,
    title: &'a str,
    rows: &'a [Spread],
}

/// A box from the 25th to the 75th percentile, the median in it, the 90th as its tail.
pub fn spread(title: &str, rows: &[Spread]) -> String {
    let all = |one: &Spread| [one.p25, one.p50, one.p75, one.p90];
    let most = rows.iter().flat_map(all).flatten();
    let most = most.filter(|one| one.is_finite()).fold(0.0_f64, f64::max);
    let scale = if most > 0.0 {
        (RIGHT - LEFT) / most
    } else {
        0.0
    };
    let at = |value: f64| LEFT + value.clamp(0.0, most) * scale;
    let mut svg = open(rows.len(), title);
    for (row, one) in rows.iter().enumerate() {
        let y = top(row) + ROW / 2.0;
        label(
            &mut svg,
            (LEFT - 10.0, y + 4.0),
            "name",
            &cut(&one.name, 18),
        );
        if let Some((low, high)) = one.p25.zip(one.p75) {
            rect(
                &mut svg,
                (at(low), y - 9.0),
                (at(high) - at(low), 18.0),
                colour(4),
            );
        }
        if let Some((from, to)) = one.p75.zip(one.p90) {
            line(&mut svg, (at(from), y), (at(to), y), "thin");
            line(&mut svg, (at(to), y - 6.0), (at(to), y + 6.0), "thin");
        }
        if let Some(middle) = one.p50 {
            line(
                &mut svg,
                (at(middle), y - 9.0),
                (at(middle), y + 9.0),
                "thin",
            );
        }
        label(&mut svg, (RIGHT + 14.0, y + 4.0), "value", &one.told);
    }
    svg.push_str("</svg>");
    with_figures(
        &svg,
        &Figures {
            kind: "spread",
            title,
            rows,
        },
    )
}
