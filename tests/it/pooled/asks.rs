//! What a coordinator asks, and what a seat or a steward does about it.

use coordinator::authority::Authority;
use coordinator::pooled::{self as office, Held, Order};
use coordinator::store::state::State;
use coordinator::template;
use node::answer::App;
use node::pooled::{self as party, Desk};
use node::steward::{self, Acting};
use pooled::work::Step;
use schemas::id::Slug;
use schemas::seal::Signer;
use schemas::time::Timestamp;
use tests::fixture::{rules, slug};
use tests::officers::{STEWARD, key};

use super::Party;
use crate::hospital::NOW;

/// Opens a round about 2025.
pub(crate) async fn ask(state: &State, authority: &Authority, roster: &[&str]) -> Held {
    ask_at(state, authority, roster, NOW).await
}

pub(crate) async fn ask_at(
    state: &State,
    authority: &Authority,
    roster: &[&str],
    now: Timestamp,
) -> Held {
    ask_from(state, authority, "yearly-pooled", (roster, now)).await
}

/// A year asked of these hospitals.
pub(super) fn order(roster: &[&str], anyway: bool) -> Order {
    Order {
        period: "2025-01..2025-12".parse().unwrap(),
        roster: roster.iter().map(|name| slug(name)).collect(),
        window: 3_600,
        answers: 86_400,
        t: 1,
        n_min: None,
        anyway,
    }
}

pub(super) async fn ask_from(
    state: &State,
    authority: &Authority,
    template: &str,
    (roster, now): (&[&str], Timestamp),
) -> Held {
    // A coordinator that foresees nothing: nodes and seats refuse by themselves.
    let order = order(roster, true);
    let templates = template::load(None).unwrap();
    let yearly = templates.get(template).unwrap();
    let rules = rules();
    let opened = crate::opening::pooled(state, authority, yearly, &rules, &order, now);
    opened.await.unwrap().0
}

/// Does what waits for a seat in a round; `false` where nothing does.
pub(crate) async fn step(
    state: &State,
    authority: &Authority,
    desk: &Desk<'_>,
    round: &Slug,
    now: Timestamp,
) -> bool {
    let name = &desk.app.hospital;
    let work = office::work(state, authority, name, now).await.unwrap();
    let Some(task) = work.seats.into_iter().find(|task| task.round == *round) else {
        return false;
    };
    let held = office::find(state, authority, round).await.unwrap();
    if task.step == Step::Void {
        let word = party::void(desk, &held.offer).await.unwrap();
        office::take_word(state, &held, name, &word, now)
            .await
            .unwrap();
        return true;
    }
    let proposal = office::proposal(state, &held, name).await.unwrap();
    let word = match task.step {
        Step::Inspect => party::inspect(desk, &held.offer, &proposal).await.unwrap(),
        Step::Certify => party::certify(desk, &held.offer, &proposal).await.unwrap(),
        Step::Sum(vectors) => {
            let found = office::certificate(state, round).await.unwrap().unwrap();
            let sums = party::sums(desk, &held.offer, &proposal, &found, &vectors).await;
            let sums = sums.unwrap();
            let again = party::sums(desk, &held.offer, &proposal, &found, &vectors).await;
            assert_eq!(sums, again.unwrap());
            for sum in sums {
                office::take_sums(state, &held, name, &sum, now)
                    .await
                    .unwrap();
            }
            return true;
        }
        Step::Void => return false,
    };
    office::take_word(state, &held, name, &word, now)
        .await
        .unwrap();
    true
}

/// A party's steward, who acts now.
pub(super) fn acting<'a>(app: &'a App, signer: &'a Signer, name: &'a Slug) -> Acting<'a> {
    Acting {
        officers: &app.standing.officers,
        access: &app.standing.access,
        policy: app.standing.approved.policy,
        hospital: &app.hospital,
        name,
        key: signer,
        at: NOW,
    }
}

/// The steward accepts these organisations.
pub(crate) async fn accept(one: &Party, members: &[pooled::key_list::Member]) {
    let (signer, name) = (key(&one.app.data, STEWARD), slug(STEWARD));
    let by = acting(&one.app, &signer, &name);
    for member in members {
        steward::accept_member(&one.app.state, by, member)
            .await
            .unwrap();
    }
}
