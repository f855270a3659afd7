//! How rules of money are read: whole, with every fault named and not the first alone.

use std::collections::BTreeSet;

use dashu::rational::RBig;
use schemas::id::Slug;
use schemas::written;
use serde::de::DeserializeOwned;

use super::Exact;
use super::exact::sum;

/// What is wrong with rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// Not the expected shape.
    #[error("the rules are not of the expected shape: {0}")]
    Shape(String),
    /// Values that do not go together.
    #[error("the rules are refused: {}", .0.join("; "))]
    Values(Vec<String>),
}

/// Faults that were found.
#[derive(Debug, Default)]
pub(crate) struct Faults(pub(crate) Vec<String>);

impl Faults {
    /// Notes the fault, unless what it denies holds.
    pub(crate) fn check(&mut self, sound: bool, fault: &str) {
        if !sound {
            self.0.push(fault.to_owned());
        }
    }

    /// Notes a version below one: versions count changes.
    pub(crate) fn counted_from_one(&mut self, version: u32) {
        self.check(version > 0, "`version` is at least 1");
    }
}

/// Reads rules of TOML, unless something is wrong with them.
pub(crate) fn read<T: DeserializeOwned>(
    text: &str,
    check: impl Fn(&T, &mut Faults),
) -> Result<T, RulesError> {
    let rules: T = toml::from_str(text).map_err(|error: toml::de::Error| {
        let at = error.span().map(|span| span.start);
        RulesError::Shape(written::fault(text, error.message(), at))
    })?;
    let mut faults = Faults::default();
    check(&rules, &mut faults);
    if faults.0.is_empty() {
        Ok(rules)
    } else {
        Err(RulesError::Values(faults.0))
    }
}

/// Whether a number is a part of a whole, from 0 to 1.
pub(crate) fn part(value: &Exact) -> bool {
    value.0 >= RBig::ZERO && value.0 <= RBig::ONE
}

/// Whether weights add up to one.
pub(crate) fn one<'a>(weights: impl Iterator<Item = &'a Exact>) -> bool {
    sum(weights.map(|weight| &weight.0)) == RBig::ONE
}

/// Whether each name stands once.
pub(crate) fn distinct<'a>(names: impl Iterator<Item = &'a Slug>) -> bool {
    let mut known = BTreeSet::new();
    let mut names = names;
    names.all(|name| known.insert(name))
}
