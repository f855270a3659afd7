use super::test_world::*;
use super::*;

#[test]
fn another_target_voids_a_plan_and_two_take_a_year_back() {
    let world = World::new();
    let planned = world.planned();
    let target = |fen| Says::Target {
        target: Fen(fen),
        why: "the insurer's letter".into(),
    };
    let revised = world.all(&planned, 3, &[("wang-fang", target(900))]);
    assert_eq!((revised.target, revised.stage), (Fen(900), Stage::Planned));
    let accepted = world.take(&revised, "h1", 4, accept(Matter::Plan, 1));
    assert_eq!(accepted, Err(Refused::Superseded));
    let again = world.all(&revised, 4, &[("wang-fang", propose(Matter::Plan, 2))]);
    assert_eq!(again.matters[&Matter::Plan].version, 2);
    world.all(&again, 5, &[("h1", accept(Matter::Plan, 2))]);
    for (by, says, refused) in [
        (
            "h1",
            target(900),
            Refused::Role(slug("h1"), "administrators"),
        ),
        ("wang-fang", target(1_000), Refused::Again),
        ("wang-fang", target(0), Refused::Content),
    ] {
        assert_eq!(world.take(&planned, by, 3, says), Err(refused));
    }
    let force = world.in_force();
    let late = world.take(&force, "wang-fang", 3, target(900));
    assert_eq!(late, Err(Refused::Stage(Stage::InForce)));

    let withdraw = || Says::Withdraw {
        why: "the wrong year".into(),
    };
    let one = world.all(&planned, 3, &[("wang-fang", withdraw())]);
    assert_eq!(one.stage, Stage::Planned);
    assert_eq!(
        world.take(&one, "wang-fang", 4, withdraw()),
        Err(Refused::Again)
    );
    let keep = || Says::Keep { why: String::new() };
    let kept = world.all(&one, 4, &[("wang-fang", keep())]);
    assert_eq!(kept.withdrawing.len(), 0);
    assert_eq!(
        world.take(&kept, "wang-fang", 5, keep()),
        Err(Refused::Unwithdrawn)
    );
    let gone = world.all(&one, 4, &[("chen-jie", withdraw())]);
    assert_eq!(gone.stage, Stage::Withdrawn);
    for says in [
        Says::Review,
        propose(Matter::Plan, 3),
        accept(Matter::Plan, 1),
        Says::Close,
    ] {
        let by = if matches!(says, Says::Accept { .. }) {
            "h1"
        } else {
            "wang-fang"
        };
        let said = world.take(&gone, by, 5, says);
        assert_eq!(said, Err(Refused::Stage(Stage::Withdrawn)));
    }
    // The number is free again; what was said before is not taken again.
    let fresh = world.all(&gone, 5, &[("wang-fang", world.says_open())]);
    assert_eq!((fresh.stage, fresh.matters.len()), (Stage::Target, 0));
    let old = world.sealed("wang-fang", 1, Says::Invite);
    let taken = fresh.take(
        &slug("river"),
        &world.rules,
        &world.of(&ADMINISTRATORS),
        &old,
        Timestamp(6),
    );
    assert_eq!(taken, Err(Refused::Again));
    let early = world.take(&planned, "wang-fang", 5, world.says_open());
    assert_eq!(early, Err(Refused::Opening));
    let late = world.take(&force, "wang-fang", 3, withdraw());
    assert_eq!(late, Err(Refused::Stage(Stage::InForce)));
}

#[test]
fn a_task_is_reported_by_its_member_and_judged() {
    let world = World::new();
    let force = world.in_force();
    let given = world.all(&force, 10, &[("wang-fang", task("beds", "h2"))]);
    assert_eq!(given.tasks[&slug("beds")].due, Timestamp(10 + 60 * DAY));
    let report = |done: &str| Says::Report {
        task: slug("beds"),
        done: done.into(),
    };
    let judge = |done| Says::Judge {
        task: slug("beds"),
        done,
        why: "seen".into(),
    };
    for (by, says, refused) in [
        ("h1", report("x"), Refused::Task(slug("beds"))),
        (
            "insurer",
            report("x"),
            Refused::Role(slug("insurer"), "members"),
        ),
        ("wang-fang", judge(false), Refused::Task(slug("beds"))),
        (
            "h2",
            judge(true),
            Refused::Role(slug("h2"), "administrators"),
        ),
        ("wang-fang", task("beds", "h1"), Refused::Again),
        (
            "wang-fang",
            task("other", "h9"),
            Refused::Stranger(slug("h9")),
        ),
        ("wang-fang", Says::Close, Refused::Unfinished(slug("beds"))),
    ] {
        assert_eq!(world.take(&given, by, 11, says), Err(refused));
    }
    // A task that was given by mistake is dropped.
    let dropped = world.all(&given, 11, &[("chen-jie", judge(true))]);
    world.all(&dropped, 12, &[("wang-fang", Says::Close)]);
    let in_time = world.all(&given, 60 * DAY, &[("h2", report("a bed office works"))]);
    assert!(!in_time.tasks[&slug("beds")].is_late(Timestamp(99 * DAY)));
    let not = world.all(&in_time, 61 * DAY, &[("chen-jie", judge(false))]);
    assert!(not.tasks[&slug("beds")].is_late(Timestamp(61 * DAY)));
    let done = world.all(
        &not,
        62 * DAY,
        &[("h2", report("since May")), ("chen-jie", judge(true))],
    );
    assert!(done.tasks[&slug("beds")].is_late(Timestamp(62 * DAY)));
    world.all(&done, 63 * DAY, &[("wang-fang", Says::Close)]);
}

#[test]
fn a_year_says_what_it_waits_for() {
    let world = World::new();
    let waits = |year: &Year, at: i64| year.waits_for(&world.rules.year, Timestamp(at)).join("; ");
    let opened = world.open();
    assert!(waits(&opened, 0).contains("`invite`"));
    let invited = world.all(
        &opened,
        1,
        &[("wang-fang", Says::Invite), ("h1", apply(500))],
    );
    assert!(waits(&invited, 1).starts_with("no application of h2, h3; "));
    let planned = world.planned();
    assert!(waits(&planned, 2).starts_with("plan: h1, h2, h3 may accept or object until "));
    let object = Says::Object {
        matter: Matter::Plan,
        result: result(1),
        why: "an old count".into(),
    };
    let objected = world.all(&planned, 2, &[("h1", object)]);
    assert_eq!(
        waits(&objected, 2),
        "plan: administrator answers the objection of h1"
    );
    // After the time to object only signatures are missing.
    let late = planned.matters[&Matter::Plan].until.0 + 1;
    let mut signers = signers(Matter::Plan);
    signers.sort_unstable();
    let wanted = format!("plan: to be signed by {}", signers.join(", "));
    assert_eq!(waits(&planned, late), wanted);
    let force = world.in_force();
    assert!(waits(&force, late).starts_with("not proposed yet: settlement, bonus, appraisal"));
    let given = world.all(&force, 10, &[("wang-fang", task("beds", "h2"))]);
    assert!(waits(&given, 10).starts_with("h2 reports on the task beds; "));
    assert!(waits(&given, 99 * DAY).starts_with("h2 reports on the task beds, late; "));
}
