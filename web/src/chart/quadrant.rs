//! Two indices against each other; 1 is the yardstick of both.

use std::fmt::Write as _;

use serde::Serialize;

use super::{WIDTH, colour, cut, label, line, plain, with_figures};

/// A point with the ends of both intervals.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Point {
    /// Its name.
    pub name: String,
    /// To the right.
    pub x: f64,
    /// Upwards.
    pub y: f64,
    /// Low end of `x`.
    pub xl: Option<f64>,
    /// High end of `x`.
    pub xh: Option<f64>,
    /// Low end of `y`.
    pub yl: Option<f64>,
    /// High end of `y`.
    pub yh: Option<f64>,
    /// Both in words.
    pub told: String,
}

#[derive(Serialize)]
struct Figures<'a> {
    kind: &'static str,
    title: &'a str,
    axes: &'a [String; 2],
    rows: &'a [Point],
}

const HEIGHT: f64 = 380.0;
const EDGE: f64 = 60.0;

/// From an axis to the paper.
struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    fn of(values: &mut dyn Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let ends = values.filter(|one| one.is_finite());
        let (low, high) = ends.fold((0.98_f64, 1.02_f64), |(low, high), one| {
            (low.min(one), high.max(one))
        });
        let room = 0.08 * (high - low);
        Self {
            low: low - room,
            high: high + room,
            from,
            to,
        }
    }

    fn at(&self, value: f64) -> f64 {
        let part = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        self.from + part * (self.to - self.from)
    }
}

/// Points in four quarters: dearer or cheaper, slower or faster than the yardstick.
pub fn quadrant(title: &str, axes: &[String; 2], points: &[Point]) -> String {
    let xs = points
        .iter()
        .flat_map(|one| [Some(one.x), one.xl, one.xh])
        .flatten();
    let ys = points
        .iter()
        .flat_map(|one| [Some(one.y), one.yl, one.yh])
        .flatten();
    let across = Scale::of(&mut { xs }, EDGE, WIDTH - EDGE);
    let up = Scale::of(&mut { ys }, HEIGHT - EDGE, 16.0);
    let mut svg = format!(
        r#"<svg viewBox="0 0 {WIDTH:.0} {HEIGHT:.0}" role="img" aria-label="{}">"#,
        plain(title)
    );
    line(
        &mut svg,
        (across.at(1.0), 16.0),
        (across.at(1.0), HEIGHT - EDGE),
        "limit",
    );
    line(
        &mut svg,
        (EDGE, up.at(1.0)),
        (WIDTH - EDGE, up.at(1.0)),
        "limit",
    );
    let foot = HEIGHT - EDGE + 18.0;
    for (x, text) in [
        (EDGE, across.low),
        (across.at(1.0), 1.0),
        (WIDTH - EDGE, across.high),
    ] {
        label(&mut svg, (x, foot), "dark", &format!("{text:.2}"));
    }
    for (y, text) in [(HEIGHT - EDGE, up.low), (up.at(1.0), 1.0), (16.0, up.high)] {
        label(
            &mut svg,
            (EDGE - 10.0, y + 4.0),
            "name",
            &format!("{text:.2}"),
        );
    }
    let [right, upward] = axes;
    label(
        &mut svg,
        (WIDTH / 2.0, HEIGHT - 12.0),
        "dark",
        &format!("→ {right}"),
    );
    label(&mut svg, (EDGE, 12.0), "value", &format!("↑ {upward}"));
    for one in points
        .iter()
        .filter(|one| one.x.is_finite() && one.y.is_finite())
    {
        let (x, y) = (across.at(one.x), up.at(one.y));
        if let Some((low, high)) = one.xl.zip(one.xh) {
            line(&mut svg, (across.at(low), y), (across.at(high), y), "thin");
        }
        if let Some((low, high)) = one.yl.zip(one.yh) {
            line(&mut svg, (x, up.at(low)), (x, up.at(high)), "thin");
        }
        // Writing to a text cannot fail.
        let _fine = write!(
            svg,
            r#"<circle cx="{x:.1}" cy="{y:.1}" r="6" fill="{}"/>"#,
            colour(0)
        );
        label(&mut svg, (x + 9.0, y - 8.0), "value", &cut(&one.name, 18));
    }
    svg.push_str("</svg>");
    with_figures(
        &svg,
        &Figures {
            kind: "quadrant",
            title,
            axes,
            rows: points,
        },
    )
}
