//! Decimal texts of public tables as whole numbers, exactly.

/// The text is not a plain decimal of so many places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a plain decimal with at most {places} places")]
pub struct NotADecimal {
    places: u32,
}

/// Reads `12.34` as a whole number of 10^-`places`: 12,340,000 with six places. More places than
/// that are refused unless they are zeros.
pub fn decimal(text: &str, places: u32) -> Result<u64, NotADecimal> {
    let refused = NotADecimal { places };
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| {
        (1..=20).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !digits(whole) || !digits(part) {
        return Err(refused);
    }
    let width = usize::try_from(places).map_err(|_| refused)?;
    let (kept, beyond) = part.split_at_checked(width).unwrap_or((part, ""));
    if beyond.bytes().any(|byte| byte != b'0') {
        return Err(refused);
    }
    let scaled = |number: &str, power: u32| -> Option<u64> {
        let number: u64 = if number.is_empty() {
            0
        } else {
            number.parse().ok()?
        };
        number.checked_mul(10_u64.checked_pow(power)?)
    };
    let missing = places.saturating_sub(u32::try_from(kept.len()).map_err(|_| refused)?);
    scaled(whole, places)
        .zip(scaled(kept, missing))
        .and_then(|(whole, part)| whole.checked_add(part))
        .ok_or(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_read_exactly() {
        assert_eq!(decimal("1.2345", 6), Ok(1_234_500));
        assert_eq!(decimal("12252.70", 2), Ok(1_225_270));
        assert_eq!(decimal("12252.7000", 2), Ok(1_225_270));
        assert_eq!(decimal("7", 3), Ok(7000));
        for bad in [
            "",
            ".5",
            "1.",
            "-1",
            "1e3",
            "1,000",
            "1.2345678",
            "٣",
            "NaN",
        ] {
            assert!(decimal(bad, 6).is_err(), "{bad}");
        }
        assert!(decimal("99999999999999999999", 6).is_err());
    }
}
