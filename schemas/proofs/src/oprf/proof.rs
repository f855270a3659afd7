//! The proof that one key evaluated a whole batch (RFC 9497 §2.2, mode VOPRF), with the weighted
//! sums of a batch as multiscalar multiplications: each element costs a fraction of a multiplication
//! of its own. Sums are of what stands on the wire and may take the time they take; the key is used
//! in constant time only.

use curve25519_dalek::constants::RISTRETTO_BASEPOINT_TABLE;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{IsIdentity as _, VartimeMultiscalarMul as _};
use ring::digest::{Context, SHA512, digest};

use super::{Element, OprfError};

const CONTEXT: &[u8] = b"OPRFV1-\x01-ristretto255-SHA512";

/// A batch as both sides see it.
pub(super) struct Batch<'a> {
    pub(super) key: &'a Element,
    pub(super) question: &'a [Element],
    pub(super) answer: &'a [Element],
}

/// Reads elements; the identity and what is no element are refused by place.
pub(super) fn points(elements: &[Element]) -> Result<Vec<RistrettoPoint>, OprfError> {
    let read = |(place, bytes): (usize, &Element)| point(bytes).ok_or(OprfError::Element(place));
    elements.iter().enumerate().map(read).collect()
}

pub(super) fn point(bytes: &Element) -> Option<RistrettoPoint> {
    let point = CompressedRistretto(*bytes).decompress();
    point.filter(|point| !point.is_identity())
}

/// A canonical scalar other than zero.
pub(super) fn scalar(bytes: &[u8; 32]) -> Option<Scalar> {
    let scalar: Option<Scalar> = Scalar::from_canonical_bytes(*bytes).into();
    scalar.filter(|scalar| *scalar != Scalar::ZERO)
}

impl Batch<'_> {
    /// Proves that `secret` evaluated the question's `points`; `nonce` is a fresh random scalar.
    pub(super) fn prove(
        &self,
        secret: &Scalar,
        nonce: &Scalar,
        points: &[RistrettoPoint],
    ) -> [u8; 64] {
        let m = RistrettoPoint::vartime_multiscalar_mul(self.weights(), points);
        let z = secret * m;
        let commitments = [&m, &z, &(nonce * RISTRETTO_BASEPOINT_TABLE), &(nonce * m)];
        let challenge = self.challenge(commitments);
        let response = nonce - challenge * secret;
        let mut proof = [0; 64];
        let (one, two) = proof.split_at_mut(32);
        one.copy_from_slice(challenge.as_bytes());
        two.copy_from_slice(response.as_bytes());
        proof
    }

    /// Checks a proof about the points of question and answer.
    pub(super) fn verify(
        &self,
        proof: &[u8; 64],
        question: &[RistrettoPoint],
        answer: &[RistrettoPoint],
    ) -> Result<(), OprfError> {
        let half = |at: usize| {
            let bytes = proof.get(at..).and_then(|rest| rest.first_chunk());
            bytes.and_then(scalar).ok_or(OprfError::Bytes)
        };
        let (challenge, response) = (half(0)?, half(32)?);
        let key = point(self.key).ok_or(OprfError::Bytes)?;
        let weights = self.weights();
        let m = RistrettoPoint::vartime_multiscalar_mul(&weights, question);
        let z = RistrettoPoint::vartime_multiscalar_mul(&weights, answer);
        let t2 = RistrettoPoint::vartime_double_scalar_mul_basepoint(&challenge, &key, &response);
        let t3 = RistrettoPoint::vartime_multiscalar_mul([response, challenge], [m, z]);
        if self.challenge([&m, &z, &t2, &t3]) == challenge {
            Ok(())
        } else {
            Err(OprfError::Proof)
        }
    }

    /// The weight of each element (RFC 9497, section 2.2.1): each follows from the key, its place and
    /// its own two elements. Who evaluates falsely could search for errors that cancel out in a
    /// batch of thousands (about 2^32 steps); they would be random, and show as `missing`.
    fn weights(&self) -> Vec<Scalar> {
        let domain = [b"Seed-", CONTEXT].concat();
        let seed = digest(&SHA512, &framed(&[self.key, &domain]));
        let pairs = (0_u16..).zip(self.question.iter().zip(self.answer));
        let weight = |(number, (asked, answered)): (u16, (&Element, &Element))| {
            let parts = [
                framed(&[seed.as_ref()]),
                number.to_be_bytes().to_vec(),
                framed(&[asked, answered]),
                b"Composite".to_vec(),
            ];
            hash_to_scalar(&parts.concat())
        };
        pairs.map(weight).collect()
    }

    fn challenge(&self, commitments: [&RistrettoPoint; 4]) -> Scalar {
        let [m, z, t2, t3] = commitments.map(|point| point.compress().to_bytes());
        let mut transcript = framed(&[self.key, &m, &z, &t2, &t3]);
        transcript.extend(b"Challenge");
        hash_to_scalar(&transcript)
    }
}

/// What an evaluated claim comes to: RFC 9497 §3.3.2, `Finalize` after unblinding.
pub(super) fn output(input: &[u8], unblinded: &RistrettoPoint) -> impl AsRef<[u8]> {
    let mut transcript = framed(&[input, &unblinded.compress().to_bytes()]);
    transcript.extend(b"Finalize");
    digest(&SHA512, &transcript)
}

/// Each part behind its length in two bytes.
fn framed(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
        bytes.extend(length.to_be_bytes());
        bytes.extend(*part);
    }
    bytes
}

/// `HashToScalar`: `expand_message_xmd` (RFC 9380 §5.3.1) with SHA-512 to 64 bytes, reduced.
fn hash_to_scalar(message: &[u8]) -> Scalar {
    let mut domain = [b"HashToScalar-", CONTEXT].concat();
    domain.push(u8::try_from(domain.len()).unwrap_or(u8::MAX));
    let mut first = Context::new(&SHA512);
    for part in [&[0; 128][..], message, &[0, 64, 0], &domain] {
        first.update(part);
    }
    let mut second = Context::new(&SHA512);
    for part in [first.finish().as_ref(), &[1], &domain] {
        second.update(part);
    }
    let mut wide = [0; 64];
    wide.copy_from_slice(second.finish().as_ref());
    Scalar::from_bytes_mod_order_wide(&wide)
}
