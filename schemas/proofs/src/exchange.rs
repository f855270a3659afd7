//! What insurer and hospital say to each other in an audit. Requests are signed by the insurer's
//! message key, replies by the hospital's; whoever carries them sees kinds and sizes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::seal::Message;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::book::Subject;
use crate::commit::{Blinding, CommitError, Opening};
use crate::oprf::{Element, Evaluated, MAX_BATCH};
use crate::parcel::{self, ParcelError, Receiver};

/// Most places that one request names: those of all leaves without a claim.
pub const MAX_PLACES: usize = 1_000_000;
/// Most leaves opened for one payer and month, over all requests.
pub const MAX_OPENED: usize = 1_024;

/// What an insurer asks about one batch. Asked again with the same bytes it gets the same bytes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Which batch.
    pub subject: Subject,
    /// Which version of it.
    pub release: u32,
    /// The insurer's own number of the request.
    pub number: u32,
    /// What is asked.
    pub ask: Ask,
}

/// What can be asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask {
    /// Evaluate blinded claims.
    Evaluate(Elements),
    /// Open the total to this receiver.
    Total(Digest),
    /// Open leaves that belong to no claim: all of them, or a sample where there are too many.
    Open {
        /// Who reads it.
        receiver: Digest,
        /// What the header's commitment was made from.
        nonce: Digest,
        /// Places of the leaves without a claim, rising.
        places: Vec<u32>,
    },
}

/// The hospital's reply.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// Digest of the sealed request.
    pub request: Digest,
    /// What is replied.
    pub said: Said,
}

/// What can be replied.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Said {
    /// The evaluated batch.
    Evaluated {
        /// In the order of the question.
        elements: Elements,
        /// The proof, 64 bytes.
        proof: Elements,
    },
    /// A parcel for the receiver: canonical [`Opened`].
    Parcel(Bytes),
    /// Not answered; the rule that forbids it.
    Refused(Refusal),
}

/// Why the hospital does not answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The evaluations of this payer and month are used up.
    #[error("more claims were asked about than the hospital's cap allows")]
    Cap,
    /// Too many leaves were opened.
    #[error("no more than {MAX_OPENED} leaves of a payer and month are opened")]
    Opened,
    /// No such batch or version is open to audit.
    #[error("this month and version is not open to audit")]
    Closed,
    /// Elements, places or keys that are none.
    #[error("the request holds what is no element, place or key")]
    Content,
    /// An officer of the hospital refused to open leaves.
    #[error("an officer of the hospital refused to open leaves")]
    Declined,
    /// The hospital's own policy opens no leaves.
    #[error("the hospital's policy opens no leaves")]
    Forbidden,
    /// The nonce is not the one committed to.
    #[error("the nonce is not the one that the header's commitment was made from")]
    Nonce,
}

/// What commitments open to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened(pub Vec<OpenedLeaf>);

/// What one commitment opens to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenedLeaf {
    /// The leaf's place; absent for the total.
    pub place: Option<u32>,
    /// Whole fen, as a decimal.
    amount: String,
    /// The blinding.
    blinding: Digest,
    /// Case group: the hospital's word, not committed to; empty for padding.
    pub group: String,
}

impl Message for Request {
    const TAG: &'static str = "consilium-audit-request-v1";
}

impl Message for Reply {
    const TAG: &'static str = "consilium-audit-reply-v1";
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opened({})", self.0.len())
    }
}

impl std::fmt::Debug for OpenedLeaf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OpenedLeaf(secret)")
    }
}

impl OpenedLeaf {
    /// An opening for the way.
    pub fn new(place: Option<u32>, opening: &Opening, group: &str) -> Self {
        Self {
            place,
            amount: opening.amount.to_string(),
            blinding: Digest::from_bytes(*opening.blinding.to_bytes()),
            group: group.to_owned(),
        }
    }

    /// What it claims; to be checked against a commitment.
    pub fn opening(&self) -> Result<Opening, CommitError> {
        Ok(Opening {
            amount: self.amount.parse().map_err(|_| CommitError::Opening)?,
            blinding: Blinding::from_bytes(*self.blinding.as_bytes())?,
        })
    }
}

/// Why an opening did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum OpenedError {
    /// The parcel.
    #[error(transparent)]
    Parcel(#[from] ParcelError),
    /// Its content.
    #[error(transparent)]
    Content(#[from] canonical::Error),
}

impl Opened {
    /// Seals openings to who asked; `request` is the digest of the sealed request.
    pub fn seal(&self, receiver: &Digest, request: &Digest) -> Result<Bytes, OpenedError> {
        let content = canonical::to_bytes(self)?;
        Ok(Bytes(parcel::seal(receiver, request.as_bytes(), &content)?))
    }

    /// Opens a parcel.
    pub fn open(
        receiver: &Receiver,
        request: &Digest,
        sealed: &Bytes,
    ) -> Result<Self, OpenedError> {
        let content = receiver.open(request.as_bytes(), &sealed.0)?;
        Ok(canonical::from_bytes(&content)?)
    }
}

impl Said {
    /// An evaluated batch.
    pub fn evaluated(answer: &Evaluated) -> Self {
        let (one, two) = halves(&answer.proof);
        Self::Evaluated {
            elements: Elements(answer.elements.clone()),
            proof: Elements(vec![one, two]),
        }
    }

    /// The evaluated batch, if it is one.
    pub fn as_evaluated(&self) -> Option<Evaluated> {
        let Self::Evaluated { elements, proof } = self else {
            return None;
        };
        let proof = proof.0.concat();
        Some(Evaluated {
            elements: elements.0.clone(),
            proof: proof.try_into().ok()?,
        })
    }
}

fn halves(proof: &[u8; 64]) -> (Element, Element) {
    let mut bytes = proof.iter().copied();
    let mut next = || std::array::from_fn(|_| bytes.next().unwrap_or_default());
    (next(), next())
}

/// Group elements on end, in base64; at most a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Elements(pub Vec<Element>);

/// Bytes in base64.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Elements {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(self.0.concat()))
    }
}

impl<'de> Deserialize<'de> for Elements {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Bytes(bytes) = Bytes::deserialize(deserializer)?;
        match bytes.as_chunks::<32>() {
            (elements, []) if (1..=MAX_BATCH).contains(&elements.len()) => {
                Ok(Self(elements.to_vec()))
            }
            _ => Err(serde::de::Error::custom("not 1 to 4,000 elements")),
        }
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64.decode(text);
        bytes
            .map(Self)
            .map_err(|_| serde::de::Error::custom("not base64"))
    }
}
