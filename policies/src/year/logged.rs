//! A published year held against the coordinator's log: who said what when, and who was administrator.

use std::collections::BTreeMap;

use schemas::digest::Digest;
use schemas::entry::Entry;

use super::published::{Fault, Kept, Published};

impl Published {
    /// Whether these are the statements that a coordinator's log holds about the year, all of them, in
    /// their order and as they were taken, each under the administrators whose coming and leaving the
    /// log tells of. The log's own soundness is another question.
    pub fn logged(&self, entries: &[Entry]) -> Result<(), Fault> {
        let number = self.year.to_string();
        let mut administrators: BTreeMap<String, Digest> = BTreeMap::new();
        let mut statements = self.statements.iter();
        let mut place = 0_usize;
        for entry in entries {
            let detail = |name: &str| {
                let mut details = entry.detail.iter();
                let found = details.find(|(key, _)| key.as_str() == name);
                found.map(|(_, text)| text.clone()).unwrap_or_default()
            };
            match entry.kind.as_str() {
                "administrator" => drop(administrators.insert(detail("name"), entry.subject)),
                "administrator-leaves" => drop(administrators.remove(&detail("name"))),
                "year" if detail("year") == number => {
                    place = place.saturating_add(1);
                    let kept = statements.next().ok_or(Fault::Log(place))?;
                    same(entry, kept, &administrators, place)?;
                }
                _ => {}
            }
        }
        match statements.next() {
            Some(_) => Err(Fault::Log(place.saturating_add(1))),
            None => Ok(()),
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
