//! Three hospitals and a coordinator: each log is witnessed by the others, and a hospital that puts
//! an old backup back answers nothing until the gap is burned.

use std::path::Path;
use std::process::Command;

use node::answer::Unanswered;
use node::config::keys::Keys;
use node::ledger::{self, LedgerError};
use node::log::{self, Keeper};
use node::store::state::State;
use proofs::history::QUORUM;
use schemas::round::TemplateRef;
use schemas::seal::Signer;
use schemas::time::Timestamp;
use tests::officers::STEWARD;

use crate::hospital::{Hospital, Line, NOW, by_officer, shipped};
use crate::hub::{Hub, Running, round, until};

async fn hospital(name: &str) -> Hospital {
    let hospital = Hospital::new(name).await;
    let line = |n: u8| Line::new(&format!("P{n}"), &format!("S{n}"), 1 + n % 12, "JR19", 9000);
    hospital.hold(&(0..36).map(line).collect::<Vec<_>>()).await;
    hospital
}

fn signer(hospital: &Hospital) -> Signer {
    Keys::open(&hospital.config.data)
        .unwrap()
        .message_key()
        .unwrap()
}

/// The size up to which two others have witnessed a hospital's log.
async fn witnessed(hospital: &Hospital, state: &State) -> u64 {
    let signer = signer(hospital);
    let keeper = Keeper::open(state, &signer, &hospital.config.hospital).await;
    let newest = keeper.unwrap().unwrap().witnessed(QUORUM).await.unwrap();
    newest.map_or(0, |newest| newest.checkpoint.size)
}

async fn length(state: &State) -> u64 {
    state.log().await.unwrap().len() as u64
}

async fn until_witnessed(hospital: &Hospital, state: &State) {
    until("the whole log witnessed", async || {
        witnessed(hospital, state).await == length(state).await
    })
    .await;
}

async fn put(hub: &Hub, hospital: &Hospital, id: &str, template: &str, period: &str) {
    let (question, shipped) = shipped(&*hospital.app().await, template, period);
    let mut round = round(id, hospital.config.hospital.as_str(), question);
    round.template = Some(TemplateRef {
        id: shipped.id,
        version: shipped.version,
    });
    let name = hospital.config.hospital.as_str();
    hub.put(&round, name, hub.authority.signer()).await;
}

/// What was said to a round, once it is.
async fn said(hub: &Hub, id: &str) -> String {
    let said = async || {
        sqlx::query_scalar::<_, String>("select said from replies where round = $1")
            .bind(id.to_owned())
            .fetch_optional(hub.state.pool())
            .await
            .unwrap()
    };
    until("a reply", async || said().await.is_some()).await;
    said().await.unwrap()
}

/// A command of a binary; what it printed, and whether it succeeded.
fn call(name: &str, data: &Path, words: &[&str]) -> (bool, String) {
    let output = Command::new(crate::binary::binary(name))
        .arg("--data")
        .arg(data)
        .args(words)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

/// security.md §6 rows 9 and 19.
#[tokio::test(flavor = "multi_thread")]
async fn logs_are_witnessed_and_an_old_backup_answers_nothing_until_it_is_burned() {
    let hub = Hub::found().await;
    let mut h1 = hospital("h1").await;
    let others = [hospital("h2").await, hospital("h3").await];
    let all = [&h1, &others[0], &others[1]];
    for hospital in all {
        hub.join(hospital).await;
    }
    let running = all.map(|hospital| Running::start(&hospital.config.data));
    for hospital in all {
        until_witnessed(hospital, &hospital.state).await;
    }
    // The coordinator's own log is witnessed by the hospitals.
    until("the coordinator's log witnessed", async || {
        let newest = coordinator::log::witnessed(&hub.state, &hub.authority, QUORUM).await;
        let entries = hub.state.log().await.unwrap().len() as u64;
        newest
            .unwrap()
            .is_some_and(|it| it.checkpoint.size == entries)
    })
    .await;

    // A backup, then an answer, then the backup is put back.
    let aside = tempfile::tempdir().unwrap();
    let backup = aside.path().join("backup.sqlite");
    sqlx::query("vacuum into $1")
        .bind(backup.to_str().unwrap().to_owned())
        .execute(h1.state.pool())
        .await
        .unwrap();
    put(&hub, &h1, "before", "monthly-benchmark", "2025-03").await;
    assert_eq!(said(&hub, "before").await, "answered");
    until_witnessed(&h1, &h1.state).await;
    let spent = h1.spent("all").await;
    assert_eq!(spent, 150_000_000);
    let published = aside.path().join("published");
    let data = h1.config.data.clone();
    let folder = published.to_str().unwrap().to_owned();
    let (done, told) = call("consilium-node", &data, &["log", "export", &folder]);
    assert!(done, "{told}");
    let (done, told) = call("consilium-node", &data, &["log", "verify", &folder]);
    assert!(
        done && told.starts_with("sound: ") && told.contains("witnessed up to entry"),
        "{told}"
    );
    let (done, told) = call("consilium-node", &data, &["log", "fsck"]);
    assert!(done && told.starts_with("sound: "), "{told}");
    let [first, ..] = running;
    drop(first);
    h1.state.pool().close().await;
    for file in ["state.sqlite-wal", "state.sqlite-shm"] {
        std::fs::remove_file(data.join(file)).ok();
    }
    std::fs::copy(&backup, data.join("state.sqlite")).unwrap();
    h1.state = State::open(&data).await.unwrap();
    assert_eq!(h1.spent("all").await, 0, "what was spent is forgotten");

    let again = Running::start(&data);
    put(&hub, &h1, "after", "yearly-benchmark", "2025").await;
    assert_eq!(said(&hub, "after").await, "declined");
    assert!(
        again.log().contains("LEDGER_ROLLED_BACK"),
        "{}",
        again.log()
    );
    let app = h1.app().await;
    let asked = by_officer(crate::hospital::question(
        &app,
        "2025",
        "bounds = { groups = 1, stays = 1 }\n[[tables]]\nby = []\n\
         blocks = [{ measure = { kind = \"count\" }, rho = \"0.01\" }]",
    ));
    let refused = node::answer::reply(&app, &asked).await.unwrap_err();
    let rolled_back = matches!(refused, Unanswered::Ledger(LedgerError::RolledBack));
    assert!(
        rolled_back && refused.to_string().starts_with("LEDGER_ROLLED_BACK"),
        "{refused}"
    );

    // Entries of another log do not burn the gap; those that were published do, exactly.
    let entries = published.join("entries.jsonl");
    let text = std::fs::read_to_string(&entries).unwrap();
    let changed = text.replace("0.15", "0.01");
    assert_ne!(changed, text);
    let limits = node::answer::floors().unwrap();
    let steward = "zhang".parse().unwrap();
    let wrong = ledger::burn(&h1.state, Some(changed.as_bytes()), &limits, &steward, NOW).await;
    assert!(wrong.is_err());
    assert_eq!(h1.spent("all").await, 0);
    // Nobody but a registered officer burns, and not before it was seen what it costs.
    let burn = |by: &str, rest: &[&str]| {
        let words = [&["log", "burn", "--as", by], rest].concat();
        call("consilium-node", &data, &words)
    };
    let file = ["--entries", entries.to_str().unwrap()];
    let (done, told) = burn("zhang", &[&file[..], &["--yes"]].concat());
    assert!(!done && !told.contains("impossible"), "{told}");
    let (done, told) = burn(STEWARD, &[]);
    let whole = "ρ 1 more, at most ρ 0 of 1 left";
    for word in [
        whole,
        "any new answer about data of 2025",
        "nothing was burned",
    ] {
        assert!(done && told.contains(word), "{told}");
    }
    let (cheap, dear) = (told.find("with --entries FILE"), told.find(whole));
    assert!(cheap.unwrap() < dear.unwrap(), "{told}");
    assert!(
        !told.contains(" 0 closed months") && !told.contains(" 0 pooled"),
        "{told}"
    );
    assert!(
        told.contains(&format!("log burn --as {STEWARD} --entries FILE")),
        "{told}"
    );
    let (done, told) = burn(STEWARD, &file);
    let cost = format!("ρ 0.{:09}", spent).trim_end_matches('0').to_owned();
    let next = format!("{} --yes", file.join(" "));
    for word in [&cost, "nothing was burned", &next] {
        assert!(done && told.contains(word), "{word}: {told}");
    }
    assert!(!told.contains("any new answer"), "{told}");
    assert_eq!(h1.spent("all").await, 0);
    assert!(log::lost(&h1.state).await.unwrap().is_some());
    let (done, told) = burn(STEWARD, &[&file[..], &["--yes"]].concat());
    assert!(done && told.contains(&cost), "{told}");
    assert_eq!(h1.spent("all").await, spent);
    assert_eq!(h1.spent("benchmark").await, spent);
    let (done, told) = call("consilium-node", &data, &["log", "fsck"]);
    assert!(done, "{told}");

    // Now it answers again, and the log goes on under its next name, witnessed.
    node::answer::reply(&app, &asked).await.unwrap();
    put(&hub, &h1, "later", "yearly-benchmark", "2025").await;
    assert_eq!(said(&hub, "later").await, "answered");
    until_witnessed(&h1, &h1.state).await;
    let keys = signer(&h1);
    let keeper = Keeper::open(&h1.state, &keys, &h1.config.hospital).await;
    let origin = keeper.unwrap().unwrap().origin().await.unwrap();
    assert_eq!(origin, "river/h1/log.2");
    let kinds = hub.state.log().await.unwrap();
    assert!(
        kinds
            .iter()
            .any(|entry| entry.kind.as_str() == "log-restart")
    );
    let later = aside.path().join("later").to_str().unwrap().to_owned();
    let (done, told) = call("consilium-node", &data, &["log", "export", &later]);
    assert!(done, "{told}");
    let (done, told) = call("consilium-node", &data, &["log", "verify", &later]);
    assert!(done && told.contains("coordinator, h2, h3"), "{told}");
    drop(again);
    hub.end().await;
}

/// Without the published entries everything counts as spent.
#[tokio::test]
async fn without_the_entries_the_whole_allowance_is_burned() {
    let hospital = hospital("h1").await;
    let (state, signer) = (&hospital.state, signer(&hospital));
    let keeper = Keeper::open(state, &signer, &hospital.config.hospital).await;
    let keeper = keeper.unwrap().unwrap();
    let limits = node::answer::floors().unwrap();
    let steward = "zhang".parse().unwrap();
    let nothing = ledger::burn(state, None, &limits, &steward, NOW).await;
    assert!(matches!(nothing, Err(ledger::BurnError::Nothing)));

    // A checkpoint of a longer log, signed by this node: once by its key, once by another's.
    let mut longer = proofs::tree::Log::default();
    for n in 0..9_u8 {
        longer.append(proofs::tree::leaf_hash(&[n])).unwrap();
    }
    let origin = keeper.origin().await.unwrap();
    let (stranger, _) = Signer::generate().unwrap();
    let forger = Keeper {
        signer: &stranger,
        alliance: keeper.alliance.clone(),
        ..keeper
    };
    let (forged, own) = (forger.sign(&origin, &longer), keeper.sign(&origin, &longer));
    let mut leaves = log::Leaves::default();
    let tree = leaves.follow(state).await.unwrap();
    let at = Timestamp(NOW.0 + 1);
    assert!(keeper.compare(tree, &forged.unwrap(), at).await.is_err());
    assert!(
        log::lost(state).await.unwrap().is_none(),
        "nobody else can stop this node"
    );
    let found = keeper.compare(tree, &own.unwrap(), at).await.unwrap();
    assert_eq!(found, log::Standing::RolledBack);

    let burned = ledger::burn(state, None, &limits, &steward, NOW)
        .await
        .unwrap();
    assert!(burned.keys().all(|(year, _)| *year == 2025));
    assert_eq!(hospital.spent("all").await, limits.allowance.total.nano());
    assert_eq!(hospital.spent("free").await, limits.allowance.free.nano());
    log::fsck(state, &signer.public()).await.unwrap();
    let app = hospital.app().await;
    let (question, template) = shipped(&app, "yearly-benchmark", "2025");
    let asked = node::answer::Asked {
        question,
        template: Some(template.reference()),
        by: node::answer::By::Officer,
    };
    let refused = node::answer::reply(&app, &asked).await.unwrap_err();
    let out = matches!(
        refused,
        Unanswered::Ledger(LedgerError::OutOfAllowance { .. })
    );
    assert!(out, "{refused}");
}
