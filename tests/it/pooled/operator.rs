//! What operators of pooled rounds are told: before a round is opened, and of rounds that went on without
//! them.

use coordinator::ask;
use coordinator::pooled::{self as office, Drawn, Foreseen, Order, PooledError};
use coordinator::template;
use node::pooled as party;
use policies::plan::{Thought, compile, explain, explain_sum};
use pooled::threshold::ThresholdError;
use schemas::id::Slug;
use schemas::time::Timestamp;
use tests::fixture::{rules, slug};

use super::{NOW, Party, Pool};
use crate::benchmark::number;
use crate::hospital;

fn order() -> Order {
    super::order(&[], false)
}

async fn draw(pool: &Pool, template: &str, order: &Order) -> Result<Drawn, PooledError> {
    let templates = template::load(None).unwrap();
    let (state, authority) = (&pool.state, &pool.authority);
    office::draw(state, authority, &templates[template], &rules(), order, NOW).await
}

/// A question that hospitals are foreseen to refuse too: what is wrong with the order comes first.
#[tokio::test]
async fn what_is_ordered_is_checked_before_anything_is_foreseen() {
    let pool = Pool::found().await;
    let refused = async |change: &dyn Fn(&mut Order)| {
        let mut order = order();
        change(&mut order);
        let templates = template::load(None).unwrap();
        let alliance = &templates["yearly-alliance"];
        let (state, authority) = (&pool.state, &pool.authority);
        let opened =
            crate::opening::pooled(state, authority, alliance, &rules(), &order, NOW).await;
        opened.unwrap_err()
    };
    let sound = refused(&|_| {}).await;
    assert!(matches!(sound, PooledError::Foreseen(_)), "{sound:?}");
    // The fixed now is in January 2026.
    for period in ["2031", "2026-01", "2025-06..2026-01"] {
        let error = refused(&|order| order.period = period.parse().unwrap()).await;
        assert!(matches!(error, PooledError::NotOver { .. }), "{error:?}");
        assert!(error.to_string().contains("before 2026-01"), "{error}");
    }
    let error = refused(&|order| order.roster = ["h01", "h02", "h01"].map(slug).to_vec()).await;
    assert!(
        error.to_string().contains("`h01` is named twice"),
        "{error}"
    );
    let error = refused(&|order| order.roster = ["h01", "h02", "h77"].map(slug).to_vec()).await;
    assert!(
        error.to_string().contains("`h77` is not in key list 1"),
        "{error}"
    );
    let error = refused(&|order| order.roster = ["h01", "h02", "c3"].map(slug).to_vec()).await;
    assert!(error.to_string().contains("`c3` is no hospital"), "{error}");
    for (t, n_min) in [(0, None), (1, Some(3)), (1, Some(6)), (4, None)] {
        let error = refused(&|order| (order.t, order.n_min) = (t, n_min)).await;
        assert!(matches!(error, PooledError::Thresholds { .. }), "{error:?}");
        assert!(
            error.to_string().starts_with(&format!("--t {t}, ")),
            "{error}"
        );
    }
    let least = refused(&|order| order.n_min = Some(3)).await;
    assert!(
        matches!(
            least,
            PooledError::Thresholds {
                fault: ThresholdError::Survivors { least: 4 },
                ..
            }
        ),
        "{least:?}"
    );
    let error = refused(&|order| order.t = 2).await;
    assert!(
        matches!(error, PooledError::AboveMost { t: 2, most: 1 }),
        "{error:?}"
    );
}

/// What is drawn up costs what is charged, and opens nothing.
#[tokio::test]
async fn a_drawn_round_is_not_open() {
    let pool = Pool::found().await;
    let drawn = draw(&pool, "yearly-pooled", &order()).await.unwrap();
    assert_eq!(
        (drawn.charge.nano(), drawn.worst.nano()),
        (200_000_001, 600_000_003)
    );
    assert_eq!(drawn.seats, super::SEATS.map(slug));
    assert_eq!(drawn.manifest.closes, Timestamp(NOW.0 + 3_600));
    let rounds = office::rounds(&pool.state, &pool.authority).await.unwrap();
    assert!(rounds.is_empty());
    let held = office::begin(&pool.state, &pool.authority, drawn).await;
    assert_eq!(held.unwrap().asked.id, slug("p1-yearly-pooled"));
}

/// The same attributed question again is told before it is opened.
#[tokio::test]
async fn an_attributed_question_asked_again_is_told() {
    let pool = Pool::found().await;
    let templates = template::load(None).unwrap();
    let (state, authority, rules) = (&pool.state, &pool.authority, rules());
    let template = &templates["yearly-hospitals"];
    let drawn = async |year: &str| {
        let order = asked(year);
        ask::draw(state, authority, template, &rules, &order, NOW)
            .await
            .unwrap()
    };
    assert_eq!(drawn("2025").await.before, Vec::<Slug>::new());
    let first = ask::begin(state, authority, drawn("2025").await);
    let first = first.await.unwrap().round.id;
    assert_eq!(drawn("2025").await.before, [first]);
    assert_eq!(drawn("2024").await.before, Vec::<Slug>::new());
}

fn asked(period: &str) -> ask::Order {
    ask::Order {
        period: period.parse().unwrap(),
        roster: Vec::new(),
        window: 3_600,
        min_answers: Some(3),
    }
}

/// Hospitals that said that they hold none of the months are named, until they answer about them.
#[tokio::test]
async fn months_that_hospitals_lack_are_foreseen() {
    let pool = Pool::found().await;
    let templates = template::load(None).unwrap();
    let template = &templates["yearly-hospitals"];
    let (state, authority, rules) = (&pool.state, &pool.authority, rules());
    let say = async |hospital: &str, said: &str| {
        let order = asked("2023");
        let opened = crate::opening::attributed(state, authority, template, &rules, &order, NOW);
        let id = opened.await.unwrap().0.round.id;
        sqlx::query("insert into replies values ($1, $2, '', '', $3, 0)")
            .bind(id.as_str())
            .bind(hospital)
            .bind(said)
            .execute(state.pool())
            .await
            .unwrap();
        id
    };
    let old = Order {
        period: "2023".parse().unwrap(),
        ..order()
    };
    let check = async || {
        let drawn = draw(&pool, "yearly-pooled", &old).await.unwrap();
        office::check(state, authority, &rules, &drawn).await
    };
    check().await.unwrap();
    let round = say("h03", "no_data").await;
    let Err(PooledError::Foreseen(why)) = check().await else {
        panic!("it is foreseen")
    };
    assert_eq!(
        *why,
        Foreseen::NoData {
            hospitals: vec![slug("h03")],
            round,
            period: old.period,
        }
    );
    let other = draw(&pool, "yearly-pooled", &order()).await.unwrap();
    let other = office::check(state, authority, &rules, &other).await;
    other.unwrap();
    say("h03", "answered").await;
    // It holds them now, and has told the stays by itself.
    let Err(PooledError::Foreseen(why)) = check().await else {
        panic!("it is foreseen")
    };
    assert!(matches!(*why, Foreseen::OtherWay { .. }), "{why:?}");
}

/// The noise of the sum is that of all hospitals' shares, and the number of stays tells percentiles
/// apart from it.
#[tokio::test]
async fn the_errors_told_are_those_of_the_sum() {
    let pool = Pool::found().await;
    let app = &pool.party("h01").app;
    let thought = Thought {
        hospitals: 6,
        n_min: 5,
        t: 1,
    };
    let layout = |name: &str| {
        let (question, _) = hospital::shipped(app, name, "2025");
        let layout = compile(&question, &app.dictionary, &app.policy).unwrap();
        (question, layout)
    };
    let (question, alone) = layout("yearly-alliance");
    let (_, beside) = layout("yearly-hospitals");
    let told = |beside| explain_sum(&question, &alone, &app.dictionary, thought, beside).unwrap();
    let (raw, sum) = (told(None), told(Some(&beside)));
    assert_eq!(sum.worst.nano(), 4 * sum.charge.nano());
    for (one, all) in explain(&alone).blocks.iter().zip(&sum.sum.blocks) {
        let ratio = number(&all.sigma) / number(&one.sigma);
        assert!((ratio - 1.5_f64.sqrt()).abs() < 0.01, "{ratio}");
        assert!(all.least.is_none());
    }
    let bins = |plan: &policies::plan::ExplainedSum| {
        let mut blocks = plan.sum.blocks.iter();
        blocks
            .find(|block| !block.rank_error_points.is_empty())
            .unwrap()
            .clone()
    };
    assert!(bins(&raw).improved_rank_points.is_empty());
    let block = bins(&sum);
    let pairs = block
        .rank_error_points
        .iter()
        .zip(&block.improved_rank_points);
    let mut compared = 0;
    for ((n, raw), (of, improved)) in pairs {
        assert_eq!(n, of);
        assert!(number(improved) <= number(raw), "{n}: {improved} {raw}");
        compared += usize::from(number(improved) < number(raw));
    }
    assert!(compared >= 2 && block.improved_rank_points.len() == block.rank_error_points.len());
    let shares = sum
        .sum
        .blocks
        .iter()
        .filter(|one| !one.share_error_points.is_empty());
    assert_eq!(shares.count(), 1);
}

fn dry(one: &Party, template: &str) -> (bool, String) {
    let data = one.home.config.data.to_str().unwrap();
    let words = [
        "--data",
        data,
        "ask",
        template,
        "--period",
        "2025",
        "--dry-run",
    ];
    super::alliance::call("consilium-node", &words)
}

/// The node's dry run of a pooled question: what the sum is worth, the price of a colluding committee and
/// its limit, and that the same was asked before.
#[tokio::test]
async fn a_nodes_dry_run_tells_of_the_sum_and_the_committee() {
    let pool = Pool::found().await;
    let h01 = pool.party("h01");
    let (done, told) = dry(h01, "yearly-pooled");
    for word in [
        "thought of with 5 hospitals (all hospitals of key list 1), at least 4 in the sum",
        "cost: ρ 0.200000001",
        "if the whole committee colludes: ρ 0.600000003",
        "pooled.worst ρ 4",
        "improved",
        "would be answered in a pooled round",
    ] {
        assert!(done && told.contains(word), "{word}: {told}");
    }
    assert!(!told.contains("very same question"), "{told}");
    let (done, told) = dry(h01, "yearly-alliance");
    for word in [
        "stand in `yearly-hospitals` of the same months",
        "place of the 75th percentile",
        "improved, held to the number of stays",
        "nothing improves shares",
        "first, such as `yearly-hospitals`",
    ] {
        assert!(!done && told.contains(word), "{word}: {told}");
    }
    let held = pool.open(&[]).await;
    pool.upload("h01", &held.offer).await;
    let (_, told) = dry(h01, "yearly-pooled");
    let word = format!("`{}` asked the very same question", held.asked.id);
    assert!(told.contains(&word), "{told}");
    // A word less than the round takes is left.
    let h02 = pool.party("h02");
    sqlx::query("insert into ledger values (2025, 'pooled-worst', 3500000000)")
        .execute(h02.app.state.pool())
        .await
        .unwrap();
    let (done, told) = dry(h02, "yearly-pooled");
    assert!(
        !done && told.contains("pooled-worst of 2025 needs ρ 0.600000003 and has ρ 0.5 left"),
        "{told}"
    );
}

/// Hospitals and seats that did nothing for a round that ended see that, and a seat what it waits for.
#[tokio::test]
async fn what_was_missed_or_is_awaited_is_told() {
    let pool = Pool::found().await;
    let held = pool.open(&[]).await;
    pool.upload("h01", &held.offer).await;
    for name in ["h01", "h05", "c4"] {
        let desk = pool.desk(pool.party(name));
        party::ended(&desk, &held.offer).await.unwrap();
    }
    let seen = async |name: &str| {
        let offered = party::offered(&pool.party(name).app.state, NOW).await;
        let rows = offered.unwrap().into_iter();
        let rows = rows.map(|one| (one.part, one.state, one.why, one.next));
        rows.collect::<Vec<_>>()
    };
    let rows = seen("h05").await;
    assert_eq!(
        (rows.len(), rows[0].0, rows[0].1.as_str()),
        (1, "hospital", "missed")
    );
    assert!(rows[0].3.contains("let the node run"), "{rows:?}");
    let rows = seen("c4").await;
    assert_eq!(
        (rows.len(), rows[0].0, rows[0].1.as_str()),
        (1, "seat", "missed")
    );
    // It uploaded, and its seat said nothing.
    let rows = seen("h01").await;
    let states: Vec<(&str, &str)> = rows.iter().map(|row| (row.0, row.1.as_str())).collect();
    assert_eq!(states, [("hospital", "uploaded"), ("seat", "missed")]);

    let h02 = pool.desk(pool.party("h02"));
    let why = "receipts are awaited".to_owned();
    party::seated(&h02, &held.offer, Err(why)).await.unwrap();
    let rows = seen("h02").await;
    assert_eq!((rows[0].0, rows[0].1.as_str()), ("seat", "awaited"));
    assert!(rows[0].2.contains("receipts") && rows[0].3.contains("waits for this seat"));
    let said = Ok("it voted for the set");
    party::seated(&h02, &held.offer, said).await.unwrap();
    party::ended(&h02, &held.offer).await.unwrap();
    let rows = seen("h02").await;
    let seat = rows.iter().find(|row| row.0 == "seat").unwrap();
    assert_eq!(seat.1, "said");
}
