//! `audit`: an insurer's audit, on the insurer's own machine. No coordinator's folder is needed.

use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use proofs::book::Subject;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::Month;

use super::audit_pages::{self, AccountArgs, ServeArgs};
use super::write_json;
use crate::audit::{self, Case, Folder, Report};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Before the month is closed: makes keys, and prints what the hospital is given.
    Begin(BeginArgs),
    /// Makes the insurer's TLS key and prints the signing request for `insurer admit`; with
    /// `--admission`, keeps what the alliance sent back.
    Identity(IdentityArgs),
    /// Carries requests to the hospital and replies back, through the coordinator.
    Exchange(ExchangeArgs),
    /// After the close: believes the hospital's book and blinds the paid list into requests.
    Prepare(PrepareArgs),
    /// Checks the hospital's replies and looks up every claim.
    Match(FolderArgs),
    /// Checks the total that the hospital opened.
    Totals(FolderArgs),
    /// Asks for leaves without a claim to be opened, or checks what was opened.
    Sample(FolderArgs),
    /// Writes the evidence pack and prints what was found.
    Report(ReportArgs),
    /// Checks an evidence pack, offline.
    Verify(VerifyArgs),
    /// Serves the insurer's own pages to browsers of this machine, until it is told to stop.
    Serve(ServeArgs),
    /// Who may sign in to them: sets a password, or removes an account.
    Account(AccountArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct BeginArgs {
    /// The audit's folder.
    folder: PathBuf,
    /// The alliance.
    #[arg(long)]
    alliance: Slug,
    /// The hospital.
    #[arg(long)]
    hospital: Slug,
    /// The payer, as the hospital's settlement mapping names it.
    #[arg(long)]
    payer: Slug,
    /// The month, YYYY-MM.
    #[arg(long)]
    month: Month,
    /// Key of the hospital's settlement log, as `consilium-node audit key` prints it.
    #[arg(long)]
    log_key: String,
    /// A witness: organisation and key; may be given again.
    #[arg(long, value_name = "ORGANISATION=KEY", value_parser = witness)]
    witness: Vec<(Slug, String)>,
    /// Organisations other than the hospital that must have witnessed the close.
    #[arg(long, default_value_t = 0)]
    quorum: u32,
}

#[derive(Debug, clap::Args)]
pub(super) struct PrepareArgs {
    /// The audit's folder.
    folder: PathBuf,
    /// The paid list: CSV with the columns settlement,fen,group.
    #[arg(long)]
    paid: PathBuf,
    /// The hospital's book of the month; without it the coordinator is asked for it.
    #[arg(long)]
    book: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct IdentityArgs {
    /// The audit's folder.
    folder: PathBuf,
    /// What `insurer admit` wrote.
    #[arg(long)]
    admission: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct ExchangeArgs {
    /// The audit's folder.
    folder: PathBuf,
    /// How long to wait for replies, in seconds.
    #[arg(long, default_value_t = 300)]
    wait: u32,
}

#[derive(Debug, clap::Args)]
pub(super) struct FolderArgs {
    /// The audit's folder.
    folder: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct ReportArgs {
    /// The audit's folder.
    folder: PathBuf,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  consilium-coordinator audit verify ./audit/pack --log-key \
                  demo/h01/settlements+… --witness h02=demo/h02/witness+… --witness h03=… --quorum 2"
)]
pub(super) struct VerifyArgs {
    /// The pack's folder.
    folder: PathBuf,
    /// The hospital's key as you know it; without it the pack's own is believed.
    #[arg(long)]
    log_key: Option<String>,
    /// A witness as you know it: organisation and key; may be given again.
    #[arg(long, value_name = "ORGANISATION=KEY", value_parser = witness, requires = "quorum")]
    witness: Vec<(Slug, String)>,
    /// Organisations other than the hospital that must have witnessed the close.
    #[arg(long, requires = "witness")]
    quorum: Option<u32>,
}

fn witnesses(given: &[(Slug, String)]) -> Vec<audit::Witness> {
    let given = given.iter().cloned();
    given
        .map(|(organisation, key)| audit::Witness { organisation, key })
        .collect()
}

fn witness(text: &str) -> Result<(Slug, String), String> {
    let (organisation, key) = text.split_once('=').ok_or("ORGANISATION=KEY")?;
    let organisation = organisation.parse().map_err(|_| "no name")?;
    Ok((organisation, key.to_owned()))
}

pub(super) async fn run(command: &Command, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::Begin(args) => begin(args, out),
        Command::Identity(args) => identity(args, out),
        Command::Exchange(args) => exchange(args, out).await,
        Command::Prepare(args) => prepare(args, out).await,
        Command::Match(args) => {
            let bar = bar()?;
            let matched = audit::find(&Folder::new(&args.folder), &progress(&bar));
            bar.finish_and_clear();
            let matched = matched?;
            let (findings, unmatched) = (matched.findings.len(), matched.unmatched.len());
            writeln!(
                out,
                "{findings} findings; {unmatched} leaves belong to no claim"
            )?;
            Ok(())
        }
        Command::Totals(args) => {
            let total = audit::totals(&Folder::new(&args.folder))?;
            let (committed, paid) = (total.committed, total.paid);
            writeln!(
                out,
                "committed to {committed} fen, paid {paid} fen: difference {} fen",
                committed - paid
            )?;
            Ok(())
        }
        Command::Sample(args) => {
            let sampled = audit::sample(&Folder::new(&args.folder))?;
            let (opened, of) = (sampled.opened.len(), sampled.unmatched.len());
            writeln!(out, "{opened} of {of} leaves without a claim opened")?;
            Ok(())
        }
        Command::Serve(args) => audit_pages::serve(args, out).await,
        Command::Account(args) => audit_pages::account(args, out),
        Command::Report(args) => {
            let folder = Folder::new(&args.folder);
            let report = audit::report(&folder)?;
            if args.json {
                return write_json(out, &report);
            }
            show(&report, out)?;
            writeln!(out, "evidence: {}", folder.path("pack").display())?;
            Ok(())
        }
        Command::Verify(args) => {
            let known = audit::Known {
                log_key: args.log_key.clone(),
                witnesses: args.quorum.map(|quorum| (witnesses(&args.witness), quorum)),
            };
            let report = audit::verify(&Folder::new(&args.folder), &known)?;
            let findings = report.findings.len();
            let seen = match args.quorum {
                Some(quorum) => {
                    format!(", whose close at least {quorum} other organisations witnessed")
                }
                None => format!("; {}", witnessed(&report)),
            };
            writeln!(
                out,
                "believed: {findings} findings follow from the hospital's signed log{seen}"
            )?;
            Ok(())
        }
    }
}

fn identity(args: &IdentityArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let folder = Folder::new(&args.folder);
    let request = audit::identity(&folder)?;
    if let Some(path) = &args.admission {
        audit::admitted(&folder, &serde_json::from_slice(&read(path)?)?)?;
        writeln!(out, "admitted")?;
    } else {
        write!(out, "{request}")?;
    }
    Ok(())
}

async fn exchange(args: &ExchangeArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let bar = bar()?;
    let folder = Folder::new(&args.folder);
    let looks = args.wait.saturating_mul(2).max(1);
    let left = audit::exchange(&folder, looks, &progress(&bar)).await;
    bar.finish_and_clear();
    let left = left?;
    ensure!(
        left == 0,
        "{left} requests are not answered yet; run it again later"
    );
    writeln!(out, "every request is answered")?;
    Ok(())
}

async fn prepare(args: &PrepareArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let bar = bar()?;
    let folder = Folder::new(&args.folder);
    let paid = read(&args.paid)?;
    let book = match &args.book {
        Some(path) => read(path)?,
        None => audit::fetch_book(&folder).await?,
    };
    let done = audit::prepare(&folder, &paid, &book, &progress(&bar));
    bar.finish_and_clear();
    let done = done?;
    let (lines, batches, leaves) = (done.lines, done.batches, done.leaves);
    writeln!(
        out,
        "{lines} payments in {batches} batches; {leaves} leaves believed"
    )?;
    writeln!(
        out,
        "next: `audit exchange`, or have the hospital answer `requests` into `replies`"
    )?;
    Ok(())
}

fn begin(args: &BeginArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let case = Case {
        alliance: args.alliance.clone(),
        subject: Subject {
            hospital: args.hospital.clone(),
            payer: args.payer.clone(),
            period: args.month,
        },
        log_key: args.log_key.clone(),
        quorum: args.quorum,
        witnesses: witnesses(&args.witness),
        insurer_key: Digest::ZERO,
    };
    let begun = audit::begin(&Folder::new(&args.folder), &case)?;
    let payer = &args.payer;
    writeln!(out, "for the hospital, before it closes {}:", args.month)?;
    writeln!(
        out,
        "consilium-node audit payer {payer} {}",
        begun.message_key
    )?;
    writeln!(
        out,
        "consilium-node close {} --nonce {payer}={}",
        args.month, begun.nonce
    )?;
    Ok(())
}

/// Who has seen the close.
fn witnessed(report: &Report) -> String {
    if report.witnesses.is_empty() {
        return "NOT WITNESSED: no witness was asked for".to_owned();
    }
    let names: Vec<&str> = report.witnesses.iter().map(Slug::as_str).collect();
    format!("the close was witnessed by {}", names.join(", "))
}

fn show(report: &Report, out: &mut dyn Write) -> anyhow::Result<()> {
    let (lines, leaves, version) = (report.lines, report.leaves, report.release);
    writeln!(
        out,
        "version {version}: {lines} payments against {leaves} leaves"
    )?;
    writeln!(out, "{}", witnessed(report))?;
    writeln!(
        out,
        "paid {} fen, committed to {} fen",
        report.paid, report.committed
    )?;
    for (fault, count) in report.counts() {
        writeln!(out, "  {count:>7}  {}", named(fault))?;
    }
    if report.findings.is_empty() {
        writeln!(out, "no findings")?;
    }
    let (opened, of) = (report.opened, report.unmatched);
    writeln!(out, "leaves without a claim: {opened} of {of} opened")?;
    let rest = if report.accounted {
        "every fen of the total is accounted for"
    } else {
        "the total is not accounted for: leaves that were not opened hold the rest"
    };
    writeln!(out, "{rest}")?;
    Ok(())
}

fn named(fault: audit::Fault) -> &'static str {
    match fault {
        audit::Fault::Missing => "paid, not in the hospital's log",
        audit::Fault::Amount => "another amount than paid",
        audit::Fault::Group => "another case group than paid",
        audit::Fault::Duplicated => "listed more often than paid",
        audit::Fault::Unreadable => "a leaf that does not open",
        audit::Fault::Invented => "in the hospital's log, paid by nobody",
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("`{}` could not be read", path.display()))
}

/// A progress bar on a terminal, nothing elsewhere.
fn bar() -> anyhow::Result<ProgressBar> {
    if !std::io::stderr().is_terminal() {
        return Ok(ProgressBar::hidden());
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} batches  {eta} left")?;
    Ok(ProgressBar::new(0).with_style(style))
}

fn progress(bar: &ProgressBar) -> impl Fn(usize, usize) + '_ {
    |done, of| {
        bar.set_length(u64::try_from(of).unwrap_or(0));
        bar.set_position(u64::try_from(done).unwrap_or(0));
    }
}
