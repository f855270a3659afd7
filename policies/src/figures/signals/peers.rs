//! A hospital's rate against its peers'.

use super::discovery::upper_tail;
use super::rate::Rate;

/// Least number of other hospitals that show a rate; their median is the reference.
pub(super) const LEAST: usize = 4;

/// Where a hospital stands.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Standing {
    pub(super) value: f64,
    pub(super) reference: f64,
    pub(super) spread: f64,
    pub(super) z: f64,
    pub(super) p: f64,
}

/// Each hospital against all others.
pub(super) fn standings(rates: &[Option<Rate>]) -> Vec<Option<Standing>> {
    let each = rates.iter().enumerate();
    each.map(|(own, rate)| against(rate.as_ref()?, own, rates))
        .collect()
}

fn against(rate: &Rate, own: usize, rates: &[Option<Rate>]) -> Option<Standing> {
    let others = rates.iter().enumerate().filter(|(place, _)| *place != own);
    let others: Vec<&Rate> = others.filter_map(|(_, rate)| rate.as_ref()).collect();
    if others.len() < LEAST {
        return None;
    }
    let reference = median(others.iter().map(|other| other.value).collect())?;
    let away = others.iter().map(|other| (other.value - reference).abs());
    let spread = 1.4826 * median(away.collect())?;
    #[expect(clippy::cast_precision_loss, reason = "numbers of hospitals are small")]
    let n = others.len() as f64;
    // Of a median of n: π/2 times the variance of their mean; for unlike ones the largest stands in.
    let largest = others
        .iter()
        .map(|other| other.variance)
        .fold(0.0, f64::max);
    let of_reference = std::f64::consts::FRAC_PI_2 * largest / n;
    let sigma = libm::sqrt(rate.variance + of_reference + spread * spread);
    let z = (rate.value - reference) / sigma;
    z.is_finite().then(|| Standing {
        value: rate.value,
        reference,
        spread,
        z,
        p: upper_tail(z),
    })
}

/// A fall of costs together with a rise of one of two others: the larger p of the first and of the
/// better of the two, doubled for the choice. What is shown is the change of costs.
pub(super) fn both(
    cheaper: &Standing,
    first: Option<&Standing>,
    second: Option<&Standing>,
) -> Option<Standing> {
    let choice = [first, second].into_iter().flatten();
    let best = choice.min_by(|a, b| a.p.total_cmp(&b.p))?;
    let doubled = (2.0 * best.p).min(1.0);
    Some(Standing {
        value: -cheaper.value,
        reference: -cheaper.reference,
        p: cheaper.p.max(doubled),
        z: cheaper.z.min(best.z),
        spread: cheaper.spread,
    })
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    Some(values.get(middle.checked_sub(1)?)?.midpoint(upper))
}
