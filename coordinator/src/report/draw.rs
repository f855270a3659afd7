//! Lines, bars, marks and texts of the charts, and the axis they stand on.

use std::fmt::Write as _;

use policies::figures::benchmark::Interval;

pub(super) const WIDTH: f64 = 1080.0;
/// Left edge of the plot; labels stand before it.
pub(super) const LEFT: f64 = 230.0;
/// Right edge of the plot; numbers stand behind it.
pub(super) const RIGHT: f64 = 720.0;
pub(super) const ROW: f64 = 30.0;
pub(super) const TOP: f64 = 34.0;
/// An axis from a number to a place.
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) log: bool,
}

impl Axis {
    pub(super) fn x(&self, value: f64) -> f64 {
        let scale = |v: f64| if self.log { v.max(1e-9).ln() } else { v };
        let span = scale(self.high) - scale(self.low);
        let part = if span > 0.0 {
            (scale(value) - scale(self.low)) / span
        } else {
            0.0
        };
        LEFT + part.clamp(0.0, 1.0) * (RIGHT - LEFT)
    }

    /// Round places between the ends.
    fn ticks(&self) -> Vec<f64> {
        let mut ticks = Vec::new();
        if self.log {
            let mut decade = 10_f64.powf(self.low.max(1e-9).log10().floor());
            while decade <= self.high {
                for step in [1.0, 2.0, 5.0] {
                    let tick = decade * step;
                    if tick >= self.low && tick <= self.high {
                        ticks.push(tick);
                    }
                }
                decade *= 10.0;
            }
            return ticks;
        }
        let rough = (self.high - self.low) / 6.0;
        let decade = 10_f64.powf(rough.max(1e-9).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|nice| nice * decade)
            .into_iter()
            .find(|step| *step >= rough)
            .unwrap_or(rough);
        let mut tick = (self.low / step).ceil() * step;
        while tick <= self.high + step / 1e6 && ticks.len() < 20 {
            ticks.push(tick);
            tick += step;
        }
        ticks
    }
}

pub(super) fn number(text: &str) -> f64 {
    text.parse().unwrap_or(0.0)
}

pub(super) fn ends(interval: &Interval) -> (f64, Option<f64>) {
    (number(&interval.low), interval.high.as_deref().map(number))
}

/// Text for XML.
pub(super) fn plain(text: &str) -> String {
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
pub(super) fn cut(text: &str, most: usize) -> String {
    let (mut width, mut out) = (0, String::new());
    for c in text.chars() {
        width += if c.is_ascii() { 1 } else { 2 };
        if width > most {
            out.push('…');
            break;
        }
        out.push(c);
    }
    out
}

pub(super) fn label(svg: &mut String, x: f64, y: f64, class: &str, text: &str) {
    let text = plain(text);
    // Writing to a text cannot fail.
    let _fine = write!(
        svg,
        r#"<text x="{x:.1}" y="{y:.1}" class="{class}">{text}</text>"#
    );
}

pub(super) fn line(svg: &mut String, from: (f64, f64), to: (f64, f64), class: &str) {
    let _fine = write!(
        svg,
        r#"<line x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}" class="{class}"/>"#,
        from.0, from.1, to.0, to.1
    );
}

pub(super) fn bar(svg: &mut String, x: (f64, f64), y: (f64, f64), fill: &str) {
    let _fine = write!(
        svg,
        r#"<rect x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}" fill="{fill}"/>"#,
        x.0,
        y.0,
        (x.1 - x.0).max(0.0),
        y.1 - y.0
    );
}

pub(super) fn dot(svg: &mut String, x: f64, y: f64, fill: &str) {
    let _fine = write!(
        svg,
        r#"<circle cx="{x:.1}" cy="{y:.1}" r="4.5" fill="{fill}"/>"#
    );
}

/// Grid, ticks and frame; the plot's rows come on top.
pub(super) fn open(rows: usize, title: &str, axis: &Axis, tick: impl Fn(f64) -> String) -> String {
    let bottom = TOP + row_top(rows);
    let height = bottom + 30.0;
    let mut svg = format!(
        r#"<svg viewBox="0 0 {WIDTH:.0} {height:.0}" role="img" aria-label="{}">"#,
        plain(title)
    );
    for at in axis.ticks() {
        let x = axis.x(at);
        line(&mut svg, (x, TOP), (x, bottom), "grid");
        label(&mut svg, x, bottom + 18.0, "tick", &tick(at));
    }
    svg
}

/// Distance from the top of the plot to the top of a row.
pub(super) fn row_top(row: usize) -> f64 {
    f64::from(u32::try_from(row).unwrap_or(u32::MAX)) * ROW
}

pub(super) fn middle(row: usize) -> f64 {
    TOP + row_top(row) + ROW / 2.0
}
