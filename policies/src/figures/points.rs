//! DIP points (分值, 点值): what a disease's case is worth, and what a point is paid. Formulas as the
//! national DIP technical norm writes them (分值, 预算点值, 结算点值, 偏差病例); limits and years'
//! weights are settings.

use dashu::rational::RBig;
use schemas::money::Fen;
use serde::{Deserialize, Serialize};

use crate::figures::Exact;
use crate::figures::exact::{round, sum};

/// A case beside the mean cost of its disease.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Below the lower limit.
    Low,
    /// Between the limits, both included.
    Normal,
    /// Above the upper limit.
    High,
}

/// From which parts of the mean a case counts as too cheap or too dear (both strict).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Below this part of the mean.
    pub low: Exact,
    /// Above this multiple of the mean.
    pub high: Exact,
}

/// A disease's points: its mean cost over that of all cases, times 1,000. `None` where nothing was
/// spent on all cases.
pub fn points(disease: Fen, all: Fen) -> Option<RBig> {
    (all > Fen(0)).then(|| RBig::from(disease.0) * RBig::from(1000) / RBig::from(all.0))
}

/// A mean over years by their weights, oldest first. `None` where the weights add up to nothing, or
/// are not one a year.
pub fn weighted(years: &[RBig], weights: &[u32]) -> Option<RBig> {
    let whole = sum(weights.iter().map(|weight| RBig::from(*weight)));
    if years.len() != weights.len() || whole == RBig::ZERO {
        return None;
    }
    let pairs = years.iter().zip(weights);
    Some(sum(pairs.map(|(year, weight)| year * RBig::from(*weight))) / whole)
}

/// What a point is worth in yuan when money is shared over points: the budget point of expected costs,
/// or the settlement point of a fund, which covers `part` of the costs (1 for the budget point).
pub fn point(fund: &RBig, part: &Exact, points: &RBig) -> Option<RBig> {
    let positive = part.0 > RBig::ZERO && *points > RBig::ZERO;
    positive.then(|| fund / &part.0 / points)
}

/// The class of a case and what its disease's points are multiplied by: a cheap case counts by its part
/// of the mean, a dear one by what is above the limit, and one. `None` without a mean.
pub fn coefficient(limits: &Limits, cost: Fen, mean: Fen) -> Option<(Class, RBig)> {
    if mean <= Fen(0) || cost < Fen(0) {
        return None;
    }
    let part = RBig::from(cost.0) / RBig::from(mean.0);
    Some(if part < limits.low.0 {
        (Class::Low, part)
    } else if part > limits.high.0 {
        (Class::High, part - &limits.high.0 + RBig::ONE)
    } else {
        (Class::Normal, RBig::ONE)
    })
}

/// What a case is paid: points × coefficient × the hospital's coefficient × the point in yuan, rounded
/// once, half up. `None` beyond 64 bits.
pub fn payment(points: &RBig, coefficient: &RBig, hospital: &Exact, yuan: &RBig) -> Option<Fen> {
    round(&(points * coefficient * &hospital.0 * yuan * RBig::from(100)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::half_up;

    fn exact(text: &str) -> Exact {
        text.parse().unwrap()
    }

    /// Oracle O15.
    #[test]
    fn o15_points_and_what_they_are_paid() {
        let whole = |years: [i64; 3]| years.map(RBig::from);
        let cost = weighted(
            &whole([90_000_000_000, 96_000_000_000, 104_000_000_000]),
            &[1, 2, 7],
        );
        let cost = cost.unwrap();
        assert_eq!(cost, RBig::from(101_000_000_000_i64));
        let scores = weighted(
            &whole([880_000_000, 930_000_000, 1_000_000_000]),
            &[1, 2, 7],
        );
        let scores = scores.unwrap();
        assert_eq!(scores, RBig::from(974_000_000));
        let budget = point(&cost, &exact("1"), &scores).unwrap();
        assert_eq!(half_up(&budget, 4), "103.6961");
        let fund = RBig::from(72_800_000_000_i64);
        let settled = point(&fund, &exact("0.70"), &RBig::from(1_000_000_000)).unwrap();
        assert_eq!(half_up(&settled, 4), "104.0000");
        let disease = points(Fen(1_740_000), Fen(1_200_000)).unwrap();
        assert_eq!(half_up(&disease, 1), "1450.0");
        let limits = Limits {
            low: exact("0.5"),
            high: exact("2"),
        };
        for (fen, class, by, score) in [
            (600_000, Class::Low, "0.4000", "580.00"),
            (749_999, Class::Low, "0.5000", "725.00"),
            (750_000, Class::Normal, "1.0000", "1450.00"),
            (1_500_000, Class::Normal, "1.0000", "1450.00"),
            (3_000_000, Class::Normal, "1.0000", "1450.00"),
            (3_000_001, Class::High, "1.0000", "1450.00"),
            (4_500_000, Class::High, "2.0000", "2900.00"),
        ] {
            let (found, times) = coefficient(&limits, Fen(fen), Fen(1_500_000)).unwrap();
            assert_eq!((found, half_up(&times, 4).as_str()), (class, by), "{fen}");
            assert_eq!(half_up(&(&disease * times), 2), score, "{fen}");
        }
        let paid = payment(&disease, &RBig::ONE, &exact("1"), &settled);
        assert_eq!(paid, Some(Fen(15_080_000)));
    }

    #[test]
    fn nothing_is_divided_by_nothing() {
        let limits = Limits {
            low: exact("0.5"),
            high: exact("2"),
        };
        assert_eq!(points(Fen(1), Fen(0)), None);
        assert_eq!(weighted(&[RBig::ONE], &[0]), None);
        assert_eq!(weighted(&[RBig::ONE], &[1, 2]), None);
        assert_eq!(point(&RBig::ONE, &exact("0"), &RBig::ONE), None);
        assert_eq!(coefficient(&limits, Fen(1), Fen(0)), None);
    }
}
