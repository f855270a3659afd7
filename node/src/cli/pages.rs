//! `pages`: the hospital's own pages, alone or beside `run`.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use web::site::local;

use super::Node;
use crate::accounts;
use crate::pages::{self, Desk};
use crate::snapshot::Cache;
use crate::telemetry;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where they listen: a loopback address. `listen` of node.toml where it is left out.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Log as JSON, one object a line.
    #[arg(long)]
    log_json: bool,
}

/// Cancelled at SIGTERM or Ctrl-C.
pub(super) fn stopped() -> anyhow::Result<CancellationToken> {
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
    Ok(stop)
}

pub(super) async fn run(args: &Args, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    telemetry::start(args.log_json);
    let listener = local::bind(args.listen.unwrap_or(node.config.listen)).await?;
    writeln!(out, "pages    http://{}", listener.local_addr()?)?;
    if accounts::all(&node.state).await?.is_empty() {
        writeln!(
            out,
            "         nobody can sign in yet; first: account add NAME --role ROLE --as OFFICER"
        )?;
    }
    out.flush()?;
    serve(&node, Arc::default(), listener, stopped()?).await
}

/// Serves the pages until they are told to stop.
pub(super) async fn serve(
    node: &Node,
    cache: Arc<Cache>,
    listener: tokio::net::TcpListener,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let (config, state) = (node.config.clone(), node.state.clone());
    let hosts = config.pages_hosts.clone();
    let desk = Desk::new(config, state, node.clock, cache)?;
    let ended = async move { stop.cancelled().await };
    Ok(local::serve(listener, pages::router(&desk), &hosts, ended).await?)
}
