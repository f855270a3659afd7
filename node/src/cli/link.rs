//! Joining the alliance and staying in touch: `enrol`, `dictionary fetch`, `run`.

use std::io::{BufRead as _, Read as _, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Subcommand;
use schemas::digest::Digest;
use schemas::enrolment::{Fingerprint, JoinCode};
use schemas::outcome::Reason;
use schemas::round::Round;
use schemas::seal::Signer;
use sinks::metrics::Listener;
use tokio_util::sync::CancellationToken;
use web::site::local;

use super::{Node, next, pages};
use crate::access::Standing;
use crate::answer::OpenError;
use crate::answer::{self, App, Spoken, Unanswered};
use crate::config::keys::Keys;
use crate::enrol::{self, files::Files};
use crate::link::{self, Desk, Link, Word};
use crate::log;
use crate::metrics::Source;
use crate::snapshot::Cache;
use crate::store::state;
use crate::telemetry;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Join the alliance with a one-time code.
    ///
    /// The node makes its own TLS key; only a signing request leaves it. The coordinator is
    /// trusted only if its CA is the one that the code names.
    ///
    /// Example: consilium-node --data ./node1 enrol consilium1.eyJ…
    Enrol {
        /// The code as the alliance gave it; `-` reads it from standard input, so that it does not
        /// stand in the list of processes.
        code: String,
    },
    /// Wait for the alliance's rounds and answer or decline them, until SIGTERM or Ctrl-C.
    ///
    /// The node opens no port to the outside; it asks the coordinator by HTTPS. With --pages browsers of this
    /// machine reach the hospital's own pages.
    ///
    /// Example: consilium-node --data ./node1 run
    Run {
        /// Log as JSON, one object a line.
        #[arg(long)]
        log_json: bool,
        /// Sit in committees only: every round is declined, nothing is uploaded. For an insurer or a
        /// public body without data.
        #[arg(long)]
        committee_only: bool,
        /// Serve metrics for Prometheus here, on this machine only, for example 127.0.0.1:9710.
        #[arg(long, value_name = "ADDRESS")]
        metrics: Option<SocketAddr>,
        /// Serve the hospital's own pages too, at this loopback address.
        #[arg(long, value_name = "ADDRESS")]
        pages: Option<SocketAddr>,
    },
}

/// A round could not be answered now; it is tried again.
#[derive(Debug, thiserror::Error)]
enum NotNow {
    #[error("the node is not ready to answer")]
    Open(#[from] OpenError),
    #[error("the question could not be answered")]
    Unanswered(#[from] Unanswered),
}

pub(super) async fn run(command: Command, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::Enrol { code } => enrol(&code, data, out).await,
        Command::Run {
            log_json,
            committee_only,
            metrics,
            pages,
        } => {
            telemetry::start(log_json);
            Box::pin(serve(data, committee_only, (metrics, pages))).await
        }
    }
}

async fn enrol(code: &str, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut text = code.to_owned();
    if code == "-" {
        text.clear();
        writeln!(out, "paste the join code, then Enter")?;
        out.flush()?;
        std::io::stdin().lock().take(8192).read_line(&mut text)?;
    }
    let code: JoinCode = text.parse()?;
    let node = Node::open(data).await?;
    let config = &node.config;
    let signer = Keys::open(&config.data)?.message_key()?;
    let proxy = config.proxy.as_deref();
    let certificate = enrol::enrol(&config.data, &config.hospital, &signer, &code, proxy).await?;
    let mut change = node.state.begin().await?;
    let detail = [("ca", code.ca.to_string())];
    state::append(&mut change, node.clock.now(), "enrol", certificate, &detail).await?;
    change.commit().await?;
    let fingerprint = Fingerprint::of(&certificate, &signer.public());
    writeln!(
        out,
        "joined as {}; an administrator approves it next",
        config.hospital
    )?;
    writeln!(out, "fingerprint {fingerprint}")?;
    writeln!(
        out,
        "            read it by phone to the alliance's second administrator"
    )?;
    next::step(out, data, "dictionary fetch")?;
    Ok(())
}

/// The way to the coordinator of an enrolled node.
pub(super) fn open(node: &Node) -> anyhow::Result<Link> {
    let config = &node.config;
    if Files::in_folder(&config.data).present().is_none() {
        anyhow::bail!(
            "this node has not joined the alliance yet; first: consilium-node --data {} enrol -",
            next::path(&node.given)
        );
    }
    let link = Link::open(
        &config.data,
        &config.hospital,
        config.proxy.as_deref(),
        node.clock,
    )
    .context("what joining left in the data folder is damaged")?;
    Ok(match &config.coordinator {
        Some(url) => link.at(url),
        None => link,
    })
}

/// Fetches the dictionary that the alliance offers.
pub(super) async fn fetch(node: &Node, out: &mut dyn Write) -> anyhow::Result<()> {
    let link = open(node)?;
    let dictionary = link::fetch(&link, &node.config.data).await?;
    let path = link::offered(&node.config.data);
    let version = dictionary.version;
    writeln!(
        out,
        "dictionary {version} is offered in {}",
        next::tidy(&path).display()
    )?;
    let accept = format!("dictionary accept {}", next::path(&path));
    next::step(out, &node.given, &accept)?;
    Ok(())
}

/// Compares the log with what the coordinator has seen of it. A node that has not joined has
/// nothing to compare with.
pub(super) async fn compare(node: &Node) -> anyhow::Result<()> {
    let Ok(link) = open(node) else {
        return Ok(());
    };
    let signer = Keys::open(&node.config.data)?.message_key()?;
    let desk = desk(node, &link, &signer);
    Ok(link::compare(&desk).await?)
}

fn desk<'a>(node: &'a Node, link: &'a Link, signer: &'a Signer) -> Desk<'a> {
    Desk {
        link,
        state: &node.state,
        signer,
        hospital: &node.config.hospital,
        folder: &node.config.data,
        clock: &node.clock,
        tick: Duration::from_millis(u64::from(node.config.release_tick_ms)),
    }
}

async fn serve(
    data: &Path,
    committee_only: bool,
    (metrics, browsers): (Option<SocketAddr>, Option<SocketAddr>),
) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    let policy = answer::policy(&node.config);
    let policy = policy.context("the policy is refused, nothing would be answered")?;
    let config = &node.config;
    let now = node.clock.now();
    Standing::open(&node.state, &config.data, &config.hospital, &policy, now)
        .await
        .context("the policy is refused, nothing would be answered")?;
    let link = open(&node)?;
    let signer = Keys::open(&node.config.data)?.message_key()?;
    // A log that was changed is not continued as if it had not been.
    log::at_start(&node.state, &signer.public()).await?;
    let listener = match browsers {
        Some(address) => Some(local::bind(address).await?),
        None => None,
    };
    let stop = pages::stopped()?;
    meter(&node, metrics, &stop).await?;
    let cache = Arc::new(Cache::default());
    let desk = desk(&node, &link, &signer);
    let answer = async |round: &Round, digest: Digest| {
        if committee_only {
            return Ok(Some(Word::Declined(Reason::Declined)));
        }
        answer_round(&node, &cache, (round, digest)).await
    };
    let open = async || app(&node, &cache).await;
    let carry = link::carry(&desk, &node.config, &stop);
    let pool = Box::pin(link::pool(&desk, open, !committee_only, &stop));
    let shown = async {
        match listener {
            Some(listener) => pages::serve(&node, Arc::clone(&cache), listener, stop.clone()).await,
            None => Ok(()),
        }
    };
    let ((), (), (), shown) = tokio::join!(link::run(&desk, answer, &stop), carry, pool, shown);
    shown
}

/// Serves metrics where they are asked for.
async fn meter(
    node: &Node,
    address: Option<SocketAddr>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let Some(address) = address else {
        return Ok(());
    };
    let listener = Listener::bind(address).await?;
    tracing::info!(address = %listener.address()?, "metrics are served");
    let source = Source {
        state: node.state.clone(),
        config: node.config.clone(),
    };
    let page = move || source.clone().page();
    tokio::spawn(sinks::metrics::serve(listener, page, stop.clone()));
    Ok(())
}

/// The node as its officers have set it up now.
async fn app(node: &Node, cache: &Arc<Cache>) -> Result<Arc<App>, OpenError> {
    let app = App::open(&node.config, node.state.clone(), node.clock).await?;
    Ok(Arc::new(App {
        cache: Arc::clone(cache),
        ..app
    }))
}

/// Answers a round, says why not, or lets it wait for the steward. Policy, dictionary, key and list
/// of releases are read anew for each round, so that what the officers changed counts at once;
/// mapped months are kept.
async fn answer_round(
    node: &Node,
    cache: &Arc<Cache>,
    (round, digest): (&Round, Digest),
) -> Result<Option<Word>, NotNow> {
    let app = app(node, cache).await?;
    Ok(match answer::answer_round(&app, round, digest).await? {
        Spoken::Answered(charged) => Some(Word::Answered(charged)),
        Spoken::Declined(reason) => {
            tracing::info!(round = %round.id, reason = reason.as_str(), "declined");
            Some(Word::Declined(reason))
        }
        Spoken::Waits => None,
    })
}
