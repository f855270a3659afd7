//! Logging: names, digests and codes, one line each; never an amount or anything about a
//! patient.

use schemas::shown::Entries;
use tracing_subscriber::EnvFilter;

/// Starts logging to standard error. `RUST_LOG` chooses what is shown; without it `info`.
pub fn start(json: bool) {
    let filter = EnvFilter::builder()
        .with_default_directive(tracing::Level::INFO.into())
        .from_env_lossy();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Entries(std::io::stderr()));
    // A second start in one process (tests) keeps the first.
    let started = if json {
        builder.json().try_init()
    } else {
        builder.with_ansi(false).try_init()
    };
    drop(started);
}
