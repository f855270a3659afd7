//! Shortening a run that breaks a rule: first fewer operations, then fewer faults.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::bug::Bug;
use super::made::Made;
use super::operation::{Fault, FaultKind, Operation};
use super::world::play;

/// A run that is kept: what it showed, with which bug planted, if any.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    /// One word.
    pub name: String,
    /// The bug; none for a run that the product must pass.
    pub bug: Option<Bug>,
    /// What happens.
    pub operations: Vec<Operation>,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bug = self.bug.map_or("-", Bug::as_str);
        let operations: Vec<String> = self.operations.iter().map(ToString::to_string).collect();
        write!(f, "{} {bug}: {}", self.name, operations.join("; "))
    }
}

impl FromStr for Case {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (head, operations) = text.split_once(':').ok_or("a case has a colon")?;
        let (name, bug) = head.split_once(' ').ok_or("a case has a name and a bug")?;
        let bug = match bug.trim() {
            "-" => None,
            word => Some(Bug::read(word).ok_or_else(|| format!("`{word}` is no bug"))?),
        };
        let operations: Result<Vec<Operation>, String> = operations
            .split(';')
            .map(|one| one.trim().parse())
            .collect();
        Ok(Self {
            name: name.to_owned(),
            bug,
            operations: operations?,
        })
    }
}

/// The shortest run found that still breaks a rule, and which.
pub async fn shrink(
    made: &Arc<Made>,
    operations: &[Operation],
    bug: Option<Bug>,
) -> (Vec<Operation>, String) {
    let breaks = async |operations: &[Operation]| {
        play(made, operations, bug)
            .await
            .broken
            .map(|broken| (broken.step, broken.what))
    };
    let mut best = operations.to_vec();
    let Some((step, mut what)) = breaks(&best).await else {
        return (best, "nothing is broken".to_owned());
    };
    best.truncate(step + 1);
    let mut part = best.len().div_ceil(2);
    while part > 0 {
        let mut at = 0;
        while at < best.len() {
            let mut fewer = best.clone();
            fewer.drain(at..(at + part).min(best.len()));
            match breaks(&fewer).await {
                Some((step, now)) => {
                    fewer.truncate(step + 1);
                    (best, what) = (fewer, now);
                }
                None => at += part,
            }
        }
        part /= 2;
    }
    for at in 0..best.len() {
        if best[at].fault.kind == FaultKind::None {
            continue;
        }
        let mut calmer = best.clone();
        calmer[at].fault = Fault::NONE;
        if let Some((_, now)) = breaks(&calmer).await {
            (best, what) = (calmer, now);
        }
    }
    (best, what)
}
