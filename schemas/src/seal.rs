//! Ed25519 signatures over received bytes (RFC 8032, by ring).

use std::marker::PhantomData;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::canonical;
use crate::digest::Digest;

/// A public message key, 32 bytes, written in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PublicKey(Digest);

impl PublicKey {
    /// A key from its 32 bytes (RFC 8032); whether they are a key shows at the first signature.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Digest::from_bytes(bytes))
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Checks a signature over exactly these bytes.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SealError> {
        UnparsedPublicKey::new(&ED25519, self.as_bytes())
            .verify(message, signature)
            .map_err(|_| SealError::Signature)
    }

    /// The key's fingerprint: what people compare and envelopes name.
    pub fn fingerprint(&self) -> Digest {
        Digest::of("consilium-key-v1", &[self.0.as_bytes()])
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Digest::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for PublicKey {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PublicKey".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9a-f]{64}$"})
    }
}

/// A secret message key. It signs; it is never printed or sent.
pub struct Signer {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({})", self.public.fingerprint().short())
    }
}

/// Why a key or an envelope is refused.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The random source gave nothing.
    #[error("the system's random source failed")]
    Random,
    /// The file does not hold an Ed25519 key in PKCS #8.
    #[error("not an Ed25519 key in PKCS #8")]
    NotAKey,
    /// `alg` is not `ed25519`.
    #[error("unknown signature algorithm")]
    Algorithm,
    /// Signed by another key than the one expected.
    #[error("signed by another key")]
    OtherKey,
    /// Sealed as another kind of message.
    #[error("another kind of message")]
    OtherKind,
    /// The signature does not fit the bytes.
    #[error("the signature does not fit")]
    Signature,
    /// Not the message that is cited.
    #[error("not the message whose digest is cited")]
    OtherBody,
    /// The body is not base64 of a canonical value.
    #[error("the body is refused: {0}")]
    Body(#[from] canonical::Error),
}

impl Signer {
    /// Makes a new key; the bytes (PKCS #8) are for a file that only its owner reads.
    pub fn generate() -> Result<(Self, Vec<u8>), SealError> {
        let document =
            Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| SealError::Random)?;
        let bytes = document.as_ref().to_vec();
        Ok((Self::from_pkcs8(&bytes)?, bytes))
    }

    /// Reads a key from PKCS #8 bytes.
    pub fn from_pkcs8(bytes: &[u8]) -> Result<Self, SealError> {
        let pair = Ed25519KeyPair::from_pkcs8(bytes).map_err(|_| SealError::NotAKey)?;
        Ok(Self::of(pair))
    }

    /// A key from a 32-byte seed, for test vectors.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, SealError> {
        Ed25519KeyPair::from_seed_unchecked(seed)
            .map(Self::of)
            .map_err(|_| SealError::NotAKey)
    }

    fn of(pair: Ed25519KeyPair) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(pair.public_key().as_ref());
        let public = PublicKey::from_bytes(bytes);
        Self { pair, public }
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Signs bytes as they are (RFC 8032). Kinds of messages are kept apart by their form: what
    /// [`Sealed`] signs is a digest of exactly 32 bytes; every other message has another length or
    /// a fixed beginning.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.pair.sign(message).as_ref());
        signature
    }
}

/// A kind of message that can be sealed.
pub trait Message: Serialize + DeserializeOwned {
    /// Domain tag: a signature over one kind never fits another.
    const TAG: &'static str;
}

impl Message for crate::dictionary::Dictionary {
    const TAG: &'static str = Self::TAG;
}

/// A signed message: the exact bytes that were signed, so that nothing is parsed before the
/// signature has been checked.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sealed<T> {
    /// Always `ed25519`; a field, so that a later algorithm is a new value and not a guess.
    alg: String,
    /// Fingerprint of the signing key.
    key: Digest,
    /// The canonical bytes of the message, in base64.
    body: String,
    /// The signature over tag and bytes, in base64.
    signature: String,
    #[serde(skip)]
    kind: PhantomData<fn() -> T>,
}

impl<T> Clone for Sealed<T> {
    fn clone(&self) -> Self {
        Self {
            alg: self.alg.clone(),
            key: self.key,
            body: self.body.clone(),
            signature: self.signature.clone(),
            kind: PhantomData,
        }
    }
}

impl<T> PartialEq for Sealed<T> {
    fn eq(&self, other: &Self) -> bool {
        (&self.alg, self.key, &self.body, &self.signature)
            == (&other.alg, other.key, &other.body, &other.signature)
    }
}

impl<T> Eq for Sealed<T> {}

impl<T> std::fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealed(by {})", self.key.short())
    }
}

impl<T: Message> Sealed<T> {
    /// Signs a message.
    pub fn seal(signer: &Signer, message: &T) -> Result<Self, SealError> {
        let bytes = canonical::to_bytes(message)?;
        let signature = signer.sign(Digest::of(T::TAG, &[&bytes]).as_bytes());
        Ok(Self {
            alg: "ed25519".to_owned(),
            key: signer.public().fingerprint(),
            body: BASE64.encode(bytes),
            signature: BASE64.encode(signature),
            kind: PhantomData,
        })
    }

    /// Checks the signature by `key` over the received bytes, then reads them.
    pub fn open(&self, key: &PublicKey) -> Result<T, SealError> {
        if self.alg != "ed25519" {
            return Err(SealError::Algorithm);
        }
        if self.key != key.fingerprint() {
            return Err(SealError::OtherKey);
        }
        let bytes = self.bytes()?;
        let signature = BASE64
            .decode(&self.signature)
            .map_err(|_| SealError::Signature)?;
        key.verify(Digest::of(T::TAG, &[&bytes]).as_bytes(), &signature)?;
        Ok(canonical::from_bytes(&bytes)?)
    }

    /// The digest of the signed bytes under the message's tag: how others cite it.
    pub fn digest(&self) -> Result<Digest, SealError> {
        Ok(Digest::of(T::TAG, &[&self.bytes()?]))
    }

    /// Reads a message by its digest: for what others cite and vouch for, whose signature and form
    /// were checked when it came. A body of another digest is refused.
    pub fn cited(&self, digest: &Digest) -> Result<T, SealError> {
        let bytes = self.bytes()?;
        if Digest::of(T::TAG, &[&bytes]) != *digest {
            return Err(SealError::OtherBody);
        }
        Ok(canonical::read(&bytes)?)
    }

    /// The fingerprint of the key that claims to have signed; unchecked.
    pub fn claimed_key(&self) -> Digest {
        self.key
    }

    fn bytes(&self) -> Result<Vec<u8>, SealError> {
        if self.body.len() > canonical::MAX_BYTES {
            return Err(SealError::Body(canonical::Error::TooLong));
        }
        let not_base64 = |_| canonical::Error::Shape("not base64".to_owned());
        Ok(BASE64.decode(&self.body).map_err(not_base64)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Note {
        text: String,
    }

    impl Message for Note {
        const TAG: &'static str = "note";
    }

    fn note() -> Note {
        Note {
            text: "agreed".to_owned(),
        }
    }

    #[test]
    fn opens_only_unchanged_and_only_by_its_key() {
        let (signer, bytes) = Signer::generate().unwrap();
        assert_eq!(
            Signer::from_pkcs8(&bytes).unwrap().public(),
            signer.public()
        );
        let (other, _) = Signer::generate().unwrap();
        let sealed = Sealed::seal(&signer, &note()).unwrap();
        assert_eq!(sealed.open(&signer.public()).unwrap(), note());
        assert!(matches!(
            sealed.open(&other.public()),
            Err(SealError::OtherKey)
        ));
        let mut changed = sealed.clone();
        changed.body = BASE64.encode(
            BASE64
                .decode(&sealed.body)
                .unwrap()
                .iter()
                .rev()
                .copied()
                .collect::<Vec<u8>>(),
        );
        assert!(matches!(
            changed.open(&signer.public()),
            Err(SealError::Signature)
        ));
        let cited = sealed.digest().unwrap();
        assert_eq!(sealed.cited(&cited).unwrap(), note());
        assert!(matches!(changed.cited(&cited), Err(SealError::OtherBody)));
        let mut stripped = sealed.clone();
        stripped.alg = "none".to_owned();
        assert!(matches!(
            stripped.open(&signer.public()),
            Err(SealError::Algorithm)
        ));
    }

    #[test]
    fn a_key_does_not_print_itself() {
        let (signer, _) = Signer::generate().unwrap();
        assert!(format!("{signer:?}").len() < 24);
    }
}
