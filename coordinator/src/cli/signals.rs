//! `signals`: what an insurer looks at before it audits.

use std::io::Write;
use std::path::PathBuf;

use policies::figures::signals::{self, Source, Verdict};
use policies::plan::{self, Layout};
use policies::rules::Privacy;
use schemas::id::Slug;

use super::{Office, round};
use crate::merge::{self, Collected};
use crate::report;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  consilium-coordinator signals r5-audit-signals --before r4-audit-signals --out ./signals\n\nA signal says where to look, not that somebody did wrong. Of all flags of a report at most one\nin twenty is there by noise and chance, on average."
)]
pub(super) struct Args {
    /// A closed round of the template `audit-signals`.
    round: Slug,
    /// An earlier one, for what changed since.
    #[arg(long)]
    before: Option<Slug>,
    /// Folder that the files are written to.
    #[arg(long)]
    out: PathBuf,
}

pub(super) async fn run(office: &Office, args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let rules = round::rules(office)?;
    let now = read(office, &args.round, &rules).await?;
    let before = match &args.before {
        Some(id) => Some(read(office, id, &rules).await?),
        None => None,
    };
    let before = before.as_ref().map(source);
    let signals = signals::signals(source(&now), before, &rules)?;
    let mut flags = 0_u32;
    for signal in &signals.each {
        if let Verdict::Tested {
            value,
            reference,
            p,
            flagged: true,
            ..
        } = &signal.verdict
        {
            flags = flags.saturating_add(1);
            let kind = serde_json::to_value(signal.kind)?;
            let kind = kind.as_str().unwrap_or_default();
            let category = signal.category.as_deref().unwrap_or("all");
            let hospital = signal.hospital.as_str();
            writeln!(
                out,
                "{hospital:<20} {kind:<18} {category:<6} {value} against {reference} (p {p})"
            )?;
        }
    }
    writeln!(
        out,
        "{flags} flags in {} tests (q {})",
        signals.tests, signals.q
    )?;
    for path in report::write_signals(&args.out, &signals)? {
        writeln!(out, "{}", path.display())?;
    }
    Ok(())
}

async fn read(
    office: &Office,
    round: &Slug,
    rules: &Privacy,
) -> anyhow::Result<(Collected, Layout)> {
    let collected = merge::merge(&office.state, &office.authority, round).await?;
    let layout = plan::compile(&collected.round.question, &collected.dictionary, rules)?;
    Ok((collected, layout))
}

fn source((collected, layout): &(Collected, Layout)) -> Source<'_> {
    Source {
        layout,
        dictionary: &collected.dictionary,
        replies: &collected.hospitals,
    }
}
