//! A whole alliance of the real binaries whose processes are killed during rounds (SIGKILL) and
//! started again in the same folders: every round closes with all answers, every question is
//! charged once and answered once, and both sides' logs are unbroken.

mod alliance;
mod backups;
mod committee;
mod datasets;
mod ending;
mod enrolment;
mod often;
mod process;
mod retention;
mod soak;

use std::collections::BTreeMap;
use std::time::Duration;

use schemas::digest::Digest;
use sqlx::SqliteConnection;
use tokio::time::{Instant, sleep, sleep_until};

use alliance::{Alliance, Round, remains, state};

/// Where in a round a process was killed.
type Tally = BTreeMap<&'static str, u32>;

#[tokio::test]
async fn killed_processes_lose_and_double_nothing() {
    let mut alliance = Alliance::found();
    let mut tally = Tally::new();
    let mut rounds = vec![alliance.ask("yearly-benchmark", "2025")];
    before_any_reply(&mut alliance, &rounds[0], &mut tally).await;
    alliance.closes(&rounds[0]);
    for month in 1..=12_u64 {
        if month == 2 {
            // Nobody is there to answer when the round is opened.
            alliance.nodes[1].kill();
        }
        let round = alliance.ask("monthly-benchmark", &format!("2025-{month:02}"));
        match month {
            1 => while_answers_arrive(&mut alliance, &round, &mut tally).await,
            2 => around_the_charge(&mut alliance, &round, &mut tally).await,
            _ => at_any_time(&mut alliance, &round, month, &mut tally).await,
        }
        alliance.closes(&round);
        rounds.push(round);
    }
    acknowledged(&alliance).await;
    println!("killed: {tally:#?}");
    for place in [NO_REPLY, SOME_REPLIES, UNCHARGED, UNACKNOWLEDGED] {
        assert!(tally.contains_key(place), "none was killed {place}");
    }
    assert_eq!(tally.values().sum::<u32>(), 4 + 2 * 10);
    ending::check(&alliance, &rounds).await;
}

const NO_REPLY: &str = "coordinator: before any reply";
const SOME_REPLIES: &str = "coordinator: between two replies";
const ALL_REPLIES: &str = "coordinator: after the last reply";
const UNCHARGED: &str = "node: before the charge";
const UNSTORED: &str = "node: charged, no reply stored";
const UNACKNOWLEDGED: &str = "node: reply stored, not acknowledged";
const ACKNOWLEDGED: &str = "node: acknowledged";

/// The coordinator dies as soon as the round is open.
async fn before_any_reply(alliance: &mut Alliance, round: &Round, tally: &mut Tally) {
    alliance.coordinator.kill();
    let seen = coordinator_died(alliance, round).await;
    *tally.entry(seen).or_default() += 1;
    alliance.coordinator.again();
}

/// The coordinator dies when it holds an answer, but not all.
async fn while_answers_arrive(alliance: &mut Alliance, round: &Round, tally: &mut Tally) {
    until("a first reply", async || {
        replies(&mut state(&alliance.hub()).await, round).await > 0
    })
    .await;
    alliance.coordinator.kill();
    let seen = coordinator_died(alliance, round).await;
    assert_ne!(seen, NO_REPLY);
    *tally.entry(seen).or_default() += 1;
    alliance.coordinator.again();
}

/// One node was dead when the round was opened, another dies with a charge that it has not sent.
async fn around_the_charge(alliance: &mut Alliance, round: &Round, tally: &mut Tally) {
    let seen = node_died(alliance, 1, round).await;
    assert_eq!(seen, UNCHARGED);
    *tally.entry(seen).or_default() += 1;
    until("a charge", async || {
        charges(&mut state(&alliance.home(2)).await, &round.question).await > 0
    })
    .await;
    alliance.nodes[2].kill();
    let seen = node_died(alliance, 2, round).await;
    assert_ne!(seen, UNCHARGED);
    *tally.entry(seen).or_default() += 1;
    alliance.nodes[1].again();
    alliance.nodes[2].again();
}

/// The coordinator and a node die, each at a moment of its own, and come back a moment later.
async fn at_any_time(alliance: &mut Alliance, round: &Round, month: u64, tally: &mut Tally) {
    let opened = Instant::now();
    let node = usize::try_from(month % 3).unwrap();
    let mut deaths = [(delay(month, 0), None), (delay(month, 1), Some(node))];
    deaths.sort_unstable();
    for (after, node) in deaths {
        sleep_until(opened + after).await;
        let seen = if let Some(node) = node {
            alliance.nodes[node].kill();
            node_died(alliance, node, round).await
        } else {
            alliance.coordinator.kill();
            coordinator_died(alliance, round).await
        };
        println!("{}: {seen} after {after:?}", round.id);
        *tally.entry(seen).or_default() += 1;
        sleep(delay(month, 2) / 10).await;
        match node {
            Some(node) => alliance.nodes[node].again(),
            None => alliance.coordinator.again(),
        }
    }
}

/// Waits until every node knows that the coordinator has its replies.
async fn acknowledged(alliance: &Alliance) {
    for node in 0..alliance.nodes.len() {
        until("every acknowledgement", async || {
            unacknowledged(&mut state(&alliance.home(node)).await).await == 0
        })
        .await;
    }
}

/// Up to 1.3 seconds, the same in every run.
fn delay(month: u64, which: u64) -> Duration {
    let seed = Digest::of("killed", &[&month.to_le_bytes(), &which.to_le_bytes()]);
    let [low, high, ..] = seed.as_bytes();
    Duration::from_millis(u64::from(u16::from_le_bytes([*low, *high])) / 50)
}

async fn coordinator_died(alliance: &Alliance, round: &Round) -> &'static str {
    let (_copy, mut state) = remains(&alliance.hub()).await;
    match replies(&mut state, round).await {
        0 => NO_REPLY,
        1 | 2 => SOME_REPLIES,
        _ => ALL_REPLIES,
    }
}

async fn node_died(alliance: &Alliance, node: usize, round: &Round) -> &'static str {
    let (_copy, mut state) = remains(&alliance.home(node)).await;
    let reply = sqlx::query_scalar("select acknowledged from replies where round = $1")
        .bind(round.digest.to_string())
        .fetch_optional(&mut state)
        .await
        .unwrap();
    match (charges(&mut state, &round.question).await, reply) {
        (0, None) => UNCHARGED,
        (1, None) => UNSTORED,
        (1, Some(0_i64)) => UNACKNOWLEDGED,
        (1, Some(1)) => ACKNOWLEDGED,
        other => panic!("{other:?}"),
    }
}

/// Replies that the coordinator holds.
async fn replies(state: &mut SqliteConnection, round: &Round) -> i64 {
    sqlx::query_scalar("select count(*) from replies where round = $1")
        .bind(&round.id)
        .fetch_one(state)
        .await
        .unwrap()
}

/// Replies of a node of which it does not know that the coordinator has them.
async fn unacknowledged(state: &mut SqliteConnection) -> i64 {
    sqlx::query_scalar("select count(*) from replies where acknowledged = 0")
        .fetch_one(state)
        .await
        .unwrap()
}

/// Stored answers of a node to a question: the charge is the same transaction.
async fn charges(state: &mut SqliteConnection, question: &Digest) -> i64 {
    sqlx::query_scalar("select count(*) from answers where question = $1")
        .bind(question.to_string())
        .fetch_one(state)
        .await
        .unwrap()
}

/// Looks every few milliseconds, for at most 20 seconds.
async fn until<F>(what: &str, mut holds: F)
where
    F: AsyncFnMut() -> bool,
{
    let end = Instant::now() + Duration::from_secs(20);
    while !holds().await {
        assert!(Instant::now() < end, "waited in vain: {what}");
        sleep(Duration::from_millis(3)).await;
    }
}
