//! The keys that a published log is verified with. Whoever verifies compares them with those that
//! the organisations themselves gave.

use std::fmt;

use super::Fault;
use crate::checkpoint::Member;
use crate::note::Kind;

/// The log's key and the witnesses' keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keys {
    /// The key of the log; its name is the log's.
    pub log: Member,
    /// The keys of witnesses.
    pub witnesses: Vec<Member>,
}

impl Keys {
    /// Reads lines `log ORGANISATION KEY` (once) and `witness ORGANISATION KEY`; a key is written
    /// as C2SP signed-note has it.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let (mut log, mut witnesses) = (None, Vec::new());
        let text = text.strip_suffix('\n').ok_or(Fault::Keys)?;
        for line in text.split('\n') {
            let words: Vec<&str> = line.split(' ').collect();
            let [role, organisation, key] = words.as_slice() else {
                return Err(Fault::Keys);
            };
            let member = Member {
                organisation: organisation.parse().map_err(|_| Fault::Keys)?,
                key: key.parse().map_err(|_| Fault::Keys)?,
            };
            match (*role, member.key.kind()) {
                ("log", Kind::Text) if log.is_none() => log = Some(member),
                ("witness", Kind::Cosignature) => witnesses.push(member),
                _ => return Err(Fault::Keys),
            }
        }
        let log = log.ok_or(Fault::Keys)?;
        Ok(Self { log, witnesses })
    }
}

/// As it is published.
impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "log {} {}", self.log.organisation, self.log.key)?;
        for witness in &self.witnesses {
            writeln!(f, "witness {} {}", witness.organisation, witness.key)?;
        }
        Ok(())
    }
}
