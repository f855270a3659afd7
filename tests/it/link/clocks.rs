//! Row 18 of the threat model: a clock that runs behind or ahead gains nothing.

use std::time::Duration;

use node::clock::Clock;
use node::link::{LinkError, Word};
use schemas::outcome::Reason;
use schemas::round::State as RoundState;
use schemas::time::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Alliance;

const DAY: i64 = 86_400;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_clock_is_wrong_answers_nothing() {
    let alliance = Alliance::found().await;
    let a = alliance.joined("a").await;
    let now = alliance.clock.now();
    let run = async |clock: Clock, seconds: u64, answers: bool| {
        let stop = CancellationToken::new();
        let running = a.run_by(
            clock,
            async |_, _| {
                assert!(answers, "asked with a wrong clock");
                Ok(Some(Word::Declined(Reason::Declined)))
            },
            &stop,
        );
        let ending = async {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            stop.cancel();
        };
        tokio::join!(running, ending);
    };
    // Once with the right clock: the agreed time is kept.
    run(Clock::System, 1, true).await;
    let held = alliance.round(&["a"], 1).await;
    for days in [-30, -1, 10, 30] {
        run(Clock::Fixed(Timestamp(now.0 + days * DAY)), 1, false).await;
    }
    assert_eq!(alliance.state_of(&held.round.id).await, RoundState::Open);
    let charged: i64 = sqlx::query_scalar("select count(*) from answers")
        .fetch_one(a.state.pool())
        .await
        .unwrap();
    assert_eq!(charged, 0);
    let link = a.link_at(Timestamp(now.0 + 10 * DAY));
    assert!(matches!(link.rounds(0).await, Err(LinkError::Clock(_))));
    // A wrong clock left no trace: with the right one it goes on.
    run(Clock::System, 3, true).await;
    assert_eq!(alliance.state_of(&held.round.id).await, RoundState::Dead);
    alliance.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_whose_clock_runs_back_serves_nobody() {
    let alliance = Alliance::found().await;
    let a = alliance.joined("a").await;
    // Looked at when something changes and every few seconds.
    let until = async |seconds: i64, served: bool| {
        for _ in 0..100 {
            let now = Timestamp(alliance.clock.now().0);
            let said = a.link_at(now).rounds(0).await;
            match said {
                Ok(_) if served => return,
                Err(LinkError::Busy) if !served => return,
                _ => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
        panic!("{seconds}: served is not {served}");
    };
    until(0, true).await;
    alliance.clock.advance(-200);
    until(-200, false).await;
    let alliance_now = alliance.clock.now();
    alliance.clock.advance(200);
    until(0, true).await;
    assert!(alliance.clock.now() > alliance_now);
    // The time is remembered over a restart.
    alliance.clock.advance(-200);
    let alliance = alliance.restart().await;
    let said = a.link_at(alliance.clock.now()).rounds(0).await;
    assert!(matches!(said, Err(LinkError::Busy)), "{said:?}");
    alliance.end().await;
}
