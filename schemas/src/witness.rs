//! What nodes and coordinator tell each other about their logs. The coordinator only relays: every
//! note is signed by the log that it is about, and each witness checks the proofs itself.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::Slug;
use crate::seal::PublicKey;

/// A node asks what is known of its own log, and which logs have grown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// The node's own log, `<alliance>/<hospital>/log`.
    pub origin: String,
    /// The size at which the node has last cosigned each other log.
    pub known: BTreeMap<String, u64>,
}

/// What the coordinator answers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exchanged {
    /// The newest checkpoint of the node's own log that the coordinator cosigned, and others too.
    pub own: Option<String>,
    /// The message keys of the alliance's organisations, of the coordinator under `coordinator`.
    pub keys: BTreeMap<Slug, PublicKey>,
    /// Rises whenever there is something new to exchange; the next poll for rounds names it, so that
    /// nothing is missed between the two.
    pub turn: u64,
    /// Checkpoints of other logs that continue what the node knows, in order.
    pub steps: Vec<Step>,
}

/// One checkpoint of a log and the proof that it continues the one before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Whose log it is.
    pub organisation: Slug,
    /// The log.
    pub origin: String,
    /// Size of the checkpoint before; 0 where the witness saw none.
    pub old: u64,
    /// Consistency proof from `old`, at most 63 hashes (RFC 6962 §2.1.2).
    pub proof: Vec<Digest>,
    /// The checkpoint, a signed note.
    pub note: String,
}
