use std::collections::BTreeSet;

use proptest::prelude::*;

use super::test_world::*;
use super::*;

/// Anything that anybody could say.
fn anything() -> impl Strategy<Value = (usize, i64, Says)> {
    let matter = (0_usize..4).prop_map(|n| Matter::ALL[n]);
    let member = (0_usize..3).prop_map(|n| MEMBERS[n]);
    let about = (matter, 0_u8..3, member, any::<bool>(), 0_usize..20);
    let says = about.prop_map(|(matter, n, member, yes, kind)| match kind {
        0 => Says::Invite,
        1 => apply(i64::from(n) - 1),
        2 => Says::Review,
        3 | 4 => propose(matter, n),
        5 | 6 => accept(matter, n),
        7 => object(matter, n),
        8 => answer(matter, n, member, yes),
        9..=11 => sign(matter, n),
        12 => paid(member, if yes { "2026-03" } else { "2026-04" }, n == 0),
        13 => Says::PayOut { result: result(n) },
        14 => Says::Target {
            target: Fen(i64::from(n) * 500),
            why: String::new(),
        },
        15 => Says::Withdraw { why: String::new() },
        16 => task("beds", member),
        17 => Says::Report {
            task: slug("beds"),
            done: "moved".into(),
        },
        18 => Says::Judge {
            task: slug("beds"),
            done: yes,
            why: String::new(),
        },
        _ => Says::Close,
    });
    (0_usize..11, 0_i64..5 * DAY, says)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever is said in whatever order: stages only go on, what is in force was signed by all
    /// who must and contested by nobody, and money moves only under a plan in force.
    #[test]
    fn no_order_of_statements_leads_astray(said in prop::collection::vec(anything(), 1..120), begin in 0_u8..3) {
        let world = World::new();
        let names: Vec<&str> = MEMBERS.iter().chain(&PARTIES).chain(&ADMINISTRATORS).copied().collect();
        let mut year = match begin { 0 => world.open(), 1 => world.planned(), _ => world.in_force() };
        let mut now = 10;
        for (by, later, says) in said {
            now += later / 8;
            // Mostly somebody who may say it, so that a year gets somewhere.
            let by = match &says {
                Says::Invite | Says::Review | Says::Propose { .. } | Says::Close | Says::Task { .. } | Says::Judge { .. } if by > 2 => "wang-fang",
                Says::Paid { .. } | Says::PayOut { .. } if by > 2 => "insurer",
                _ => names[by],
            };
            let Ok(next) = world.take(&year, by, now, says.clone()) else { continue };
            prop_assert!(next.stage >= year.stage);
            prop_assert!(year.stage < Stage::Closed);
            prop_assert!(next.target == year.target || year.stage < Stage::InForce);
            prop_assert!(next.tasks == year.tasks || year.stage == Stage::InForce);
            prop_assert!(next.paid == year.paid || year.stage == Stage::InForce);
            prop_assert!(next.paid_out.is_none() || next.matters[&Matter::Bonus].in_force);
            for (matter, course) in &next.matters {
                if let Some(before) = year.matters.get(matter).filter(|before| before.in_force) {
                    prop_assert_eq!(before, course);
                }
                if course.in_force {
                    let needed: BTreeSet<Slug> = signers(*matter).iter().map(|name| slug(name)).collect();
                    prop_assert_eq!(&course.signed, &needed);
                    prop_assert!(course.objections.values().all(|one| one.decided == Some(false)));
                }
            }
            let planned = next.matters.get(&Matter::Plan).is_some_and(|plan| plan.in_force);
            prop_assert_eq!(planned, next.stage == Stage::InForce || next.stage == Stage::Closed);
            let open = next.tasks.values().any(|task| task.done.is_none());
            prop_assert!(!open || next.stage != Stage::Closed);
            year = next;
        }
    }

    #[test]
    fn a_statement_with_one_bit_flipped_is_none(bit in 0_usize..100_000) {
        let world = World::new();
        let sealed = world.sealed("h1", 2, accept(Matter::Plan, 1));
        let mut bytes = schemas::canonical::to_bytes(&sealed).unwrap();
        let bit = bit % (bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(flipped) = schemas::canonical::read::<Sealed<Statement>>(&bytes) {
            let administrators = world.of(&ADMINISTRATORS);
            let taken = world.planned().take(&slug("river"), &world.rules, &administrators, &flipped, Timestamp(2));
            prop_assert!(taken.is_err());
        }
    }
}
