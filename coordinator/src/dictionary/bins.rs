//! The bins of histograms.

/// Lower edges in thousandths of the group's reference: 0, then
/// `3000 × (20/3)^((i − 21) / 10)` for `i` = 1 to 31, rounded half up. The cap of 3 is an edge,
/// the top bin begins at 20 times the reference, and neighbouring edges differ by a fifth.
pub(super) const EDGES: [u32; 32] = [
    0, 68, 82, 99, 119, 144, 174, 211, 255, 308, 372, 450, 544, 658, 795, 961, 1162, 1405, 1698,
    2053, 2482, 3000, 3627, 4384, 5300, 6407, 7746, 9364, 11_320, 13_685, 16_544, 20_000,
];

#[cfg(test)]
mod tests {
    use super::EDGES;

    /// e is the rounded edge if (2e − 1)¹⁰ ≤ (6000)¹⁰ × (20/3)^(i − 21) < (2e + 1)¹⁰; checked with
    /// floats, whose error is far below the distance of these edges from a half.
    #[test]
    fn edges_follow_their_formula() {
        for (i, edge) in EDGES.iter().enumerate().skip(1) {
            let i = f64::from(u32::try_from(i).unwrap());
            let exact = 3000.0 * (20.0_f64 / 3.0).powf((i - 21.0) / 10.0);
            assert!(
                (exact - f64::from(*edge)).abs() <= 0.500_001,
                "{edge} {exact}"
            );
        }
    }
}
