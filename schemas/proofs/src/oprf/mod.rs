//! The verifiable oblivious pseudorandom function of RFC 9497, suite ristretto255-SHA512.
//!
//! A hospital holds a key for each payer and month and names its public half beforehand. An insurer
//! sends blinded claim numbers; the hospital evaluates without seeing them, and proves (one DLEQ
//! proof a batch, RFC 9497 §2.2) that it used the named key. The insurer learns `F(key, claim)` for
//! the claims that it holds and for no others; the hospital learns how many were asked.

mod proof;
mod random;
mod shown;
#[cfg(test)]
mod test;

pub use shown::{Shown, verify_shown};

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use rand_core::{CryptoRng, RngCore};
use schemas::id::Slug;
use schemas::time::Month;
use voprf::{Group as _, Ristretto255, VoprfClient, VoprfServer};
use zeroize::{Zeroize as _, Zeroizing};

use proof::{Batch, point, points, scalar};
use random::Random;

/// Most elements of a batch.
pub const MAX_BATCH: usize = 4_000;
/// Longest input in bytes.
pub const MAX_INPUT: usize = 4_096;

/// A group element on the wire: canonical ristretto255, never the identity.
pub type Element = [u8; 32];

/// Why a batch or a key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OprfError {
    /// Empty, too long, or the two sides differ in length.
    #[error("a batch has 1 to {MAX_BATCH} elements, and the answer as many as the question")]
    Batch,
    /// An input of no or too many bytes.
    #[error("an input has 1 to {MAX_INPUT} bytes")]
    Input,
    /// Not an element: at this place of the batch.
    #[error("element {0} of the batch is no group element")]
    Element(usize),
    /// Bytes that are no key, proof or stored blind.
    #[error("the bytes are no public key, proof or stored blind")]
    Bytes,
    /// Evaluated under another key than the one announced.
    #[error("the proof does not fit: evaluated under another key than the announced one")]
    Proof,
    /// The random source gave nothing.
    #[error("the system's random source failed")]
    Random,
}

/// The announced half of a [`ServerKey`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PublicKey(Element);

/// `F(key, input)`, 64 bytes. Whoever holds it can find and open the claim's leaves.
#[derive(Clone, PartialEq, Eq)]
pub struct Output(Zeroizing<[u8; 64]>);

/// A hospital's secret key for one payer and month. Wiped when dropped.
pub struct ServerKey {
    server: VoprfServer<Ristretto255>,
    secret: Secret,
}

/// A scalar that is wiped when dropped.
struct Secret(Scalar);

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Blinded inputs of one batch: the secret that the insurer keeps until the answer comes. Wiped
/// when dropped.
pub struct Blinded {
    blinds: Zeroizing<Vec<[u8; 32]>>,
    elements: Vec<Element>,
}

/// The answer to a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evaluated {
    /// Evaluated elements in the order of the question.
    pub elements: Vec<Element>,
    /// One proof for all of them: challenge and response scalar.
    pub proof: [u8; 64],
}

impl PublicKey {
    /// Reads a key; the identity and what is no element are refused.
    pub fn from_bytes(bytes: Element) -> Result<Self, OprfError> {
        point(&bytes).ok_or(OprfError::Bytes)?;
        Ok(Self(bytes))
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &Element {
        &self.0
    }
}

impl Output {
    /// The 64 bytes.
    pub fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    fn new(bytes: &[u8]) -> Result<Self, OprfError> {
        let mut output = Zeroizing::new([0; 64]);
        if bytes.len() != output.len() {
            return Err(OprfError::Bytes);
        }
        output.copy_from_slice(bytes);
        Ok(Self(output))
    }
}

impl ServerKey {
    /// The key for a payer and month: `DeriveKeyPair(seed, "payer=P|period=YYYY-MM")`, RFC 9497
    /// §3.2.1. Neither part can hold a separator, so no two pairs share an `info`.
    pub fn derive(seed: &[u8; 32], payer: &Slug, period: Month) -> Result<Self, OprfError> {
        Self::from_info(seed, format!("payer={payer}|period={period}").as_bytes())
    }

    fn from_info(seed: &[u8; 32], info: &[u8]) -> Result<Self, OprfError> {
        let server = VoprfServer::new_from_seed(seed, info).map_err(|_| OprfError::Bytes)?;
        // The key, then its public half.
        let stored = Zeroizing::new(server.serialize().to_vec());
        let secret = stored.first_chunk().and_then(scalar);
        let secret = Secret(secret.ok_or(OprfError::Bytes)?);
        Ok(Self { server, secret })
    }

    /// The half that is announced before anything is asked.
    pub fn public(&self) -> PublicKey {
        PublicKey(Ristretto255::serialize_elem(self.server.get_public_key()).into())
    }

    /// `F(key, input)` of the hospital's own input.
    pub fn evaluate(&self, input: &[u8]) -> Result<Output, OprfError> {
        check_input(input)?;
        Output::new(&self.server.evaluate(input).map_err(|_| OprfError::Input)?)
    }

    /// Evaluates a batch of blinded elements, with one proof.
    pub fn evaluate_batch(&self, elements: &[Element]) -> Result<Evaluated, OprfError> {
        Random::used(|random| self.evaluate_with(elements, random))
    }

    fn evaluate_with(
        &self,
        elements: &[Element],
        random: &mut (impl RngCore + CryptoRng),
    ) -> Result<Evaluated, OprfError> {
        check_batch(elements.len())?;
        let asked = points(elements)?;
        let evaluated = asked.iter().map(|point| self.secret.0 * point);
        let answer: Vec<Element> = evaluated.map(|point| point.compress().to_bytes()).collect();
        let nonce = Secret(Ristretto255::random_scalar(random));
        let batch = Batch {
            key: &self.public().0,
            question: elements,
            answer: &answer,
        };
        let proof = batch.prove(&self.secret.0, &nonce.0, &asked);
        Ok(Evaluated {
            elements: answer,
            proof,
        })
    }
}

impl Blinded {
    /// Blinds a batch of inputs, each with a fresh random scalar.
    pub fn blind<I: AsRef<[u8]>>(inputs: &[I]) -> Result<Self, OprfError> {
        Random::used(|random| Self::blind_with(inputs, random))
    }

    fn blind_with<I: AsRef<[u8]>>(
        inputs: &[I],
        random: &mut (impl RngCore + CryptoRng),
    ) -> Result<Self, OprfError> {
        check_batch(inputs.len())?;
        let mut blinds = Zeroizing::new(Vec::with_capacity(inputs.len()));
        let mut elements = Vec::with_capacity(inputs.len());
        for input in inputs {
            check_input(input.as_ref())?;
            let blinded = VoprfClient::<Ristretto255>::blind(input.as_ref(), random);
            let blinded = blinded.map_err(|_| OprfError::Input)?;
            // Blind, then blinded element.
            let stored = Zeroizing::new(blinded.state.serialize().to_vec());
            blinds.push(*stored.first_chunk().ok_or(OprfError::Bytes)?);
            elements.push(*stored.last_chunk().ok_or(OprfError::Bytes)?);
        }
        Ok(Self { blinds, elements })
    }

    /// What is sent: uniformly random elements, whatever the inputs.
    pub fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// The secret as bytes, 64 an input, for a file that only its owner reads.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(64 * self.blinds.len()));
        for (blind, element) in self.blinds.iter().zip(&self.elements) {
            bytes.extend(blind);
            bytes.extend(element);
        }
        bytes
    }

    /// What shows one claim of the batch to a third party.
    pub fn shown(&self, place: usize, input: &[u8]) -> Result<Shown, OprfError> {
        let blind = *self.blinds.get(place).ok_or(OprfError::Batch)?;
        let input = input.to_vec();
        Ok(Shown {
            place,
            input,
            blind,
        })
    }

    /// Reads what [`Blinded::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, OprfError> {
        let (stored, []) = bytes.as_chunks::<64>() else {
            return Err(OprfError::Bytes);
        };
        check_batch(stored.len())?;
        let mut blinds = Zeroizing::new(Vec::with_capacity(stored.len()));
        let mut elements = Vec::with_capacity(stored.len());
        for one in stored {
            let blind = one.first_chunk().ok_or(OprfError::Bytes)?;
            scalar(blind).ok_or(OprfError::Bytes)?;
            blinds.push(*blind);
            elements.push(*one.last_chunk().ok_or(OprfError::Bytes)?);
        }
        points(&elements).map_err(|_| OprfError::Bytes)?;
        Ok(Self { blinds, elements })
    }

    /// Checks the proof against the announced key, then unblinds. The inputs are those that were
    /// blinded, in the same order.
    pub fn finalize<I: AsRef<[u8]>>(
        &self,
        inputs: &[I],
        answer: &Evaluated,
        key: &PublicKey,
    ) -> Result<Vec<Output>, OprfError> {
        if inputs.len() != self.blinds.len() {
            return Err(OprfError::Batch);
        }
        let evaluated = answer.verified(&self.elements, key)?;
        let claims = inputs.iter().zip(self.blinds.iter()).zip(&evaluated);
        claims
            .map(|((input, blind), evaluated)| unblind(input.as_ref(), blind, evaluated))
            .collect()
    }
}

impl Evaluated {
    /// The evaluated elements, if the announced key evaluated exactly this question.
    fn verified(
        &self,
        question: &[Element],
        key: &PublicKey,
    ) -> Result<Vec<RistrettoPoint>, OprfError> {
        check_batch(question.len())?;
        if self.elements.len() != question.len() {
            return Err(OprfError::Batch);
        }
        let (asked, answered) = (points(question)?, points(&self.elements)?);
        let batch = Batch {
            key: &key.0,
            question,
            answer: &self.elements,
        };
        batch.verify(&self.proof, &asked, &answered)?;
        Ok(answered)
    }
}

/// `F(key, input)` out of what was evaluated under a blind.
fn unblind(
    input: &[u8],
    blind: &[u8; 32],
    evaluated: &RistrettoPoint,
) -> Result<Output, OprfError> {
    check_input(input)?;
    let blind = Secret(scalar(blind).ok_or(OprfError::Bytes)?);
    let inverse = Secret(blind.0.invert());
    Output::new(proof::output(input, &(inverse.0 * evaluated)).as_ref())
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Output(secret)")
    }
}

impl std::fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ServerKey({:?})", self.public())
    }
}

impl std::fmt::Debug for Blinded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blinded({} inputs)", self.blinds.len())
    }
}

fn check_batch(n: usize) -> Result<(), OprfError> {
    if (1..=MAX_BATCH).contains(&n) {
        Ok(())
    } else {
        Err(OprfError::Batch)
    }
}

fn check_input(input: &[u8]) -> Result<(), OprfError> {
    if (1..=MAX_INPUT).contains(&input.len()) {
        Ok(())
    } else {
        Err(OprfError::Input)
    }
}
