use super::test_world::*;
use super::*;

fn month(number: u8) -> Month {
    Month::new(2026, number).unwrap()
}

/// The plan in force.
fn stands(year: &Year) -> Option<Digest> {
    year.plan.as_ref().map(|course| course.result)
}

/// All who take part accept and all parties sign a plan.
fn agreed(world: &World, year: &Year, n: u8, at: i64) -> Year {
    let members: Vec<String> = year.members.keys().map(Slug::to_string).collect();
    let mut said: Vec<(&str, Says)> = members
        .iter()
        .map(|one| (one.as_str(), accept(Matter::Plan, n)))
        .collect();
    let parties = signers(Matter::Plan).into_iter();
    said.extend(parties.map(|party| (party, sign(Matter::Plan, n))));
    world.all(year, at, &said)
}

#[test]
fn a_plan_stands_until_another_knows_of_a_change() {
    let world = World::new();
    let year = world.in_force();
    assert_eq!(stands(&year), Some(result(1)));
    let join = world.joins("h4", 7);
    let changing = world.all(
        &year,
        3,
        &[("wang-fang", join), ("wang-fang", leaves("h3", 7))],
    );
    assert_eq!(stands(&changing), Some(result(1)));
    assert_eq!(changing.months_of(&slug("h4")).len(), 6);
    assert_eq!(changing.months_of(&slug("h3")).len(), 6);
    assert_eq!(changing.months_of(&slug("h1")).len(), 12);
    // Under the plan that stands it is there all year.
    assert_eq!(changing.planned_months_of(&slug("h3")).len(), 12);
    let waits = changing.waits_for(&world.rules.year, Timestamp(3));
    assert!(
        waits[0].contains("change from 2026-07 on: an administrator proposes"),
        "{waits:?}"
    );
    // Nothing rests on a plan that is to change, and the year is not closed under it.
    let refused = world.take(&changing, "wang-fang", 4, propose(Matter::Settlement, 5));
    assert_eq!(refused, Err(Refused::Changing(month(7))));
    let refused = world.take(&changing, "wang-fang", 4, Says::Close);
    assert_eq!(refused, Err(Refused::Changing(month(7))));
    // Payments go on.
    world.all(&changing, 4, &[("insurer", paid("h3", "2026-06", false))]);

    let planned = world.all(&changing, 4, &[("wang-fang", propose(Matter::Plan, 2))]);
    assert_eq!(
        (planned.stage, stands(&planned)),
        (Stage::InForce, Some(result(1)))
    );
    // Who joins and who leaves is asked too.
    for member in ["h1", "h2", "h3"] {
        let one = world.take(&planned, member, 5, accept(Matter::Plan, 2));
        assert!(one.is_ok(), "{member}");
    }
    let early = world.all(
        &planned,
        5,
        &[
            ("h1", accept(Matter::Plan, 2)),
            ("h2", accept(Matter::Plan, 2)),
            ("h3", accept(Matter::Plan, 2)),
        ],
    );
    let signed = world.take(&early, "insurer", 5, sign(Matter::Plan, 2));
    assert!(matches!(signed, Err(Refused::Early(_))));
    let after = agreed(&world, &planned, 2, 5);
    assert_eq!(
        (stands(&after), after.changing.is_none()),
        (Some(result(2)), true)
    );
    // Months outside a term are nobody's.
    for (member, of) in [("h3", "2026-07"), ("h4", "2026-06")] {
        let refused = world.take(&after, "insurer", 6, paid(member, of, false));
        let of = of.parse().unwrap();
        assert_eq!(refused, Err(Refused::Absent(slug(member), of)));
    }
    world.all(&after, 6, &[("insurer", paid("h4", "2026-07", false))]);
    let staying: Vec<&str> = after.staying().map(Slug::as_str).collect();
    assert_eq!(staying, ["h1", "h2", "h4"]);
    // Without a change a plan in force is not made again.
    let again = world.take(&after, "wang-fang", 6, propose(Matter::Plan, 3));
    assert_eq!(again, Err(Refused::Stage(Stage::InForce)));
    // A later change does not reach behind an earlier one.
    let refused = world.take(&after, "wang-fang", 6, leaves("h2", 5));
    assert_eq!(refused, Err(Refused::Before(month(7))));
    let second = world.all(&after, 6, &[("wang-fang", leaves("h4", 9))]);
    assert_eq!(second.months_of(&slug("h4")).len(), 2);
}

#[test]
fn a_change_is_taken_back_while_no_plan_knows_of_it() {
    let world = World::new();
    let year = world.in_force();
    let said = [
        ("wang-fang", world.joins("h4", 7)),
        ("wang-fang", leaves("h3", 7)),
        ("wang-fang", propose(Matter::Plan, 2)),
        ("h1", object(Matter::Plan, 2)),
    ];
    let planned = world.all(&year, 3, &said);
    let one = world.all(&planned, 4, &[("chen-jie", stays("h4"))]);
    // The plan was about other members.
    let refused = world.take(&one, "h2", 5, accept(Matter::Plan, 2));
    assert_eq!(refused, Err(Refused::Superseded));
    assert!(!one.members.contains_key(&slug("h4")));
    let none = world.all(&one, 5, &[("chen-jie", stays("h3"))]);
    assert_eq!(
        (none.changing.clone(), stands(&none)),
        (None, Some(result(1)))
    );
    // What is looked at is the plan that stands, not the one that was to follow.
    assert_eq!(none.shown_plan().unwrap().result, result(1));
    assert_eq!(none.staying().count(), 3);
    // The plan before stands: nothing waits for another, and the year goes on to its end.
    let waits = none.waits_for(&world.rules.year, Timestamp(5));
    assert!(waits.iter().all(|one| !one.contains("plan:")), "{waits:?}");
    world.all(&none, 6, &[("wang-fang", propose(Matter::Settlement, 5))]);
    world.all(&none, 6, &[("wang-fang", Says::Close)]);
    let refused = world.take(&none, "chen-jie", 6, stays("h3"));
    assert_eq!(refused, Err(Refused::Unchanged(slug("h3"))));
    // A third version may follow another change; the objection to the second is kept.
    let said = [
        ("wang-fang", leaves("h3", 9)),
        ("wang-fang", propose(Matter::Plan, 3)),
    ];
    let third = world.all(&none, 6, &said);
    let course = &third.matters[&Matter::Plan];
    assert_eq!((course.version, course.heard().count()), (3, 1));
}

#[test]
fn who_may_change_members_when() {
    let world = World::new();
    let year = world.in_force();
    let wrong = |year: &Year, by: &str, says| world.take(year, by, 4, says).unwrap_err();
    let join = |from| world.joins("h4", from);
    let administrators = Refused::Role(slug("h1"), "administrators");
    assert_eq!(wrong(&year, "h1", leaves("h1", 7)), administrators);
    let early = wrong(&world.planned(), "wang-fang", join(7));
    assert_eq!(early, Refused::Stage(Stage::Planned));
    assert_eq!(
        wrong(&year, "wang-fang", join(1)),
        Refused::Before(month(1))
    );
    let other = Month::new(2025, 7).unwrap();
    let says = Says::Leave {
        member: slug("h1"),
        from: other,
        why: "x".into(),
    };
    assert_eq!(wrong(&year, "wang-fang", says), Refused::Month(other));
    let says = Says::Leave {
        member: slug("h1"),
        from: month(7),
        why: " ".into(),
    };
    assert_eq!(wrong(&year, "wang-fang", says), Refused::Unreasoned);
    let stranger = Refused::Stranger(slug("h9"));
    assert_eq!(wrong(&year, "wang-fang", leaves("h9", 7)), stranger);
    for (name, key) in [
        ("insurer", "h4"),
        ("chen-jie", "h4"),
        ("h5", "h1"),
        ("h5", "insurer"),
        ("h5", "chen-jie"),
    ] {
        let says = Says::Join {
            member: slug(name),
            key: world.keys[&slug(key)].public(),
            from: month(7),
            why: "x".into(),
        };
        let refused = Refused::Shared(slug(name));
        assert_eq!(wrong(&year, "wang-fang", says), refused, "{name} {key}");
    }
    // One month at a time; nobody leaves whose months are paid; somebody stays.
    let changing = world.all(&year, 3, &[("wang-fang", join(7))]);
    let refused = wrong(&changing, "wang-fang", leaves("h1", 8));
    assert_eq!(refused, Refused::Changing(month(7)));
    let refused = wrong(&changing, "wang-fang", leaves("h4", 7));
    assert_eq!(refused, Refused::Absent(slug("h4"), month(7)));
    let spoken = world.all(&year, 3, &[("insurer", paid("h1", "2026-07", false))]);
    let refused = wrong(&spoken, "wang-fang", leaves("h1", 7));
    assert_eq!(refused, Refused::Paid(month(7)));
    let here = Refused::Member(slug("h1"));
    assert_eq!(wrong(&spoken, "wang-fang", world.joins("h1", 7)), here);
    let january = wrong(&spoken, "wang-fang", leaves("h1", 1));
    assert_eq!(january, Refused::Before(month(1)));
    world.all(&spoken, 4, &[("wang-fang", leaves("h1", 8))]);
    let said = [
        ("wang-fang", leaves("h1", 7)),
        ("wang-fang", leaves("h2", 7)),
    ];
    let last = world.all(&year, 3, &said);
    assert_eq!(
        wrong(&last, "wang-fang", leaves("h3", 7)),
        Refused::NoMembers
    );
    let refused = wrong(&last, "wang-fang", leaves("h2", 7));
    assert_eq!(refused, Refused::Absent(slug("h2"), month(7)));
    // A result in force names the members.
    let members = MEMBERS.map(|one| (one, accept(Matter::Appraisal, 4)));
    let mut said = vec![("wang-fang", propose(Matter::Appraisal, 4))];
    said.extend(members);
    let parties = signers(Matter::Appraisal).into_iter();
    said.extend(parties.map(|party| (party, sign(Matter::Appraisal, 4))));
    let appraised = world.all(&year, 3, &said);
    let refused = wrong(&appraised, "wang-fang", join(7));
    assert_eq!(refused, Refused::Named(Matter::Appraisal));
}

#[test]
fn a_plan_is_made_again_for_another_target_or_stands_after_all() {
    let world = World::new();
    let year = world.in_force();
    let paid_till_june = world.all(&year, 3, &[("insurer", paid("h2", "2026-06", false))]);
    for (says, why) in [
        (replans(1, None), Refused::Before(month(1))),
        (replans(6, None), Refused::Replanned(month(6))),
        (replans(7, Some(0)), Refused::Content),
        (replans(7, Some(1_000)), Refused::Again),
        (stands_after_all(), Refused::Stands),
    ] {
        assert_eq!(world.take(&paid_till_june, "wang-fang", 4, says), Err(why));
    }
    let refused = world.take(&paid_till_june, "h1", 4, replans(7, None));
    assert!(matches!(refused, Err(Refused::Role(..))));
    let again = world.all(
        &paid_till_june,
        4,
        &[("wang-fang", replans(7, Some(1_200)))],
    );
    assert_eq!(
        (again.target, again.planned_target()),
        (Fen(1_000), Fen(1_200))
    );
    let waits = again.waits_for(&world.rules.year, Timestamp(4));
    assert!(waits[0].contains("for a target of 12.00"), "{waits:?}");
    let refused = world.take(&again, "wang-fang", 5, replans(7, None));
    assert_eq!(refused, Err(Refused::Again));
    // Members change with it, from the same month on only.
    let refused = world.take(&again, "wang-fang", 5, leaves("h3", 8));
    assert_eq!(refused, Err(Refused::Changing(month(7))));
    let both = world.all(
        &again,
        5,
        &[
            ("wang-fang", leaves("h3", 7)),
            ("wang-fang", stands_after_all()),
        ],
    );
    assert_eq!(
        (both.planned_target(), both.changing.is_some()),
        (Fen(1_000), true)
    );
    let back = world.all(&both, 6, &[("wang-fang", stays("h3"))]);
    assert_eq!(
        (back.changing.is_none(), stands(&back)),
        (true, Some(result(1)))
    );

    let planned = world.all(&again, 5, &[("wang-fang", propose(Matter::Plan, 2))]);
    assert_eq!(stands(&planned), Some(result(1)));
    let after = agreed(&world, &planned, 2, 6);
    assert_eq!(
        (after.target, stands(&after)),
        (Fen(1_200), Some(result(2)))
    );
    assert!(after.changing.is_none());
    // Not before the month from which it was made again last.
    let refused = world.take(&after, "wang-fang", 7, leaves("h3", 5));
    assert_eq!(refused, Err(Refused::Before(month(7))));
    // A second correction of the same month, before anything of it is paid.
    let second = world.all(&after, 7, &[("wang-fang", replans(7, None))]);
    assert_eq!(second.planned_target(), Fen(1_200));
}
