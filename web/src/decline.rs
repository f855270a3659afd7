//! What is left of something that only falls, as a line of steps in plain SVG. A table of its steps stands
//! beside it.

use std::fmt::Write as _;

use crate::chart::{PALETTE, cut, plain};

/// One line: what was there at first, and what was left after each step.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// Before the first step.
    pub first: f64,
    /// When (any running number), what was left then, and what stands behind it.
    pub steps: Vec<(f64, f64, String)>,
}

const LEFT: f64 = 64.0;
const RIGHT: f64 = 760.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 230.0;

/// Lines from the left to `until`, all of one axis that begins at zero. `ends` are the words below its ends.
pub fn steps(title: &str, lines: &[Line], until: f64, ends: (&str, &str)) -> String {
    let all = || lines.iter().flat_map(|line| &line.steps);
    let begin = all().map(|step| step.0).fold(until, f64::min);
    let most = lines.iter().map(|line| line.first).fold(0.0_f64, f64::max);
    let part = |value: f64, whole: f64| {
        if whole > 0.0 && value.is_finite() {
            (value / whole).clamp(0.0, 1.0)
        } else {
            0.0
        }
    };
    let x = |when: f64| LEFT + part(when - begin, until - begin) * (RIGHT - LEFT);
    let y = |value: f64| BOTTOM - part(value, most) * (BOTTOM - TOP);
    let mut svg = format!(
        r#"<svg viewBox="0 0 940 262" role="img" aria-label="{}">"#,
        plain(title)
    );
    // Writing to a text cannot fail, here and below.
    for quarter in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let at = y(most * quarter);
        let _fine = write!(
            svg,
            r#"<line x1="{LEFT}" y1="{at:.1}" x2="{RIGHT}" y2="{at:.1}" class="base" stroke-opacity="0.4"/><text x="{:.1}" y="{:.1}" class="name">{:.2}</text>"#,
            LEFT - 8.0,
            at + 4.0,
            most * quarter,
        );
    }
    let mut named: Vec<(f64, &str, &str)> = Vec::new();
    for (place, line) in lines.iter().enumerate() {
        let colour = PALETTE
            .get(place % PALETTE.len())
            .copied()
            .unwrap_or("#0072B2");
        let mut path = format!("M{LEFT:.1} {:.1}", y(line.first));
        let mut left = line.first;
        for (when, after, _) in &line.steps {
            let _fine = write!(path, " H{:.1} V{:.1}", x(*when), y(*after));
            left = *after;
        }
        let _fine = write!(path, " H{RIGHT:.1}");
        let _fine = write!(
            svg,
            r#"<path d="{path}" fill="none" stroke="{colour}" stroke-width="2.4"/>"#
        );
        for (when, after, told) in &line.steps {
            let _fine = write!(
                svg,
                r#"<circle cx="{:.1}" cy="{:.1}" r="4" fill="{colour}"><title>{}</title></circle>"#,
                x(*when),
                y(*after),
                plain(told)
            );
        }
        named.push((y(left), &line.name, colour));
    }
    // Names of lines that end near each other stand below each other.
    named.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut free = 0.0_f64;
    for (at, name, colour) in named {
        let at = at.max(free);
        free = at + 16.0;
        let _fine = write!(
            svg,
            r#"<rect x="{:.1}" y="{:.1}" width="10" height="10" fill="{colour}"/><text x="{:.1}" y="{:.1}" class="value">{}</text>"#,
            RIGHT + 8.0,
            at - 5.0,
            RIGHT + 24.0,
            at + 4.0,
            plain(&cut(name, 24))
        );
    }
    let _fine = write!(
        svg,
        r#"<text x="{LEFT}" y="252" class="value">{}</text><text x="{RIGHT}" y="252" class="value" text-anchor="end">{}</text></svg>"#,
        plain(ends.0),
        plain(ends.1)
    );
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strange_lines_stay_on_the_paper_and_names_are_text() {
        let line = Line {
            name: "<b>".to_owned(),
            first: 1.0,
            steps: vec![
                (5.0, 0.4, "<i>".to_owned()),
                (f64::NAN, -3.0, String::new()),
                (f64::INFINITY, 9.0, String::new()),
            ],
        };
        let svg = steps("t\"", &[line], 10.0, ("<", ">"));
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"));
        assert!(!svg.contains("<b>") && !svg.contains("<i>") && !svg.contains("NaN"));
        assert!(!svg.contains("inf") && svg.contains("aria-label=\"t&quot;\""));
        assert!(!steps("none", &[], 0.0, ("", "")).contains("NaN"));
    }
}
