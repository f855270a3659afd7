//! Charts: a plain SVG that needs no script, and beside it the figures from which the script of
//! [`crate::script`] draws the same by Apache ECharts. Colours are of Okabe and Ito's palette; every mark
//! bears its number, and a table stands beside each chart.

mod bars;
mod stacked;
mod quadrant;
mod spread;

use std::fmt::Write as _;

use serde::Serialize;

pub use bars::{Bar, bars};
pub use quadrant::{Point, quadrant};
pub use spread::{Spread, spread};
pub use stacked::{Sum, stacked, sums};

/// The palette.
pub const PALETTE: [&str; 8] = [
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999",
];

const LEFT: f64 = 150.0;
const RIGHT: f64 = 640.0;
const WIDTH: f64 = 940.0;
const ROW: f64 = 34.0;
const TOP: f64 = 10.0;

/// Text for XML; control characters fall away.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Cut to a width in half-width characters; Chinese ones take two.
pub fn cut(text: &str, most: usize) -> String {
    let (mut width, mut out) = (0_usize, String::new());
    for c in text.chars() {
        width = width.saturating_add(if c.is_ascii() { 1 } else { 2 });
        if width > most {
            out.push('…');
            break;
        }
        out.push(c);
    }
    out
}

fn label(svg: &mut String, (x, y): (f64, f64), class: &str, text: &str) {
    // Writing to a text cannot fail, here and below.
    let _fine = write!(
        svg,
        r#"<text x="{x:.1}" y="{y:.1}" class="{class}">{}</text>"#,
        plain(text)
    );
}

fn rect(svg: &mut String, (x, y): (f64, f64), (width, height): (f64, f64), fill: &str) {
    let width = width.max(0.0);
    let _fine = write!(
        svg,
        r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{fill}"/>"#
    );
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64), class: &str) {
    let _fine = write!(
        svg,
        r#"<line x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}" class="{class}"/>"#,
        from.0, from.1, to.0, to.1
    );
}

fn open(rows: usize, title: &str) -> String {
    let height = top(rows) + 8.0;
    format!(
        r#"<svg viewBox="0 0 {WIDTH:.0} {height:.0}" role="img" aria-label="{}">"#,
        plain(title)
    )
}

fn top(row: usize) -> f64 {
    TOP + f64::from(u32::try_from(row).unwrap_or(u32::MAX)) * ROW
}

fn colour(place: usize) -> &'static str {
    PALETTE
        .iter()
        .cycle()
        .nth(place % PALETTE.len())
        .copied()
        .unwrap_or("#0072B2")
}

/// A plain chart with its figures beside it, as a page takes it in.
fn with_figures(svg: &str, figures: &impl Serialize) -> String {
    let figures = serde_json::to_string(figures).unwrap_or_default();
    format!(
        r#"<div class="plot" data-plot="{}"><div class="plain">{svg}</div></div>"#,
        plain(&figures)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_text_and_marks_stay_on_the_paper() {
        let bar = |name: &str, value, interval| Bar {
            name: name.to_owned(),
            value,
            interval,
            line: Some(1e12),
            told: "<b>".to_owned(),
            colour: 9,
        };
        let svg = bars(
            "x\"y",
            &[
                bar("<script>", 5.0, Some((1.0, 1e13))),
                bar("ok", -3.0, None),
            ],
        );
        assert!(svg.contains("&lt;script&gt;") && !svg.contains("<script") && !svg.contains("<b>"));
        assert!(svg.contains(r#"aria-label="x&quot;y""#));
        let places = svg
            .split(r#"x2=""#)
            .skip(1)
            .map(|part| part.split('"').next().unwrap());
        assert!(
            places
                .map(|x| x.parse::<f64>().unwrap())
                .all(|x| (0.0..=WIDTH).contains(&x))
        );
        assert!(!bars("none", &[]).contains("NaN"));
    }

    #[test]
    fn a_stack_of_strange_shares_is_drawn_inside() {
        let svg = stacked(
            "t",
            &["a".into(), "b".into()],
            &[("r".into(), vec![2.0, -1.0, f64::NAN])],
        );
        assert!(svg.contains("</svg>"));
        assert_eq!(cut("一二三", 4), "一二…");
    }
}
