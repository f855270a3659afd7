//! ρ as (ε, δ), for people.

use opendp::combinators::ConcentratedMeasure as _;
use opendp::measures::ZeroConcentratedDivergence;
use schemas::loss::Rho;

/// ε at δ of an accumulated ρ, by opendp's conversion (rounded against us). `None` where the
/// conversion refuses. It takes milliseconds: for pages and plans, not for every answer.
pub fn epsilon(rho: Rho, delta: f64) -> Option<f64> {
    if rho == Rho::ZERO {
        return Some(0.0);
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "a loss is at most 10^12 billionths"
    )]
    let rho = rho.nano() as f64 * 1e-9;
    ZeroConcentratedDivergence::convert(rho.next_up())
        .ok()?
        .epsilon(delta)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_allowance_is_epsilon_7_77() {
        let epsilon = epsilon("1".parse().unwrap(), 1e-6).unwrap();
        assert!((7.76..7.77).contains(&epsilon), "{epsilon}");
    }
}
