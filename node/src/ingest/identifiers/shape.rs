//! What numbers of persons look like, by digits and check digits.

use crate::ingest::date::{Date, DateFormat};

/// Province codes of GB/T 2260 and of residence permits; 9 begins a foreigner's permanent residence
/// number.
const PROVINCES: [&[u8; 2]; 35] = [
    b"11", b"12", b"13", b"14", b"15", b"21", b"22", b"23", b"31", b"32", b"33", b"34", b"35",
    b"36", b"37", b"41", b"42", b"43", b"44", b"45", b"46", b"50", b"51", b"52", b"53", b"54",
    b"61", b"62", b"63", b"64", b"65", b"71", b"81", b"82", b"83",
];

/// A mainland mobile number: `1` and `3` to `9`, as the numbering plan has it, 11 digits; before them 86 or
/// 0086.
pub(super) fn is_mobile(run: &[u8]) -> bool {
    let own = [b"0086".as_slice(), b"86"];
    let own = own.iter().find_map(|code| run.strip_prefix(*code));
    let plain = |run: &[u8]| run.len() == 11 && matches!(run, [b'1', b'3'..=b'9', ..]);
    plain(run) || own.is_some_and(plain)
}

/// A mainland landline: area code, `-`, seven or eight digits of which the first is 2 to 8.
pub(super) fn is_landline(area: &[u8], number: &[u8]) -> bool {
    let area = matches!(area, [b'0', b'1' | b'2', _] | [b'0', b'3'..=b'9', _, _]);
    area && matches!(number.len(), 7 | 8) && matches!(number.first(), Some(b'2'..=b'8'))
}

/// GB 11643: region, a birth date that was or can be, serial, and the check digit mod 11-2 (10 stands
/// for X).
pub(super) fn is_resident(body: &[u8], last: u32) -> bool {
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
    let born = body.get(6..14);
    let born = born.and_then(|born| Date::parse(born, DateFormat::Digits));
    let oldest = Date::new(1850, 1, 1);
    let region = body.first_chunk::<2>();
    let region = region.is_some_and(|two| two.first() == Some(&b'9') || PROVINCES.contains(&two));
    body.len() == 17 && region && check == Some(&last) && born.is_some() && born >= oldest
}

/// 16 to 19 digits with a Luhn check digit, not all alike, beginning as cards do.
pub(super) fn is_card(run: &[u8]) -> bool {
    let long = (16..=19).contains(&run.len());
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
    long && begins && !alike && sum.is_multiple_of(10)
}

/// `ddd-dd-dddd` within the ranges that are given out.
pub(super) fn is_social_security(area: &[u8], rest: &[u8]) -> bool {
    if area.len() != 3 || area == b"000" || area == b"666" || area.first() == Some(&b'9') {
        return false;
    }
    let Some((middle, tail)) = rest.split_at_checked(4) else {
        return false;
    };
    let [b'-', a, b, b'-'] = middle else {
        return false;
    };
    let end = tail.iter().position(|byte| !byte.is_ascii_digit());
    let serial = tail.get(..end.unwrap_or(tail.len())).unwrap_or_default();
    let group = [*a, *b];
    group.iter().all(u8::is_ascii_digit)
        && &group != b"00"
        && serial.len() == 4
        && serial != b"0000"
}
