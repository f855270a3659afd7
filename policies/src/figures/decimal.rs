//! Numbers as decimal texts of declared digits.

use dashu::base::Abs;
use dashu::integer::{IBig, UBig};
use dashu::rational::RBig;

/// An exact fraction with so many decimals, half up and away from zero below zero (rule R1).
pub fn half_up(value: &RBig, places: u32) -> String {
    let mut scale = UBig::ONE;
    for _ in 0..places {
        scale *= UBig::from(10_u8);
    }
    let bottom = value.denominator().clone();
    let top = value.numerator().clone().abs() * IBig::from(scale);
    let doubled = top * IBig::from(2_u8) + IBig::from(bottom.clone());
    let whole = doubled / (IBig::from(bottom) * IBig::from(2_u8));
    let digits = whole.to_string();
    let places = usize::try_from(places).unwrap_or(0);
    let padded = format!("{digits:0>width$}", width = places.saturating_add(1));
    let (integer, decimals) = padded
        .split_at_checked(padded.len().saturating_sub(places))
        .unwrap_or((padded.as_str(), ""));
    let negative = *value < RBig::ZERO && digits != "0";
    let sign = if negative { "-" } else { "" };
    if places == 0 {
        format!("{sign}{integer}")
    } else {
        format!("{sign}{integer}.{decimals}")
    }
}

/// A float with so many decimals; no sign before a zero. `None` where it is not finite.
pub(super) fn fixed(value: f64, places: u32) -> Option<String> {
    if !value.is_finite() {
        return None;
    }
    let places = usize::try_from(places).unwrap_or(0);
    let text = format!("{value:.places$}");
    let zero = text.bytes().all(|b| matches!(b, b'-' | b'0' | b'.'));
    Some(match text.strip_prefix('-') {
        Some(rest) if zero => rest.to_owned(),
        _ => text,
    })
}

/// The nearest float.
pub(super) fn float(value: &RBig) -> f64 {
    value.to_f64().value()
}

/// `top / bottom`, unless the bottom is zero.
pub(super) fn fraction(top: IBig, bottom: IBig) -> Option<RBig> {
    (bottom != IBig::ZERO).then(|| RBig::from_parts_signed(top, bottom))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_away_from_zero() {
        let of = |top: i64, bottom: i64| fraction(top.into(), bottom.into()).unwrap();
        for (top, bottom, places, text) in [
            (1, 2, 0, "1"),
            (-1, 2, 0, "-1"),
            (-1, 3, 0, "0"),
            (10_145, 10_000, 3, "1.015"),
            (1, 3, 4, "0.3333"),
            (2, -3, 4, "-0.6667"),
            (123, 1, 2, "123.00"),
            (-1, 1000, 2, "0.00"),
        ] {
            assert_eq!(half_up(&of(top, bottom), places), text);
        }
    }

    #[test]
    fn floats_have_declared_digits_and_no_minus_zero() {
        assert_eq!(fixed(-0.001, 2).unwrap(), "0.00");
        assert_eq!(fixed(1.25, 4).unwrap(), "1.2500");
        assert_eq!(fixed(f64::NAN, 2), None);
    }
}
