//! What holds of any bonus: every fen has one place, order of members and units do not matter, and more
//! of what is good is never less money.

use std::collections::BTreeMap;

use dashu::rational::RBig;
use proptest::prelude::*;
use schemas::money::Fen;

use super::test::{measured, member, oracle, rules, slug};
use super::*;
use crate::figures::Exact;
use crate::figures::budget::Tier;

const DIMENSIONS: [&str; 3] = ["referral-share", "chronic-control", "grassroots-growth"];

/// Any alliance with its surplus, pool, prizes, fallen quality and flags.
fn alliances() -> impl Strategy<Value = BonusInput> {
    let one = (
        prop::array::uniform3(-50_i32..500),
        0_u8..8,
        0_i64..10_i64.pow(10),
        0_u64..300,
    );
    let members = prop::collection::vec(one, 1..15);
    let amounts = prop::array::uniform3(0_i64..10_i64.pow(12));
    let teams = prop::array::uniform2(-20_i64..20);
    (members, amounts, teams).prop_map(|(all, amounts, teams)| {
        let mut input = oracle();
        [input.basic, input.performance, input.strategic] = amounts.map(Fen);
        input.lead = slug("m0");
        input.members.clear();
        (input.own, input.referrals) = (BTreeMap::new(), BTreeMap::new());
        for (n, (values, marks, own, referrals)) in all.into_iter().enumerate() {
            let tier = match n % 3 {
                0 => Tier::Tertiary,
                _ => Tier::Grassroots,
            };
            let texts = values.map(|value| value.to_string());
            let texts = [0, 1, 2].map(|at: usize| texts[at].as_str());
            let mut contributor = member(&format!("m{n}"), tier, texts);
            contributor.quality_held = marks != 0;
            let jump = if marks == 1 { "0.5" } else { "0.1" };
            let jump = measured(jump, None);
            contributor.gaming.insert(slug("volume-jump"), jump);
            input.own.insert(contributor.id.clone(), Fen(own));
            input.referrals.insert(contributor.id.clone(), referrals);
            input.members.push(contributor);
        }
        input.teams = [(slug("t1"), teams[0]), (slug("t2"), teams[1])].into();
        input
    })
}

fn got(found: &Bonus, id: &str) -> i64 {
    let of = |map: &BTreeMap<schemas::id::Slug, Fen>| map.get(&slug(id)).map_or(0, |fen| fen.0);
    of(&found.basic) + of(&found.performance)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_fen_of_surplus_and_pool_has_one_place(input in alliances()) {
        let found = bonus(&rules(), &input).unwrap();
        let given: i64 = found.basic.values().chain(found.performance.values()).map(|fen| fen.0).sum();
        let surplus = input.basic.0 + input.performance.0 + input.strategic.0;
        prop_assert_eq!(given + found.retained.0, surplus);
        prop_assert!(found.basic.values().chain(found.performance.values()).all(|fen| fen.0 >= 0));
        let pool = &found.pool;
        let prizes: i64 = pool.referrals.values().map(|fen| fen.0).sum();
        let team = pool.team.as_ref().map_or(0, |(_, fen)| fen.0);
        prop_assert_eq!(prizes + team + pool.left.0, pool.total.0);
        for (id, own) in &input.own {
            prop_assert_eq!(pool.put_in[id].0 + pool.kept[id].0, own.0);
        }
    }

    /// More of a dimension is never a lower score or less money for who has it, nor more for another.
    #[test]
    fn more_of_a_dimension_is_never_less(input in alliances(), by in 1_u32..400, at in 0_usize..15, which in 0_usize..3) {
        let at = at % input.members.len();
        let before = bonus(&rules(), &input).unwrap();
        let mut more = input.clone();
        let value = more.members[at].dimensions.get_mut(&slug(DIMENSIONS[which])).unwrap();
        value.value = Exact(&value.value.0 + RBig::from(by));
        let after = bonus(&rules(), &more).unwrap();
        // A dimension that nobody had takes its weight back from the others, where one may have had more.
        let new = input.members.iter().all(|one| one.dimensions[&slug(DIMENSIONS[which])].value.0 <= RBig::ZERO);
        prop_assume!(!new);
        prop_assert!(after.scores[at].counts.parse::<f64>().unwrap() >= before.scores[at].counts.parse::<f64>().unwrap());
        let id = input.members[at].id.as_str();
        prop_assert!(got(&after, id) + 2 >= got(&before, id));
        for (one, other) in before.scores.iter().zip(&after.scores) {
            if one.id.as_str() != id {
                prop_assert!(one.counts.parse::<f64>().unwrap() >= other.counts.parse::<f64>().unwrap());
            }
        }
    }

    /// More surplus of a class, or more own surplus in the pool, is never less for anybody.
    #[test]
    fn more_surplus_is_never_less_for_anybody(input in alliances(), by in 1_i64..10_i64.pow(9), which in 0_usize..4) {
        let before = bonus(&rules(), &input).unwrap();
        let mut more = input.clone();
        match which {
            0 => more.basic = Fen(more.basic.0 + by),
            1 => more.performance = Fen(more.performance.0 + by),
            2 => more.strategic = Fen(more.strategic.0 + by),
            _ => *more.own.get_mut(&slug("m0")).unwrap() = Fen(input.own[&slug("m0")].0 + by),
        }
        let after = bonus(&rules(), &more).unwrap();
        for member in &input.members {
            let id = member.id.as_str();
            prop_assert!(got(&after, id) + 2 >= got(&before, id), "{}", id);
            let prize = |found: &Bonus| found.pool.referrals.get(&member.id).map_or(0, |fen| fen.0);
            prop_assert!(prize(&after) + 1 >= prize(&before));
        }
        prop_assert!(after.retained.0 + 2 >= before.retained.0);
    }

    /// Any order of members is the same scores, and the same money but for the last fen of equal rests.
    #[test]
    fn the_order_of_members_does_not_matter(input in alliances(), turn in 0_usize..15) {
        let one = bonus(&rules(), &input).unwrap();
        let mut turned = input.clone();
        turned.members.rotate_left(turn % input.members.len());
        turned.members.reverse();
        let other = bonus(&rules(), &turned).unwrap();
        for score in &one.scores {
            let again = other.scores.iter().find(|again| again.id == score.id).unwrap();
            prop_assert_eq!(score, again);
            prop_assert!((got(&one, score.id.as_str()) - got(&other, score.id.as_str())).abs() <= 2);
        }
        prop_assert_eq!((&one.pool, one.retained), (&other.pool, other.retained));
    }

    /// All money times k is every part times k; a dimension in other units is the same.
    #[test]
    fn k_times_the_money_is_k_times_each_part(input in alliances(), k in 2_i64..50) {
        let mut more = input.clone();
        for fen in [&mut more.basic, &mut more.performance, &mut more.strategic] {
            *fen = Fen(fen.0 * k);
        }
        for fen in more.own.values_mut() {
            *fen = Fen(fen.0 * k);
        }
        for member in &mut more.members {
            let value = member.dimensions.get_mut(&slug(DIMENSIONS[0])).unwrap();
            value.value = Exact(&value.value.0 * RBig::from(k));
        }
        let (one, many) = (bonus(&rules(), &input).unwrap(), bonus(&rules(), &more).unwrap());
        for (score, again) in one.scores.iter().zip(&many.scores) {
            prop_assert_eq!(&score.counts, &again.counts);
            let id = score.id.as_str();
            // Each amount is rounded up to three times before it is multiplied.
            prop_assert!((got(&many, id) - got(&one, id) * k).abs() <= 3 * k + 3);
        }
        for (id, fen) in &one.pool.put_in {
            prop_assert!((many.pool.put_in[id].0 - fen.0 * k).abs() <= k);
        }
    }
}
