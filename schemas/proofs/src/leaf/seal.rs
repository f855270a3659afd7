//! The hospital's side: a settlement becomes a leaf.

use std::collections::BTreeMap;

use ring::aead::{Aad, LessSafeKey};
use ring::hkdf::Prk;
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use super::keys::{ClaimKeys, expand, extract, label_key, nonce};
use super::{Claim, GROUP_BYTES, Label, Leaf, LeafError, SEALED_BYTES, Settlement, visible};
use crate::commit::{Blinding, Commitment, Opening, commit};
use crate::oprf::ServerKey;

/// The secret behind all blindings of a batch. `r` follows from seed, tag and content: the same
/// inputs give the same bytes and nothing else needs storing to open a leaf again, while a changed
/// amount gets an unrelated `r`. Kept by the hospital until the audit window closes, then wiped.
#[derive(Clone)]
pub struct BlindingSeed(Zeroizing<[u8; 32]>);

impl BlindingSeed {
    /// A new seed, one for each batch.
    pub fn random() -> Result<Self, LeafError> {
        let mut bytes = Zeroizing::new([0; 32]);
        let filled = SystemRandom::new().fill(&mut *bytes);
        filled.map_err(|_| LeafError::Library)?;
        Ok(Self(bytes))
    }

    /// A stored seed.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for a file that only its owner reads.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn prk(&self) -> Prk {
        extract(&*self.0)
    }
}

impl std::fmt::Debug for BlindingSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BlindingSeed(secret)")
    }
}

/// Which settlement of its claim each one is, in the order given: 0 for the first, 1 for the same
/// claim again …
pub fn occurrences(settlements: &[Settlement]) -> Vec<u32> {
    let mut seen: BTreeMap<&Claim, u32> = BTreeMap::new();
    let mut numbers = Vec::with_capacity(settlements.len());
    for settlement in settlements {
        let count = seen.entry(&settlement.claim).or_default();
        numbers.push(*count);
        *count += 1;
    }
    numbers
}

/// The leaf of a settlement, and what its commitment opens to. Settlements are independent of each
/// other: callers spread them over cores, then order the leaves by [`super::Leaves::arrange`].
pub fn seal(
    settlement: &Settlement,
    occurrence: u32,
    key: &ServerKey,
    seed: &BlindingSeed,
) -> Result<(Leaf, Opening), LeafError> {
    let (group, amount) = (&settlement.group, settlement.amount);
    if !(1..=GROUP_BYTES).contains(&group.len()) || !visible(group.as_bytes()) {
        return Err(LeafError::Group);
    }
    let keys = ClaimKeys::new(&key.evaluate(&settlement.claim.key())?);
    let tag = keys.tag(occurrence)?;
    let info: [&[u8]; 4] = [b"blinding", &tag, &amount.to_be_bytes(), group.as_bytes()];
    let label = Label {
        amount,
        group: group.clone(),
        blinding: Blinding::from_uniform(&*expand(&seed.prk(), &info)?),
    };
    let commitment = commit(amount.into(), &label.blinding);
    let key = keys.label_key(occurrence, &commitment)?;
    let leaf = Leaf::new(tag, &commitment, &sealed(&label, &commitment, &key)?);
    Ok((leaf, label.opening()))
}

/// The `number`-th leaf that stands for no settlement: it hides how many there are. Nobody without
/// the seed tells it from others; it commits to 0, so totals stay right, and is opened as 0 when
/// sampled.
pub fn padding(number: u32, seed: &BlindingSeed) -> Result<(Leaf, Opening), LeafError> {
    let (prk, number) = (seed.prk(), number.to_be_bytes());
    let label = Label {
        amount: 0,
        group: String::new(),
        blinding: Blinding::from_uniform(&*expand(&prk, &[b"padding blinding", &number])?),
    };
    let tag = *expand(&prk, &[b"padding tag", &number])?;
    let commitment = commit(0, &label.blinding);
    let key = label_key(&*expand(&prk, &[b"padding label", &number])?)?;
    let leaf = Leaf::new(tag, &commitment, &sealed(&label, &commitment, &key)?);
    Ok((leaf, label.opening()))
}

fn sealed(
    label: &Label,
    commitment: &Commitment,
    key: &LessSafeKey,
) -> Result<[u8; SEALED_BYTES], LeafError> {
    let mut bytes = label.to_bytes().to_vec();
    let aad = Aad::from(commitment.as_bytes());
    let done = key.seal_in_place_append_tag(nonce(), aad, &mut bytes);
    done.map_err(|_| LeafError::Library)?;
    bytes.try_into().map_err(|_| LeafError::Library)
}
