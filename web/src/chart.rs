//! Plain SVG charts without script: bars with intervals, stacked bars. Colours are of Okabe and Ito's
//! palette; every mark bears its number, and a table stands beside each chart.

use std::fmt::Write as _;

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
    svg
}

/// Parts of a whole, a row each, and the names of the parts below. Parts are shares of one.
pub fn stacked(title: &str, parts: &[String], rows: &[(String, Vec<f64>)]) -> String {
    let legend = parts.len().div_ceil(4);
    let mut svg = open(rows.len().saturating_add(legend), title);
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
    for (place, name) in parts.iter().enumerate() {
        let column = f64::from(u32::try_from(place % 4).unwrap_or(0));
        let (x, y) = (
            20.0 + column * 230.0,
            top(rows.len().saturating_add(place / 4)) + 12.0,
        );
        rect(&mut svg, (x, y), (13.0, 13.0), colour(place));
        label(&mut svg, (x + 20.0, y + 11.0), "value", &cut(name, 28));
    }
    svg.push_str("</svg>");
    svg
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
        assert!(svg.ends_with("</svg>"));
        assert_eq!(cut("一二三", 4), "一二…");
    }
}
