//! `year` and `verify-score`: what this hospital says in the alliance's budget year, and the year's
//! published file checked here.

mod figures;
mod party;
mod show;

pub(super) use show::score;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::Subcommand;
use policies::year::{Published, Year};
use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::seal::Sealed;
use schemas::year::{Matter, Says, Statement};

use super::{Node, link};
use crate::config::keys::Keys;
use crate::link::{Heard, LinkError};
use crate::store::dictionaries;

/// Longest published file in bytes.
const LONGEST: u64 = 64 * 1024 * 1024;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Apply for money (预算申报书).
    ///
    /// Example: consilium-node --data ./node1 year apply 2026 120000000.00 --purpose "stroke unit"
    /// --expected "fewer transfers"
    Apply {
        /// The year.
        year: u16,
        /// How much, in yuan.
        amount: Fen,
        /// What for.
        #[arg(long)]
        purpose: String,
        /// What it is expected to achieve.
        #[arg(long)]
        expected: String,
        /// A file for the signed statement, which the alliance takes by `year take`; sent to the
        /// coordinator where it is left out.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Have nothing against a result.
    ///
    /// Example: consilium-node --data ./node1 year accept 2026 plan DIGEST
    Accept {
        /// The year.
        year: u16,
        /// About what: plan, settlement, bonus or appraisal.
        #[arg(value_parser = matter)]
        matter: Matter,
        /// Digest of the result.
        result: Digest,
        /// A file for the signed statement; sent to the coordinator where it is left out.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Object to a result, or appeal.
    ///
    /// Example: consilium-node --data ./node1 year object 2026 plan DIGEST --why "wrong population"
    Object {
        /// The year.
        year: u16,
        /// About what: plan, settlement, bonus or appraisal.
        #[arg(value_parser = matter)]
        matter: Matter,
        /// Digest of the result.
        result: Digest,
        /// Why.
        #[arg(long)]
        why: String,
        /// A file for the signed statement; sent to the coordinator where it is left out.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Say what was done about a task that the alliance gave this hospital.
    ///
    /// Example: consilium-node --data ./node1 year report 2026 waiting --done "a bed office works"
    Report {
        /// The year.
        year: u16,
        /// The task.
        task: Slug,
        /// What was done.
        #[arg(long)]
        done: String,
        /// A file for the signed statement; sent to the coordinator where it is left out.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Speak as a party of the year (insurer, committee, …) whose key is this organisation's message key.
    ///
    /// Example: consilium-node --data ./insurer year party 2026 --as insurer sign plan DIGEST
    Party(party::Args),
    /// List the alliance's years, as JSON.
    ///
    /// Example: consilium-node --data ./node1 year list
    List,
    /// Fetch a year, check all of it, and write it into a file.
    ///
    /// Example: consilium-node --data ./node1 year fetch 2026 --out ./year.json
    Fetch {
        /// The year.
        year: u16,
        /// Where it is written.
        #[arg(long)]
        out: PathBuf,
    },
    /// Show where a year stands: this hospital's figures, what waits for it and until when, and the
    /// commands by which it answers. All of the year is checked first.
    ///
    /// Example: consilium-node --data ./node1 year show 2026
    Show {
        /// The year.
        year: u16,
        /// A published file; fetched from the coordinator where it is left out.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Check a year's published file: every signature, every rule, every fen.
    ///
    /// Whose keys sign stands in the file itself: compare the fingerprints with those that you know. That
    /// nothing was left out or made up shows the coordinator's log alone (`log export` there).
    ///
    /// Example: consilium-node --data ./node1 year verify ./year.json --log ./coordinator-log
    Verify {
        /// The published file.
        file: PathBuf,
        /// The coordinator's published log.
        #[arg(long, value_name = "FOLDER")]
        log: Option<PathBuf>,
    },
}

fn matter(text: &str) -> Result<Matter, String> {
    let mut all = Matter::ALL.into_iter();
    let found = all.find(|matter| matter.as_str() == text);
    found.ok_or_else(|| "one of plan, settlement, bonus, appraisal".to_owned())
}

pub(super) async fn run(command: Command, data: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let (year, says, path) = match command {
        Command::Apply {
            year,
            amount,
            purpose,
            expected,
            out,
        } => {
            let says = Says::Apply {
                amount,
                purpose,
                expected,
            };
            (year, says, out)
        }
        Command::Accept {
            year,
            matter,
            result,
            out,
        } => (year, Says::Accept { matter, result }, out),
        Command::Object {
            year,
            matter,
            result,
            why,
            out,
        } => {
            let says = Says::Object {
                matter,
                result,
                why,
            };
            (year, says, out)
        }
        Command::Report {
            year,
            task,
            done,
            out,
        } => (year, Says::Report { task, done }, out),
        Command::Party(args) => {
            let party::Args {
                year,
                party,
                word,
                out: path,
            } = args;
            return speak(data, (year, Some(party)), (word.says(), path), out).await;
        }
        Command::List => {
            let node = Node::open(data).await?;
            let list = link::open(&node)?.years().await?;
            writeln!(out, "{}", String::from_utf8(list)?)?;
            return Ok(());
        }
        Command::Fetch { year, out: path } => return fetch(data, year, &path, out).await,
        Command::Show { year, file } => return show::year(year, file.as_deref(), data, out).await,
        Command::Verify { file, log } => {
            checked(&file, log.as_deref(), out)?;
            return Ok(());
        }
    };
    speak(data, (year, None), (says, path), out).await
}

/// Signs a statement, under the hospital's name or a party's, and sends it or writes it into a file.
async fn speak(
    data: &Path,
    (year, party): (u16, Option<Slug>),
    (says, path): (Says, Option<PathBuf>),
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    let dictionary = dictionaries::latest(&node.state).await?;
    let alliance = dictionary.context("no dictionary is accepted")?.alliance;
    let statement = Statement {
        alliance,
        year,
        by: party.unwrap_or_else(|| node.config.hospital.clone()),
        at: node.clock.now(),
        says,
    };
    let signer = Keys::open(&node.config.data)?.message_key()?;
    let sealed = Sealed::seal(&signer, &statement)?;
    if let Some(path) = path {
        std::fs::write(&path, canonical::to_bytes(&sealed)?)
            .with_context(|| format!("`{}`", path.display()))?;
        writeln!(out, "signed: {}; hand it to the alliance", path.display())?;
        return Ok(());
    }
    match link::open(&node)?.speak(&sealed, year).await? {
        Heard::Taken => writeln!(out, "taken by the coordinator")?,
        Heard::Refused(why) => bail!("the coordinator refused it: {why}"),
    }
    Ok(())
}

/// A year as the coordinator tells it: the bytes, and what they say; refused unless all of it verifies
/// and it is this alliance's and names this hospital's own key.
async fn heard(node: &Node, year: u16) -> anyhow::Result<(Vec<u8>, Published, Year)> {
    let bytes = match link::open(node)?.year(year).await {
        Err(LinkError::Status(404)) => bail!("the alliance did not open a year {year}"),
        Err(LinkError::Status(403)) => bail!("this organisation takes no part in the year {year}"),
        other => other?,
    };
    let text = std::str::from_utf8(&bytes).context("what the coordinator sent is no text")?;
    let published =
        Published::read(text).context("what the coordinator sent is no published year")?;
    let stands = published.verify()?;
    ensure!(stands.number == year, "the coordinator sent another year");
    own(node, &published, &stands).await?;
    Ok((bytes, published, stands))
}

/// Refuses a year of another alliance, or that names another key for this organisation.
async fn own(node: &Node, published: &Published, stands: &Year) -> anyhow::Result<()> {
    let dictionary = dictionaries::latest(&node.state).await?;
    let alliance = dictionary.context("no dictionary is accepted")?.alliance;
    ensure!(
        published.alliance == alliance,
        "this is another alliance's year"
    );
    let own = Keys::open(&node.config.data)?.message_key()?.public();
    let member = stands.members.get(&node.config.hospital);
    ensure!(
        member == Some(&own) || stands.parties.values().any(|key| *key == own),
        "the year names another key for this organisation, or leaves it out"
    );
    Ok(())
}

/// Fetches a year; what does not verify is not kept.
async fn fetch(data: &Path, year: u16, path: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let node = Node::open(data).await?;
    let (bytes, published, stands) = heard(&node, year).await?;
    std::fs::write(path, &bytes).with_context(|| format!("`{}`", path.display()))?;
    let (stage, said) = (stands.stage.as_str(), published.statements.len());
    writeln!(
        out,
        "{year} {stage}, sound: {said} statements: {}",
        path.display()
    )?;
    Ok(())
}

/// Checks a published year, and where there is one against the coordinator's log.
fn checked(
    file: &Path,
    log: Option<&Path>,
    out: &mut dyn Write,
) -> anyhow::Result<(Published, Year)> {
    let (published, year) = verify(file, out)?;
    for line in year.keys() {
        writeln!(out, "  {line}")?;
    }
    let Some(folder) = log else {
        writeln!(
            out,
            "NOT CHECKED: that nothing was left out, added, moved or dated otherwise shows --log alone"
        )?;
        return Ok((published, year));
    };
    let witnessed = super::log::verify(folder, &[], out)?;
    let logged = published.logged(&super::log::entries(folder)?, witnessed)?;
    writeln!(out, "{logged}")?;
    Ok((published, year))
}

/// Checks a published year from its file alone.
fn verify(file: &Path, out: &mut dyn Write) -> anyhow::Result<(Published, Year)> {
    let name = file.display();
    let size = std::fs::metadata(file)
        .with_context(|| format!("`{name}`"))?
        .len();
    ensure!(size <= LONGEST, "`{name}` is larger than {LONGEST} bytes");
    let text = std::fs::read_to_string(file).with_context(|| format!("`{name}`"))?;
    let published =
        Published::read(&text).with_context(|| format!("`{name}` is no published year"))?;
    let year = published.verify()?;
    writeln!(
        out,
        "sound: {} statements, {} results, every signature, rule and fen",
        published.statements.len(),
        published.results.len()
    )?;
    Ok((published, year))
}
