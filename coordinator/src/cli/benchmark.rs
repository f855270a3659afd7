//! `benchmark`: the figures of a closed round.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use policies::figures;
use policies::plan;
use policies::rules::{DEFAULT, Privacy};
use schemas::id::Slug;

use super::Office;
use crate::merge::{self, Collected};
use crate::pooled;
use crate::report;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  consilium-coordinator benchmark r1-yearly-benchmark --out ./benchmark\n  \
                  consilium-coordinator benchmark r1-yearly-hospitals --pooled p1-yearly-alliance \
                  --out ./benchmark\n\nWith --pooled one report holds both: what each hospital \
                  told by itself, and beside it what\nonly the sums over hospitals tell; each figure \
                  says how it was obtained."
)]
pub(super) struct Args {
    /// The round.
    round: Slug,
    /// A finished pooled round about the same months, filters and bounds, whose figures stand in
    /// the same report.
    #[arg(long)]
    pooled: Option<Slug>,
    /// Folder that the files are written to.
    #[arg(long)]
    out: PathBuf,
}

pub(super) async fn run(office: &Office, args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let collected = merge::merge(&office.state, &office.authority, &args.round).await?;
    std::fs::create_dir_all(&args.out).with_context(|| format!("`{}`", args.out.display()))?;
    let rules = Privacy::parse(DEFAULT)?;
    let question = &collected.round.question;
    let benchmark = if let Some(round) = &args.pooled {
        let (state, authority) = (&office.state, &office.authority);
        let at = (round, office.clock.now());
        pooled::beside(state, authority, &rules, &collected, at).await?
    } else {
        let layout = plan::compile(question, &collected.dictionary, &rules)?;
        let replies = &collected.hospitals;
        figures::benchmark(&layout, &collected.dictionary, &rules, replies)?
    };
    let mut paths = report::write(&args.out, &benchmark)?;
    paths.extend(write(&collected, &args.out)?);
    for path in paths {
        writeln!(out, "{}", path.display())?;
    }
    Ok(())
}

/// Writes the signed inputs that the figures follow from; the figures themselves come beside them.
fn write(collected: &Collected, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let path = folder.join("inputs.json");
    let said: Vec<_> = collected
        .hospitals
        .iter()
        .map(|(hospital, said)| match said {
            Ok(answer) => serde_json::json!({"hospital": hospital, "answer": answer}),
            Err(reason) => serde_json::json!({"hospital": hospital, "reason": reason}),
        })
        .collect();
    let inputs = serde_json::json!({
        "round": collected.round,
        "digests": collected.digests,
        "hospitals": said,
    });
    let file = std::fs::File::create(&path).with_context(|| format!("`{}`", path.display()))?;
    serde_json::to_writer_pretty(file, &inputs)?;
    Ok(vec![path])
}
