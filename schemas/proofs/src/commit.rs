//! Pedersen commitments to amounts, over ristretto255: `C = amount·G + r·H`.
//!
//! G is the group's base point. H is `from_uniform_bytes(SHA-512(domain))`, the map of RFC 9496
//! §4.3.4, on a fixed text with nothing up anyone's sleeve, so nobody knows H as a multiple of G.
//! A uniform `r` hides the amount perfectly; opening to two amounts needs that multiple (binding as
//! long as discrete logarithms are hard). Commitments add: the sum of commitments opens to the sum
//! of amounts and the sum of blindings, so a total is checked without any single amount.
//!
//! A negative amount (a refund) is the negative scalar. Sums stay exact: 2^62 amounts of 64 bits
//! are below 2^126, the group's order is above 2^252, so no sum wraps around.

use std::sync::LazyLock;

use curve25519_dalek::constants::RISTRETTO_BASEPOINT_TABLE;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoBasepointTable, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity as _;
use ring::digest::{SHA512, digest};
use zeroize::{Zeroize as _, Zeroizing};

/// The text that H comes from.
const DOMAIN: &[u8] = b"consilium: second generator of Pedersen commitments, version 1";

/// H with its multiples, for fixed-base multiplication.
static H: LazyLock<RistrettoBasepointTable> = LazyLock::new(|| {
    let mut uniform = [0; 64];
    uniform.copy_from_slice(digest(&SHA512, DOMAIN).as_ref());
    RistrettoBasepointTable::create(&RistrettoPoint::from_uniform_bytes(&uniform))
});

/// Why a commitment is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Not a canonical group element: at this place of the list.
    #[error("commitment {0} of the list is no group element")]
    Element(usize),
    /// Not a canonical scalar.
    #[error("the bytes are no blinding: 32 bytes, little-endian, below the group's order")]
    Blinding,
    /// The sum of amounts leaves 128 bits.
    #[error("the sum of amounts is too large")]
    Sum,
    /// Opened to another amount or blinding.
    #[error("the commitment does not open to this amount: one of the two was changed")]
    Opening,
}

/// A commitment, 32 bytes. What is no group element opens to nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Commitment([u8; 32]);

/// The secret `r` of a commitment or of a sum. Wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Blinding(Scalar);

/// What a commitment opens to.
#[derive(Clone, PartialEq, Eq)]
pub struct Opening {
    /// Whole fen; negative for refunds.
    pub amount: i128,
    /// The blinding.
    pub blinding: Blinding,
}

impl Blinding {
    /// From 64 uniform bytes, reduced modulo the group's order.
    pub fn from_uniform(bytes: &[u8; 64]) -> Self {
        Self(Scalar::from_bytes_mod_order_wide(bytes))
    }

    /// Reads a canonical scalar.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, CommitError> {
        let scalar: Option<Scalar> = Scalar::from_canonical_bytes(bytes).into();
        scalar.map(Self).ok_or(CommitError::Blinding)
    }

    /// The canonical 32 bytes.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }
}

impl Drop for Blinding {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for Blinding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Blinding(secret)")
    }
}

impl std::fmt::Debug for Opening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opening(secret)")
    }
}

impl Commitment {
    /// A received commitment; checked where it is used.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Checks that it opens so.
    pub fn verify(&self, opening: &Opening) -> Result<(), CommitError> {
        // Encodings are canonical: equal bytes are equal elements, and junk equals none.
        if commit(opening.amount, &opening.blinding) == *self {
            Ok(())
        } else {
            Err(CommitError::Opening)
        }
    }
}

/// Commits to an amount, in constant time.
pub fn commit(amount: i128, blinding: &Blinding) -> Commitment {
    let size = Scalar::from(amount.unsigned_abs());
    let amount = if amount < 0 { -size } else { size };
    let point = &amount * RISTRETTO_BASEPOINT_TABLE + &blinding.0 * &*H;
    Commitment(point.compress().to_bytes())
}

/// The sum of commitments; without any, the one that opens to nothing blinded by nothing.
pub fn sum(commitments: &[Commitment]) -> Result<Commitment, CommitError> {
    let mut total = RistrettoPoint::identity();
    for (place, commitment) in commitments.iter().enumerate() {
        let point = CompressedRistretto(commitment.0).decompress();
        total += point.ok_or(CommitError::Element(place))?;
    }
    Ok(Commitment(total.compress().to_bytes()))
}

/// What the [`sum`] of their commitments opens to.
pub fn total<'a>(openings: impl IntoIterator<Item = &'a Opening>) -> Result<Opening, CommitError> {
    let mut total = Opening {
        amount: 0,
        blinding: Blinding(Scalar::ZERO),
    };
    for opening in openings {
        let amount = total.amount.checked_add(opening.amount);
        total.amount = amount.ok_or(CommitError::Sum)?;
        total.blinding.0 += opening.blinding.0;
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use schemas::digest::Digest;

    fn blinding(seed: u8) -> Blinding {
        Blinding::from_uniform(&[seed; 64])
    }

    fn opening(amount: i128, seed: u8) -> Opening {
        Opening {
            amount,
            blinding: blinding(seed),
        }
    }

    fn committed(opening: &Opening) -> Commitment {
        commit(opening.amount, &opening.blinding)
    }

    #[test]
    fn the_second_generator_is_fixed() {
        let zero = Blinding(Scalar::ZERO);
        let one = Blinding(Scalar::ONE);
        let h = commit(0, &one);
        // From an independent implementation of RFC 9496 and SHA-512.
        let expected = "16181b54acf3dd9d65e1ffd6a6f88bd8a5aec5fd8250e41f9b76e049cf767e1b";
        let hex = |commitment: Commitment| Digest::from_bytes(commitment.0).to_string();
        assert_eq!(hex(h), expected);
        // The base point of RFC 9496, appendix A.1, and the identity.
        let base = "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76";
        assert_eq!(hex(commit(1, &zero)), base);
        assert_eq!(commit(0, &zero), Commitment([0; 32]));
    }

    #[test]
    fn opens_to_nothing_else() {
        let sound = opening(1_234_567, 1);
        let commitment = committed(&sound);
        assert_eq!(commitment.verify(&sound), Ok(()));
        for wrong in [
            opening(1_234_568, 1),
            opening(-1_234_567, 1),
            opening(1_234_567, 2),
            opening(0, 1),
        ] {
            assert_eq!(commitment.verify(&wrong), Err(CommitError::Opening));
        }
        for junk in [[0xff; 32], [0; 32], [1; 32]] {
            let refused = Commitment::from_bytes(junk).verify(&sound);
            assert_eq!(refused, Err(CommitError::Opening));
        }
        // Equal amounts look unrelated.
        assert_ne!(committed(&opening(5, 1)), committed(&opening(5, 2)));
    }

    #[test]
    fn extreme_amounts_and_refunds_add_exactly() {
        let openings = [
            opening(i64::MAX.into(), 1),
            opening(i64::MAX.into(), 2),
            opening(i64::MIN.into(), 3),
            opening(-1, 4),
            opening(0, 5),
        ];
        let commitments = openings.each_ref().map(committed);
        let whole = total(&openings).unwrap();
        assert_eq!(whole.amount, i128::from(i64::MAX) - 2);
        assert_eq!(sum(&commitments).unwrap().verify(&whole), Ok(()));
        let mut wrong = whole.clone();
        wrong.amount += 1;
        assert_eq!(
            sum(&commitments).unwrap().verify(&wrong),
            Err(CommitError::Opening)
        );
        let fewer = sum(&commitments[1..]).unwrap();
        assert_eq!(fewer.verify(&whole), Err(CommitError::Opening));
        assert_eq!(sum(&[]).unwrap().verify(&total([]).unwrap()), Ok(()));
        let overflow = total(&[opening(i128::MAX, 1), opening(1, 2)]);
        assert_eq!(overflow, Err(CommitError::Sum));
        for extreme in [i128::MIN, i128::MAX] {
            let edge = opening(extreme, 6);
            assert_eq!(committed(&edge).verify(&edge), Ok(()));
        }
    }

    #[test]
    fn junk_is_refused_where_it_is_used() {
        let sound = committed(&opening(1, 1));
        let junk = Commitment::from_bytes([0xff; 32]);
        assert_eq!(sum(&[sound, junk]), Err(CommitError::Element(1)));
        assert_eq!(Blinding::from_bytes([0xff; 32]), Err(CommitError::Blinding));
        let one = blinding(1);
        assert_eq!(Blinding::from_bytes(*one.to_bytes()), Ok(one.clone()));
        assert_eq!(format!("{one:?}"), "Blinding(secret)");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn sums_open_to_sums(amounts in prop::collection::vec(any::<i64>(), 1..12)) {
            let openings: Vec<Opening> = (0_u8..).zip(&amounts)
                .map(|(seed, amount)| opening(i128::from(*amount), seed)).collect();
            let commitments: Vec<Commitment> = openings.iter().map(committed).collect();
            let whole = total(&openings).unwrap();
            prop_assert_eq!(whole.amount, amounts.iter().copied().map(i128::from).sum::<i128>());
            prop_assert_eq!(sum(&commitments).unwrap().verify(&whole), Ok(()));
        }
    }
}
