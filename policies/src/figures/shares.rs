//! Parts of a whole as shares that add to one.

use dashu::integer::IBig;

/// Each part's share of their sum in thousandths; together 1,000, exactly.
///
/// Parts carry noise: one below zero counts as zero, and the others share the whole. What rounding
/// down leaves over goes, one thousandth each, to the largest remainders, the first of equal ones.
/// `None` where no part is above zero.
pub(super) fn per_mille(parts: &[IBig]) -> Option<Vec<u16>> {
    let thousand = IBig::from(1000_u16);
    let positive: Vec<IBig> = parts
        .iter()
        .map(|part| part.clone().max(IBig::ZERO))
        .collect();
    let whole: IBig = positive.iter().sum();
    if whole == IBig::ZERO {
        return None;
    }
    let scaled = positive.iter().map(|part| part * &thousand);
    let mut shares = scaled
        .clone()
        .map(|part| u16::try_from(part / &whole).ok())
        .collect::<Option<Vec<u16>>>()?;
    let mut by_remainder: Vec<(usize, IBig)> =
        scaled.map(|part| part % &whole).enumerate().collect();
    by_remainder.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let given: u16 = shares.iter().sum();
    let left = usize::from(1000_u16.saturating_sub(given));
    for (place, _) in by_remainder.into_iter().take(left) {
        if let Some(share) = shares.get_mut(place) {
            *share = share.saturating_add(1);
        }
    }
    Some(shares)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::simulation::Source;

    fn of(parts: &[i64]) -> Option<Vec<u16>> {
        per_mille(&parts.iter().copied().map(IBig::from).collect::<Vec<_>>())
    }

    #[test]
    fn the_largest_remainders_get_what_is_left() {
        assert_eq!(of(&[1, 1, 1]), Some(vec![334, 333, 333]));
        assert_eq!(of(&[2, 1, 4]), Some(vec![286, 143, 571]));
        assert_eq!(of(&[700, -50, 300]), Some(vec![700, 0, 300]));
        assert_eq!(of(&[0, 5]), Some(vec![0, 1000]));
        for none in [&[][..], &[0, 0], &[-3, 0]] {
            assert_eq!(of(none), None);
        }
    }

    #[test]
    fn shares_add_to_one_and_keep_their_order() {
        let mut source = Source::new(51);
        for run in 0..2000_u32 {
            let spread = f64::from(run % 40) * 1e3;
            let parts: Vec<f64> = (0..=run % 9)
                .map(|_| (1e4 + spread * source.normal()).round())
                .collect();
            let whole: Vec<IBig> = parts
                .iter()
                .map(|part| IBig::try_from(*part).unwrap())
                .collect();
            let Some(shares) = per_mille(&whole) else {
                assert!(parts.iter().all(|part| *part <= 0.0));
                continue;
            };
            assert_eq!(shares.iter().sum::<u16>(), 1000);
            for (own, part) in shares.iter().zip(&parts) {
                assert!(*part > 0.0 || *own == 0);
                for (other, beside) in shares.iter().zip(&parts) {
                    assert!(part <= beside || own >= other);
                }
            }
        }
    }
}
