//! A node that is killed at every step of an upload's charge: before the commit nothing was spent
//! and nothing left; after it the same bytes leave.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use node::answer::App;
use node::clock::Clock;
use node::config::Config;
use node::ledger;
use node::pooled::{self as party, Desk, Said};
use pooled::offer::Offer;
use schemas::seal::PublicKey;
use tests::noise::Zero;

use super::{NOW, Pool};
use crate::dying::{self, die};

/// The child: uploads until its step has come.
#[test]
fn upload_worker() {
    #[expect(
        clippy::disallowed_methods,
        reason = "how the crash test speaks to its child"
    )]
    let Ok(orders) = std::env::var("CONSILIUM_UPLOAD_WORKER") else {
        return;
    };
    let parts: Vec<&str> = orders.split('|').collect();
    let [folder, step, key] = parts[..] else {
        panic!("orders")
    };
    dying::after(step.parse().unwrap());
    let alliance: PublicKey = serde_json::from_str(&format!("\"{key}\"")).unwrap();
    let folder = Path::new(folder);
    let offer = Offer::parse(&std::fs::read(folder.join("offer")).unwrap()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let config = Config::read(folder).unwrap();
        let state = node::store::state::State::open(&config.data).await.unwrap();
        let app = App::open(&config, state, Clock::Fixed(NOW)).await.unwrap();
        let app = Arc::new(App {
            noise: Box::new(Zero),
            watch: die,
            ..app
        });
        let desk = Desk {
            app: &app,
            alliance: &alliance,
        };
        party::answer(&desk, &offer).await.unwrap();
    });
}

#[tokio::test]
async fn killed_between_charge_and_send_the_same_upload_leaves() {
    let pool = Pool::found().await;
    let held = pool.open(&[]).await;
    let key = serde_json::to_value(pool.alliance).unwrap();
    let key = key.as_str().unwrap();
    for (step, name) in ["h01", "h02", "h03", "h04", "h05"].into_iter().enumerate() {
        let one = pool.party(name);
        let data = &one.home.config.data;
        let offer = schemas::canonical::to_bytes(&held.offer).unwrap();
        std::fs::write(data.join("offer"), offer).unwrap();
        let orders = format!("{}|{step}|{key}", data.display());
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["pooled::killed::upload_worker", "--exact", "--nocapture"])
            .env("CONSILIUM_UPLOAD_WORKER", orders)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(!output.status.success(), "{name} was not killed");
        let stored: Vec<Vec<u8>> = sqlx::query_scalar("select upload from pooled_uploads")
            .fetch_all(one.app.state.pool())
            .await
            .unwrap();
        let spent = one.home.spent("all").await;
        // The last step stands behind the commit.
        let committed = step == 4;
        assert_eq!(stored.len(), usize::from(committed), "{name}");
        assert_eq!(spent, if committed { 200_000_001 } else { 0 }, "{name}");
        let Said::Upload(paid) = party::answer(&pool.desk(one), &held.offer).await.unwrap() else {
            panic!("{name} does not upload")
        };
        assert_eq!(paid.paid_now().nano() == 0, committed);
        if let [stored] = stored.as_slice() {
            assert_eq!(paid.bytes(), stored);
        }
        assert_eq!(one.home.spent("all").await, 200_000_001);
        assert_eq!(ledger::uploads(&one.app.state).await.unwrap().len(), 1);
        node::log::fsck(&one.app.state, &one.app.signer.public())
            .await
            .unwrap();
    }
}
