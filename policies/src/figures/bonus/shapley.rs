//! Shapley values: what each member adds to a coalition, averaged over all orders in which they
//! could join (Shapley 1953). For agreed values of coalitions only; the linear score is the default.

use dashu::rational::RBig;

/// Most members for which every coalition is looked at.
pub const MOST_EXACT: usize = 12;
/// Most members at all.
pub const MOST: usize = 60;

/// Why there are no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShapleyError {
    /// Too many members.
    #[error("Shapley values are computed for up to {MOST} members, exactly for up to {MOST_EXACT}")]
    Members,
    /// A coalition without a value.
    #[error("every coalition needs a value: {0} values are needed")]
    Values(usize),
    /// Nothing was drawn.
    #[error("sampling needs at least one order")]
    Orders,
}

/// φ_i = Σ_S |S|!·(n−|S|−1)!/n! · (v(S∪i) − v(S)), exactly. `values` has one for each coalition: at
/// the place whose bits are set for its members.
pub fn exact(members: usize, values: &[RBig]) -> Result<Vec<RBig>, ShapleyError> {
    if members > MOST_EXACT {
        return Err(ShapleyError::Members);
    }
    if values.len() != 1 << members {
        return Err(ShapleyError::Values(1 << members));
    }
    let factorial = |n: usize| (1..=n).fold(RBig::ONE, |product, k| product * RBig::from(k));
    let weight: Vec<RBig> = (0..members)
        .map(|size| factorial(size) * factorial(members - size - 1) / factorial(members))
        .collect();
    let of = |member: usize| {
        let mut sum = RBig::ZERO;
        for (coalition, without) in values.iter().enumerate() {
            let with = values.get(coalition | 1 << member);
            let size = usize::try_from(coalition.count_ones()).unwrap_or(0);
            if let (Some(with), Some(weight), 0) = (with, weight.get(size), coalition >> member & 1)
            {
                sum += weight * (with - without);
            }
        }
        sum
    };
    Ok((0..members).map(of).collect())
}

/// The average over `orders` orders drawn from a seed: the same seed, the same values. They add up
/// to the value of all members, as the exact ones do.
pub fn sampled(
    members: usize,
    orders: u32,
    seed: u64,
    value: impl Fn(&[usize]) -> RBig,
) -> Result<Vec<RBig>, ShapleyError> {
    if members > MOST {
        return Err(ShapleyError::Members);
    }
    if orders == 0 {
        return Err(ShapleyError::Orders);
    }
    let mut sums = vec![RBig::ZERO; members];
    let mut order: Vec<usize> = (0..members).collect();
    let mut state = seed;
    for _ in 0..orders {
        // Fisher and Yates.
        for last in (1..members).rev() {
            order.swap(last, below(&mut state, last + 1));
        }
        let mut before = value(&[]);
        for (place, member) in order.iter().enumerate() {
            let after = value(order.get(..=place).unwrap_or(&[]));
            if let Some(sum) = sums.get_mut(*member) {
                *sum += &after - &before;
            }
            before = after;
        }
    }
    Ok(sums
        .into_iter()
        .map(|sum| sum / RBig::from(orders))
        .collect())
}

/// A number below `n`, by SplitMix64 (Steele, Lea, Flood 2014) and rejection.
fn below(state: &mut u64, n: usize) -> usize {
    let n = u64::try_from(n).unwrap_or(1).max(1);
    loop {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        if z < u64::MAX - u64::MAX % n {
            return usize::try_from(z % n).unwrap_or(0);
        }
    }
}
