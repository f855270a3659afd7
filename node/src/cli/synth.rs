//! `consilium-node synth`: made-up data to try everything on.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use schemas::question::Dataset;

use crate::synth::{Settings, write_alliance, write_beside, write_hospital};

/// Make plausible, made-up settlement files (the same seed gives the same bytes).
///
/// Writes one CSV for each hospital, groups.csv for the dictionary, alliance.json, defects.csv
/// (what was spoilt) and planted.txt (identifiers to search for).
#[derive(Debug, Args)]
#[command(
    after_help = "Example: consilium-node synth --out data --seed 7 --hospitals 6 --stays 40000"
)]
pub(super) struct SynthArgs {
    /// Folder to write into; made if it is not there.
    #[arg(long)]
    out: PathBuf,
    /// Everything follows from this number.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Year of settlement.
    #[arg(long, default_value_t = 2025)]
    year: u16,
    /// Number of hospitals, 1 to 99: a third each tertiary, secondary and grassroots.
    #[arg(long, default_value_t = 6)]
    hospitals: u32,
    /// Stays of a tertiary hospital; a secondary one has two fifths, a grassroots one a tenth.
    #[arg(long, default_value_t = 40_000)]
    stays: u32,
    /// Share of rows with a defect, such as 0.005.
    #[arg(long, default_value = "0", value_parser = millionths)]
    defects: u32,
    /// Also put identifiers where they do not belong, in six rows of each hospital.
    #[arg(long)]
    planted: bool,
    /// Also write so many outpatient visits of each hospital's own patients, as NAME-visits.csv.
    #[arg(long, default_value_t = 0)]
    visits: u32,
    /// So many referrals, as NAME-referrals.csv.
    #[arg(long, default_value_t = 0)]
    referrals: u32,
    /// So many follow-ups of managed chronic patients, as NAME-followups.csv.
    #[arg(long, default_value_t = 0)]
    followups: u32,
    /// So many satisfaction answers, as NAME-surveys.csv.
    #[arg(long, default_value_t = 0)]
    surveys: u32,
    /// Make one tertiary hospital with so many stays instead of an alliance.
    #[arg(long, requires = "hospital", conflicts_with_all = ["hospitals", "stays"])]
    rows: Option<u32>,
    /// Name of that hospital and of its file.
    #[arg(long, requires = "rows")]
    hospital: Option<String>,
}

/// Makes the files and says what was written.
pub(super) fn run(args: &SynthArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let settings = Settings {
        seed: args.seed,
        year: args.year,
        defects_ppm: args.defects,
        planted: args.planted,
    };
    let written = match (&args.hospital, args.rows) {
        (Some(hospital), Some(rows)) => write_hospital(&args.out, &settings, hospital, rows)?,
        _ => write_alliance(&args.out, &settings, args.hospitals, args.stays)?,
    };
    for one in written {
        writeln!(
            out,
            "{}  {} rows, {} with a defect",
            args.out.join(&one.file).display(),
            one.rows,
            one.defects
        )?;
        for (dataset, rows) in [
            (Dataset::Visits, args.visits),
            (Dataset::Referrals, args.referrals),
            (Dataset::Followups, args.followups),
            (Dataset::Surveys, args.surveys),
        ] {
            if rows > 0 {
                let file = write_beside(&args.out, &settings, &one.hospital, (dataset, rows))?;
                writeln!(out, "{}  {rows} rows", args.out.join(file).display())?;
            }
        }
    }
    Ok(())
}

/// Reads a decimal from 0 to 1 as a whole number of millionths.
fn millionths(text: &str) -> Result<u32, String> {
    let rule = || "a decimal from 0 to 1 with at most six decimals".to_owned();
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| {
        (1..=6).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_digit())
    };
    if !digits(whole) || !digits(decimals) {
        return Err(rule());
    }
    let parts = format!("{whole}{decimals:0<6}");
    let value = parts.parse().map_err(|_| rule())?;
    if value > 1_000_000 {
        return Err(rule());
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_read_exactly() {
        for (text, value) in [("0", 0), ("0.005", 5000), ("1", 1_000_000), ("0.000001", 1)] {
            assert_eq!(millionths(text), Ok(value), "{text}");
        }
        for bad in ["", "-1", "1.1", "0.0000001", "1e-3", ".5", "2"] {
            assert!(millionths(bad).is_err(), "{bad}");
        }
    }
}
