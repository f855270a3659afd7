//! The steward's command killed (SIGKILL) at any moment: a question is approved by one log entry, or
//! it waits.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use node::log;
use node::steward::LetterState;
use policies::rules::DEFAULT;
use tests::officers::STEWARD;

use super::{Clock, Spoken, app_at, free, held, letter, round, spoken};
use crate::binary::binary;

const KILLS: u32 = 125;

fn approve(data: &Path, round: &str) -> Command {
    let mut command = Command::new(binary("consilium-node"));
    command
        .arg("--data")
        .arg(data)
        .args(["steward", "approve", round, "--as", STEWARD])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

#[tokio::test]
async fn killed_approvals_are_whole_or_absent() {
    let hospital = held(DEFAULT).await;
    let app = app_at(&hospital, Clock::System.now()).await.unwrap();
    let key = app.signer.public();
    let data = &hospital.config.data;
    let (mut kills, mut approved) = (0_u32, 0_u32);
    // About as long as one approval takes: shorter after one that ended, longer after a kill.
    let mut bound = Duration::from_millis(100);
    while kills < KILLS {
        let name = format!("r{approved}");
        let rho = format!("0.01{approved:02}");
        let asked = round(&name, free(&app, &rho), app.clock.now());
        assert_eq!(spoken(&app, &asked).await, Spoken::Waits);
        loop {
            let mut child = approve(data, &name).spawn().unwrap();
            tokio::time::sleep(bound * (50 + kills * 37 % 50) / 100).await;
            if child.try_wait().unwrap().is_none() {
                child.kill().unwrap();
                kills += 1;
                bound += bound / 16;
            } else {
                bound -= bound / 2;
            }
            child.wait().unwrap();
            // The log is whole, and says of each question what its letter says.
            log::fsck(&app.state, &key).await.unwrap();
            let entries = app.state.log().await.unwrap();
            let words = entries
                .iter()
                .filter(|entry| entry.kind.as_str() == "approve" && entry.subject == asked.1);
            let state = letter(&app, asked.1).await.state;
            match words.count() {
                0 => assert_eq!(state, LetterState::Pending),
                1 => {
                    assert_eq!(state, LetterState::Approved);
                    approved += 1;
                    break;
                }
                more => panic!("{more} approvals of one question"),
            }
        }
        assert!(
            approved < 38,
            "only {kills} kills: the test tests too little"
        );
    }
    println!("{kills} kills during {approved} approvals");
}
