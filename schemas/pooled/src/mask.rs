//! Masks: for each class a fresh seed, its commitment, and the stream that it expands to.

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit as _, StreamCipher as _};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::rand::{SecureRandom as _, SystemRandom};
use schemas::digest::Digest;
use schemas::id::Slug;
use zeroize::{Zeroize as _, Zeroizing};

use crate::shape::Class;

/// Bytes of the stream made at once.
const CHUNK: usize = 4_096;

/// The library or the random source failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cryptographic library refused; try again")]
pub struct MaskError;

/// What a seed is bound to.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'o> {
    /// H(M) of the round.
    pub round: &'o Digest,
    /// The hospital that drew it.
    pub hospital: &'o Slug,
    /// The class that holds it.
    pub class: Class,
}

/// The secret that a hospital shares with one class. Wiped when dropped.
#[derive(Clone)]
pub struct Seed(Zeroizing<[u8; 32]>);

impl Seed {
    /// Bytes of a seed.
    pub const BYTES: usize = 32;

    /// A fresh seed.
    pub fn random() -> Result<Self, MaskError> {
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        let filled = SystemRandom::new().fill(&mut *bytes);
        filled.map_err(|_| MaskError)?;
        Ok(Self(bytes))
    }

    /// A seed out of a box.
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// com_A: what the hospital signs, so that every member of the class knows that it got the
    /// same seed.
    pub fn commitment(&self, owner: &Owner<'_>) -> Digest {
        let (hospital, class) = (owner.hospital.as_str().as_bytes(), [owner.class.bits()]);
        let parts: [&[u8]; 4] = [owner.round.as_bytes(), hospital, &class, &*self.0];
        Digest::of("cams-seed-v1", &parts)
    }

    /// Adds the mask to a vector, cell by cell modulo 2^64: ChaCha20 (RFC 8439, nonce and counter
    /// 0) under a key by HKDF-SHA-256 for this owner, read as little-endian words.
    pub fn add_mask(&self, owner: &Owner<'_>, vector: &mut [u64]) -> Result<(), MaskError> {
        let key = self.key(owner)?;
        let mut stream = ChaCha20::new((&*key).into(), &[0; 12].into());
        let mut bytes = Zeroizing::new([0_u8; CHUNK]);
        for cells in vector.chunks_mut(CHUNK / 8) {
            bytes.zeroize();
            let filled = stream.try_apply_keystream(&mut *bytes);
            filled.map_err(|_| MaskError)?;
            for (cell, word) in cells.iter_mut().zip(bytes.as_chunks::<8>().0) {
                *cell = cell.wrapping_add(u64::from_le_bytes(*word));
            }
        }
        Ok(())
    }

    fn key(&self, owner: &Owner<'_>) -> Result<Zeroizing<[u8; 32]>, MaskError> {
        let (hospital, class) = (owner.hospital.as_str().as_bytes(), [owner.class.bits()]);
        let info = Digest::of("cams-mask-v1", &[owner.round.as_bytes(), hospital, &class]);
        let prk = Salt::new(HKDF_SHA256, &[]).extract(&*self.0);
        let mut key = Zeroizing::new([0; 32]);
        let info: [&[u8]; 1] = [info.as_bytes()];
        let filled = prk
            .expand(&info, KeyLength)
            .and_then(|okm| okm.fill(&mut *key));
        filled.map(|()| key).map_err(|_| MaskError)
    }
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(secret)")
    }
}

struct KeyLength;

impl KeyType for KeyLength {
    fn len(&self) -> usize {
        32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;

    #[test]
    fn masks_differ_by_seed_round_hospital_and_class_and_continue_over_chunks() {
        let names: Vec<Slug> = ["h1", "h2"].map(|name| name.parse().unwrap()).into();
        let classes = Shape::DEFAULT.classes();
        let rounds = [Digest::ZERO, Digest::of("r", &[])];
        let mut seen = std::collections::BTreeSet::new();
        let mut commitments = std::collections::BTreeSet::new();
        for seed in [1, 2] {
            for round in &rounds {
                for hospital in &names {
                    for class in &classes {
                        let owner = Owner {
                            round,
                            hospital,
                            class: *class,
                        };
                        let seed = Seed::from_bytes([seed; 32]);
                        let mut mask = vec![0; 2 * CHUNK / 8 + 3];
                        seed.add_mask(&owner, &mut mask).unwrap();
                        let mut start = vec![0; 3];
                        seed.add_mask(&owner, &mut start).unwrap();
                        assert_eq!(start, mask[..3]);
                        // No chunk repeats another.
                        assert!(mask.iter().all(|word| seen.insert(*word)));
                        assert!(commitments.insert(seed.commitment(&owner)));
                    }
                }
            }
        }
        assert_eq!(format!("{:?}", Seed::random().unwrap()), "Seed(secret)");
    }

    #[test]
    fn adding_wraps() {
        let hospital: Slug = "h1".parse().unwrap();
        let class = Shape::DEFAULT.classes()[0];
        let owner = Owner {
            round: &Digest::ZERO,
            hospital: &hospital,
            class,
        };
        let seed = Seed::from_bytes([9; 32]);
        let (mut zero, mut most) = (vec![0], vec![u64::MAX]);
        seed.add_mask(&owner, &mut zero).unwrap();
        seed.add_mask(&owner, &mut most).unwrap();
        assert_eq!(zero[0].wrapping_sub(1), most[0]);
    }
}
