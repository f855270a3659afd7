//! The alliance's office: what it foresees at an opening, takes back, shows, and hands to verifiers.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use coordinator::ask;
use coordinator::pooled::{self as office, Foreseen, ListOrder, Order, PooledError, Progress};
use coordinator::template;
use node::clock::Clock;
use node::pooled::{self as party, Desk};
use policies::rules::Privacy;
use schemas::id::Slug;
use schemas::time::Timestamp;
use tests::fixture::{rules, slug};

use super::{NOW, Pool, SEATS, opened};
use crate::binary::binary;

const ALL: [&str; 5] = ["h01", "h02", "h03", "h04", "h05"];

fn names(names: &[&str]) -> Vec<Slug> {
    names.iter().map(|name| slug(name)).collect()
}

/// Opens a round of 2025 as the office does, by these rules.
async fn try_open(
    pool: &Pool,
    template: &str,
    roster: &[&str],
    rules: &Privacy,
) -> Result<office::Held, PooledError> {
    let order = Order {
        period: "2025-01..2025-12".parse().unwrap(),
        roster: names(roster),
        window: 3_600,
        answers: 86_400,
        t: 1,
        n_min: None,
        anyway: false,
    };
    let templates = template::load(None).unwrap();
    let (state, authority) = (&pool.state, &pool.authority);
    let opened = crate::opening::pooled(state, authority, &templates[template], rules, &order, NOW);
    Ok(opened.await?.0)
}

async fn foreseen(pool: &Pool, template: &str, roster: &[&str], rules: &Privacy) -> Foreseen {
    let before = office::rounds(&pool.state, &pool.authority).await.unwrap();
    let refused = try_open(pool, template, roster, rules).await;
    let after = office::rounds(&pool.state, &pool.authority).await.unwrap();
    assert_eq!(before.len(), after.len(), "nothing is opened");
    match refused {
        Err(PooledError::Foreseen(why)) => *why,
        other => panic!("{other:?}"),
    }
}

/// An attributed round of 2025 that these have answered.
async fn answered(pool: &Pool, template: &str, by: &[&str]) -> Slug {
    let order = ask::Order {
        period: "2025-01..2025-12".parse().unwrap(),
        roster: names(&ALL),
        window: 3_600,
        min_answers: Some(3),
    };
    let templates = template::load(None).unwrap();
    let (state, authority) = (&pool.state, &pool.authority);
    let rules = rules();
    let opened =
        crate::opening::attributed(state, authority, &templates[template], &rules, &order, NOW);
    let id = opened.await.unwrap().0.round.id;
    for name in by {
        sqlx::query("insert into replies values ($1, $2, '', '', 'answered', 0)")
            .bind(id.as_str())
            .bind(*name)
            .execute(pool.state.pool())
            .await
            .unwrap();
    }
    id
}

/// Parts wait for wholes that each hospital of the roster told; what was told attributed is not pooled.
#[tokio::test]
async fn wholes_and_the_other_way_are_foreseen() {
    let pool = Pool::found().await;
    let why = foreseen(&pool, "yearly-alliance", &[], &rules()).await;
    let told = why.to_string();
    assert!(
        told.contains("round open yearly-hospitals --period 2025-01..2025-12")
            && told.contains("h01,h02,h03,h04,h05"),
        "{told}"
    );
    let id = answered(&pool, "yearly-hospitals", &ALL[..4]).await;
    let why = foreseen(&pool, "yearly-alliance", &[], &rules()).await;
    let Foreseen::Wholes {
        hospitals,
        template,
        ..
    } = why
    else {
        panic!("{why:?}")
    };
    assert_eq!(
        (hospitals, template),
        (names(&["h05"]), Some(slug("yearly-hospitals")))
    );
    try_open(&pool, "yearly-alliance", &ALL[..4], &rules())
        .await
        .unwrap();
    let why = foreseen(&pool, "yearly-pooled", &ALL[..4], &rules()).await;
    let Foreseen::OtherWay {
        hospitals, round, ..
    } = why
    else {
        panic!("{why:?}")
    };
    assert_eq!((hospitals, round), (names(&ALL[..4]), id));
}

/// Sets are the same, also where the round before is still open.
#[tokio::test]
async fn likely_sets_are_held_against_earlier_ones() {
    let pool = Pool::found().await;
    let first = try_open(&pool, "yearly-pooled", &[], &rules())
        .await
        .unwrap();
    let round = first.asked.id.clone();
    let why = foreseen(&pool, "yearly-pooled", &ALL[..4], &rules()).await;
    let told = why.to_string();
    assert!(
        told.contains("beside them h05") && told.contains("--roster h01,h02,h03,h04,h05"),
        "{told}"
    );
    // Four of them upload and are certified: that set counts from now on.
    for name in &ALL[..4] {
        pool.upload(name, &first.offer).await;
    }
    let late = Timestamp(first.round.manifest().closes.0 + 1);
    pool.go_on(&round, late).await;
    pool.sit(&round, &SEATS, late).await;
    assert_eq!(pool.find(&round).await.state, "done");
    let why = foreseen(&pool, "yearly-pooled", &[], &rules()).await;
    let Foreseen::Family {
        more, fewer, set, ..
    } = why
    else {
        panic!("{why:?}")
    };
    assert_eq!(
        (more, fewer, set),
        (names(&["h05"]), Vec::new(), names(&ALL[..4]))
    );
    // The very same is known already.
    let why = foreseen(&pool, "yearly-pooled", &ALL[..4], &rules()).await;
    assert!(
        matches!(&why, Foreseen::Published { round: told } if *told == round),
        "{why:?}"
    );
    // Votes alone count too: seats hold to what they voted for, certified or not.
    for gone in [
        "delete from pooled_certificates",
        "update pooled_rounds set state = 'dead'",
    ] {
        sqlx::query(gone).execute(pool.state.pool()).await.unwrap();
    }
    let why = foreseen(&pool, "yearly-pooled", &[], &rules()).await;
    assert!(matches!(why, Foreseen::Family { .. }), "{why:?}");
    try_open(&pool, "yearly-pooled", &ALL[..4], &rules())
        .await
        .unwrap();
}

/// What a failing committee would cost has a limit: of one round, and of all of a data year.
#[tokio::test]
async fn the_limit_of_a_failing_committee_is_foreseen() {
    let pool = Pool::found().await;
    let limited = |worst: &str| {
        let mut rules = rules();
        rules.pooled.worst = worst.parse().unwrap();
        rules
    };
    let why = foreseen(&pool, "yearly-pooled", &[], &limited("0.5")).await;
    assert!(
        matches!(
            why,
            Foreseen::NeverWorst {
                n_min: 4,
                most: 3,
                ..
            }
        ),
        "{why:?}"
    );
    let held = try_open(&pool, "yearly-pooled", &[], &limited("1"))
        .await
        .unwrap();
    // The round goes on: all of them may still be charged for it.
    let why = foreseen(&pool, "yearly-pooled", &[], &limited("1")).await;
    assert!(
        matches!(&why, Foreseen::Worst { hospitals, year: 2025, .. } if hospitals.len() == 5),
        "{why:?}"
    );
    // It dies: of the two that uploaded it stays spent.
    for name in &ALL[..2] {
        sqlx::query("insert into pooled_uploads values ($1, $2, '', x'00', 0)")
            .bind(held.asked.id.as_str())
            .bind(*name)
            .execute(pool.state.pool())
            .await
            .unwrap();
    }
    let late = Timestamp(held.round.manifest().closes.0 + 1);
    assert_eq!(pool.go_on(&held.asked.id, late).await, "dead");
    let why = foreseen(&pool, "yearly-pooled", &[], &limited("1")).await;
    let Foreseen::Worst { hospitals, .. } = why else {
        panic!("{why:?}")
    };
    assert_eq!(hospitals, names(&ALL[..2]));
    try_open(&pool, "yearly-pooled", &ALL[2..], &limited("1"))
        .await
        .unwrap();
}

async fn progress(pool: &Pool, round: &Slug, now: Timestamp) -> Progress {
    let held = pool.find(round).await;
    office::progress(&pool.state, &held, now).await.unwrap()
}

/// A withdrawn round takes no uploads and is never proposed; its seats void it once its time for
/// uploads is over, and who uploaded is credited.
#[tokio::test]
async fn a_withdrawn_round_is_voided_and_credited() {
    let pool = Pool::found().await;
    let held = pool.open(&[]).await;
    let round = held.asked.id.clone();
    let late = pool.upload("h05", &held.offer).await;
    sqlx::query("delete from pooled_uploads where hospital = 'h05'")
        .execute(pool.state.pool())
        .await
        .unwrap();
    for name in &ALL[..4] {
        pool.upload(name, &held.offer).await;
    }
    office::withdraw(&pool.state, &held, NOW).await.unwrap();
    let shown = progress(&pool, &round, NOW).await;
    assert_eq!(
        (shown.state.as_str(), shown.why.as_deref()),
        ("dead", Some(office::WITHDRAWN))
    );
    assert!(
        shown.next.contains("vote to void it once"),
        "{}",
        shown.next
    );
    let h05 = pool.member("h05").await;
    let taken = office::take(&pool.state, &held, &h05, &late, NOW).await;
    assert!(matches!(taken, Err(PooledError::Ended)), "{taken:?}");
    let work = office::work(&pool.state, &pool.authority, &slug("h05"), NOW).await;
    assert!(work.unwrap().rounds.is_empty());
    // A coordinator that read the round before it was withdrawn proposes nothing.
    let closed = Timestamp(held.round.manifest().closes.0 + 1);
    assert!(!office::advance(&pool.state, &held, closed).await.unwrap());
    assert_eq!(pool.find(&round).await.state, "dead");
    let again = office::withdraw(&pool.state, &held, NOW).await;
    assert!(
        matches!(again, Err(PooledError::NotWithdrawn(..))),
        "{again:?}"
    );

    for name in ["h01", "c3", "c4"] {
        let app = opened(&pool.party(name).home.config, Clock::Fixed(closed)).await;
        let desk = Desk {
            app: &app,
            alliance: &pool.alliance,
        };
        assert!(super::step(&pool.state, &pool.authority, &desk, &round, closed).await);
    }
    assert_eq!(pool.go_on(&round, closed).await, "void");
    let certificate = office::void(&pool.state, &round).await.unwrap().unwrap();
    let h02 = pool.party("h02");
    assert_eq!(h02.home.spent("all").await, 200_000_001);
    let credit = party::hear_void(&pool.desk(h02), &held.offer, &certificate).await;
    assert_eq!(credit.unwrap().map(|rho| rho.nano()), Some(200_000_001));
    assert_eq!(h02.home.spent("all").await, 0);
}

/// Seats that may have voted do not void: from then on a round is not taken back.
#[tokio::test]
async fn a_round_that_seats_vote_about_is_not_withdrawn() {
    let pool = Pool::found().await;
    let held = pool.open(&[]).await;
    let round = held.asked.id.clone();
    let shown = progress(&pool, &round, NOW).await;
    assert_eq!(
        (shown.uploads(), shown.hospitals.len(), shown.quorum),
        (0, 5, 3)
    );
    assert!(shown.next.contains("pooled withdraw"), "{}", shown.next);
    for name in ALL {
        pool.upload(name, &held.offer).await;
    }
    assert_eq!(pool.go_on(&round, NOW).await, "proposed");
    for name in ["h01", "h02", "c3"] {
        assert!(pool.step(&round, name, NOW).await, "{name} inspects");
    }
    let held = pool.find(&round).await;
    let refused = office::withdraw(&pool.state, &held, NOW).await;
    assert!(
        matches!(refused, Err(PooledError::NotWithdrawn(..))),
        "{refused:?}"
    );
    let shown = progress(&pool, &round, NOW).await;
    assert_eq!((shown.saying("sound"), shown.saying("vote")), (3, 0));
    pool.sit(&round, &SEATS, NOW).await;
    let shown = progress(&pool, &round, NOW).await;
    assert_eq!(shown.state, "done");
    assert!(shown.certified && shown.saying("vote") >= 3 && shown.saying("sum") >= 3);
    assert!(shown.hospitals.iter().all(|one| one.in_sum == Some(true)));
    assert!(
        shown.next.contains("benchmark ROUND --pooled"),
        "{}",
        shown.next
    );
    by_command(&pool, &round).await;
}

pub(super) fn call(name: &str, words: &[&str]) -> (bool, String) {
    let output = Command::new(binary(name)).args(words).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

/// The commands: lists, one round, a committee that is weaker, and verifying without a coordinator.
async fn by_command(pool: &Pool, round: &Slug) {
    let folder = pool.folder.path();
    let settings = "alliance = \"river\"\nhosts = [\"localhost\"]\nnode_address = \"127.0.0.1:1\"\n\
                    public_address = \"127.0.0.1:2\"\nnode_url = \"https://localhost:1\"\n\
                    public_url = \"https://localhost:2\"\n";
    std::fs::write(folder.join("coordinator.toml"), settings).unwrap();
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    let data = folder.to_str().unwrap();
    let run = |words: &[&str]| {
        let words = [&["--data", data, "pooled"], words].concat();
        call("consilium-coordinator", &words)
    };
    let (done, told) = run(&["rounds"]);
    assert!(
        done && told.contains("done") && told.contains("5 of 5 uploads"),
        "{told}"
    );
    let (done, told) = run(&["rounds", "--json"]);
    let rows: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert!(
        done && rows[0]["hospitals"].as_array().unwrap().len() == 5,
        "{told}"
    );
    let (done, told) = run(&["show", round.as_str()]);
    assert!(
        done && told.contains("in the sum") && told.contains("next "),
        "{told}"
    );
    let (done, told) = run(&["committee", "h01,h02,c9"]);
    assert!(
        !done && told.contains("seat `c9`") && !told.contains("weaker"),
        "{told}"
    );
    let (done, told) = run(&["committee", "h01,h02,c3,c4"]);
    assert!(
        done && told.contains("committee 1 has these seats already"),
        "{told}"
    );
    let (done, told) = run(&["body", "nobody", "--kind", "hospital", "--entity", "nobody"]);
    assert!(!done && told.contains("`nobody` is no member"), "{told}");
    let (done, told) = run(&["bodies"]);
    let row = told.lines().find(|line| line.starts_with("c3 ")).unwrap();
    assert!(
        done && row.contains("authority") && row.contains("seat of committee 1, in key list 1"),
        "{told}"
    );
    let (done, told) = run(&["committee", "h01,h02,c3"]);
    assert!(
        !done && told.contains("(4, 1)") && told.contains("--weaker"),
        "{told}"
    );
    let (done, told) = run(&["committee", "h01,h02,c3", "--weaker"]);
    assert!(done && told.contains("committee 2 is (3, 1)"), "{told}");

    let out = folder.join("published");
    let out = out.to_str().unwrap();
    let (done, told) = run(&["publish", round.as_str(), "--out", out]);
    let print = pool.alliance.fingerprint().to_string();
    assert!(done && told.contains(&print), "{told}");
    let (done, told) = run(&["publish", round.as_str(), "--out", out]);
    assert!(!done && told.contains("exists already"), "{told}");
    let (done, told) = run(&["verify", data]);
    assert!(!done && !told.contains("os error"), "{told}");
    let file = folder.join("published").join("alliance.key");
    let own = folder.join("own.key");
    std::fs::copy(&file, &own).unwrap();
    let loud = print.to_uppercase();
    for program in ["consilium-node", "consilium-coordinator"] {
        let verify = |key: &str| call(program, &["pooled", "verify", out, "--key", key]);
        let (done, told) = verify(file.to_str().unwrap());
        assert!(!done && told.contains("lies in the folder"), "{told}");
        let link = folder.join(format!("link-{program}"));
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let (done, told) = verify(link.to_str().unwrap());
        assert!(!done && told.contains("lies in the folder"), "{told}");
        for key in [&print, &loud, own.to_str().unwrap()] {
            let (done, told) = verify(key);
            assert!(
                done && told.contains("holds: the sum of 5 hospitals"),
                "{told}"
            );
        }
        let (done, told) = verify(&"0".repeat(64));
        assert!(
            !done && told.contains(&print) && told.contains("--key"),
            "{told}"
        );
        assert!(
            !told.contains("does not hold"),
            "the folder is sound: {told}"
        );
    }
    // The key beside it is part of what is checked.
    std::fs::write(&file, format!("{}\n", "7".repeat(64))).unwrap();
    let (done, told) = run(&["verify", out]);
    assert!(!done && told.contains("files does not hold"), "{told}");
    let totals = folder.join("published").join("totals.json");
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&totals, "{}").unwrap();
    let (done, told) = run(&["verify", out]);
    assert!(!done && told.contains("do not use `totals.json`"), "{told}");
}

/// A list is drafted anew when something changed, or in the second half of its time.
#[tokio::test]
async fn a_list_that_says_the_same_is_not_drafted() {
    let pool = Pool::found().await;
    let draft = async |t_max: u32, days: i64| {
        let order = ListOrder {
            operator: slug("office"),
            t_max,
        };
        let now = Timestamp(NOW.0 + days * 86_400);
        office::draft(&pool.state, &pool.authority, &order, now).await
    };
    for days in [0, 15] {
        let same = draft(1, days).await;
        assert!(
            matches!(same, Err(PooledError::Unchanged { version: 1, .. })),
            "{same:?}"
        );
    }
    assert_eq!(draft(1, 16).await.unwrap().version, 2);
    sqlx::query("delete from pooled_lists where published = 0")
        .execute(pool.state.pool())
        .await
        .unwrap();
    assert_eq!(draft(2, 0).await.unwrap().version, 2);
}
