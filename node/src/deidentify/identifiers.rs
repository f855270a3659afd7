//! Finding what is shaped like a person's identifier: Chinese resident identity numbers
//! (GB 11643), mobile numbers, bank card numbers (Luhn), US social security numbers.

/// How many identifier-shaped numbers stand in these bytes. A number counts only as a whole run of
/// digits, so that a part of a longer number is none.
pub fn count(bytes: &[u8]) -> u64 {
    let mut found = 0;
    let mut place = 0;
    while let Some(byte) = bytes.get(place) {
        if !byte.is_ascii_digit() {
            place += 1;
            continue;
        }
        let run = run(bytes, place);
        let rest = bytes.get(place + run.len()..).unwrap_or_default();
        if is_identifier(run, rest) || is_social_security(run, rest) {
            found += 1;
        }
        place += run.len();
    }
    found
}

fn run(bytes: &[u8], start: usize) -> &[u8] {
    let tail = bytes.get(start..).unwrap_or_default();
    let end = tail.iter().position(|byte| !byte.is_ascii_digit());
    tail.get(..end.unwrap_or(tail.len())).unwrap_or_default()
}

fn is_identifier(run: &[u8], rest: &[u8]) -> bool {
    match run.len() {
        11 => is_mobile(run),
        17 => matches!(rest.first(), Some(b'X' | b'x')) && is_resident(run, 10) || is_card(run),
        18 => {
            let (body, last) = run.split_at_checked(17).unwrap_or((run, &[]));
            let last = last.first().map_or(10, |byte| u32::from(byte - b'0'));
            is_resident(body, last) || is_card(run)
        }
        16 | 19 => is_card(run),
        _ => false,
    }
}

/// `1` and `3` to `9`, as the numbering plan has it.
fn is_mobile(run: &[u8]) -> bool {
    matches!(run, [b'1', b'3'..=b'9', ..])
}

/// Seventeen digits and the check digit (10 stands for X), with a birth date that can be.
fn is_resident(body: &[u8], last: u32) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: [u32; 11] = [1, 0, 10, 9, 8, 7, 6, 5, 4, 3, 2];
    let digits = body.iter().map(|byte| u32::from(byte - b'0'));
    let sum: u32 = digits
        .zip(WEIGHTS)
        .map(|(digit, weight)| digit * weight)
        .sum();
    let check = usize::try_from(sum % 11)
        .ok()
        .and_then(|rest| CHECKS.get(rest));
    let number = |range: std::ops::Range<usize>| {
        let digits = body.get(range).unwrap_or_default();
        digits
            .iter()
            .fold(0_u32, |value, byte| value * 10 + u32::from(byte - b'0'))
    };
    let born = (1850..=2199).contains(&number(6..10))
        && (1..=12).contains(&number(10..12))
        && (1..=31).contains(&number(12..14));
    check == Some(&last) && born && body.first() != Some(&b'0')
}

/// 16 to 19 digits with a Luhn check digit, not all alike, beginning as cards do.
fn is_card(run: &[u8]) -> bool {
    let begins = matches!(run.first(), Some(b'3'..=b'6' | b'9'));
    let alike = run.iter().all(|byte| Some(byte) == run.first());
    let digits = run.iter().rev().map(|byte| u32::from(byte - b'0'));
    let sum: u32 = (0_u32..)
        .zip(digits)
        .map(|(place, digit)| match (place % 2, digit) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    begins && !alike && sum.is_multiple_of(10)
}

/// `ddd-dd-dddd` within the ranges that are given out.
fn is_social_security(area: &[u8], rest: &[u8]) -> bool {
    if area.len() != 3 || area == b"000" || area == b"666" || area.first() == Some(&b'9') {
        return false;
    }
    let Some((middle, tail)) = rest.split_at_checked(4) else {
        return false;
    };
    let [b'-', a, b, b'-'] = middle else {
        return false;
    };
    let serial = run(tail, 0);
    let group = [*a, *b];
    group.iter().all(u8::is_ascii_digit)
        && &group != b"00"
        && serial.len() == 4
        && serial != b"0000"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn identifiers_are_found_wherever_they_stand() {
        for text in [
            "11010519491231002X",
            "440524188001010014",
            "id:11010519491231002X.",
            "13812345678",
            "电话13812345678",
            "4111111111111111",
            "6222021234567890128",
            "123-45-6789",
            "a,123-45-6789,b",
        ] {
            assert_eq!(count(text.as_bytes()), 1, "{text}");
        }
        assert_eq!(count(b"13812345678 13912345678"), 2);
    }

    #[test]
    fn ordinary_numbers_are_not() {
        for text in [
            "",
            "2025-03-31",
            "706710",
            "110105194912310021",
            "12345678901",
            "1381234567",
            "138123456789",
            "4111111111111112",
            "000-12-3456",
            "123-00-6789",
            "123-45-67890",
            "0000000000000000",
            "308-2",
            "666-12-3456",
        ] {
            assert_eq!(count(text.as_bytes()), 0, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _found = count(&bytes);
        }
    }
}
