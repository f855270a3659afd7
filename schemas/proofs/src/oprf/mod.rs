//! The verifiable oblivious pseudorandom function of RFC 9497, suite ristretto255-SHA512.
//!
//! A hospital holds a key for each payer and month and names its public half beforehand. An insurer
//! sends blinded claim numbers; the hospital evaluates without seeing them, and proves (one DLEQ
//! proof a batch, RFC 9497 §2.2) that it used the named key. The insurer learns `F(key, claim)` for
//! the claims that it holds and for no others; the hospital learns how many were asked.

mod random;
mod shown;
#[cfg(test)]
mod test;

pub use shown::{Shown, verify_shown};

use rand_core::{CryptoRng, RngCore};
use schemas::id::Slug;
use schemas::time::Month;
use voprf::{
    BlindedElement, EvaluationElement, Group as _, Proof, Ristretto255, VoprfClient, VoprfServer,
};
use zeroize::Zeroizing;

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
pub struct ServerKey(VoprfServer<Ristretto255>);

/// Blinded inputs of one batch: the secret that the insurer keeps until the answer comes. Wiped
/// when dropped.
pub struct Blinded {
    clients: Vec<VoprfClient<Ristretto255>>,
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
        Ristretto255::deserialize_elem(&bytes).map_err(|_| OprfError::Bytes)?;
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
        let key = VoprfServer::new_from_seed(seed, info).map_err(|_| OprfError::Bytes)?;
        Ok(Self(key))
    }

    /// The half that is announced before anything is asked.
    pub fn public(&self) -> PublicKey {
        PublicKey(Ristretto255::serialize_elem(self.0.get_public_key()).into())
    }

    /// `F(key, input)` of the hospital's own input.
    pub fn evaluate(&self, input: &[u8]) -> Result<Output, OprfError> {
        check_input(input)?;
        Output::new(&self.0.evaluate(input).map_err(|_| OprfError::Input)?)
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
        let read = |(place, bytes): (usize, &Element)| {
            BlindedElement::deserialize(bytes).map_err(|_| OprfError::Element(place))
        };
        let blinded: Vec<_> = elements
            .iter()
            .enumerate()
            .map(read)
            .collect::<Result<_, _>>()?;
        let answer = self.0.batch_blind_evaluate(random, &blinded);
        let answer = answer.map_err(|_| OprfError::Batch)?;
        let elements = answer
            .messages
            .iter()
            .map(|element| element.serialize().into());
        Ok(Evaluated {
            elements: elements.collect(),
            proof: answer.proof.serialize().into(),
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
        let (mut clients, mut elements) = (Vec::new(), Vec::new());
        for input in inputs {
            check_input(input.as_ref())?;
            let blinded = VoprfClient::blind(input.as_ref(), random);
            let blinded = blinded.map_err(|_| OprfError::Input)?;
            elements.push(blinded.message.serialize().into());
            clients.push(blinded.state);
        }
        Ok(Self { clients, elements })
    }

    /// What is sent: uniformly random elements, whatever the inputs.
    pub fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// The secret as bytes, 64 an input, for a file that only its owner reads.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(64 * self.clients.len()));
        for client in &self.clients {
            bytes.extend(client.serialize());
        }
        bytes
    }

    /// What shows one claim of the batch to a third party.
    pub fn shown(&self, place: usize, input: &[u8]) -> Result<Shown, OprfError> {
        let client = self.clients.get(place).ok_or(OprfError::Batch)?;
        let state = client.serialize();
        let blind = *state.first_chunk().ok_or(OprfError::Bytes)?;
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
        let (mut clients, mut elements) = (Vec::new(), Vec::new());
        for one in stored {
            clients.push(VoprfClient::deserialize(one).map_err(|_| OprfError::Bytes)?);
            // Blind, then blinded element.
            elements.push(*one.last_chunk().ok_or(OprfError::Bytes)?);
        }
        Ok(Self { clients, elements })
    }

    /// Checks the proof against the announced key, then unblinds. The inputs are those that were
    /// blinded, in the same order.
    pub fn finalize<I: AsRef<[u8]>>(
        &self,
        inputs: &[I],
        answer: &Evaluated,
        key: &PublicKey,
    ) -> Result<Vec<Output>, OprfError> {
        if inputs.len() != self.clients.len() || answer.elements.len() != self.clients.len() {
            return Err(OprfError::Batch);
        }
        let read = |(place, bytes): (usize, &Element)| {
            EvaluationElement::deserialize(bytes).map_err(|_| OprfError::Element(place))
        };
        let elements = answer.elements.iter().enumerate().map(read);
        let elements: Vec<_> = elements.collect::<Result<_, _>>()?;
        let proof = Proof::deserialize(&answer.proof).map_err(|_| OprfError::Bytes)?;
        let key = Ristretto255::deserialize_elem(&key.0).map_err(|_| OprfError::Bytes)?;
        let inputs: Vec<&[u8]> = inputs.iter().map(AsRef::as_ref).collect();
        inputs.iter().try_for_each(|input| check_input(input))?;
        let outputs = VoprfClient::batch_finalize(&inputs, &self.clients, &elements, &proof, key);
        let outputs = outputs.map_err(|_| OprfError::Proof)?;
        outputs
            .map(|output| Output::new(&output.map_err(|_| OprfError::Input)?))
            .collect()
    }
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
        write!(f, "Blinded({} inputs)", self.clients.len())
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
