//! Boxes: what one committee member alone can read, by HPKE (RFC 9180, base mode) with X-Wing,
//! HKDF-SHA256 and ChaCha20Poly1305. X-Wing is X25519 and ML-KEM-768 in one: a box stays closed
//! while either holds, so traffic recorded today is not opened by breaking X25519 later. The
//! hospital is not authenticated here: its signature stands around the box's digest.

#[cfg(test)]
mod test;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::rand_core::{Infallible, TryCryptoRng, TryRng};
use hpke::{Deserializable as _, Kem, OpModeR, OpModeS, Serializable as _};
use proofs::exchange::Bytes;
use ring::rand::{SecureRandom as _, SystemRandom};
use schemas::digest::Digest;
use schemas::id::Slug;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

const INFO: &[u8] = b"cams";
const ENCAPSULATED: usize = 1_120;
/// Bytes that a box adds to its content: encapsulated key and tag.
pub const OVERHEAD: usize = ENCAPSULATED + 16;
/// Fresh random bytes that go into one box.
pub const DRAWN: usize = 64;

/// How boxes of a committee are made. A field of every key, so that a later suite is a new value.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Suite {
    /// KEM 0x647a (X-Wing, in HPKE named MLKEM768-X25519), KDF 0x0001, AEAD 0x0003.
    #[serde(rename = "mlkem768-x25519-hkdf-sha256-chacha20poly1305")]
    XWing,
}

/// A seat's public key for boxes, 1,216 bytes, written in base64. What is no key is refused where it
/// is read, so that no list carries a key to which nobody can seal. That its X25519 half is of small
/// order is not refused: its owner harms itself alone, as with a secret told, and ML-KEM still holds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Bytes", into = "Bytes")]
pub struct BoxKey(<XWing as Kem>::PublicKey);

/// A seat's secret key for boxes: the 32 bytes from which both halves follow. Wiped when dropped.
pub struct BoxSecret {
    bytes: Zeroizing<[u8; 32]>,
    key: <XWing as Kem>::PrivateKey,
}

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
        Self::from_bytes(*bytes)
    }

    /// Reads a stored secret. Every 32 bytes are one.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, BoxError> {
        let bytes = Zeroizing::new(bytes);
        let key = <XWing as Kem>::PrivateKey::from_bytes(&*bytes);
        let key = key.map_err(|_| BoxError::Key)?;
        Ok(Self { bytes, key })
    }

    /// The bytes, for a file that only its owner reads and that is destroyed with the key.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// What hospitals seal to.
    pub fn public(&self) -> BoxKey {
        BoxKey(XWing::sk_to_pk(&self.key))
    }

    /// Opens a box that was sealed to this key in this context.
    pub fn open(
        &self,
        context: &Context<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, BoxError> {
        open(&self.key, INFO, context.aad().as_bytes(), sealed)
    }
}

impl std::fmt::Debug for BoxSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BoxSecret(secret)")
    }
}

impl TryFrom<Bytes> for BoxKey {
    type Error = BoxError;

    fn try_from(Bytes(bytes): Bytes) -> Result<Self, BoxError> {
        let key = <XWing as Kem>::PublicKey::from_bytes(&bytes);
        key.map(Self).map_err(|_| BoxError::Key)
    }
}

impl From<BoxKey> for Bytes {
    fn from(key: BoxKey) -> Self {
        Self(key.to_bytes())
    }
}

impl std::fmt::Debug for BoxKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digest = Digest::of("cams-box-key-v1", &[&self.to_bytes()]);
        write!(f, "BoxKey({digest})")
    }
}

impl BoxKey {
    /// The 1,216 bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes().to_vec()
    }

    /// Seals content in a context; `drawn` are fresh random bytes, used for this box only.
    pub fn seal(
        &self,
        context: &Context<'_>,
        drawn: &[u8; DRAWN],
        content: &[u8],
    ) -> Result<Vec<u8>, BoxError> {
        seal(self, INFO, context.aad().as_bytes(), drawn, content)
    }
}

fn seal(
    to: &BoxKey,
    info: &[u8],
    aad: &[u8],
    drawn: &[u8; DRAWN],
    content: &[u8],
) -> Result<Vec<u8>, BoxError> {
    let mut random = Drawn(Some(Zeroizing::new(*drawn)), false);
    let sealed = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeS::Base,
        &to.0,
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
    secret: &<XWing as Kem>::PrivateKey,
    info: &[u8],
    aad: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, BoxError> {
    let (key, sealed) = sealed
        .split_at_checked(ENCAPSULATED)
        .ok_or(BoxError::Closed)?;
    let key = <XWing as Kem>::EncappedKey::from_bytes(key).map_err(|_| BoxError::Closed)?;
    let opened = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
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
/// once, for the bytes of both halves; whatever it asks for beyond is noted, and the box
/// thrown away.
struct Drawn(Option<Zeroizing<[u8; DRAWN]>>, bool);

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
