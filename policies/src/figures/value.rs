//! Value for money: cost per outcome, and what another unit of outcome costs more of one way of care
//! than of the other (incremental cost-effectiveness ratio).

use dashu::rational::RBig;
use schemas::money::Fen;
use serde::{Deserialize, Serialize};

use crate::figures::Exact;

/// What a way of care costs and brings.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Care {
    /// All it costs.
    pub cost: Fen,
    /// What it brings, for example quality-adjusted life years; above 0.
    pub outcome: Exact,
}

/// Yuan per unit of outcome. `None` without any outcome.
pub fn ratio(care: &Care) -> Option<RBig> {
    let cost = RBig::from(care.cost.0) / RBig::from(100);
    (care.outcome.0 > RBig::ZERO).then(|| cost / &care.outcome.0)
}

/// Yuan that each unit of outcome costs which `new` brings more than `old`. `None` where it brings
/// none: then only the two ratios can be compared.
pub fn incremental(new: &Care, old: &Care) -> Option<RBig> {
    let more = &new.outcome.0 - &old.outcome.0;
    let cost = (RBig::from(new.cost.0) - RBig::from(old.cost.0)) / RBig::from(100);
    (more > RBig::ZERO).then(|| cost / more)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::half_up;

    /// Oracle O12.
    #[test]
    fn o12_cost_per_outcome() {
        let care = |cost, outcome: &str| Care {
            cost: Fen(cost),
            outcome: outcome.parse().unwrap(),
        };
        let (a, b) = (care(10_000_000_000, "1000"), care(18_000_000_000, "1200"));
        assert_eq!(half_up(&ratio(&a).unwrap(), 2), "100000.00");
        assert_eq!(half_up(&ratio(&b).unwrap(), 2), "150000.00");
        assert_eq!(half_up(&incremental(&b, &a).unwrap(), 2), "400000.00");
        assert_eq!(incremental(&a, &b), None);
        assert_eq!(ratio(&care(1, "0")), None);
    }
}
