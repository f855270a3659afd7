//! A hospital that shows the coordinator two histories.

use coordinator::log::{LogError, add};
use coordinator::register::{Member, Standing};
use proofs::checkpoint::Checkpoint;
use proofs::note::Note;
use proofs::tree::{Log, leaf_hash};
use proofs::witness::{Refusal, Request, witness_key};
use schemas::digest::Digest;
use schemas::seal::Signer;
use schemas::time::Timestamp;

use crate::hub::Hub;

fn log(leaves: &[u8]) -> Log {
    let mut log = Log::default();
    for leaf in leaves {
        log.append(leaf_hash(&[*leaf])).unwrap();
    }
    log
}

fn request(signer: &Signer, origin: &str, log: &Log, old: u64, new: u64) -> Request {
    let checkpoint = Checkpoint {
        origin: origin.to_owned(),
        size: new,
        root: log.root_at(new).unwrap(),
    };
    let mut note = Note::new(checkpoint.text()).unwrap();
    note.sign(origin, signer).unwrap();
    Request {
        old,
        proof: log.consistency(old, new).unwrap(),
        note,
    }
}

/// security.md §6 row 9.
#[tokio::test]
async fn the_coordinator_refuses_and_logs_a_fork() {
    let hub = Hub::found().await;
    let signer = Signer::from_seed(&[1; 32]).unwrap();
    let member = Member {
        hospital: "h1".parse().unwrap(),
        certificate: Digest::ZERO,
        message_key: signer.public(),
        standing: Standing::Active,
        joined: Timestamp(0),
        seen: None,
    };
    let (sound, other) = (log(b"abcdef"), log(b"abXdefg"));
    let now = Timestamp(1_764_000_000);
    let send = async |origin: &str, log: &Log, old, new| {
        let request = request(&signer, origin, log, old, new);
        add(&hub.state, &hub.authority, &member, request, now).await
    };
    let own = "river/h1/log";
    assert!(send(own, &sound, 0, 3).await.unwrap().grown);
    let five = send(own, &sound, 3, 5).await.unwrap();
    let coordinator = "coordinator".parse().unwrap();
    let key = hub.authority.signer().public();
    let witness = witness_key(hub.authority.alliance(), &coordinator, key).unwrap();
    let text = request(&signer, own, &sound, 3, 5).note.text().to_owned();
    let note = Note::parse(format!("{text}\n{}", five.cosignature).as_bytes()).unwrap();
    assert_eq!(
        note.verify(&[witness.key]).unwrap()[0].time,
        Some(1_764_000_000)
    );
    assert!(!send(own, &sound, 5, 5).await.unwrap().grown);

    let refused = |sent: Result<_, LogError>| match sent {
        Err(LogError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    let forked = refused(send(own, &other, 5, 5).await);
    assert_eq!(
        (forked, forked.status()),
        (Refusal::Forked { known: 5 }, 409)
    );
    assert_eq!(refused(send(own, &other, 5, 7).await).status(), 422);
    assert_eq!(refused(send(own, &other, 5, 7).await).status(), 422);
    let stale = refused(send(own, &sound, 3, 6).await);
    assert_eq!(stale, Refusal::Stale { known: 5 });
    for stranger in ["river/h2/log", "river/coordinator/log", "brook/h1/log"] {
        let sent = send(stranger, &sound, 0, 3).await;
        assert!(matches!(sent, Err(LogError::NoSuchLog)), "{stranger}");
    }
    let entries = hub.state.log().await.unwrap();
    let forks = entries.iter().filter(|entry| entry.kind.as_str() == "fork");
    assert_eq!(forks.count(), 2, "each contradiction once");
    let kept: i64 = sqlx::query_scalar("select count(*) from forks where held <> shown")
        .fetch_one(hub.state.pool())
        .await
        .unwrap();
    assert_eq!(kept, 2);
    assert!(
        send(own, &sound, 5, 6).await.unwrap().grown,
        "it stands where it stood"
    );
    hub.end().await;
}
