//! Boxes: what one committee member alone can read, by HPKE (RFC 9180, base mode, DHKEM(X25519,
//! HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305). The hospital is not authenticated here: its
//! signature stands around the box's digest.

#[cfg(test)]
mod test;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256 as Kem;
use hpke::rand_core::{Infallible, TryCryptoRng, TryRng};
use hpke::{Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _};
use ring::rand::{SecureRandom as _, SystemRandom};
use schemas::digest::Digest;
use schemas::id::Slug;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

const INFO: &[u8] = b"cams";
/// Bytes that a box adds to its content: encapsulated key and tag.
pub const OVERHEAD: usize = 32 + 16;

/// How boxes of a committee are made. A field of every key, so that a later suite is a new value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Suite {
    /// KEM 0x0020, KDF 0x0001, AEAD 0x0003 of RFC 9180.
    #[serde(rename = "x25519-hkdf-sha256-chacha20poly1305")]
    X25519,
}

/// A seat's public key for boxes, 32 bytes, written in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BoxKey(Digest);

/// A seat's secret key for boxes. Wiped when dropped.
pub struct BoxSecret(Zeroizing<[u8; 32]>);

/// Why a box is not made or not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BoxError {
    /// The bytes are no key that anything can be sealed to.
    #[error("the bytes are no key for boxes")]
    Key,
    /// Changed, for another member, of another hospital or of another round.
    #[error("the box does not open: it was changed, or is meant for another member or round")]
    Closed,
    /// The random source gave nothing.
    #[error("the system's random source failed; try again")]
    Random,
}

/// What a box is bound to.
#[derive(Clone, Copy, Debug)]
pub struct Context<'c> {
    /// H(M) of the round.
    pub round: &'c Digest,
    /// The hospital whose seeds are inside.
    pub hospital: &'c Slug,
    /// The committee member that opens it.
    pub member: &'c Slug,
}

impl Context<'_> {
    fn aad(&self) -> Digest {
        let (hospital, member) = (self.hospital.as_str(), self.member.as_str());
        let parts: [&[u8]; 3] = [
            self.round.as_bytes(),
            hospital.as_bytes(),
            member.as_bytes(),
        ];
        Digest::of("cams-box-v1", &parts)
    }
}

impl BoxSecret {
    /// A new secret.
    pub fn generate() -> Result<Self, BoxError> {
        let mut bytes = Zeroizing::new([0; 32]);
        let filled = SystemRandom::new().fill(&mut *bytes);
        filled.map_err(|_| BoxError::Random)?;
        Ok(Self(bytes))
    }

    /// Reads a stored secret. Every 32 bytes are one (RFC 7748 clamps them).
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for a file that only its owner reads and that is destroyed with the key.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What hospitals seal to.
    pub fn public(&self) -> Result<BoxKey, BoxError> {
        let key = Kem::sk_to_pk(&self.key()?).to_bytes();
        Ok(BoxKey::from_bytes(key.into()))
    }

    /// Opens a box that was sealed to this key in this context.
    pub fn open(
        &self,
        context: &Context<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, BoxError> {
        open(&self.key()?, INFO, context.aad().as_bytes(), sealed)
    }

    fn key(&self) -> Result<<Kem as hpke::Kem>::PrivateKey, BoxError> {
        <Kem as hpke::Kem>::PrivateKey::from_bytes(&*self.0).map_err(|_| BoxError::Key)
    }
}

impl std::fmt::Debug for BoxSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BoxSecret(secret)")
    }
}

impl BoxKey {
    /// A key from its 32 bytes; whether they are a key shows at the first box.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Digest::from_bytes(bytes))
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Seals content in a context; `drawn` are 32 fresh random bytes, used for this box only.
    pub fn seal(
        &self,
        context: &Context<'_>,
        drawn: &[u8; 32],
        content: &[u8],
    ) -> Result<Vec<u8>, BoxError> {
        seal(self, INFO, context.aad().as_bytes(), drawn, content)
    }
}

fn seal(
    to: &BoxKey,
    info: &[u8],
    aad: &[u8],
    drawn: &[u8; 32],
    content: &[u8],
) -> Result<Vec<u8>, BoxError> {
    let to = <Kem as hpke::Kem>::PublicKey::from_bytes(to.as_bytes());
    let to = to.map_err(|_| BoxError::Key)?;
    let mut random = Drawn(Some(Zeroizing::new(*drawn)), false);
    let sealed = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeS::Base,
        &to,
        info,
        content,
        aad,
        &mut random,
    );
    let (key, sealed) = sealed.map_err(|_| BoxError::Key)?;
    if random.1 {
        return Err(BoxError::Random);
    }
    Ok([key.to_bytes().as_slice(), &sealed].concat())
}

fn open(
    secret: &<Kem as hpke::Kem>::PrivateKey,
    info: &[u8],
    aad: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, BoxError> {
    let (key, sealed) = sealed.split_at_checked(32).ok_or(BoxError::Closed)?;
    let key = <Kem as hpke::Kem>::EncappedKey::from_bytes(key).map_err(|_| BoxError::Closed)?;
    let opened = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeR::Base,
        secret,
        &key,
        info,
        sealed,
        aad,
    );
    opened.map(Zeroizing::new).map_err(|_| BoxError::Closed)
}

/// Bytes drawn beforehand, where a failure can be told, in the form that `hpke` asks for. It asks
/// once, for the 32 bytes of an ephemeral key; whatever it asks for beyond is noted, and the box
/// thrown away.
struct Drawn(Option<Zeroizing<[u8; 32]>>, bool);

impl TryRng for Drawn {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.1 = true;
        Ok(1)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.1 = true;
        Ok(1)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        match self.0.take() {
            Some(drawn) if drawn.len() == bytes.len() => bytes.copy_from_slice(&*drawn),
            _ => {
                self.1 = true;
                bytes.fill(1);
            }
        }
        Ok(())
    }
}

impl TryCryptoRng for Drawn {}
