//! `run`: the service.

use std::io::Write;
use std::net::SocketAddr;

use sinks::metrics::Listener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::Office;
use crate::api::{self, App, Listeners};
use crate::log;
use crate::metrics;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  consilium-coordinator run --data /srv/consilium\n\nEnds on SIGTERM or Ctrl-C after open requests are done."
)]
pub(super) struct Args {
    /// Believe the clock although it runs behind the time seen before: after it once ran ahead and
    /// was set right. The log says so.
    #[arg(long)]
    accept_clock: bool,
    /// Serve the pages for browsers here, for example 127.0.0.1:7445, whatever the settings say.
    #[arg(long, value_name = "ADDRESS")]
    pages: Option<SocketAddr>,
    /// Serve metrics for Prometheus here, on this machine only, for example 127.0.0.1:9711.
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,
}

pub(super) async fn run(office: Office, args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    // A log that was changed is not served as if it had not been.
    log::at_start(&office.state, &office.authority.signer().public()).await?;
    if args.accept_clock {
        api::accept_clock(&office.state, office.clock.now()).await?;
    }
    let listeners =
        Listeners::bind(office.config.node_address, office.config.public_address).await?;
    let pages = args
        .pages
        .or(office.config.pages.as_ref().map(|pages| pages.address));
    let listeners = listeners.with_pages(pages).await?;
    let (nodes, public) = listeners.addresses()?;
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let stopper = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        stopper.cancel();
    });
    let meter = match args.metrics {
        Some(address) => Some(Listener::bind(address).await?),
        None => None,
    };
    let metered = meter.as_ref().map(Listener::address).transpose()?;
    if let Some(meter) = meter {
        let (state, clock) = (office.state.clone(), office.clock.clone());
        let page = move || metrics::page(state.clone(), clock.clone());
        tokio::spawn(sinks::metrics::serve(meter, page, stop.clone()));
    }
    let app = App::new(
        office.config,
        office.state,
        office.authority,
        office.clock,
        stop,
    );
    writeln!(out, "nodes  {nodes}\npublic {public}")?;
    if let Some(pages) = listeners.pages_address() {
        writeln!(out, "pages  {pages}")?;
    }
    if let Some(metered) = metered {
        writeln!(out, "metrics {metered}")?;
    }
    out.flush()?;
    listeners.serve(app).await?;
    Ok(())
}
