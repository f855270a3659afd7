//! What an outpatient visit has beside its patient and day.

use super::beside::tier;
use super::calendar::Source;
use super::chance::Chance;
use super::person::{Person, number, plain};

/// The columns of a visit after its day.
pub(super) const HEADER: &str = "tier,department,insurance,family,total_cost,repeat_test";

/// Disease family and what a visit of it costs about, in yuan.
pub(super) const FAMILIES: [(&str, u32); 8] = [
    ("hypertension", 280),
    ("diabetes", 340),
    ("heart", 420),
    ("lung", 380),
    ("stroke", 450),
    ("infection", 180),
    ("injury", 260),
    ("eye", 250),
];

/// The departments of outpatients.
pub(super) const DEPARTMENTS: [&str; 3] = ["0301", "0302", "0303"];

/// Writes these columns.
pub(super) fn tail(source: &Source<'_>, person: &Person, chance: &mut Chance, to: &mut Vec<u8>) {
    let (family, yuan) = chance.of_these(&FAMILIES);
    to.extend_from_slice(tier(source.hospital.tier).as_bytes());
    to.push(b',');
    to.extend_from_slice(chance.of_these(&DEPARTMENTS).as_bytes());
    to.push(b',');
    to.extend_from_slice(person.insurance.key().as_bytes());
    to.push(b',');
    to.extend_from_slice(family.as_bytes());
    to.push(b',');
    plain(to, chance.between(yuan / 2, yuan * 2).into());
    to.push(b'.');
    number(to, chance.below(100), 2);
    to.extend_from_slice(if chance.happens(80_000) { b",1" } else { b",0" });
}
