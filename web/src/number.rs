//! Numbers, money and intervals as people read them. Whole-number arithmetic on texts and fen:
//! nothing is rounded but where the name says so.

use schemas::money::Fen;
use schemas::time::{Period, Timestamp};

use crate::language::Language;

/// A decimal text with commas between thousands.
pub fn grouped(text: &str) -> String {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("\u{2212}", rest),
        None => ("", text),
    };
    let (whole, decimals) = match rest.split_once('.') {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (rest, None),
    };
    let mut out = String::from(sign);
    let digits = whole.chars().count();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && digits.saturating_sub(place).is_multiple_of(3) {
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
pub fn percent(share: &str) -> String {
    let (sign, rest) = match share.strip_prefix('-') {
        Some(rest) => ("\u{2212}", rest),
        None => ("", share),
    };
    let (whole, decimals) = rest.split_once('.').unwrap_or((rest, ""));
    let padded = format!("{decimals:0<2}");
    let (front, back) = padded.split_at_checked(2).unwrap_or(("00", ""));
    let joined = format!("{whole}{front}");
    let trimmed = joined.trim_start_matches('0');
    let whole = if trimmed.is_empty() { "0" } else { trimmed };
    let point = if back.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{back}\u{a0}%")
}

/// An amount to the fen, with commas.
pub fn money(amount: Fen) -> String {
    grouped(&amount.to_string())
}

/// Months asked about.
pub fn period(period: &Period) -> String {
    if period.from == period.to {
        period.from.to_string()
    } else {
        format!("{} – {}", period.from, period.to)
    }
}

/// A moment, to the minute.
pub fn moment(at: Timestamp) -> String {
    let text = at.to_string();
    let minute: String = text.chars().take(16).collect();
    minute.replace('T', " ")
}

/// An amount rounded to what a tile holds: 亿元 or 万元, millions or thousands of the currency.
pub fn money_short(amount: Fen, language: Language) -> String {
    let size = amount.0.unsigned_abs();
    let (unit, zh, en) = match (language, size) {
        (Language::Chinese, 10_000_000_000..) => (10_000_000_000, " 亿元", ""),
        (Language::Chinese, 1_000_000..) => (1_000_000, " 万元", ""),
        (Language::English, 100_000_000..) => (100_000_000, "", " m"),
        (Language::English, 100_000..) => (100_000, "", " k"),
        _ => return money(amount),
    };
    // Hundredths of the unit, half up.
    let hundredths = i128::from(amount.0.unsigned_abs())
        .saturating_mul(100)
        .saturating_add(unit / 2)
        .checked_div(unit)
        .unwrap_or_default();
    let (whole, part) = (hundredths.checked_div(100), hundredths.checked_rem(100));
    let sign = if amount.0 < 0 { "-" } else { "" };
    let text = format!(
        "{sign}{}.{:02}",
        whole.unwrap_or_default(),
        part.unwrap_or_default()
    );
    format!("{}{zh}{en}", grouped(&text))
}

/// `low – high`; an open upper end is ∞.
pub fn interval(low: &str, high: Option<&str>) -> String {
    let high = high.map_or_else(|| "∞".to_owned(), grouped);
    format!("{}\u{a0}–\u{a0}{high}", grouped(low))
}

/// How long ago, in the largest whole unit.
pub fn ago(seconds: i64, language: Language) -> String {
    let (key, count) = match seconds.max(0) {
        n @ 0..120 => ("ago-seconds", n),
        n @ 120..7_200 => ("ago-minutes", n / 60),
        n @ 7_200..172_800 => ("ago-hours", n / 3_600),
        n => ("ago-days", n / 86_400),
    };
    language.tell(key, &[("n", &count.to_string())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_dressed_without_rounding() {
        assert_eq!(grouped("1234567.80"), "1,234,567.80");
        assert_eq!(grouped("-123"), "\u{2212}123");
        assert_eq!(percent("0.0123"), "1.23\u{a0}%");
        assert_eq!(percent("1.0000"), "100.00\u{a0}%");
        assert_eq!(percent("-0.453"), "\u{2212}45.3\u{a0}%");
        assert_eq!(money(Fen(-100_001)), "\u{2212}1,000.01");
        assert_eq!(interval("1000", None), "1,000\u{a0}–\u{a0}∞");
    }

    #[test]
    fn tiles_round_half_up_and_say_the_unit() {
        let target = Fen(120_000_000_000);
        assert_eq!(money_short(target, Language::Chinese), "12.00 亿元");
        assert_eq!(money_short(target, Language::English), "1,200.00 m");
        assert_eq!(money_short(Fen(1_005_000), Language::Chinese), "1.01 万元");
        assert_eq!(
            money_short(Fen(-99_999), Language::English),
            "\u{2212}999.99"
        );
        assert_eq!(
            money_short(Fen(i64::MIN), Language::English).chars().next(),
            Some('\u{2212}')
        );
        assert_eq!(ago(7_199, Language::English), "119 min ago");
    }
}
