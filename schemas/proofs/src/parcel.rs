//! What only its receiver can read, on its way through others: Diffie–Hellman over ristretto255
//! with a fresh sender key, HKDF-SHA-256, ChaCha20-Poly1305. The sender is not named; the message
//! around a parcel is signed.
//!
//! `E 32 | ChaCha20-Poly1305(content)`, key = `Expand(Extract("consilium-parcel-v1", e·R ‖ E ‖ R))`
//! with the context as additional data. Each key seals one parcel, so its nonce is zero.

use curve25519_dalek::constants::RISTRETTO_BASEPOINT_TABLE;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity as _;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom as _, SystemRandom};
use schemas::digest::Digest;
use zeroize::{Zeroize as _, Zeroizing};

const DOMAIN: &[u8] = b"consilium-parcel-v1";

/// Why a parcel is not made or not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParcelError {
    /// The bytes are no key.
    #[error("the bytes are no receiver's key")]
    Key,
    /// Changed, for another receiver or for another purpose.
    #[error("the parcel does not open: it was changed, or is meant for another receiver")]
    Closed,
    /// Random source or library.
    #[error("the cryptographic library refused; try again")]
    Library,
}

/// The secret by which parcels are opened. Wiped when dropped.
pub struct Receiver(Scalar);

impl Receiver {
    /// A new secret; the bytes are for a file that only its owner reads.
    pub fn generate() -> Result<(Self, Zeroizing<[u8; 32]>), ParcelError> {
        let secret = random()?;
        let bytes = Zeroizing::new(secret.to_bytes());
        Ok((Self(secret), bytes))
    }

    /// Reads a stored secret.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, ParcelError> {
        let secret: Option<Scalar> = Scalar::from_canonical_bytes(bytes).into();
        match secret {
            Some(secret) if secret != Scalar::ZERO => Ok(Self(secret)),
            _ => Err(ParcelError::Key),
        }
    }

    /// What senders need, 32 bytes.
    pub fn public(&self) -> Digest {
        Digest::from_bytes((&self.0 * RISTRETTO_BASEPOINT_TABLE).compress().to_bytes())
    }

    /// Opens a parcel that was sealed for this context.
    pub fn open(&self, context: &[u8], parcel: &[u8]) -> Result<Zeroizing<Vec<u8>>, ParcelError> {
        let (sender, sealed) = parcel.split_first_chunk().ok_or(ParcelError::Closed)?;
        let point = point(sender).map_err(|_| ParcelError::Closed)?;
        let key = key(&(self.0 * point), sender, self.public().as_bytes())?;
        let mut content = Zeroizing::new(sealed.to_vec());
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let opened = key.open_in_place(nonce, Aad::from(context), &mut content);
        let length = opened.map_err(|_| ParcelError::Closed)?.len();
        content.truncate(length);
        Ok(content)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Receiver(secret)")
    }
}

/// Seals content for a receiver and a context.
pub fn seal(receiver: &Digest, context: &[u8], content: &[u8]) -> Result<Vec<u8>, ParcelError> {
    let to = point(receiver.as_bytes())?;
    let mut once = random()?;
    let sender = (&once * RISTRETTO_BASEPOINT_TABLE).compress().to_bytes();
    let key = key(&(once * to), &sender, receiver.as_bytes());
    once.zeroize();
    let mut sealed = content.to_vec();
    let nonce = Nonce::assume_unique_for_key([0; 12]);
    let done = key?.seal_in_place_append_tag(nonce, Aad::from(context), &mut sealed);
    done.map_err(|_| ParcelError::Library)?;
    Ok([&sender[..], &sealed].concat())
}

fn point(bytes: &[u8; 32]) -> Result<RistrettoPoint, ParcelError> {
    let point = CompressedRistretto(*bytes).decompress();
    let point = point.filter(|point| !point.is_identity());
    point.ok_or(ParcelError::Key)
}

fn random() -> Result<Scalar, ParcelError> {
    let mut bytes = Zeroizing::new([0; 64]);
    let filled = SystemRandom::new().fill(&mut *bytes);
    filled.map_err(|_| ParcelError::Library)?;
    Ok(Scalar::from_bytes_mod_order_wide(&bytes))
}

fn key(
    shared: &RistrettoPoint,
    sender: &[u8; 32],
    receiver: &[u8; 32],
) -> Result<LessSafeKey, ParcelError> {
    let shared = Zeroizing::new(shared.compress().to_bytes());
    let secret = Zeroizing::new([&shared[..], sender, receiver].concat());
    let prk = Salt::new(HKDF_SHA256, DOMAIN).extract(&secret);
    let info: [&[u8]; 1] = [b"key"];
    let okm = prk.expand(&info, &CHACHA20_POLY1305);
    let okm = okm.map_err(|_| ParcelError::Library)?;
    Ok(LessSafeKey::new(UnboundKey::from(okm)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_receiver_opens_and_only_what_was_sealed() {
        let (receiver, bytes) = Receiver::generate().unwrap();
        let (other, _) = Receiver::generate().unwrap();
        let parcel = seal(&receiver.public(), b"total", b"12345").unwrap();
        assert_eq!(&**receiver.open(b"total", &parcel).unwrap(), b"12345");
        let again = Receiver::from_bytes(*bytes).unwrap();
        assert_eq!(&**again.open(b"total", &parcel).unwrap(), b"12345");
        let closed = Some(ParcelError::Closed);
        assert_eq!(other.open(b"total", &parcel).err(), closed);
        assert_eq!(receiver.open(b"other", &parcel).err(), closed);
        for place in 0..parcel.len() {
            let mut changed = parcel.clone();
            changed[place] ^= 1;
            assert_eq!(receiver.open(b"total", &changed).err(), closed);
        }
        assert_eq!(receiver.open(b"total", &parcel[..31]).err(), closed);
        assert_ne!(
            parcel,
            seal(&receiver.public(), b"total", b"12345").unwrap()
        );
        for junk in [Digest::ZERO, Digest::from_bytes([0xff; 32])] {
            assert_eq!(seal(&junk, b"", b""), Err(ParcelError::Key));
        }
        assert!(Receiver::from_bytes([0; 32]).is_err());
        assert_eq!(format!("{receiver:?}"), "Receiver(secret)");
    }
}
