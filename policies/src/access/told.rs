//! Whether register and policies are those that the log tells of: who owns the state file can take
//! out rows, and the log shows it.

use schemas::digest::Digest;
use schemas::entry::Entry;

use super::{Signed, Step};

/// What a log told so far.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Names, and whether they came or left.
    steps: Vec<(String, bool)>,
    policies: Vec<Digest>,
}

impl Told {
    /// Hears an entry; `joins` and `leaves` are the kinds of entry of the register.
    pub fn hear(&mut self, entry: &Entry, (joins, leaves): (&str, &str)) {
        let detail = |name: &str| {
            let mut all = entry.detail.iter();
            all.find(|(key, _)| key.as_str() == name)
                .map(|(_, value)| value.clone())
        };
        let kind = entry.kind.as_str();
        if kind == joins || kind == leaves {
            self.steps
                .push((detail("name").unwrap_or_default(), kind == joins));
        } else if kind == "policy" && detail("taken").is_some() {
            self.policies.push(entry.subject);
        }
    }

    /// Compares with what is kept.
    pub fn agrees(&self, steps: &[Step], policies: &[Signed]) -> Result<(), &'static str> {
        let kept = steps.iter().map(|step| {
            let joins = matches!(step, Step::Joins { .. });
            (step.name().to_string(), joins)
        });
        if !kept.eq(self.steps.iter().cloned()) {
            return Err("the register of persons is not what the log tells");
        }
        if !policies
            .iter()
            .map(|signed| signed.policy)
            .eq(self.policies.iter().copied())
        {
            return Err("the signed policies are not those that the log tells");
        }
        Ok(())
    }
}
