//! The rules of overspend (`rules/overspend.toml`), and the corridor in which the insurer pays.

use dashu::rational::RBig;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::money::Fen;
use schemas::time::Month;
use serde::{Deserialize, Serialize};

use crate::figures::Exact;
use crate::figures::exact::round;
use crate::figures::settings::{Faults, RulesError, part, read};

/// The rules as shipped.
pub const DEFAULT: &str = include_str!("../../../rules/overspend.toml");

/// Rules of overspend.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverspendRules {
    /// Rises with each change.
    pub version: u32,
    /// The first month that they hold for.
    pub effective: Month,
    /// What the insurer bears of reasonable overspend, from 0 to 1.
    pub insurer: Exact,
    /// How much of what a member bears itself is taken from its next budget, from 0.
    pub next_year: Exact,
    /// How a case group's standard and actual cost become what the insurer pays.
    pub corridor: Corridor,
}

/// What the insurer pays between and beyond two lines of the standard.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Corridor {
    /// Below this part of the standard the actual cost is paid, from there up to it the standard.
    pub full_from: Exact,
    /// Slices above the standard, rising.
    pub slices: Vec<Slice>,
}

/// One slice above the standard.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slice {
    /// Up to this part of the standard.
    pub to: Exact,
    /// What the insurer covers of it, from 0 to 1.
    pub covers: Exact,
}

impl OverspendRules {
    /// Reads and checks rules.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        read(text, Self::check)
    }

    /// Digest of the rules, as settlements cite it.
    pub fn digest(&self) -> Result<Digest, canonical::Error> {
        canonical::digest("consilium-overspend-rules-v1", self)
    }

    pub(crate) fn check(&self, faults: &mut Faults) {
        faults.counted_from_one(self.version);
        let mut check = |sound: bool, fault: &str| faults.check(sound, fault);
        let slices = &self.corridor.slices;
        let rising = slices.windows(2).all(|pair| match pair {
            [one, next] => one.to < next.to,
            _ => true,
        });
        let checks = [
            (part(&self.insurer), "`insurer` is from 0 to 1"),
            (
                self.next_year.0 >= RBig::ZERO && self.next_year.0 <= RBig::from(2),
                "`next_year` is from 0 to 2",
            ),
            (
                part(&self.corridor.full_from),
                "`corridor.full_from` is from 0 to 1",
            ),
            (
                rising && slices.first().is_none_or(|slice| slice.to.0 > RBig::ONE),
                "slices rise, from above 1",
            ),
            (
                slices.iter().all(|slice| part(&slice.covers)),
                "a slice covers from 0 to 1",
            ),
        ];
        for (sound, fault) in checks {
            check(sound, fault);
        }
    }
}

/// What the insurer pays for a standard and an actual cost, rounded once (rule R5). `None` where an
/// amount is below zero or leaves 64 bits.
pub fn paid(corridor: &Corridor, standard: Fen, actual: Fen) -> Option<Fen> {
    if standard < Fen(0) || actual < Fen(0) {
        return None;
    }
    let (full, spent) = (RBig::from(standard.0), RBig::from(actual.0));
    if spent < &full * &corridor.full_from.0 {
        return Some(actual);
    }
    let mut paid = full.clone();
    let mut from = full.clone();
    for slice in &corridor.slices {
        let to = &full * &slice.to.0;
        if spent <= from {
            break;
        }
        let upper = if spent < to { &spent } else { &to };
        paid += (upper - &from) * &slice.covers.0;
        from = to;
    }
    round(&paid)
}
