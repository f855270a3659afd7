//! Metrics of the coordinator for the alliance's own Prometheus: counts of members, rounds and requests.
//! Nobody is named.

use std::sync::atomic::{AtomicI64, Ordering};

use sinks::metrics::{Family, Kind, Page, Values, process};
use sqlx::Row as _;

use crate::clock::Clock;
use crate::store::state::{State, StateError};
use crate::store::versions::BUILD;

/// Whether a member takes part.
const STANDINGS: &[&str] = &["pending", "active", "revoked"];
/// Where a round stands.
const ROUNDS: &[&str] = &["open", "closed", "dead"];
/// Where a pooled round stands.
const POOLED: &[&str] = &["open", "proposed", "certified", "done", "dead", "void"];
/// How requests were responded to.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

const fn gauge(
    name: &'static str,
    help: &'static str,
    labels: &'static [(&'static str, Values)],
) -> Family {
    Family {
        name,
        help,
        kind: Kind::Gauge,
        labels,
    }
}

/// The build that runs.
pub const BUILD_INFO: Family = gauge(
    "consilium_build_info",
    "Always 1; the build that runs.",
    &[("version", Values::Version)],
);
/// Entries of the log.
pub const LOG_ENTRIES: Family = gauge("consilium_log_entries", "Entries of the log.", &[]);
/// Members.
pub const MEMBERS: Family = gauge(
    "consilium_members",
    "Members, by whether they take part.",
    &[("standing", Values::Of(STANDINGS))],
);
/// Members that are heard of.
pub const HEARD: Family = gauge(
    "consilium_members_heard",
    "Active members that were heard of in the last 5 minutes.",
    &[],
);
/// Rounds.
pub const ROUND_STATES: Family = gauge(
    "consilium_rounds",
    "Rounds, by where they stand.",
    &[("state", Values::Of(ROUNDS))],
);
/// Pooled rounds.
pub const POOLED_STATES: Family = gauge(
    "consilium_pooled_rounds",
    "Pooled rounds, by where they stand.",
    &[("state", Values::Of(POOLED))],
);
/// Replies.
pub const REPLIES: Family = gauge("consilium_replies", "Replies that hospitals sent.", &[]);
/// Forks.
pub const FORKS: Family = gauge(
    "consilium_forks",
    "Checkpoints that contradict what was cosigned before.",
    &[],
);
/// The clock.
pub const CLOCK: Family = gauge(
    "consilium_clock_behind_seconds",
    "How far the clock runs behind the time seen before.",
    &[],
);
/// Requests.
pub const REQUESTS: Family = Family {
    name: "consilium_http_requests_total",
    help: "Requests of members and of everyone since the start, by class of status.",
    kind: Kind::Counter,
    labels: &[("status", Values::Of(&CLASSES))],
};

/// Every family of a coordinator beside those of its process.
pub const FAMILIES: [Family; 10] = [
    BUILD_INFO,
    LOG_ENTRIES,
    MEMBERS,
    HEARD,
    ROUND_STATES,
    POOLED_STATES,
    REPLIES,
    FORKS,
    CLOCK,
    REQUESTS,
];

/// Seconds after which a member counts as silent.
const HEARD_SECONDS: i64 = 300;

static RESPONSES: [AtomicI64; 5] = [const { AtomicI64::new(0) }; 5];

/// Counts a response by the class of its status.
pub fn count(status: u16) {
    let class = usize::from(status / 100).wrapping_sub(1);
    if let Some(counter) = RESPONSES.get(class) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// The page. What cannot be read now is left out.
pub async fn page(state: State, clock: Clock) -> Page {
    let mut page = Page::default();
    page.put(&BUILD_INFO, [(&[BUILD][..], 1)]);
    process(&mut page);
    let counts = CLASSES.iter().zip(&RESPONSES);
    let counts: Vec<([&str; 1], i64)> = counts
        .map(|(class, count)| ([*class], count.load(Ordering::Relaxed)))
        .collect();
    page.put(
        &REQUESTS,
        counts.iter().map(|(of, value)| (&of[..], *value)),
    );
    if let Err(error) = of_state(&state, clock.now().0, &mut page).await {
        tracing::warn!(%error, "metrics are incomplete");
    }
    page
}

async fn of_state(state: &State, now: i64, page: &mut Page) -> Result<(), StateError> {
    let count = async |select: &'static str| -> Result<i64, StateError> {
        Ok(sqlx::query_scalar(select).fetch_one(state.pool()).await?)
    };
    page.one(&LOG_ENTRIES, count("select count(*) from log").await?);
    page.one(&REPLIES, count("select count(*) from replies").await?);
    page.one(&FORKS, count("select count(*) from forks").await?);
    let highest = count("select coalesce(max(highest), 0) from clock").await?;
    page.one(&CLOCK, highest.saturating_sub(now).max(0));
    for (family, words, select) in [
        (
            &MEMBERS,
            STANDINGS,
            "select standing, count(*) from standings group by 1",
        ),
        (
            &ROUND_STATES,
            ROUNDS,
            "select state, count(*) from rounds group by 1",
        ),
        (
            &POOLED_STATES,
            POOLED,
            "select state, count(*) from pooled_rounds group by 1",
        ),
    ] {
        let rows = sqlx::query(select).fetch_all(state.pool()).await?;
        let mut found: Vec<([&str; 1], i64)> = words.iter().map(|word| ([*word], 0)).collect();
        for row in &rows {
            let name: String = row.try_get(0)?;
            if let Some((_, number)) = found.iter_mut().find(|([word], _)| *word == name) {
                *number = row.try_get(1)?;
            }
        }
        page.put(family, found.iter().map(|(of, number)| (&of[..], *number)));
    }
    let heard = "select count(*) from heartbeats h join standings s on s.hospital = h.hospital \
                 where s.standing = 'active' and h.at >= $1";
    let heard: i64 = sqlx::query_scalar(heard)
        .bind(now.saturating_sub(HEARD_SECONDS))
        .fetch_one(state.pool())
        .await?;
    page.one(&HEARD, heard);
    Ok(())
}
