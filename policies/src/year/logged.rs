//! A published year held against the coordinator's log: who said what when, who was administrator, and
//! with which keys its members had joined.

use std::collections::BTreeMap;

use schemas::digest::Digest;
use schemas::entry::Entry;
use schemas::seal::PublicKey;
use schemas::year::Says;

use super::published::{Fault, Kept, Published};

/// A year's statements, all of them in the log and no others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Logged {
    /// How many lie beyond the entry up to which others witnessed the log: that they are all rests on the
    /// coordinator's word.
    pub unwitnessed: usize,
}

impl std::fmt::Display for Logged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(
            "all statements of the year stand in that log, and no others; its members joined with these keys",
        )?;
        match self.unwitnessed {
            0 => Ok(()),
            some => write!(
                f,
                "; NOT WITNESSED yet: the last {some} of them. That they are the last rests on the \
                 coordinator's word: publish the log again once others have cosigned it"
            ),
        }
    }
}

impl Published {
    /// Whether these are the statements that a coordinator's log holds about the year, all of them, in
    /// their order and as they were taken, each under the administrators whose coming and leaving the
    /// log tells of; and whether each opening's members are hospitals that had joined by then, each with
    /// the key that it joined with. Others have `witnessed` that many entries of it; the log's own soundness is another
    /// question.
    pub fn logged(&self, entries: &[Entry], witnessed: u64) -> Result<Logged, Fault> {
        let number = self.year.to_string();
        let mut administrators: BTreeMap<String, Digest> = BTreeMap::new();
        let mut joined: BTreeMap<String, String> = BTreeMap::new();
        let mut statements = self.statements.iter();
        let (mut place, mut beyond) = (0_usize, 0_usize);
        for entry in entries {
            let detail = |name: &str| {
                let mut details = entry.detail.iter();
                let found = details.find(|(key, _)| key.as_str() == name);
                found.map(|(_, text)| text.clone()).unwrap_or_default()
            };
            match entry.kind.as_str() {
                "administrator" => drop(administrators.insert(detail("name"), entry.subject)),
                "administrator-leaves" => drop(administrators.remove(&detail("name"))),
                "join" => drop(joined.insert(detail("hospital"), detail("message-key"))),
                "revoke" => drop(joined.remove(&detail("hospital"))),
                "year" if detail("year") == number => {
                    place = place.saturating_add(1);
                    let ends = Fault::FileEnds(place.saturating_sub(1));
                    let kept = statements.next().ok_or(ends)?;
                    same(entry, kept, &administrators, place)?;
                    members(kept, &joined, place)?;
                    beyond = beyond.saturating_add(usize::from(entry.sequence > witnessed));
                }
                _ => {}
            }
        }
        match statements.next() {
            Some(_) if place == 0 => Err(Fault::OtherLog),
            Some(_) => Err(Fault::LogEnds(place)),
            None => Ok(Logged {
                unwitnessed: beyond,
            }),
        }
    }
}

fn same(
    entry: &Entry,
    kept: &Kept,
    administrators: &BTreeMap<String, Digest>,
    place: usize,
) -> Result<(), Fault> {
    if Some(entry.subject) != kept.statement.digest().ok() || entry.at != kept.taken {
        return Err(Fault::Log(place));
    }
    let claimed = kept.administrators.iter();
    let claimed: BTreeMap<String, Digest> = claimed
        .map(|(name, key)| (name.to_string(), key.fingerprint()))
        .collect();
    if claimed != *administrators {
        return Err(Fault::Administrators(place));
    }
    Ok(())
}

/// Whether the members that an opening or a change names are those that had joined, key by key.
fn members(kept: &Kept, joined: &BTreeMap<String, String>, place: usize) -> Result<(), Fault> {
    let claimed = |key: &&PublicKey| key.fingerprint() == kept.statement.claimed_key();
    let key = kept.administrators.values().find(claimed);
    let opened = key.and_then(|key| kept.statement.open(key).ok());
    let members = match opened.map(|statement| statement.says) {
        Some(Says::Open { members, .. }) => members,
        Some(Says::Join { member, key, .. }) => BTreeMap::from([(member, key)]),
        _ => return Ok(()),
    };
    for (member, key) in &members {
        if joined.get(member.as_str()) != Some(&key.fingerprint().to_string()) {
            return Err(Fault::Member(place, member.clone()));
        }
    }
    Ok(())
}
