//! What a referral, a follow-up and a satisfaction answer have beside their patient and day.

use super::beside::tier;
use super::calendar::Source;
use super::chance::Chance;
use super::hospital::Tier;
use super::person::{Person, number, plain};
use super::visits::{DEPARTMENTS, FAMILIES};

/// The columns of a referral after its day.
pub(super) const REFERRAL: &str = "direction,from_tier,to_tier,department,family,accepted";
/// The columns of a follow-up after its day.
pub(super) const FOLLOWUP: &str = "tier,disease,done,controlled,readmission";
/// The columns of a satisfaction answer after its day.
pub(super) const SURVEY: &str = "tier,department,channel,subject,score";

/// Diseases that are managed.
const MANAGED: [&str; 5] = ["hypertension", "diabetes", "heart", "lung", "stroke"];
const CHANNELS: [&str; 3] = ["wechat", "phone", "onsite"];
const SUBJECTS: [&str; 4] = ["inpatient", "outpatient", "chronic", "referral"];

/// Writes a referral: up from all but the highest tier, down from all but the lowest.
pub(super) fn referral(source: &Source<'_>, _: &Person, chance: &mut Chance, to: &mut Vec<u8>) {
    let from = source.hospital.tier;
    let up = match from {
        Tier::Grassroots => true,
        Tier::Secondary => chance.below(2) == 0,
        Tier::Tertiary => false,
    };
    let other = match (from, up) {
        (Tier::Grassroots, _) => [Tier::Secondary, Tier::Tertiary],
        (Tier::Secondary, true) => [Tier::Tertiary, Tier::Tertiary],
        (Tier::Secondary, false) => [Tier::Grassroots, Tier::Grassroots],
        (Tier::Tertiary, _) => [Tier::Secondary, Tier::Grassroots],
    };
    let [near, far] = other;
    let receives = if chance.below(2) == 0 { near } else { far };
    let (family, _) = chance.of_these(&FAMILIES);
    let words = [
        if up { "up" } else { "down" },
        tier(from),
        tier(receives),
        chance.of_these(&DEPARTMENTS),
        family,
        if chance.happens(900_000) { "1" } else { "0" },
    ];
    to.extend_from_slice(words.join(",").as_bytes());
}

/// Writes a follow-up: nine in ten done, about two in three of these controlled.
pub(super) fn followup(source: &Source<'_>, _: &Person, chance: &mut Chance, to: &mut Vec<u8>) {
    let disease = chance.of_these(&MANAGED);
    let done = chance.happens(900_000);
    let controlled = done && chance.happens(650_000);
    let readmission = match chance.below(100) {
        0..3 => "within_15",
        3..6 => "within_30",
        _ => "none",
    };
    let flag = |yes| if yes { "1" } else { "0" };
    let tier = tier(source.hospital.tier);
    let words = [tier, disease, flag(done), flag(controlled), readmission];
    to.extend_from_slice(words.join(",").as_bytes());
}

/// Writes a satisfaction answer of 60 to 100 points.
pub(super) fn survey(source: &Source<'_>, _: &Person, chance: &mut Chance, to: &mut Vec<u8>) {
    let words = [
        tier(source.hospital.tier),
        chance.of_these(&DEPARTMENTS),
        chance.of_these(&CHANNELS),
        chance.of_these(&SUBJECTS),
        "",
    ];
    to.extend_from_slice(words.join(",").as_bytes());
    plain(to, chance.between(60, 99).into());
    to.push(b'.');
    number(to, chance.below(100), 2);
}
