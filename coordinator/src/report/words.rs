//! Words and numbers as the page shows them.

use policies::figures::benchmark::{Data, Figure, Interval};
use schemas::answer::{Counted, Span};
use schemas::outcome::Outcome;

/// Why there is no figure, in both languages.
pub(super) fn status<T>(outcome: &Outcome<T>) -> &'static str {
    match outcome {
        Outcome::Value(_) => "有数 value",
        Outcome::Suppressed => "已抑制 suppressed",
        Outcome::NoData => "无数据 no data",
        Outcome::NotMapped => "未映射 not mapped",
        Outcome::Declined => "拒绝 declined",
        Outcome::OutOfAllowance => "额度用尽 out of allowance",
        Outcome::Late => "逾期 late",
    }
}

/// Whose stays count as one person's in a hospital's data: a word for tables, and both languages.
pub(super) fn counted(data: &Data) -> (&'static str, &'static str) {
    let has = |counted| data.snapshots.iter().any(|s| s.counted == counted);
    match (has(Counted::Patient), has(Counted::Stay)) {
        (true, true) => ("mixed", "部分按住院 partly per stay"),
        (false, true) => ("stay", "每次住院 per stay"),
        (true, false) => ("patient", "患者 per patient"),
        (false, false) => ("", "–"),
    }
}

/// The grade of a hospital's data, and whether they are of a pilot in some departments.
pub(super) fn graded(data: &Data) -> Option<String> {
    let grade = data.grade?;
    let pilot = data.snapshots.iter().any(|month| month.pilot);
    Some(format!(
        "{grade:?}{}",
        if pilot { " 试点 pilot" } else { "" }
    ))
}

/// The newest month of a hospital's data; the year where its source knows only that.
pub(super) fn newest(data: &Data) -> Option<String> {
    let newest = data.newest?;
    let snapshot = data.snapshots.iter().rfind(|s| s.month == newest)?;
    Some(match snapshot.span {
        Span::Month => newest.to_string(),
        Span::Year => newest.year().0.to_string(),
    })
}

/// Whether a hospital's data are whole years, whose month says nothing.
pub(super) fn by_year(data: &Data) -> bool {
    data.snapshots.iter().any(|s| s.span == Span::Year)
}

/// A decimal text with commas between thousands.
pub(super) fn grouped(text: &str) -> String {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let (whole, decimals) = match rest.split_once('.') {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (rest, None),
    };
    let mut out = String::from(sign);
    let digits = whole.chars().count();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (digits - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(decimals) = decimals {
        out.push('.');
        out.push_str(decimals);
    }
    out
}

/// A share of one as a percentage, by moving the point.
pub(super) fn percent(text: &str) -> String {
    format!("{}\u{a0}%", hundredfold(text))
}

fn hundredfold(text: &str) -> String {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let padded = format!("{decimals:0<2}");
    let (front, back) = padded.split_at_checked(2).unwrap_or(("00", ""));
    let joined = format!("{whole}{front}");
    let trimmed = joined.trim_start_matches('0');
    let whole = if trimmed.is_empty() { "0" } else { trimmed };
    if back.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{back}")
    }
}

/// How a figure's texts are dressed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dress {
    /// With commas.
    Number,
    /// As a percentage.
    Percent,
}

impl Dress {
    pub(super) fn text(self, text: &str) -> String {
        match self {
            Self::Number => grouped(text),
            Self::Percent => percent(text),
        }
    }

    pub(super) fn interval(self, interval: &Interval) -> String {
        let bare = |text: &str| match self {
            Self::Number => grouped(text),
            Self::Percent => hundredfold(text),
        };
        let high = interval.high.as_deref().map(bare);
        let high = high.unwrap_or_else(|| "∞".to_owned());
        let unit = if self == Self::Percent { "\u{a0}%" } else { "" };
        format!("{}\u{a0}–\u{a0}{high}{unit}", bare(&interval.low))
    }
}

/// One table cell: the figure, its two intervals, or the reason in their place.
pub(super) struct Shown {
    pub(super) value: String,
    pub(super) noise: String,
    pub(super) sampling: String,
    pub(super) missing: bool,
}

/// What stands in the place of a share that says nothing.
pub(super) const NOT_USABLE: &str = "不可用 not usable";

/// A share of which its noise interval says nothing: from none to all.
pub(super) fn useless(figure: &Figure) -> bool {
    let is = |text: &str, end: f64| text.parse() == Ok(end);
    let high = figure.noise.high.as_deref();
    is(&figure.noise.low, 0.0) && high.is_some_and(|high| is(high, 1.0))
}

pub(super) fn shown(outcome: &Outcome<Figure>, dress: Dress) -> Shown {
    match outcome.value() {
        Some(figure) if dress == Dress::Percent && useless(figure) => Shown {
            value: NOT_USABLE.to_owned(),
            noise: String::new(),
            sampling: String::new(),
            missing: true,
        },
        Some(figure) => Shown {
            value: format!(
                "{}{}",
                if figure.above { "> " } else { "" },
                dress.text(&figure.value)
            ),
            noise: dress.interval(&figure.noise),
            sampling: figure
                .sampling
                .as_ref()
                .map_or_else(String::new, |interval| dress.interval(interval)),
            missing: false,
        },
        None => Shown {
            value: status(outcome).to_owned(),
            noise: String::new(),
            sampling: String::new(),
            missing: true,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_dressed_without_rounding() {
        assert_eq!(grouped("1234567.80"), "1,234,567.80");
        assert_eq!(grouped("-123"), "-123");
        assert_eq!(percent("0.0123"), "1.23\u{a0}%");
        assert_eq!(percent("1.0000"), "100.00\u{a0}%");
        assert_eq!(percent("0.453"), "45.3\u{a0}%");
        assert_eq!(percent("0.5"), "50\u{a0}%");
        let interval = Interval {
            low: "0.003".to_owned(),
            high: Some("0.120".to_owned()),
        };
        let text = Dress::Percent.interval(&interval);
        assert_eq!(text, "0.3\u{a0}–\u{a0}12.0\u{a0}%");
    }

    fn share(low: &str, high: Option<&str>) -> Outcome<Figure> {
        Outcome::Value(Figure {
            value: "0.400".to_owned(),
            above: false,
            noisy: None,
            noise: Interval {
                low: low.to_owned(),
                high: high.map(str::to_owned),
            },
            sampling: None,
            improved: None,
            way: None,
        })
    }

    #[test]
    fn a_share_from_none_to_all_is_not_usable() {
        for (low, high, usable) in [
            ("0.000", Some("1.000"), false),
            ("0.0000", Some("1.0000"), false),
            ("0.001", Some("1.000"), true),
            ("0.000", Some("0.999"), true),
            ("0.000", None, true),
        ] {
            let figure = share(low, high);
            let told = shown(&figure, Dress::Percent);
            assert_eq!(
                told.value.contains("不可用 not usable"),
                !usable,
                "{low} {high:?}"
            );
            assert_eq!(told.missing, !usable);
            // Only shares end at one.
            assert!(!shown(&figure, Dress::Number).missing);
        }
    }
}
