//! The same over real TLS: every party polls the member listener, nobody is connected to.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use coordinator::pooled::{self as office, ListOrder, Order};
use coordinator::template;
use node::answer::{App, exact};
use node::clock::Clock;
use node::config::keys::Keys;
use node::link::{self, Desk, Link};
use node::snapshot;
use pooled::key_list::Kind;
use pooled::published::Written;
use schemas::time::Month;
use tests::fixture::{rules, slug};
use tokio_util::sync::CancellationToken;

use super::{Party, SEATS, accept, app, lines, opened};
use crate::hospital::Hospital;
use crate::hub::{Hub, until};

/// A party's loop until the token is cancelled, with a runtime of its own like a process.
fn start(home: &Hospital, stop: &CancellationToken) -> std::thread::JoinHandle<()> {
    let (config, stop) = (home.config.clone(), stop.clone());
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let clock = Clock::System;
            let app = opened(&config, clock).await;
            let link = Link::open(&config.data, &config.hospital, None, clock).unwrap();
            let desk = Desk {
                link: &link,
                state: &app.state,
                signer: &app.signer,
                hospital: &config.hospital,
                folder: &config.data,
                clock: &clock,
                tick: Duration::from_millis(100),
            };
            let open = async || Ok::<Arc<App>, Infallible>(Arc::clone(&app));
            link::pool(&desk, open, true, &stop).await;
        });
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_with_an_absent_seat_and_an_absent_hospital() {
    let hub = Hub::found().await;
    let mut parties = Vec::new();
    for (number, name) in (1..).zip(["h01", "h02", "h03", "h04", "h05", "c3", "c4"]) {
        let home = Hospital::new(name).await;
        if name.starts_with('h') {
            home.hold(&lines(number)).await;
        }
        hub.join(&home).await;
        let app = app(&home, Clock::System).await;
        parties.push(Party { home, app });
    }
    let now = || coordinator::clock::Clock::System.now();
    for name in ["c3", "c4"] {
        office::set_body(&hub.state, &slug(name), Kind::Authority, &slug(name), now())
            .await
            .unwrap();
    }
    office::new_committee(&hub.state, 1, 0, &SEATS.map(slug), now())
        .await
        .unwrap();
    // A key of a month long over, which a seat destroys by itself.
    let c3 = parties.iter().find(|one| one.app.hospital.as_str() == "c3");
    let keys = Keys::open(&c3.unwrap().app.data).unwrap();
    let old: (u32, Month) = (1, "2020-01".parse().unwrap());
    keys.make_seat_secret(old.0, old.1).unwrap();
    let (stop, absent) = (CancellationToken::new(), CancellationToken::new());
    let mut loops = Vec::new();
    for one in &parties {
        let leaves = ["h05", "c4"].contains(&one.app.hospital.as_str());
        loops.push(start(&one.home, if leaves { &absent } else { &stop }));
    }
    until("seat keys of two months", async || {
        count(&hub, "select count(*) from pooled_seat_keys").await == 8
    })
    .await;
    assert!(!keys.seat_months().unwrap().contains(&old));
    let order = ListOrder {
        operator: slug("office"),
        t_max: 1,
    };
    let list = office::draft(&hub.state, &hub.authority, &order, now())
        .await
        .unwrap();
    for one in &parties {
        accept(one, &list.members).await;
    }
    until("a published list that all follow", async || {
        let mut all = true;
        for one in &parties {
            all &= node::pooled::version(&one.app.state).await.unwrap() == 1;
        }
        all
    })
    .await;
    until("receipts of two other seats at each", async || {
        let mut all = true;
        for one in &parties {
            let counted: i64 =
                sqlx::query_scalar("select count(*) from pooled_receipts where counts = 1")
                    .fetch_one(one.app.state.pool())
                    .await
                    .unwrap();
            all &= counted >= 2;
        }
        all
    })
    .await;
    absent.cancel();

    let order = Order {
        period: "2025-01..2025-12".parse().unwrap(),
        roster: Vec::new(),
        window: 12,
        answers: 600,
        t: 1,
        n_min: None,
        anyway: false,
    };
    let templates = template::load(None).unwrap();
    let yearly = &templates["yearly-pooled"];
    let (held, _) =
        crate::opening::pooled(&hub.state, &hub.authority, yearly, &rules(), &order, now())
            .await
            .unwrap();
    until("the end of uploads", async || {
        let held = office::find(&hub.state, &hub.authority, &held.asked.id)
            .await
            .unwrap();
        held.state != "open"
    })
    .await;
    until("the totals", async || {
        let held = office::find(&hub.state, &hub.authority, &held.asked.id)
            .await
            .unwrap();
        assert_ne!(held.state, "dead", "{:?}", held.why);
        held.state == "done"
    })
    .await;
    until("the certificate at every node", async || {
        let mut all = true;
        for one in &parties[..4] {
            all &= node::pooled::known(&one.app.state, &held.asked.id)
                .await
                .unwrap();
        }
        all
    })
    .await;
    stop.cancel();
    for one in loops {
        tokio::task::spawn_blocking(|| one.join().unwrap())
            .await
            .unwrap();
    }

    let done = office::find(&hub.state, &hub.authority, &held.asked.id)
        .await
        .unwrap();
    let files = office::files(&hub.state, &done).await.unwrap();
    let verified =
        pooled::published::verify(&files, &hub.authority.signer().public(), now()).unwrap();
    assert_eq!(verified.certified.survivors().uploads.len(), 4);
    let totals: Written = schemas::canonical::from_bytes(&files["totals.json"]).unwrap();
    let mut plain: Vec<Vec<i64>> = Vec::new();
    for one in &parties[..4] {
        let app = &one.app;
        let period = held.asked.question.period;
        let released = snapshot::released(&app.state, &app.data, &period)
            .await
            .unwrap();
        let layout =
            policies::plan::compile(&held.asked.question, &app.dictionary, &app.floors).unwrap();
        let blocks = exact(app, &layout, &released).unwrap().into_blocks();
        plain.resize(blocks.len(), Vec::new());
        for (sum, block) in plain.iter_mut().zip(blocks) {
            let block = block.unwrap();
            sum.resize(block.len(), 0);
            sum.iter_mut()
                .zip(block)
                .for_each(|(sum, cell)| *sum += cell);
        }
    }
    for (total, plain) in totals.blocks.iter().zip(&plain) {
        let scaled: Vec<i64> = plain.iter().map(|cell| cell << total.scale).collect();
        assert_eq!(total.raw, scaled);
    }
    hub.end().await;
}

async fn count(hub: &Hub, select: &'static str) -> i64 {
    sqlx::query_scalar(select)
        .fetch_one(hub.state.pool())
        .await
        .unwrap()
}
