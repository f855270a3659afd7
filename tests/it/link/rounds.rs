//! What a reply may be, and what survives an end.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use coordinator::{collect, merge};
use node::link::{self, LinkError, Sent, Word};
use schemas::answer::Answer;
use schemas::digest::Digest;
use schemas::entry::verify_chain;
use schemas::outcome::Reason;
use schemas::round::{Reply, Said, State as RoundState};
use schemas::seal::Sealed;
use tokio_util::sync::CancellationToken;

use super::{Alliance, Node, slug};

#[tokio::test(flavor = "multi_thread")]
async fn a_round_from_invitation_to_merge() {
    let alliance = Alliance::found().await;
    let (a, b, c) = (
        alliance.joined("a").await,
        alliance.joined("b").await,
        alliance.joined("c").await,
    );
    let stop = CancellationToken::new();
    let nodes = async {
        tokio::join!(
            a.run(async |round, _| Ok(Some(a.charged(round, 1).await)), &stop),
            b.run(async |round, _| Ok(Some(b.charged(round, 2).await)), &stop),
            c.run(async |_, _| Ok(Some(Word::Declined(Reason::NoData))), &stop),
        );
    };
    let asking = async {
        // The nodes wait already; the long poll has to wake up.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let held = alliance.round(&[], 2).await;
        let state = alliance.until_ended(&held.round.id).await;
        assert_eq!(state, RoundState::Closed);
        // What the coordinator has acknowledged has left; the node hears of it after the round's end.
        let mut left: i64 = 0;
        for _ in 0..300 {
            left = sqlx::query_scalar("select count(left_at) from answers")
                .fetch_one(a.state.pool())
                .await
                .unwrap();
            if left > 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(left, 1);
        stop.cancel();
        held
    };
    let (held, ()) = tokio::join!(asking, nodes);

    let merged = merge::merge(&alliance.state, &alliance.authority, &held.round.id)
        .await
        .unwrap();
    let first = |answer: Answer| answer.blocks[0].as_ref().map(|cells| cells[0]);
    let said: Vec<(&str, Result<Option<i64>, Reason>)> = merged
        .hospitals
        .iter()
        .map(|(name, said)| (name.as_str(), said.clone().map(first)))
        .collect();
    let expected = [
        ("a", Ok(Some(1))),
        ("b", Ok(Some(2))),
        ("c", Err(Reason::NoData)),
    ];
    assert_eq!(said, expected);
    assert_eq!(merged.digests.answers.len(), 2);
    assert_eq!(merged.dictionary.version, 1);
    let offered = std::fs::read(link::offered(a.folder.path())).unwrap();
    let offered: Sealed<schemas::dictionary::Dictionary> =
        serde_json::from_slice(&offered).unwrap();
    assert_eq!(offered.digest().unwrap(), merged.digests.dictionary);

    let entries = alliance.state.log().await.unwrap();
    verify_chain(&entries).unwrap();
    let kinds: Vec<&str> = entries.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "reply").count(), 3);
    assert_eq!(kinds.last(), Some(&"round-end"));
    verify_chain(&a.state.log().await.unwrap()).unwrap();
    let key_folder = a.folder.path().join("keys");
    let mode = std::fs::metadata(key_folder.join("tls.pem"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_counts_once_and_only_as_it_was_signed() {
    let alliance = Alliance::found().await;
    let (a, b) = (alliance.joined("a").await, alliance.joined("b").await);
    let outsider = alliance.joined("c").await;
    let held = alliance.round(&["a", "b"], 1).await;
    let (round, link) = (&held.round, a.link());

    assert!(outsider.link().rounds(0).await.unwrap().is_empty());
    let offered = link.rounds(0).await.unwrap();
    assert_eq!(offered, std::slice::from_ref(&held.sealed));
    let opened = offered[0].open(link.alliance_key()).unwrap();
    assert_eq!(opened, held.round);

    // Another hospital's key, name, round or question.
    let send = async |from: &Node, reply: &Sealed<Reply>| {
        let link = from.link_at(alliance.clock.now());
        link.reply(&held.digest, reply).await
    };
    let answered = |node: &Node, cell| node.reply(&held, node.answer(round, cell));
    let refused = |sent: Result<Sent, LinkError>, status| match sent {
        Ok(Sent::Refused(s)) | Err(LinkError::Status(s)) => assert_eq!(s, status),
        other => panic!("{other:?}"),
    };
    refused(send(&a, &answered(&b, 1)).await, 422);
    refused(send(&outsider, &answered(&outsider, 1)).await, 403);
    let mut elsewhere = held.clone();
    elsewhere.digest = Digest::of("other", &[]);
    let said = Said::Declined(Reason::Declined);
    refused(send(&a, &a.reply(&elsewhere, said)).await, 422);
    refused(send(&a, &a.reply(&held, b.answer(round, 1))).await, 422);
    let mut other_question = round.clone();
    other_question.question.bounds.groups = 2;
    refused(
        send(&a, &a.reply(&held, a.answer(&other_question, 1))).await,
        422,
    );
    let unknown = Digest::of("unknown", &[]);
    refused(a.link().reply(&unknown, &answered(&a, 1)).await, 404);

    // Once; the same bytes again are welcome; other bytes are not.
    let reply = answered(&a, 1);
    for _ in 0..3 {
        assert_eq!(send(&a, &reply).await.unwrap(), Sent::Acknowledged);
    }
    refused(send(&a, &answered(&a, 2)).await, 409);
    assert!(link.rounds(0).await.unwrap().is_empty());
    let entries = alliance.state.log().await.unwrap();
    let of_kind = |kind| entries.iter().filter(|e| e.kind.as_str() == kind).count();
    assert_eq!((of_kind("reply"), of_kind("reply-conflict")), (1, 1));

    let now = alliance.clock.now();
    let progress = collect::progress(&alliance.state, &held, now)
        .await
        .unwrap();
    assert_eq!((progress.answers, progress.hospitals.len()), (1, 2));

    // After the deadline the round ends by itself and takes nothing more.
    alliance.clock.advance(3601);
    assert_eq!(alliance.until_ended(&round.id).await, RoundState::Closed);
    refused(send(&b, &answered(&b, 1)).await, 410);
    assert_eq!(send(&a, &reply).await.unwrap(), Sent::Acknowledged);
    let merged = merge::merge(&alliance.state, &alliance.authority, &round.id)
        .await
        .unwrap();
    assert_eq!(merged.hospitals[1], (slug("b"), Err(Reason::Late)));
    alliance.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_answers_and_the_round_dies() {
    let alliance = Alliance::found().await;
    let (a, b) = (alliance.joined("a").await, alliance.joined("b").await);
    let held = alliance.round(&[], 2).await;
    let declined = |node: &Node| node.reply(&held, Said::Declined(Reason::OutOfAllowance));
    let answered = a.reply(&held, a.answer(&held.round, 1));
    a.link().reply(&held.digest, &answered).await.unwrap();
    b.link().reply(&held.digest, &declined(&b)).await.unwrap();
    assert_eq!(alliance.state_of(&held.round.id).await, RoundState::Dead);
    let merged = merge::merge(&alliance.state, &alliance.authority, &held.round.id).await;
    assert!(matches!(merged, Err(merge::MergeError::Dead(_))));
    alliance.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_go_on_after_an_end() {
    let alliance = Alliance::found().await;
    let a = alliance.joined("a").await;
    let b = alliance.joined("b").await;
    let held = alliance.round(&[], 2).await;
    let early = b.reply(&held, b.answer(&held.round, 7));
    b.link().reply(&held.digest, &early).await.unwrap();
    // Nodes hold their poll while the coordinator ends and comes back on the same ports.
    let calls = AtomicU32::new(0);
    let alliance = alliance.restart().await;
    assert_eq!(alliance.state_of(&held.round.id).await, RoundState::Open);

    // The node answers and stores, but the coordinator is gone before it can send.
    let (folder, clock, at) = alliance.end().await;
    let digest = held.digest;
    let stop = CancellationToken::new();
    let alone = async {
        a.run(async |_, _| unreachable!("no coordinator, no round"), &stop)
            .await;
    };
    let ending = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        stop.cancel();
    };
    tokio::join!(alone, ending);
    let alliance = Alliance::open(folder, clock, at).await;

    // It runs again, fails to answer twice (nothing is said), then answers once for ever.
    let stop = CancellationToken::new();
    let running = a.run(
        async |round, asked| {
            assert_eq!(asked, digest);
            match calls.fetch_add(1, Ordering::SeqCst) {
                0 | 1 => Err(std::fmt::Error),
                n => Ok(Some(a.charged(round, i64::from(n)).await)),
            }
        },
        &stop,
    );
    let waiting = async {
        let state = alliance.until_ended(&held.round.id).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        stop.cancel();
        state
    };
    let ((), state) = tokio::join!(running, waiting);
    assert_eq!(state, RoundState::Closed);
    assert_eq!(calls.load(Ordering::SeqCst), 3);

    // The acknowledgement got lost: the node sends the same bytes, does not answer anew, and the
    // coordinator takes them as the ones it has.
    sqlx::query("update replies set acknowledged = 0")
        .execute(a.state.pool())
        .await
        .unwrap();
    let stop = CancellationToken::new();
    let running = a.run(async |_, _| unreachable!("answered before"), &stop);
    let settled = async {
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let open: i64 =
                sqlx::query_scalar("select count(*) from replies where acknowledged = 0")
                    .fetch_one(a.state.pool())
                    .await
                    .unwrap();
            if open == 0 {
                break;
            }
        }
        stop.cancel();
    };
    tokio::join!(running, settled);
    let stored: String = sqlx::query_scalar("select sealed from replies")
        .fetch_one(a.state.pool())
        .await
        .unwrap();
    let kept: String = sqlx::query_scalar("select sealed from replies where hospital = 'a'")
        .fetch_one(alliance.state.pool())
        .await
        .unwrap();
    assert_eq!(stored, kept);
    let entries = alliance.state.log().await.unwrap();
    verify_chain(&entries).unwrap();
    assert!(entries.iter().all(|e| e.kind.as_str() != "reply-conflict"));
    alliance.end().await;
}
