//! `benchmark`: the figures of a closed round.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use policies::figures;
use policies::plan;
use policies::rules::{DEFAULT, Privacy};
use schemas::answer::Answer;
use schemas::id::Slug;
use schemas::outcome::Reason;
use schemas::round::Round;
use serde::Serialize;

use super::Office;
use crate::merge::{self, Collected, Digests};
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

/// The signed inputs of a benchmark.
#[derive(Serialize)]
struct Inputs<'a> {
    digests: &'a Digests,
    hospitals: Vec<Said<'a>>,
    round: &'a Round,
}

/// What one hospital said.
#[derive(Serialize)]
#[serde(untagged)]
enum Said<'a> {
    Answered {
        answer: &'a Answer,
        hospital: &'a Slug,
    },
    Not {
        hospital: &'a Slug,
        reason: &'a Reason,
    },
}

/// Writes the signed inputs that the figures follow from; the figures themselves come beside them.
fn write(collected: &Collected, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let path = folder.join("inputs.json");
    let said = collected.hospitals.iter();
    let said = said.map(|(hospital, said)| match said {
        Ok(answer) => Said::Answered { hospital, answer },
        Err(reason) => Said::Not { hospital, reason },
    });
    let inputs = Inputs {
        round: &collected.round,
        digests: &collected.digests,
        hospitals: said.collect(),
    };
    let file = std::fs::File::create(&path).with_context(|| format!("`{}`", path.display()))?;
    let mut file = std::io::BufWriter::new(file);
    serde_json::to_writer_pretty(&mut file, &inputs)?;
    file.flush()?;
    Ok(vec![path])
}
