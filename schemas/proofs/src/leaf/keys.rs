//! Key derivation: HKDF-SHA-256 (RFC 5869) under one domain.

use ring::aead;
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use zeroize::Zeroizing;

use super::LeafError;
use crate::commit::Commitment;
use crate::oprf::Output;

const DOMAIN: &[u8] = b"consilium-leaf-v1";

/// Tags and label keys of one claim, from its OPRF output.
pub(super) struct ClaimKeys(Prk);

impl ClaimKeys {
    pub(super) fn new(output: &Output) -> Self {
        Self(extract(output.as_bytes()))
    }

    pub(super) fn tag(&self, occurrence: u32) -> Result<[u8; 16], LeafError> {
        Ok(*expand(&self.0, &[b"tag", &occurrence.to_be_bytes()])?)
    }

    pub(super) fn label_key(
        &self,
        occurrence: u32,
        commitment: &Commitment,
    ) -> Result<aead::LessSafeKey, LeafError> {
        let info = [
            b"label",
            &occurrence.to_be_bytes()[..],
            commitment.as_bytes(),
        ];
        label_key(&*expand(&self.0, &info)?)
    }
}

/// The key that everything else is derived from.
pub(super) fn extract(secret: &[u8]) -> Prk {
    Salt::new(HKDF_SHA256, DOMAIN).extract(secret)
}

/// A key that seals one label, ever: so its nonce is zero.
pub(super) fn label_key(bytes: &[u8; 32]) -> Result<aead::LessSafeKey, LeafError> {
    let key = aead::UnboundKey::new(&aead::CHACHA20_POLY1305, bytes);
    key.map(aead::LessSafeKey::new)
        .map_err(|_| LeafError::Library)
}

pub(super) fn nonce() -> aead::Nonce {
    aead::Nonce::assume_unique_for_key([0; 12])
}

/// So many bytes of key material.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

pub(super) fn expand<const N: usize>(
    prk: &Prk,
    info: &[&[u8]],
) -> Result<Zeroizing<[u8; N]>, LeafError> {
    let mut bytes = Zeroizing::new([0; N]);
    let filled = prk
        .expand(info, Length(N))
        .and_then(|okm| okm.fill(&mut *bytes));
    filled.map(|()| bytes).map_err(|_| LeafError::Library)
}
