use super::test_world::*;
use super::*;

#[test]
fn a_party_is_told_what_waits_for_it() {
    let world = World::new();
    let rules = &world.rules.year;
    let planned = world.planned();
    let turns =
        |year: &Year, party: &str, now| year.turns_of_party(&slug(party), rules, Timestamp(now));
    // Members have their days first.
    assert_eq!(turns(&planned, "insurer", 2), []);
    let sign = Turn::Sign {
        matter: Matter::Plan,
        result: result(1),
        version: 1,
    };
    assert_eq!(
        turns(&planned, "insurer", 16 * DAY)[..],
        std::slice::from_ref(&sign)[..]
    );
    assert_eq!(turns(&planned, "committee", 16 * DAY), []);
    assert_eq!(turns(&planned, "h1", 16 * DAY), []);
    let accepted = MEMBERS.map(|member| (member, accept(Matter::Plan, 1)));
    let heard = world.all(&planned, 2, &accepted);
    assert_eq!(turns(&heard, "insurer", 2), [sign]);
    let signed = world.all(
        &heard,
        3,
        &[(
            "insurer",
            Says::Sign {
                matter: Matter::Plan,
                result: result(1),
            },
        )],
    );
    assert_eq!(turns(&signed, "insurer", 3), []);
    // Of a settlement insurer and committee decide about appeals.
    let said = [
        ("wang-fang", propose(Matter::Settlement, 2)),
        ("h1", object(Matter::Settlement, 2)),
    ];
    let appealed = world.all(&world.in_force(), 4, &said);
    let Turn::Decide { member, until, .. } = &turns(&appealed, "committee", 5)[0] else {
        panic!("no answer is asked for")
    };
    assert_eq!((member, *until), (&slug("h1"), Timestamp(4 + 20 * DAY)));
    let answer = answer(Matter::Settlement, 2, "h1", false);
    let answered = world.all(&appealed, 5, &[("committee", answer)]);
    assert_eq!(turns(&answered, "committee", 5), []);
    assert_eq!(turns(&answered, "insurer", 5).len(), 1);
}

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
    // The day that the judge took is added to the member's time, and no more.
    let due = not.tasks[&slug("beds")].due;
    assert_eq!(due, Timestamp(10 + 61 * DAY));
    assert!(!not.tasks[&slug("beds")].is_late(due));
    assert!(not.tasks[&slug("beds")].is_late(Timestamp(due.0 + 1)));
    let done = world.all(
        &not,
        62 * DAY,
        &[("h2", report("since May")), ("chen-jie", judge(true))],
    );
    assert!(done.tasks[&slug("beds")].is_late(Timestamp(62 * DAY)));
    world.all(&done, 63 * DAY, &[("wang-fang", Says::Close)]);
}

/// A judge who takes forty days to find a report wanting does not make the next one late; who reports
/// late gains nothing by it.
#[test]
fn a_slow_judge_makes_no_report_late() {
    let world = World::new();
    let given = world.all(&world.in_force(), 10, &[("wang-fang", task("beds", "h2"))]);
    let report = || Says::Report {
        task: slug("beds"),
        done: "a bed office works".into(),
    };
    let wanting = || Says::Judge {
        task: slug("beds"),
        done: false,
        why: "no numbers".into(),
    };
    let twice = |first: i64, judged: i64, second: i64| {
        let year = world.all(&given, first * DAY, &[("h2", report())]);
        let year = world.all(&year, judged * DAY, &[("chen-jie", wanting())]);
        let year = world.all(&year, second * DAY, &[("h2", report())]);
        year.tasks[&slug("beds")].is_late(Timestamp(500 * DAY))
    };
    assert!(!twice(55, 95, 99));
    assert!(twice(55, 95, 101));
    // After its day there is no time left that a judge could take.
    assert!(twice(61, 95, 96));
}

#[test]
fn months_that_are_over_and_not_paid_are_named() {
    let world = World::new();
    let force = world.in_force();
    // 2026-04-15T00:00:00Z: three months are over.
    let april = 1_776_211_200;
    let paid = world.all(
        &force,
        april,
        &[
            ("insurer", paid("h1", "2026-01", false)),
            ("insurer", paid("h1", "2026-02", false)),
            ("insurer", paid("h1", "2026-03", false)),
            ("insurer", paid("h3", "2026-02", false)),
            ("insurer", paid("h3", "2026-12", false)),
        ],
    );
    let lines = by_member(&paid.unpaid(Timestamp(april)));
    let wanted = ["h2: 2026-01, 2026-02, 2026-03", "h3: 2026-01, 2026-03"];
    assert_eq!(lines, wanted);
    let ahead = by_member(&paid.paid_ahead(Timestamp(april)));
    assert_eq!(ahead, ["h3: 2026-12"]);
    let waits = paid.waits_for(&world.rules.year, Timestamp(april));
    let line = "h3: 2026-01, 2026-03 not paid in yet; the insurer says it (`paid`)";
    assert!(waits.iter().any(|one| one == line), "{waits:?}");
    assert!(force.unpaid(Timestamp(0)).is_empty());
    assert!(world.planned().unpaid(Timestamp(april)).is_empty());
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
    let until = Timestamp(2 + 10 * DAY);
    let line = format!("plan: administrator answers the objection of h1 until {until}");
    assert_eq!(waits(&objected, 2), line);
    assert_eq!(waits(&objected, until.0 + 1), format!("{line}, late"));
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

#[test]
fn a_member_is_told_what_waits_for_it_and_which_digest() {
    let world = World::new();
    let turns = |year: &Year, member: &str, at| year.turns_of(&slug(member), Timestamp(at));
    let invited = world.all(&world.open(), 1, &[("wang-fang", Says::Invite)]);
    assert_eq!(turns(&invited, "h1", 1), [Turn::Apply]);
    assert!(turns(&invited, "insurer", 1).is_empty());
    let planned = world.planned();
    let until = planned.matters[&Matter::Plan].until;
    let answer_plan = Turn::Answer {
        matter: Matter::Plan,
        result: result(1),
        version: 1,
        until,
    };
    assert_eq!(turns(&planned, "h1", 2), std::slice::from_ref(&answer_plan));
    assert!(turns(&planned, "h1", until.0 + 1).is_empty());
    let accepted = world.all(&planned, 2, &[("h1", accept(Matter::Plan, 1))]);
    assert!(turns(&accepted, "h1", 2).is_empty());
    assert_eq!(turns(&accepted, "h2", 2), [answer_plan]);
    // An objection that was right ends this version for all.
    let said = [
        ("h2", object(Matter::Plan, 1)),
        ("chen-jie", answer(Matter::Plan, 1, "h2", true)),
    ];
    assert!(turns(&world.all(&accepted, 3, &said), "h3", 3).is_empty());
    let given = world.all(&world.in_force(), 10, &[("wang-fang", task("beds", "h2"))]);
    let due = Timestamp(10 + 60 * DAY);
    let late = |late| Turn::Report {
        task: slug("beds"),
        due,
        late,
    };
    assert_eq!(turns(&given, "h2", 10), [late(false)]);
    assert_eq!(turns(&given, "h2", due.0 + 1), [late(true)]);
    assert!(turns(&given, "h1", 10).is_empty());
}

#[test]
fn keys_are_shown_so_that_people_can_compare_them() {
    let world = World::new();
    let shown = world.open().keys();
    assert_eq!(shown.len(), PARTIES.len() + MEMBERS.len());
    let key = world.keys[&slug("insurer")].public();
    let whole = key.fingerprint().to_string();
    let groups = spoken(&key);
    assert_eq!(
        (groups.len(), groups.replace(' ', "")),
        (24, whole.chars().take(20).collect())
    );
    assert!(shown.contains(&format!("party   insurer          {groups}")));
}
