//! The hospitals of an alliance: tier, size, cost level and case mix.

use schemas::id::Slug;
use serde::Serialize;

use super::Error;
use super::chance::{Chance, rising};
use super::groups::CaseGroup;

/// Level of care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Large, heavy case mix (三级).
    Tertiary,
    /// County or district hospital (二级).
    Secondary,
    /// Township or community (基层).
    Grassroots,
}

/// A hospital that data are made for.
#[derive(Debug, Clone, Serialize)]
pub struct Hospital {
    /// Its name in file names and questions.
    pub id: Slug,
    /// Its tier.
    pub tier: Tier,
    /// Beds in use.
    pub beds: u32,
    /// Stays settled in the year.
    pub stays: u32,
    /// Its median cost of a stay, in thousandths of the group's reference.
    pub level_permille: u32,
    /// Its median length of stay, in thousandths of the group's reference.
    pub pace_permille: u32,
    /// Position in the alliance, from 1: its own random stream and part of its numbers.
    #[serde(skip)]
    pub(super) number: u32,
}

/// Hospitals `h01`, `h02` … in three tiers of like number, the tertiary first. A secondary
/// hospital has two fifths of a tertiary one's `stays`, a grassroots one a tenth.
pub fn alliance(seed: u64, count: u32, stays: u32) -> Result<Vec<Hospital>, Error> {
    let third = (count / 3).max(1);
    let hospitals = (1..=count).map(|number| {
        let tier = match (number - 1) / third {
            0 => Tier::Tertiary,
            1 => Tier::Secondary,
            _ => Tier::Grassroots,
        };
        hospital(seed, number, &format!("h{number:02}"), tier, stays)
    });
    hospitals.collect()
}

/// One hospital of a tier; `stays` is the number of a tertiary hospital.
pub(super) fn hospital(
    seed: u64,
    number: u32,
    name: &str,
    tier: Tier,
    stays: u32,
) -> Result<Hospital, Error> {
    let mut chance = Chance::of(&[seed, u64::from(number), 0]);
    let (stays, level) = match tier {
        Tier::Tertiary => (stays, 1090),
        Tier::Secondary => (stays / 5 * 2 + stays % 5 * 2 / 5, 960),
        Tier::Grassroots => (stays / 10, 850),
    };
    // Dear and cheap hospitals take turns within a tier.
    let apart = chance.between(40, 160);
    let level_permille = if number % 2 == 1 {
        level + apart
    } else {
        level - apart
    };
    let pace_permille = chance.between(880, 1130);
    Ok(Hospital {
        id: name
            .parse()
            .map_err(|_| Error::Setting("the hospital's name is a short plain name"))?,
        tier,
        beds: (stays / 38).max(20),
        stays,
        level_permille,
        pace_permille,
        number,
    })
}

/// A hospital's case mix: running totals of how often each group occurs, by month.
pub(super) fn mix(seed: u64, hospital: &Hospital, groups: &[CaseGroup]) -> Vec<Vec<u32>> {
    let mut chance = Chance::of(&[seed, u64::from(hospital.number), 1]);
    let shares: Vec<(u32, u32)> = groups
        .iter()
        .map(|group| {
            let share = match hospital.tier {
                Tier::Tertiary => group.tertiary,
                Tier::Secondary => group.secondary,
                Tier::Grassroots => group.grassroots,
            };
            (share * chance.between(70, 130), group.winter)
        })
        .collect();
    let months = (1..=12_u32).map(|month| {
        // How much of winter is in a month, in percent; below zero in summer.
        let cold: i64 = match month {
            12 | 1 | 2 => 100,
            3 | 11 => 40,
            4 | 10 => 0,
            5 | 9 => -50,
            _ => -70,
        };
        rising(shares.iter().map(|(share, winter)| {
            let season = 10_000 + cold * (i64::from(*winter) - 100);
            let weight = i64::from(*share) * season.max(0) / 100;
            u32::try_from(weight).unwrap_or(0)
        }))
    });
    months.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_differ_in_size_and_every_pair_in_cost() {
        let six = alliance(1, 6, 40_000).unwrap();
        let sizes: Vec<u32> = six.iter().map(|hospital| hospital.stays).collect();
        assert_eq!(sizes, [40_000, 40_000, 16_000, 16_000, 4000, 4000]);
        assert!(
            six.chunks(2)
                .all(|pair| pair[0].level_permille > pair[1].level_permille)
        );
        assert_eq!(alliance(1, 1, 100).unwrap()[0].tier, Tier::Tertiary);
    }
}
