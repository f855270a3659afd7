//! Metrics of a node for its hospital's own Prometheus. They tell what the ledger, the log and the steward's
//! inbox tell already: counts of decisions, loss spent, days left; nothing of a row, a month's size or a
//! question's content.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use schemas::loss::Rho;
use sinks::metrics::{Family, Kind, Page, Values, process};
use sqlx::Row as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::config::Config;
use crate::enrol::files::Files;
use crate::ledger;
use crate::store::state::{State, StateError};
use crate::store::versions::BUILD;

/// Where a round stands at the steward's inbox.
const INBOX_STATES: &[&str] = &[
    "pending", "approved", "held", "released", "sent", "refused", "late",
];
/// What an allowance is spent on.
const PURPOSES: &[&str] = &["all", "benchmark", "budget", "audit", "free", ledger::WORST];

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
pub const LOG_ENTRIES: Family = gauge("consilium_log_entries", "Entries of the node's log.", &[]);
/// Loss spent.
pub const SPENT: Family = gauge(
    "consilium_ledger_spent_nano_rho",
    "Privacy loss spent of a data year, in billionths of rho.",
    &[("year", Values::Year), ("purpose", Values::Of(PURPOSES))],
);
/// Answers.
pub const ANSWERS: Family = gauge("consilium_answers", "Answers that were charged.", &[]);
/// The inbox.
pub const INBOX: Family = gauge(
    "consilium_inbox_rounds",
    "Rounds at the steward's inbox, by where they stand.",
    &[("state", Values::Of(INBOX_STATES))],
);
/// Replies that wait.
pub const UNSENT: Family = gauge(
    "consilium_replies_unacknowledged",
    "Replies that the coordinator is not known to have.",
    &[],
);
/// Stopped.
pub const STOPPED: Family = gauge(
    "consilium_answers_stopped",
    "1 while nothing is answered: a rollback, a backup that was put back, or the steward's lock.",
    &[("why", Values::Of(&["rollback", "restored", "locked"]))],
);
/// The coordinator.
pub const AGREED: Family = gauge(
    "consilium_coordinator_agreed_seconds",
    "Time of the last word with the coordinator, in seconds of 1970; 0 before the first.",
    &[],
);
/// The certificate.
pub const CERTIFICATE: Family = gauge(
    "consilium_certificate_ends_seconds",
    "When the node's certificate ends, in seconds of 1970.",
    &[],
);
/// The disk.
pub const DISK: Family = gauge(
    "consilium_disk_free_bytes",
    "Free room for the data folder.",
    &[],
);

/// Every family of a node beside those of its process.
pub const FAMILIES: [Family; 10] = [
    BUILD_INFO,
    LOG_ENTRIES,
    SPENT,
    ANSWERS,
    INBOX,
    UNSENT,
    STOPPED,
    AGREED,
    CERTIFICATE,
    DISK,
];

/// What is known when the page is asked for.
#[derive(Clone, Debug)]
pub struct Source {
    /// The state.
    pub state: State,
    /// The settings.
    pub config: Config,
}

impl Source {
    /// The page. What cannot be read now is left out.
    pub async fn page(self) -> Page {
        let mut page = Page::default();
        page.put(&BUILD_INFO, [(&[BUILD][..], 1)]);
        process(&mut page);
        if let Ok(disk) = rustix::fs::statvfs(&self.config.data) {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            page.one(&DISK, i64::try_from(free).unwrap_or(i64::MAX));
        }
        let enrolled = Files::in_folder(&self.config.data).open().ok();
        if let Some(ends) = enrolled.and_then(|found| ends(&found.identity)) {
            page.one(&CERTIFICATE, ends);
        }
        if let Err(error) = of_state(&self.state, &mut page).await {
            tracing::warn!(%error, "metrics are incomplete");
        }
        page
    }
}

/// When the first certificate of a PEM text ends.
fn ends(pem: &str) -> Option<i64> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
    let (_, certificate) = X509Certificate::from_der(&der).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

async fn of_state(state: &State, page: &mut Page) -> Result<(), StateError> {
    let count = async |select: &'static str| -> Result<i64, StateError> {
        Ok(sqlx::query_scalar(select).fetch_one(state.pool()).await?)
    };
    page.one(&LOG_ENTRIES, count("select count(*) from log").await?);
    page.one(&ANSWERS, count("select count(*) from answers").await?);
    let unsent = "select count(*) from replies where acknowledged = 0";
    page.one(&UNSENT, count(unsent).await?);
    let lines = ledger::lines(state).await?;
    let lines: Vec<(String, String, Rho)> = lines
        .into_iter()
        .map(|line| (line.year.to_string(), line.purpose, line.spent))
        .collect();
    let spent: Vec<([&str; 2], i64)> = lines
        .iter()
        .map(|(year, purpose, spent)| {
            let nano = i64::try_from(spent.nano()).unwrap_or(i64::MAX);
            ([year.as_str(), purpose.as_str()], nano)
        })
        .collect();
    page.put(&SPENT, spent.iter().map(|(of, nano)| (&of[..], *nano)));
    let rows = sqlx::query("select state, count(*) from inbox group by state")
        .fetch_all(state.pool())
        .await?;
    let mut waits: Vec<([&str; 1], i64)> = INBOX_STATES.iter().map(|name| ([*name], 0)).collect();
    for row in &rows {
        let name: String = row.try_get(0)?;
        let found = waits.iter_mut().find(|([known], _)| *known == name);
        if let Some((_, number)) = found {
            *number = row.try_get(1)?;
        }
    }
    page.put(&INBOX, waits.iter().map(|(of, number)| (&of[..], *number)));
    let whys = [
        (
            "rollback",
            "select exists (select 1 from rollbacks where burned is null)",
        ),
        (
            "restored",
            "select exists (select 1 from restores where acknowledged is null)",
        ),
        (
            "locked",
            "select coalesce((select locked from locks order by position desc limit 1), 0)",
        ),
    ];
    let mut stopped = Vec::new();
    for (why, select) in whys {
        stopped.push(([why], count(select).await?));
    }
    page.put(
        &STOPPED,
        stopped.iter().map(|(of, value)| (&of[..], *value)),
    );
    let agreed = state.agreed().await?;
    page.one(&AGREED, agreed.map_or(0, |at| at.0));
    Ok(())
}
