//! Quotas, near-duplicates and the lock.

use node::answer::Spoken;
use node::steward::{self, StewardError};
use policies::rules::DEFAULT;
use schemas::outcome::Reason;
use schemas::time::Timestamp;
use tests::officers::{SECOND, STEWARD};

use super::{DAY, acting, app_at, free, held, kinds, person, round, spoken, yearly};
use crate::hospital::{NOW, question};

#[tokio::test]
async fn quotas_tell_to_come_later_then_refuse_and_cost_nothing() {
    let policy = DEFAULT
        .replace("per_minute = 60", "per_minute = 2")
        .replace("per_week = 500", "per_week = 3");
    let hospital = held(&policy).await;
    let at = async |seconds| app_at(&hospital, Timestamp(NOW.0 + seconds)).await.unwrap();
    let app = at(0).await;
    let ask = |id: &str, rho: &str| round(id, free(&app, rho), NOW);
    assert_eq!(spoken(&app, &ask("r1", "0.011")).await, Spoken::Waits);
    let second = ask("r2", "0.012");
    assert_eq!(spoken(&app, &second).await, Spoken::Waits);
    let third = ask("r3", "0.013");
    assert_eq!(spoken(&app, &third).await, Spoken::Declined(Reason::Busy));
    assert_eq!(
        spoken(&app, &second).await,
        Spoken::Waits,
        "admitted before"
    );
    let later = at(61).await;
    assert_eq!(spoken(&later, &third).await, Spoken::Waits);
    let much_later = at(3600).await;
    let fourth = ask("r4", "0.014");
    assert_eq!(
        spoken(&much_later, &fourth).await,
        Spoken::Declined(Reason::OverQuota)
    );
    let next_week = at(8 * DAY).await;
    assert_eq!(spoken(&next_week, &fourth).await, Spoken::Waits);
    assert_eq!(hospital.spent("all").await, 0);
}

#[tokio::test]
async fn near_duplicates_are_shown_and_lock_the_node() {
    let hospital = held(&DEFAULT.replace("lock_after = 40", "lock_after = 3")).await;
    let app = hospital.app().await;
    let steward = person(&hospital, STEWARD);
    let about = |sex: &str| {
        let body = format!(
            "bounds = {{ groups = 3, stays = 1 }}\nfilter = {{ sex = [\"{sex}\"] }}\n[[tables]]\n\
             by = []\nblocks = [{{ measure = {{ kind = \"count\" }}, rho = \"0.01\" }}]"
        );
        body
    };
    let ask =
        |id: &str, period: &str, sex: &str| round(id, question(&app, period, &about(sex)), NOW);
    let rounds = [
        ask("r1", "2025", "f"),
        ask("r2", "2025", "m"),
        ask("r3", "2025-01..2025-11", "f"),
        ask("r4", "2025-02..2025-11", "f"),
    ];
    for asked in &rounds {
        assert_eq!(spoken(&app, asked).await, Spoken::Waits);
    }
    let similar = steward::similar(&app.state, &rounds[3].0.question)
        .await
        .unwrap();
    assert_eq!(similar.len(), 3);
    assert_eq!(similar[0].at, NOW);
    let lock = steward::locked(&app.state).await.unwrap().unwrap();
    assert!(lock.locked && lock.who == "policy");
    assert_eq!(
        spoken(&app, &rounds[0]).await,
        Spoken::Declined(Reason::Declined)
    );
    assert_eq!(
        spoken(&app, &yearly(&app, "r5")).await,
        Spoken::Declined(Reason::Declined),
        "standing approvals do not open a locked node"
    );
    let tomorrow = app_at(&hospital, Timestamp(NOW.0 + DAY)).await.unwrap();
    let second = person(&hospital, SECOND);
    let refused = steward::unlock(&tomorrow.state, acting(&tomorrow, &second)).await;
    assert!(matches!(refused, Err(StewardError::Forbidden(_))));
    steward::unlock(&tomorrow.state, acting(&tomorrow, &steward))
        .await
        .unwrap();
    assert!(matches!(
        spoken(&tomorrow, &yearly(&tomorrow, "r6")).await,
        Spoken::Answered(_)
    ));
    steward::lock(&tomorrow.state, acting(&tomorrow, &steward))
        .await
        .unwrap();
    assert_eq!(
        spoken(&tomorrow, &rounds[0]).await,
        Spoken::Declined(Reason::Declined)
    );
    assert_eq!(
        (
            kinds(&hospital, "lock").await,
            kinds(&hospital, "unlock").await
        ),
        (2, 1)
    );
}
