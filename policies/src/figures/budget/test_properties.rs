#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "simulated values are small"
)]

use std::collections::BTreeMap;

use dashu::rational::RBig;
use proptest::prelude::*;
use schemas::digest::Digest;
use schemas::money::Fen;

use super::test::{exact, member, rules, slug};
use super::*;
use crate::figures::Exact;
use crate::figures::simulation::Source;

/// Any alliance that the rules can split.
fn alliances() -> impl Strategy<Value = BudgetInput> {
    let one = (
        1_i64..10_i64.pow(11),
        prop::array::uniform4(0_u32..1_000_000),
    );
    let members = prop::collection::vec(one, 1..20);
    (members, 0_i64..10_i64.pow(13)).prop_map(|(members, total)| {
        let members = members
            .into_iter()
            .enumerate()
            .map(|(n, (before, values))| {
                let values = values.map(|value| (value + 1).to_string());
                let values = [0, 1, 2, 3].map(|at: usize| values[at].as_str());
                member(&format!("m{n}"), Tier::Secondary, before, values)
            });
        BudgetInput {
            year: 2026,
            total: Fen(total),
            members: members.collect(),
            demand: BTreeMap::new(),
            groups: Vec::new(),
            revision: None,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_fen_has_one_place(input in alliances()) {
        let plan = plan(&rules(), &input).unwrap();
        let sum: i64 = plan.members.iter().map(|part| part.amount.0).sum();
        prop_assert_eq!(sum, plan.distributable.0);
        prop_assert_eq!(plan.distributable.0 + plan.reserve.0, input.total.0);
        for part in &plan.members {
            prop_assert!(part.floor.0 - 1 <= part.amount.0 && part.amount.0 <= part.ceiling.0 + 1);
            prop_assert_eq!(part.monthly.iter().map(|fen| fen.0).sum::<i64>(), part.amount.0);
        }
    }

    #[test]
    fn the_order_of_members_moves_no_more_than_the_last_fen(input in alliances(), turn in 0_usize..20) {
        let forth = plan(&rules(), &input).unwrap();
        let mut turned = input.clone();
        let turn = turn % input.members.len();
        turned.members.rotate_left(turn);
        turned.members.reverse();
        let mut back = plan(&rules(), &turned).unwrap();
        back.members.reverse();
        back.members.rotate_right(turn);
        // Of equal remainders and weights the earlier place gets the fen; else all is equal.
        for (one, other) in forth.members.iter().zip(&back.members) {
            prop_assert!((one.amount.0 - other.amount.0).abs() <= 1);
            prop_assert_eq!((&one.share, one.pinned), (&other.share, other.pinned));
        }
        let alike = |plan: &Plan| {
            let mut amounts: Vec<i64> = plan.members.iter().map(|part| part.amount.0).collect();
            amounts.sort_unstable();
            amounts
        };
        prop_assert_eq!(alike(&forth), alike(&back));
    }

    /// In each factor and in each year before: who has more of it never gets less.
    #[test]
    fn more_of_an_input_is_never_less_money(input in alliances(), by in 1_u32..1_000_000, at in 0_usize..20, which in 0_usize..5) {
        let at = at % input.members.len();
        let before = plan(&rules(), &input).unwrap();
        let mut more = input.clone();
        let member = &mut more.members[at];
        if let Some(factor) = member.factors.values_mut().nth(which) {
            factor.value = Exact(&factor.value.0 + RBig::from(by));
        } else {
            let year = (by as usize) % member.before.len();
            member.before[year] = Fen(member.before[year].0 + i64::from(by));
        }
        let after = plan(&rules(), &more).unwrap();
        prop_assert!(after.members[at].amount.0 + 1 >= before.members[at].amount.0);
    }

    /// More to share is never less for anybody.
    #[test]
    fn more_to_share_is_never_less_for_anybody(input in alliances(), by in 1_i64..10_i64.pow(10)) {
        let before = plan(&rules(), &input).unwrap();
        let after = plan(&rules(), &BudgetInput { total: Fen(input.total.0 + by), ..input }).unwrap();
        prop_assert!(after.reserve >= before.reserve);
        for (one, other) in before.members.iter().zip(&after.members) {
            prop_assert!(other.amount.0 + 1 >= one.amount.0);
        }
    }

    /// A factor in other units, in all members, is the same split.
    #[test]
    fn the_unit_of_a_factor_does_not_matter(input in alliances(), k in 2_i64..1_000, which in 0_usize..4) {
        let before = plan(&rules(), &input).unwrap();
        let mut other = input.clone();
        for member in &mut other.members {
            let factor = member.factors.values_mut().nth(which).unwrap();
            factor.value = Exact(&factor.value.0 * RBig::from(k));
        }
        let after = plan(&rules(), &other).unwrap();
        for (one, other) in before.members.iter().zip(&after.members) {
            prop_assert_eq!((one.amount, &one.share, one.pinned), (other.amount, &other.share, other.pinned));
        }
    }

    #[test]
    fn k_times_the_money_is_k_times_each_part(input in alliances(), k in 2_i64..50) {
        let mut more = input.clone();
        more.total = Fen(input.total.0 * k);
        for member in &mut more.members {
            for fen in &mut member.before {
                *fen = Fen(fen.0 * k);
            }
        }
        let (one, many) = (plan(&rules(), &input).unwrap(), plan(&rules(), &more).unwrap());
        for (one, many) in one.members.iter().zip(&many.members) {
            prop_assert!((many.amount.0 - one.amount.0 * k).abs() <= k + 1);
            prop_assert_eq!(&one.share, &many.share);
        }
    }
}

/// design.md §11, issue 4: 3,000 simulated alliances, one random unpinned member of each. False alarm of
/// a bound: 5 standard deviations.
#[test]
fn stat_intervals_of_amounts_hold_what_would_be_without_noise() {
    let coverage = coverage(None, Alone::No);
    assert!((0.93..=0.97).contains(&coverage), "{coverage}");
}

/// Both noisy factors of a member are figures of one benchmark and have the same error. Without their
/// source, 88 of 100 intervals would hold.
#[test]
fn stat_intervals_hold_where_figures_of_one_benchmark_share_their_error() {
    let coverage = coverage(Some(Digest::ZERO), Alone::No);
    assert!((0.93..=0.97).contains(&coverage), "{coverage}");
}

/// Who is alone between its bounds gets what its neighbours' bounds leave, and these may not hold
/// without noise: its interval knows, at the price of being wide. By its own noise alone it would be a
/// point, which is asserted to hold too seldom.
#[test]
fn stat_the_only_member_between_its_bounds_is_not_promised_too_much() {
    let coverage = coverage(None, Alone::Yes);
    assert!(coverage >= 0.95, "{coverage}");
}

/// Whether only members count that are alone between their bounds.
#[derive(Clone, Copy, PartialEq)]
enum Alone {
    Yes,
    No,
}

/// How many intervals hold; with a source, a member's errors are one.
fn coverage(same: Option<Digest>, alone: Alone) -> f64 {
    let (runs, noise) = match alone {
        Alone::Yes => (300, 0.05),
        Alone::No => (3_000, 0.01),
    };
    let rules = rules();
    let mut source = Source::new(417);
    let (mut held, mut of, mut exactly) = (0_u32, 0_u32, 0_u32);
    let (mut stays, mut promised, mut pinned) = (0.0, 0.0, 0_u32);
    while of < runs {
        let (least, most) = if alone == Alone::Yes {
            (2, 2.0)
        } else {
            (3, 10.0)
        };
        let size = least + (source.uniform() * most) as usize;
        let mut exact_input = BudgetInput {
            year: 2026,
            total: Fen(100_000_000_000),
            members: Vec::new(),
            demand: BTreeMap::new(),
            groups: Vec::new(),
            revision: None,
        };
        let mut noisy_input = exact_input.clone();
        for n in 0..size {
            let level = (1.0 + source.normal() * 0.5).exp();
            let before = (level * 5e9 * (1.0 + 0.15 * source.normal()).max(0.3)).round();
            let values: Vec<i64> = [20_000.0, 150_000.0, 75.0, 10_000.0]
                .iter()
                .map(|scale| {
                    (scale * level * (1.0 + 0.15 * source.normal()).max(0.3)).round() as i64
                })
                .collect();
            let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
            let texts = [0, 1, 2, 3].map(|at: usize| texts[at].as_str());
            let sound = member(&format!("m{n}"), Tier::Secondary, before as i64, texts);
            let mut noisy = sound.clone();
            let one = source.normal();
            for (name, at) in [("case-weighted-volume", 0_usize), ("chronic-managed", 3)] {
                let sd = noise * values[at] as f64 + 20.0;
                let error = if same.is_some() { one } else { source.normal() };
                let value = values[at] + (sd * error).round() as i64;
                let measured = Measured {
                    value: exact(&value.to_string()),
                    variance: Some(exact(&((sd * sd).round() as i64).to_string())),
                    source: same,
                };
                noisy.factors.insert(slug(name), measured);
            }
            exact_input.members.push(sound);
            noisy_input.members.push(noisy);
        }
        let truth = plan(&rules, &exact_input).unwrap();
        let shown = plan(&rules, &noisy_input).unwrap();
        let free: Vec<usize> = (0..size)
            .filter(|at| shown.members[*at].pinned == Pinned::Free)
            .collect();
        for (part, sound) in shown.members.iter().zip(&truth.members) {
            if let Some(Noise::Held { stays: probability }) = &part.noise {
                pinned += 1;
                promised += probability.parse::<f64>().unwrap();
                stays += f64::from(u8::from(sound.pinned == part.pinned));
            }
        }
        if free.is_empty() || (alone == Alone::Yes && free.len() > 1) {
            continue;
        }
        let at = free[(source.uniform() * free.len() as f64) as usize % free.len()];
        let Some(Noise::Interval { low, high }) = &shown.members[at].noise else {
            panic!("no interval");
        };
        of += 1;
        let point = truth.members[at].amount.0 - shown.members[at].amount.0;
        exactly += u32::from(point.abs() <= 1);
        held += u32::from((*low..=*high).contains(&truth.members[at].amount));
    }
    let coverage = f64::from(held) / f64::from(of);
    let exactly = f64::from(exactly) / f64::from(of);
    assert!(exactly < 0.93, "{exactly}");
    println!(
        "coverage {coverage:.4} of {of}, exactly {exactly:.4}; pinned {pinned}: stays {:.3}, said {:.3}",
        stays / f64::from(pinned),
        promised / f64::from(pinned)
    );
    assert!((stays - promised).abs() / f64::from(pinned) < 0.05);
    coverage
}
