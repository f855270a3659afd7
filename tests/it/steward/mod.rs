//! The steward's word: nothing that no standing approval covers is answered without it, and it fits
//! exactly what was shown.

mod approvals;
mod delay;
mod killed;
mod leaving;
mod policy;
mod quotas;

use std::sync::Arc;

use node::answer::{App, OpenError, Spoken, answer_round, asked_by, examine};
use node::clock::Clock;
use node::steward::{self, Acting, Letter};
use node::store::state::State;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::question::{Purpose, Question};
use schemas::round::Round;
use schemas::seal::{Sealed, Signer};
use schemas::time::Timestamp;
use tests::officers;

use crate::hospital::{Hospital, Line, NOW, question, shipped};

const DAY: i64 = 86_400;

async fn held(policy: &str) -> Hospital {
    let hospital = Hospital::with_policy("h1", policy).await;
    let lines = (0..40).map(|n| {
        let month = 1 + (n % 11) as u8;
        Line::new(&format!("P{n}"), &format!("S{n}"), month, "JR19", 9000)
    });
    hospital.hold(&lines.collect::<Vec<_>>()).await;
    hospital
}

async fn app_at(hospital: &Hospital, at: Timestamp) -> Result<Arc<App>, OpenError> {
    let state = State::open(&hospital.config.data).await.unwrap();
    let app = App::open(&hospital.config, state, Clock::Fixed(at)).await;
    app.map(Arc::new)
}

/// A cheap free question; `rho` tells one from another.
fn free(app: &App, rho: &str) -> Question {
    let body = format!(
        "bounds = {{ groups = 3, stays = 1 }}\n[[tables]]\nby = [\"sex\"]\n\
         blocks = [{{ measure = {{ kind = \"count\" }}, rho = \"{rho}\" }}]"
    );
    question(app, "2025", &body)
}

fn round(id: &str, question: Question, opened: Timestamp) -> (Round, Digest) {
    let round = Round {
        id: id.parse().unwrap(),
        template: None,
        purpose: Purpose::Benchmark,
        question,
        roster: vec!["h1".parse().unwrap()],
        min_answers: 1,
        opened,
        deadline: Timestamp(opened.0 + 7 * DAY),
    };
    let sealed = Sealed::seal(&Signer::generate().unwrap().0, &round).unwrap();
    let digest = sealed.digest().unwrap();
    (round, digest)
}

fn yearly(app: &App, id: &str) -> (Round, Digest) {
    let (question, template) = shipped(app, "yearly-benchmark", "2025");
    let (mut round, _) = round(id, question, NOW);
    round.template = Some(template.reference());
    let sealed = Sealed::seal(&Signer::generate().unwrap().0, &round).unwrap();
    (round, sealed.digest().unwrap())
}

struct Person {
    name: Slug,
    key: Signer,
}

fn person(hospital: &Hospital, name: &str) -> Person {
    Person {
        name: name.parse().unwrap(),
        key: officers::key(&hospital.config.data, name),
    }
}

fn acting<'a>(app: &'a App, by: &'a Person) -> Acting<'a> {
    Acting {
        officers: &app.standing.officers,
        access: &app.standing.access,
        policy: app.standing.approved.policy,
        hospital: &app.hospital,
        name: &by.name,
        key: &by.key,
        at: app.clock.now(),
    }
}

async fn letter(app: &App, digest: Digest) -> Letter {
    let found = steward::find(&app.state, &digest.to_string())
        .await
        .unwrap();
    found.unwrap()
}

/// Approves as the command does.
async fn approve(app: &App, by: &Person, (round, digest): &(Round, Digest), hold: bool) {
    let examined = examine(app, &asked_by(round, *digest)).await.unwrap();
    let letter = letter(app, *digest).await;
    let releases = examined.bound.releases();
    let done = steward::approve(&app.state, acting(app, by), &letter, releases, hold).await;
    done.unwrap();
}

async fn spoken(app: &Arc<App>, (round, digest): &(Round, Digest)) -> Spoken {
    answer_round(app, round, *digest).await.unwrap()
}

async fn kinds(hospital: &Hospital, kind: &str) -> usize {
    let log = hospital.state.log().await.unwrap();
    schemas::entry::verify_chain(&log).unwrap();
    log.iter()
        .filter(|entry| entry.kind.as_str() == kind)
        .count()
}
