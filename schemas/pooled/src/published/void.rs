//! A round that its committee voided, as it is published: who was asked what, and the votes.

use schemas::round::Round as Asked;
use schemas::seal::PublicKey;
use schemas::time::Timestamp;

use super::key::KEY;
use super::verify::{file, opened};
use super::{Files, Part, PublishedError, Verified, list_name, verify};
use crate::manifest::Round;
use crate::survivors::VoidCertificate;

/// The file of the void certificate.
pub const VOID: &str = "void.json";

/// A verified publication of a voided round.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Voided {
    /// What was asked.
    pub asked: Asked,
    /// The round.
    pub round: Round,
    /// The cited version of the key list; it and all before it were verified.
    pub list: u32,
    /// Votes in the void certificate.
    pub votes: usize,
}

/// How a published round ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// With a sum.
    Sum(Box<Verified>),
    /// Without one, for ever.
    Void(Box<Voided>),
}

impl Outcome {
    /// What was found to hold, a line for each part.
    pub fn lines(&self) -> Vec<String> {
        let (findings, dissenters) = match self {
            Self::Sum(verified) => (verified.findings(), Some(&verified.dissenters)),
            Self::Void(voided) => (voided.findings(), None),
        };
        let line =
            |(part, found): (Part, String)| format!("{:<12} holds: {found}", part.to_string());
        let others = dissenters.into_iter().flatten();
        let others = others.map(|member| format!("{member} named another mask sum"));
        findings.into_iter().map(line).chain(others).collect()
    }

    /// What it comes to.
    pub fn conclusion(&self) -> String {
        match self {
            Self::Sum(verified) => {
                let hospitals = verified.certified.survivors().uploads.len();
                format!(
                    "{} holds: the sum of {hospitals} hospitals",
                    verified.asked.id
                )
            }
            Self::Void(voided) => {
                format!(
                    "{} holds: voided by its committee, it has no sum",
                    voided.asked.id
                )
            }
        }
    }
}

impl Voided {
    /// What was found to hold, a line for each part.
    pub fn findings(&self) -> Vec<(Part, String)> {
        let (asked, seats) = (self.round.manifest().roster.len(), self.round.shape().m());
        vec![
            (
                Part::KeyList,
                format!("versions 1 to {}, each signed and countersigned", self.list),
            ),
            (
                Part::Round,
                format!("{asked} hospitals asked; committee of {seats}"),
            ),
            (
                Part::Void,
                format!(
                    "{} of {seats} seats voted that it ends without a result",
                    self.votes
                ),
            ),
        ]
    }
}

/// Verifies a publication of either kind by the alliance's key alone. `latest` is the verifier's
/// clock.
pub fn outcome(
    files: &Files,
    key: &PublicKey,
    latest: Timestamp,
) -> Result<Outcome, PublishedError> {
    if !files.contains_key(VOID) {
        return Ok(Outcome::Sum(Box::new(verify(files, key, latest)?)));
    }
    let (asked, list, round) = opened(files, key, latest)?;
    let certificate = VoidCertificate::parse(file(files, VOID)?);
    let certificate = certificate.map_err(PublishedError::Void)?;
    certificate.verify(&round).map_err(PublishedError::Void)?;
    let known = |name: &str| {
        ["offer.json", VOID, KEY].contains(&name)
            || (1..=list).any(|version| name == list_name(version))
    };
    if let Some(name) = files.keys().find(|name| !known(name)) {
        return Err(PublishedError::Stray(name.clone()));
    }
    Ok(Outcome::Void(Box::new(Voided {
        asked,
        round,
        list,
        votes: certificate.votes.len(),
    })))
}
