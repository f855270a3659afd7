//! Texts of a plain page, counted before the library reads them: it takes for granted that as many are there
//! as the levels say.

/// Whether so many texts, each after its length, stand whole in a page.
pub(super) fn holds(mut page: &[u8], texts: u64) -> bool {
    for _ in 0..texts {
        let Some((length, rest)) = page.split_first_chunk::<4>() else {
            return false;
        };
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let Some((_, rest)) = rest.split_at_checked(length) else {
            return false;
        };
        page = rest;
    }
    true
}

/// How many of so many rows have a value, by levels of one bit in runs; `None` where these are damaged.
pub(super) fn filled(mut levels: &[u8], rows: u32) -> Option<u64> {
    let (mut left, mut filled) = (u64::from(rows), 0_u64);
    while left > 0 {
        let run = length(&mut levels)?;
        if run & 1 == 0 {
            let (value, rest) = levels.split_first()?;
            let rows = (run >> 1).min(left);
            filled += rows * u64::from(*value & 1);
            (levels, left) = (rest, left - rows);
            if run == 0 {
                return None;
            }
        } else {
            let bytes = usize::try_from(run >> 1).ok()?.min(levels.len());
            let (packed, rest) = levels.split_at_checked(bytes)?;
            if packed.is_empty() {
                return None;
            }
            for byte in packed {
                let rows = left.min(8);
                let mask = u8::try_from((1_u16 << rows) - 1).ok()?;
                filled += u64::from((byte & mask).count_ones());
                left -= rows;
            }
            levels = rest;
        }
    }
    Some(filled)
}

fn length(levels: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..35).step_by(7) {
        let (byte, rest) = levels.split_first()?;
        *levels = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_texts_are_counted() {
        // Ten ones as a run, then eight by bits, of which the last rows count not.
        assert_eq!(filled(&[20, 1, 3, 0b1011_0101], 18), Some(15));
        assert_eq!(filled(&[20, 1, 3, 0b1011_0101], 13), Some(12));
        assert_eq!(filled(&[20, 0], 10), Some(0));
        for damaged in [&[][..], &[20], &[0, 1], &[3], &[0xff; 9]] {
            assert_eq!(filled(damaged, 10), None, "{damaged:?}");
        }
        let page = [1, 0, 0, 0, b'a', 0, 0, 0, 0];
        assert!(holds(&page, 0) && holds(&page, 2) && !holds(&page, 3));
        assert!(!holds(&[9, 0, 0, 0, 1], 1) && !holds(&[1, 0], 1));
    }
}
