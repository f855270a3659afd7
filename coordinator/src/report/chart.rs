//! Plain SVG charts. Colours are of Okabe and Ito's palette, which people with colour-blindness can
//! tell apart; every bar and mark bears its number, and a table stands behind each chart.

use policies::figures::Benchmark;
use policies::figures::benchmark::{Cell, Figure, Hospital, Kind, Row, Split};
use schemas::outcome::Outcome;

use super::columns::pooled;
use super::draw::{
    Axis, LEFT, RIGHT, TOP, bar, cut, dot, ends, label, line, middle, number, open, row_top,
};
use super::words::{Dress, NOT_USABLE, grouped, percent, status, useless};

const BLUE: &str = "#0072B2";
/// Groups in a chart of percentiles.
pub(super) const MOST_BOXES: usize = 15;
const ORANGE: &str = "#D55E00";
const PALETTE: [&str; 8] = [
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999",
];

/// A value with its two intervals: thick for noise, thin with end marks for sampling.
fn mark(svg: &mut String, axis: &Axis, y: f64, figure: &Figure, colour: &str) {
    let (low, high) = ends(&figure.noise);
    let high = high.unwrap_or(axis.high);
    bar(
        svg,
        (axis.x(low), axis.x(high)),
        (y - 4.0, y + 4.0),
        "#9ecae1",
    );
    // On top: it may be the narrower one.
    if let Some((low, Some(high))) = figure.sampling.as_ref().map(ends) {
        line(svg, (axis.x(low), y), (axis.x(high), y), "thin");
        for end in [low, high] {
            line(svg, (axis.x(end), y - 7.0), (axis.x(end), y + 7.0), "thin");
        }
    }
    dot(svg, axis.x(number(&figure.value)), y, colour);
}

/// Lowest and highest end of figures and of their intervals.
fn extent<'a>(figures: impl Iterator<Item = &'a Figure>, start: (f64, f64)) -> (f64, f64) {
    figures.fold(start, |(low, high), figure| {
        let (a, b) = ends(&figure.noise);
        let (c, d) = figure.sampling.as_ref().map_or((a, b), ends);
        let top = b
            .unwrap_or(a)
            .max(d.unwrap_or(c))
            .max(number(&figure.value));
        (low.min(a).min(c), high.max(top))
    })
}

/// Figures of all hospitals as marks on one axis, sorted by value where `sorted`.
fn marks(
    rows: &[(String, &Outcome<Figure>)],
    title: &str,
    axis: &Axis,
    dress: Dress,
    base: Option<f64>,
) -> String {
    let tick = |at: f64| match dress {
        Dress::Number => format!("{at:.2}"),
        Dress::Percent => percent(&format!("{at:.4}")),
    };
    let mut svg = open(rows.len(), title, axis, tick);
    if let Some(base) = base {
        let x = axis.x(base);
        line(
            &mut svg,
            (x, TOP - 6.0),
            (x, TOP + row_top(rows.len())),
            "base",
        );
        label(&mut svg, x, TOP - 12.0, "tick", "基准 reference = 1");
    }
    for (row, (name, outcome)) in rows.iter().enumerate() {
        let y = middle(row);
        label(&mut svg, LEFT - 12.0, y + 4.0, "name", &cut(name, 30));
        match outcome.value() {
            Some(figure) if dress == Dress::Percent && useless(figure) => {
                label(&mut svg, LEFT + 10.0, y + 4.0, "none", NOT_USABLE);
            }
            Some(figure) => {
                mark(&mut svg, axis, y, figure, BLUE);
                let noise = dress.interval(&figure.noise);
                let text = format!("{} ({noise})", dress.text(&figure.value));
                label(&mut svg, RIGHT + 14.0, y + 4.0, "value", &text);
            }
            None => label(&mut svg, LEFT + 10.0, y + 4.0, "none", status(outcome)),
        }
    }
    svg.push_str("</svg>");
    svg
}

/// Cost index of each hospital against 1, lowest first.
pub(super) fn cost_index(benchmark: &Benchmark) -> String {
    let mut rows: Vec<(String, &Outcome<Figure>)> = benchmark
        .hospitals
        .iter()
        .map(|h| (h.id.to_string(), &h.totals.cost_index.reference))
        .collect();
    let key = |o: &Outcome<Figure>| o.value().map_or(f64::INFINITY, |f| number(&f.value));
    rows.sort_by(|a, b| key(a.1).total_cmp(&key(b.1)));
    let (low, high) = extent(rows.iter().filter_map(|row| row.1.value()), (0.95, 1.05));
    let axis = Axis {
        low: (low - 0.02).max(0.0),
        high: high + 0.02,
        log: false,
    };
    marks(&rows, "Cost index", &axis, Dress::Number, Some(1.0))
}

/// The hospitals that tell a figure of their own; none where it is pooled.
pub(super) fn told_by(benchmark: &Benchmark, kind: Kind) -> impl Iterator<Item = &Hospital> {
    let pooled = pooled(&benchmark.asked, kind);
    benchmark.hospitals.iter().filter(move |_| !pooled)
}

/// Share of capped stays, hospitals and alliance.
pub(super) fn capped(benchmark: &Benchmark) -> String {
    let alliance = (
        "联盟 alliance".to_owned(),
        &benchmark.total.all.capped_share,
    );
    let each = told_by(benchmark, Kind::CappedShare);
    let each = each.map(|h| (h.id.to_string(), &h.totals.all.capped_share));
    let rows: Vec<(String, &Outcome<Figure>)> = std::iter::once(alliance).chain(each).collect();
    let (_, high) = extent(rows.iter().filter_map(|row| row.1.value()), (0.0, 0.02));
    let axis = Axis {
        low: 0.0,
        high: high * 1.05,
        log: false,
    };
    marks(&rows, "Share of capped stays", &axis, Dress::Percent, None)
}

/// Cost structure: one stacked bar a hospital and one for the alliance.
pub(super) fn structure(benchmark: &Benchmark) -> String {
    let alliance = ("联盟 alliance".to_owned(), &benchmark.total.all);
    let each = told_by(benchmark, Kind::Structure);
    let each = each.map(|h| (h.id.to_string(), &h.totals.all));
    let rows: Vec<(String, &Cell)> = std::iter::once(alliance).chain(each).collect();
    stacked(benchmark, &rows)
}

/// Cost structure of the alliance in the biggest rows of a split.
pub(super) fn structures(benchmark: &Benchmark, split: &Split) -> String {
    let biggest = biggest(split, MOST_BOXES).into_iter();
    let named = biggest.map(|row| (format!("{} {}", row.code, row.name.zh), &row.alliance));
    stacked(benchmark, &named.collect::<Vec<_>>())
}

fn stacked(benchmark: &Benchmark, rows: &[(String, &Cell)]) -> String {
    let axis = Axis {
        low: 0.0,
        high: 1.0,
        log: false,
    };
    let tick = |at: f64| format!("{:.0} %", at * 100.0);
    // The legend's lines stand closer than the rows.
    let height = rows
        .len()
        .max(benchmark.items.len().div_ceil(4).saturating_mul(3));
    let mut svg = open(height, "Cost structure", &axis, tick);
    for (row, (name, cell)) in rows.iter().enumerate() {
        let y = middle(row);
        label(&mut svg, LEFT - 12.0, y + 4.0, "name", &cut(name, 30));
        let shares: Option<Vec<&Figure>> = cell.structure.iter().map(Outcome::value).collect();
        let Some(shares) = shares.filter(|shares| !shares.is_empty()) else {
            let why = cell.structure.iter().find(|share| share.value().is_none());
            let why = why.map_or("无数据 no data", |why| status(why));
            label(&mut svg, LEFT + 10.0, y + 4.0, "none", why);
            continue;
        };
        if shares.iter().any(|share| useless(share)) {
            label(&mut svg, LEFT + 10.0, y + 4.0, "none", NOT_USABLE);
            continue;
        }
        let mut from = 0.0;
        for (share, colour) in shares.iter().zip(PALETTE.iter().cycle()) {
            let part = number(&share.value);
            let x = (axis.x(from), axis.x(from + part));
            bar(&mut svg, x, (y - 10.0, y + 10.0), colour);
            if part > 0.085 {
                let text = percent(&share.value);
                let dark = matches!(*colour, "#0072B2" | "#009E73" | "#D55E00");
                let class = if dark { "light" } else { "dark" };
                label(&mut svg, f64::midpoint(x.0, x.1), y + 4.0, class, &text);
            }
            from += part;
        }
    }
    for (place, (item, colour)) in benchmark
        .items
        .iter()
        .zip(PALETTE.iter().cycle())
        .enumerate()
    {
        let y = TOP + row_top(place) * 0.72 + 8.0;
        bar(
            &mut svg,
            (RIGHT + 14.0, RIGHT + 26.0),
            (y, y + 12.0),
            colour,
        );
        let text = format!("{} {}", item.label.zh, item.label.en);
        label(&mut svg, RIGHT + 32.0, y + 10.0, "value", &cut(&text, 44));
    }
    svg.push_str("</svg>");
    svg
}

/// Rows of a split by falling noisy number of stays in the alliance.
pub(super) fn biggest(split: &Split, most: usize) -> Vec<&Row> {
    let stays = |row: &Row| {
        row.alliance
            .stays
            .value()
            .map_or(-1.0, |f| number(&f.value))
    };
    let mut rows: Vec<&Row> = split.rows.iter().filter(|row| stays(row) > 0.0).collect();
    rows.sort_by(|a, b| {
        stays(b)
            .total_cmp(&stays(a))
            .then_with(|| a.code.cmp(&b.code))
    });
    rows.truncate(most);
    rows
}

/// P25 to P75 as a box, the median inside with its noise interval, P90 as a mark.
pub(super) fn boxes(split: &Split) -> String {
    let rows = biggest(split, MOST_BOXES);
    let figures = rows.iter().flat_map(|row| row.alliance.percentiles.all());
    let (low, high) = extent(figures.filter_map(Outcome::value), (f64::INFINITY, 0.0));
    let axis = Axis {
        low: if low.is_finite() {
            low.max(high / 1e4).max(1e-4)
        } else {
            0.1
        },
        high: if high > 0.0 { high } else { 1.0 },
        log: true,
    };
    let tick = |at: f64| {
        if at >= 10.0 {
            grouped(&format!("{at:.0}"))
        } else {
            format!("{at}")
        }
    };
    let mut svg = open(rows.len(), "Percentiles of the biggest groups", &axis, tick);
    for (row, of) in rows.iter().enumerate() {
        let y = middle(row);
        let name = format!("{} {}", of.code, of.name.zh);
        label(&mut svg, LEFT - 12.0, y + 4.0, "name", &cut(&name, 30));
        let p = &of.alliance.percentiles;
        let [p25, p50, p75, p90] =
            [&p.p25, &p.p50, &p.p75, &p.p90].map(|p| p.value().map(|f| (f, number(&f.value))));
        let (Some(p25), Some(p50), Some(p75)) = (p25, p50, p75) else {
            label(&mut svg, LEFT + 10.0, y + 4.0, "none", status(&p.p50));
            continue;
        };
        if let Some(p90) = p90 {
            line(&mut svg, (axis.x(p75.1), y), (axis.x(p90.1), y), "thin");
            dot(&mut svg, axis.x(p90.1), y, ORANGE);
        }
        bar(
            &mut svg,
            (axis.x(p25.1), axis.x(p75.1)),
            (y - 9.0, y + 9.0),
            "#9ecae1",
        );
        let (low, high) = ends(&p50.0.noise);
        let reach = (axis.x(low), axis.x(high.unwrap_or(axis.high)));
        bar(&mut svg, reach, (y - 2.0, y + 2.0), BLUE);
        line(
            &mut svg,
            (axis.x(p50.1), y - 11.0),
            (axis.x(p50.1), y + 11.0),
            "median",
        );
        let last = p90.map_or_else(
            || status(&p.p90).to_owned(),
            |p90| {
                format!(
                    "{}{}",
                    if p90.0.above { "> " } else { "" },
                    grouped(&p90.0.value)
                )
            },
        );
        let text = format!("{} · P90 {last}", grouped(&p50.0.value));
        label(&mut svg, RIGHT + 14.0, y + 4.0, "value", &text);
    }
    svg.push_str("</svg>");
    svg
}
