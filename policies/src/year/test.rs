use schemas::seal::Signer;

use super::test_world::*;
use super::*;

#[test]
fn a_year_from_its_target_to_its_end() {
    let world = World::new();
    let year = world.in_force();
    assert_eq!(year.applications[&slug("h1")].amount, Fen(500));
    let year = world.all(
        &year,
        3,
        &[
            ("insurer", paid("h1", "2026-01", false)),
            ("insurer", paid("h1", "2026-01", true)),
            ("wang-fang", propose(Matter::Bonus, 4)),
            ("h2", object(Matter::Bonus, 4)),
        ],
    );
    // A payout waits while an objection is open, and until all have signed.
    let early = world.take(&year, "insurer", 4, Says::PayOut { result: result(4) });
    assert_eq!(early, Err(Refused::Open(Matter::Bonus)));
    let blocked = world.take(&year, "insurer", 40 * DAY, sign(Matter::Bonus, 4));
    assert_eq!(blocked, Err(Refused::Contested(slug("h2"))));
    assert_eq!(
        world.take(&year, "wang-fang", 4, Says::Close),
        Err(Refused::Open(Matter::Bonus))
    );
    let year = world.all(
        &year,
        40 * DAY,
        &[
            ("chen-jie", answer(Matter::Bonus, 4, "h2", false)),
            ("insurer", sign(Matter::Bonus, 4)),
            ("members", sign(Matter::Bonus, 4)),
            ("insurer", Says::PayOut { result: result(4) }),
            ("wang-fang", Says::Close),
        ],
    );
    assert_eq!(
        (year.stage, year.paid_out),
        (Stage::Closed, Some(result(4)))
    );
    for (by, says) in [
        ("wang-fang", Says::Invite),
        ("insurer", paid("h1", "2026-02", false)),
        ("h1", accept(Matter::Bonus, 4)),
    ] {
        assert_eq!(
            world.take(&year, by, 41 * DAY, says),
            Err(Refused::Stage(Stage::Closed))
        );
    }
}

#[test]
fn nothing_is_paid_out_while_an_objection_to_another_result_is_open() {
    let world = World::new();
    let year = world.all(
        &world.in_force(),
        3,
        &[
            ("insurer", paid("h1", "2026-01", false)),
            ("wang-fang", propose(Matter::Appraisal, 5)),
            ("wang-fang", propose(Matter::Bonus, 4)),
        ],
    );
    let objected = world.all(&year, 4, &[("h2", object(Matter::Appraisal, 5))]);
    let bonus = [
        ("insurer", sign(Matter::Bonus, 4)),
        ("members", sign(Matter::Bonus, 4)),
    ];
    let year = world.all(&objected, 40 * DAY, &bonus);
    let pay = Says::PayOut { result: result(4) };
    let early = world.take(&year, "insurer", 40 * DAY, pay.clone());
    assert_eq!(early, Err(Refused::Contested(slug("h2"))));
    let answered = [("chen-jie", answer(Matter::Appraisal, 5, "h2", false))];
    let year = world.all(&year, 40 * DAY, &answered);
    assert_eq!(
        world.all(&year, 40 * DAY, &[("insurer", pay)]).paid_out,
        Some(result(4))
    );
}

/// No other version, and no payment that voids one, takes the objection to the version before away.
#[test]
fn a_later_version_does_not_free_a_payout() {
    let world = World::new();
    let said = [
        ("wang-fang", propose(Matter::Bonus, 4)),
        ("wang-fang", propose(Matter::Settlement, 5)),
        ("h2", object(Matter::Settlement, 5)),
        ("wang-fang", propose(Matter::Settlement, 6)),
    ];
    let year = world.all(&world.in_force(), 3, &said);
    let bonus = [
        ("insurer", sign(Matter::Bonus, 4)),
        ("members", sign(Matter::Bonus, 4)),
    ];
    let year = world.all(&year, 40 * DAY, &bonus);
    let pay = Says::PayOut { result: result(4) };
    let early = world.take(&year, "insurer", 40 * DAY, pay.clone());
    assert_eq!(early, Err(Refused::Contested(slug("h2"))));
    // The later version gets into force, and whoever had something against it was heard.
    let settled = [
        ("insurer", sign(Matter::Settlement, 6)),
        ("committee", sign(Matter::Settlement, 6)),
        ("insurer", pay),
    ];
    world.all(&year, 40 * DAY, &settled);

    // So with one that another payment made void.
    let said = [
        ("wang-fang", propose(Matter::Settlement, 5)),
        ("h2", object(Matter::Settlement, 5)),
        ("insurer", paid("h1", "2026-01", false)),
        ("wang-fang", propose(Matter::Bonus, 4)),
    ];
    let year = world.all(&world.in_force(), 3, &said);
    let year = world.all(&year, 40 * DAY, &bonus);
    let early = world.take(
        &year,
        "insurer",
        40 * DAY,
        Says::PayOut { result: result(4) },
    );
    assert_eq!(early, Err(Refused::Contested(slug("h2"))));
}

#[test]
fn a_member_cannot_fill_a_year_with_reports() {
    let world = World::new();
    let mut year = world.all(&world.in_force(), 3, &[("wang-fang", task("beds", "h2"))]);
    let report = |n: usize| Says::Report {
        task: slug("beds"),
        done: format!("look {n}"),
    };
    for n in 0..20 {
        year = world.all(&year, 4, &[("h2", report(n))]);
    }
    let more = world.take(&year, "h2", 4, report(20));
    assert_eq!(more, Err(Refused::Reports(20)));
}

#[test]
fn an_appeal_is_decided_by_both_and_a_right_one_needs_another_result() {
    let world = World::new();
    let year = world.all(
        &world.in_force(),
        3,
        &[
            ("wang-fang", propose(Matter::Settlement, 2)),
            ("h1", object(Matter::Settlement, 2)),
            ("insurer", answer(Matter::Settlement, 2, "h1", false)),
        ],
    );
    assert_eq!(
        year.matters[&Matter::Settlement].objections[&slug("h1")].decided,
        None
    );
    // The two differ: it stays open until one comes round.
    let year = world.all(
        &year,
        3,
        &[("committee", answer(Matter::Settlement, 2, "h1", true))],
    );
    let blocked = world.take(&year, "insurer", 90 * DAY, sign(Matter::Settlement, 2));
    assert_eq!(blocked, Err(Refused::Contested(slug("h1"))));
    let year = world.all(
        &year,
        4,
        &[("insurer", answer(Matter::Settlement, 2, "h1", true))],
    );
    assert_eq!(
        year.matters[&Matter::Settlement].objections[&slug("h1")].decided,
        Some(true)
    );
    let blocked = world.take(&year, "insurer", 90 * DAY, sign(Matter::Settlement, 2));
    assert_eq!(blocked, Err(Refused::Contested(slug("h1"))));
    let year = world.all(&year, 5, &[("wang-fang", propose(Matter::Settlement, 3))]);
    assert_eq!(year.matters[&Matter::Settlement].version, 2);
    let early = world.take(&year, "insurer", 6, sign(Matter::Settlement, 3));
    assert!(matches!(early, Err(Refused::Early(_))));
    let year = world.all(
        &year,
        36 * DAY,
        &[
            ("insurer", sign(Matter::Settlement, 3)),
            ("committee", sign(Matter::Settlement, 3)),
        ],
    );
    assert!(year.matters[&Matter::Settlement].in_force);
    let late = world.take(&year, "h1", 37 * DAY, object(Matter::Settlement, 3));
    assert!(matches!(late, Err(Refused::Late(_))));
}

#[test]
fn who_when_and_what_are_checked() {
    let world = World::new();
    let year = world.planned();
    let refused = |by: &str, at: i64, says: Says| world.take(&year, by, at, says).unwrap_err();
    assert!(matches!(refused("h1", 2, Says::Review), Refused::Role(..)));
    assert!(matches!(
        refused("insurer", 2, accept(Matter::Plan, 1)),
        Refused::Role(..)
    ));
    assert!(matches!(
        refused("committee", 2, sign(Matter::Plan, 1)),
        Refused::Role(..)
    ));
    assert!(matches!(
        refused("patients", 2, paid("h1", "2026-01", false)),
        Refused::Role(..)
    ));
    assert_eq!(refused("h1", 2, apply(5)), Refused::Stage(Stage::Planned));
    assert_eq!(refused("h1", 0, accept(Matter::Plan, 1)), Refused::Time);
    assert_eq!(
        refused("h1", 2, accept(Matter::Plan, 9)),
        Refused::Superseded
    );
    assert_eq!(refused("h1", 2, accept(Matter::Bonus, 1)), Refused::Nothing);
    assert!(matches!(
        refused("h1", 16 * DAY, object(Matter::Plan, 1)),
        Refused::Late(_)
    ));
    assert_eq!(refused("wang-fang", 2, world.says_open()), Refused::Opening);
    assert_eq!(
        refused("wang-fang", 2, propose(Matter::Plan, 1)),
        Refused::Again
    );
    assert_eq!(
        refused("wang-fang", 2, propose(Matter::Bonus, 1)),
        Refused::Stage(Stage::Planned)
    );
    let long = Says::Object {
        matter: Matter::Plan,
        result: result(1),
        why: "x".repeat(1_001),
    };
    assert_eq!(refused("h1", 2, long), Refused::Content);
    let force = world.in_force();
    let of = |month: &str, restates| world.take(&force, "insurer", 3, paid("h1", month, restates));
    assert!(matches!(of("2027-01", false), Err(Refused::Month(_))));
    assert!(matches!(of("2026-01", true), Err(Refused::Unsaid(_))));
    let said = of("2026-01", false).unwrap();
    let again = world.take(&said, "insurer", 4, paid("h1", "2026-01", false));
    assert!(matches!(again, Err(Refused::Said(_))));
    let unknown = world.take(&force, "insurer", 3, paid("h9", "2026-01", false));
    assert_eq!(unknown, Err(Refused::Stranger(slug("h9"))));
}

#[test]
fn another_time_name_year_key_or_rule_is_refused() {
    let world = World::new();
    let year = world.planned();
    // A statement from tomorrow, in another's name, of another year, under other rules.
    let ahead = world.sealed("h1", 200, accept(Matter::Plan, 1));
    let administrators = world.of(&["wang-fang"]);
    let take = |sealed: &Sealed<Statement>, rules: &Rules| {
        year.take(&slug("river"), rules, &administrators, sealed, Timestamp(8))
            .unwrap_err()
    };
    assert_eq!(take(&ahead, &world.rules), Refused::Time);
    let statement = |year, by: &str| Statement {
        alliance: slug("river"),
        year,
        by: slug(by),
        at: Timestamp(5),
        says: accept(Matter::Plan, 1),
    };
    let key = &world.keys[&slug("h1")];
    let foreign = Sealed::seal(key, &statement(2026, "h2")).unwrap();
    assert_eq!(take(&foreign, &world.rules), Refused::Key(slug("h2")));
    let other = Sealed::seal(key, &statement(2025, "h1")).unwrap();
    assert_eq!(take(&other, &world.rules), Refused::Elsewhere);
    let stranger = Sealed::seal(
        &Signer::from_seed(&[99; 32]).unwrap(),
        &statement(2026, "h1"),
    );
    assert!(matches!(
        take(&stranger.unwrap(), &world.rules),
        Refused::Seal(_)
    ));
    let sound = Sealed::seal(key, &statement(2026, "h1")).unwrap();
    // One digit of any rule.
    for (file, text, from, to) in [
        ("year.toml", DEFAULT, "= 15", "= 16"),
        (
            "budget.toml",
            crate::figures::budget::DEFAULT,
            "0.60",
            "0.61",
        ),
        (
            "alerts.toml",
            crate::figures::alerts::DEFAULT,
            "0.20",
            "0.21",
        ),
    ] {
        let own = |name: &str| (name == file).then(|| text.replacen(from, to, 1));
        let changed = Rules::read(own).unwrap();
        assert_eq!(take(&sound, &changed), Refused::Rules);
    }
}

#[test]
fn an_opening_needs_all_parties_and_keys_of_their_own() {
    let world = World::new();
    let tried = |change: fn(&World, &mut Says)| {
        let mut says = world.says_open();
        change(&world, &mut says);
        let sealed = world.sealed("wang-fang", 0, says);
        let administrators = world.of(&["wang-fang"]);
        open(
            &slug("river"),
            &world.rules,
            &administrators,
            &sealed,
            Timestamp(0),
        )
        .unwrap_err()
    };
    let missing = tried(|_, says| {
        if let Says::Open { parties, .. } = says {
            parties.remove(&slug("patients"));
        }
    });
    assert_eq!(missing, Refused::Party("patients".into()));
    let shared = tried(|world, says| {
        if let Says::Open { parties, .. } = says {
            parties.insert(slug("patients"), world.keys[&slug("h1")].public());
        }
    });
    assert_eq!(shared, Refused::Shared(slug("patients")));
    let empty = tried(|_, says| {
        if let Says::Open { members, .. } = says {
            members.clear();
        }
    });
    assert_eq!(empty, Refused::NoMembers);
    let nothing = tried(|_, says| {
        if let Says::Open { target, .. } = says {
            *target = Fen(0);
        }
    });
    assert_eq!(nothing, Refused::Content);
    let rules = tried(|_, says| {
        if let Says::Open { rules, .. } = says {
            *rules = Digest::ZERO;
        }
    });
    assert_eq!(rules, Refused::Rules);
    assert_eq!(tried(|_, says| *says = Says::Close), Refused::Opening);
    for (from, to) in [
        ("objection_days = 30", "objection_days = 0"),
        ("[matters.bonus]", "[matters.bonos]"),
        ("\"insurer\", \"members\"", "\"insurer\""),
    ] {
        assert!(
            YearRules::parse(&DEFAULT.replacen(from, to, 1)).is_err(),
            "{to}"
        );
    }
}
