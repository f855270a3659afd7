//! Finding what is shaped like a person's identifier: Chinese resident identity numbers
//! (GB 11643), mainland telephone numbers, bank card numbers (Luhn), US social security numbers; in one
//! run of digits, or in groups as people write them.

mod shape;

use std::borrow::Cow;

use self::shape::{is_card, is_landline, is_mobile, is_resident, is_social_security};

/// How many identifier-shaped numbers stand in these bytes. A number counts only as a whole run (or group
/// of runs) of digits, so that a part of a longer number is none.
pub fn count(bytes: &[u8]) -> u64 {
    let plain = plain(bytes);
    let bytes = plain.as_ref();
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
        } else if let Some(length) = grouped(bytes, place) {
            found += 1;
            place += length;
            continue;
        }
        place += run.len();
    }
    found
}

/// Full-width digits and marks as plain ones, without what has no width.
fn plain(bytes: &[u8]) -> Cow<'_, [u8]> {
    if bytes.is_ascii() {
        return Cow::Borrowed(bytes);
    }
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        let three = rest.split_first_chunk::<3>();
        rest = tail;
        match three {
            Some(([0xEF, 0xBC, low @ (0x90..=0x99 | 0x8D | 0xB8)], after)) => {
                plain.push(low - 0x60);
                rest = after;
            }
            Some(([0xE3, 0x80, 0x80], after)) => {
                plain.push(b' ');
                rest = after;
            }
            Some(([0xE2, 0x80, 0x8B..=0x8D] | [0xEF, 0xBB, 0xBF], after)) => rest = after,
            _ => plain.push(*first),
        }
    }
    Cow::Owned(plain)
}

fn run(bytes: &[u8], start: usize) -> &[u8] {
    let tail = bytes.get(start..).unwrap_or_default();
    let end = tail.iter().position(|byte| !byte.is_ascii_digit());
    tail.get(..end.unwrap_or(tail.len())).unwrap_or_default()
}

fn is_identifier(run: &[u8], rest: &[u8]) -> bool {
    match run.len() {
        11 | 13 | 15 => is_mobile(run),
        17 => ends_in_x(rest) && is_resident(run, 10) || is_card(run),
        18 => resident(run) || is_card(run),
        16 | 19 => is_card(run),
        _ => false,
    }
}

fn ends_in_x(rest: &[u8]) -> bool {
    matches!(rest.first(), Some(b'X' | b'x'))
}

fn resident(run: &[u8]) -> bool {
    let (body, last) = run.split_at_checked(17).unwrap_or((run, &[]));
    last.first()
        .is_some_and(|last| is_resident(body, u32::from(last - b'0')))
}

/// Groups of digits with one space or hyphen between them, as people write telephone, card and identity
/// numbers; gives the length of all. Groups that are followed by a further one are something else.
fn grouped(bytes: &[u8], start: usize) -> Option<usize> {
    let mut lengths = Vec::new();
    let mut digits = Vec::new();
    let mut place = start;
    loop {
        let next = run(bytes, place);
        lengths.push(next.len());
        digits.extend_from_slice(next);
        place += next.len();
        let mark = matches!(bytes.get(place), Some(b' ' | b'-'));
        if !mark || !bytes.get(place + 1).is_some_and(u8::is_ascii_digit) {
            break;
        }
        if lengths.len() == 5 {
            return None;
        }
        place += 1;
    }
    let rest = bytes.get(place..).unwrap_or_default();
    let found = match lengths.as_slice() {
        [3, 4, 4] | [2, 3, 4, 4] => is_mobile(&digits),
        [area, _] => {
            let (area, number) = digits.split_at_checked(*area)?;
            let hyphen = bytes.get(start + area.len()) == Some(&b'-');
            hyphen && is_landline(area, number)
        }
        [4, 4, 4, 4] | [4, 4, 4, 4, 1..=3] => is_card(&digits),
        [6, 8, 4] => resident(&digits),
        [6, 8, 3] => ends_in_x(rest) && is_resident(&digits, 10),
        _ => false,
    };
    found.then_some(place - start)
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
            "110105 19491231 002X",
            "110105-19491231-002x",
            "990101196005050049",
            "１１０１０５１９４９１２３１００２Ｘ",
            "1381234\u{200b}5678",
            "１３８－１２３４－５６７８",
            "138　1234　5678",
            "+86 138 1234 5678",
            "8613812345678",
            "008613812345678",
            "138-1234-5678",
            "010-62345678",
            "0571-8234567",
            "4111 1111 1111 1111",
            "6222-0212-3456-7890-128",
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
            // The check digit is right, region or birth date are none.
            "000105194912310016",
            "180105194912310014",
            "110105194902300012",
            "110105184912310012",
            // SNOMED CT codes; the first reads as a resident number from before 1999.
            "157141000119108",
            "10939881000119105",
            "124171000119105",
            "１２３４５６７８９０１",
            "1234-5678-9012",
            "2025-03-04 2025-03-05",
            "2025 1234567",
            "0571 8234567",
            "0571-1234567",
            "00571-8234567",
            "4111 1111 1111 1112",
            "4111 1111 1111 1111 1111 1111",
            "13812345678901234",
            "10013812345678",
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
