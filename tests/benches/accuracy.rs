//! The accuracy binary: on the hospitals of the SPARCS 2020 public-use file it prints how far mean
//! costs by case group lie from the exact capped means, raw and improved, attributed and pooled.
//!
//! `accuracy [--runs N]`; the file is not part of the project and is looked for in the folder that
//! `CONSILIUM_DATA` names and in `../shared/data`. Everything is drawn by the node's own sampler at
//! the scales that the plan compiles.
//!
//! Four ways to spend ρ: the yearly benchmark's table by case group, all six blocks in the
//! template's proportions; the same of `yearly-hospitals`, beside which structure and spread are
//! pooled; count and sum of cost only, at equal price; and the same at the split of
//! least error. Pooled answers are simulated: the exact total of the hospitals and one draw of
//! noise whose variance is σ²·|U|/(n_min − t) with everybody alive, n_min = ⌈0.8·n⌉ and t = 1.
//!
//! Sums are centred, as the templates ask them: the plain sum is rebuilt as the noised sum + centre ×
//! the noised count.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use coordinator::dictionary::{Discharges, Plan, SPARCS};
use node::noise::{Gaussian, Source as _};
use policies::figures::improve::{Mean, Noise, Shrunken, among_groups, among_peers};
use policies::plan::split::{Weighted, least_error};
use policies::plan::{BlockLayout, Sigma, compile};
use policies::rules::{DEFAULT, Privacy};
use policies::template;
use schemas::dictionary::Dictionary;
use schemas::loss::Rho;
use schemas::question::{Block, Measure, Question, Table};
use schemas::time::{DataYear, Period};

/// A stay: hospital, case group, cost in cents.
type Stay = (String, String, u64);

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut runs = 20_u32;
    for pair in arguments.chunks(2) {
        match pair {
            [flag, number] if flag == "--runs" => runs = number.parse()?,
            _ => bail!("accuracy [--runs N]"),
        }
    }
    let Some(folder) = folder() else {
        println!("did not run: needs the SPARCS files (CONSILIUM_DATA or ../shared/data)");
        return Ok(());
    };
    let statewide = unpacked(&folder.join("sparcs_2020_msk_unified.csv.gz"))?;
    let dictionary = dictionary(&statewide)?;
    let six = stays(&std::fs::read(
        folder.join("sparcs_2020_msk_alliance6.csv"),
    )?)?;
    let twenty = largest(stays(&statewide)?, 20);
    println!(
        "Mean cost by case group, SPARCS 2020, cap {} times the reference; {runs} draws of noise.\n\
         Median relative error in % of the exact capped mean; in brackets the share of 95 % \
         intervals that hold it.\n\
         A cell is one hospital's case group, shown (noisy count of 11 and more, above 1.96 σ); a \
         group is the case group over all hospitals.",
        dictionary.cap
    );
    for (title, stays) in [("six hospitals", six), ("the twenty largest", twenty)] {
        let alliance = Alliance::new(&dictionary, &stays);
        for rho in ["0.05", "0.2", "0.5"] {
            println!("\n{title}, {} stays, ρ = {rho}", stays.len());
            println!(
                "{:<22}{:<11}{:>17}{:>17}{:>17}{:>17}",
                "", "", "cells 30-99", "cells 100-299", "cells 300+", "groups 30+"
            );
            for way in [Way::Yearly, Way::Hospitals, Way::Equal, Way::Least] {
                let blocks = blocks(&dictionary, way, rho.parse()?)?;
                let mut tally = Tally::default();
                for _ in 0..runs {
                    alliance.draw(&blocks, &mut tally)?;
                }
                tally.print(way.name());
            }
        }
    }
    Ok(())
}

fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("CONSILIUM_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folders = named.into_iter().chain([beside]);
    let mut found = folders.map(|folder| folder.join("sparcs"));
    found.find(|folder| folder.join("sparcs_2020_msk_alliance6.csv").is_file())
}

fn unpacked(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut gzip = Command::new("gzip")
        .arg("-dc")
        .arg(file)
        .stdout(Stdio::piped())
        .spawn()
        .context("gzip")?;
    let mut bytes = Vec::new();
    let mut text = gzip.stdout.take().context("gzip says nothing")?;
    text.read_to_end(&mut bytes)?;
    ensure!(
        gzip.wait()?.success(),
        "gzip cannot read {}",
        file.display()
    );
    Ok(bytes)
}

/// Built from the statewide file as the demo does.
fn dictionary(statewide: &[u8]) -> anyhow::Result<Dictionary> {
    let columns = Discharges {
        group: "apr_drg".to_owned(),
        name: None,
        cost: "total_costs".to_owned(),
        charge: Some("total_charges".to_owned()),
        stay: "los".to_owned(),
        mdc_column: None,
        mdc: "08".to_owned(),
    };
    let (groups, _) = columns.read(statewide, b',')?;
    Ok(Plan::parse(SPARCS)?.build(&"trial".parse()?, groups)?)
}

fn stays(file: &[u8]) -> anyhow::Result<Vec<Stay>> {
    let mut reader = csv::Reader::from_reader(file);
    let header = reader.headers()?.clone();
    let at = |name: &str| header.iter().position(|n| n == name).context("a column");
    let (hospital, group, cost) = (at("facility_key")?, at("apr_drg")?, at("total_costs")?);
    let mut stays = Vec::new();
    for row in reader.records() {
        let row = row?;
        let (whole, cents) = row[cost].split_once('.').context("two decimals")?;
        let cost = format!("{whole}{cents}").parse()?;
        stays.push((row[hospital].to_owned(), row[group].to_owned(), cost));
    }
    Ok(stays)
}

fn largest(stays: Vec<Stay>, count: usize) -> Vec<Stay> {
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    for stay in &stays {
        *sizes.entry(stay.0.clone()).or_default() += 1;
    }
    let mut sizes: Vec<(usize, String)> = sizes.into_iter().map(|(id, n)| (n, id)).collect();
    sizes.sort_by(|a, b| b.cmp(a));
    sizes.truncate(count);
    let kept = |stay: &Stay| sizes.iter().any(|(_, id)| *id == stay.0);
    stays.into_iter().filter(kept).collect()
}

#[derive(Clone, Copy)]
enum Way {
    Yearly,
    Hospitals,
    Equal,
    Least,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Yearly => "yearly benchmark",
            Self::Hospitals => "yearly by hospital",
            Self::Equal => "mean only, 1:1",
            Self::Least => "mean only, least",
        }
    }
}

fn cost() -> Measure {
    Measure::Sum {
        field: "cost".parse().expect("a name"),
    }
}

/// Count and sum as the plan compiles them, by case group.
fn blocks(dictionary: &Dictionary, way: Way, rho: Rho) -> anyhow::Result<[BlockLayout; 2]> {
    let rules = Privacy::parse(DEFAULT)?;
    let period = Period::year(DataYear(2020))?;
    let name = match way {
        Way::Hospitals => "yearly-hospitals",
        Way::Yearly | Way::Equal | Way::Least => "yearly-benchmark",
    };
    let yearly = template::shipped()
        .into_iter()
        .find(|t| t.id.as_str() == name)
        .context("the template")?;
    let whole = yearly.draft(dictionary, rules.digest()?, period)?.question;
    let by = vec!["case_group".parse()?];
    let table = whole.tables.iter().find(|table| table.by == by);
    let of_template = table.context("the template's table")?.blocks.clone();
    let halves = |first: u64| {
        let second = rho.nano() - first;
        let both = [(Measure::Count, first), (cost(), second)];
        both.map(|(measure, nano)| (measure, Rho::from_nano(nano)))
    };
    let priced: Vec<(Measure, _)> = match way {
        Way::Yearly | Way::Hospitals => {
            // What the dictionary lacks the template leaves out; the rest keeps its proportions.
            let all: u64 = of_template.iter().map(|block| block.rho.nano()).sum();
            let part = |block: &Block| {
                let nano = u128::from(block.rho.nano()) * u128::from(rho.nano()) / u128::from(all);
                (block.measure.clone(), Rho::from_nano(nano as u64))
            };
            of_template.iter().map(part).collect()
        }
        Way::Equal => halves(rho.nano() / 2).into(),
        Way::Least => {
            // One mean: the noise of the count weighs by how far 1 lies from the centre, half the
            // cap, beside that of the sum, which is in thousandths of the reference.
            let half = u64::from(dictionary.cap) * 500;
            let of = |weight, l2_squared| Weighted { weight, l2_squared };
            let weight = half.abs_diff(1000).pow(2).max(1);
            let parts = [of(weight, 3), of(1, 3 * u128::from(half).pow(2))];
            let shares = least_error(rho, &parts).context("a split")?;
            halves(shares[0].nano()).into()
        }
    };
    let block = |(measure, rho): (Measure, Result<Rho, _>)| Ok(Block { measure, rho: rho? });
    let blocks: Vec<Block> = priced
        .into_iter()
        .map(block)
        .collect::<Result<_, schemas::loss::NotALoss>>()?;
    let question = Question {
        tables: vec![Table { by, blocks }],
        ..whole
    };
    let layout = compile(&question.canonical(), dictionary, &rules)?;
    let find = |measure: &Measure| {
        let at = layout.find(0, measure).context("a block")?;
        Ok::<_, anyhow::Error>(layout.blocks[at].clone())
    };
    Ok([find(&Measure::Count)?, find(&cost())?])
}

/// Exact counts and capped sums in thousandths of the reference, hospital by hospital, and the
/// plan's dictionary behind them.
struct Alliance {
    counts: Vec<Vec<i64>>,
    sums: Vec<Vec<i64>>,
}

/// What a figure is about.
const BANDS: usize = 4;

/// Relative errors by band, raw and improved, attributed and pooled, and intervals that hold.
#[derive(Default)]
struct Tally {
    errors: [[Vec<f64>; BANDS]; 4],
    held: [[u32; BANDS]; 4],
}

const RAW: usize = 0;
const IMPROVED: usize = 1;
const POOLED: usize = 2;
const POOLED_IMPROVED: usize = 3;

impl Tally {
    fn note(&mut self, how: usize, band: usize, value: f64, sigma: f64, truth: f64) {
        self.errors[how][band].push((value / truth - 1.0).abs());
        self.held[how][band] += u32::from((value - truth).abs() <= 1.96 * sigma);
    }

    fn print(&mut self, way: &str) {
        let ways = ["raw", "improved", "pooled", "pooled+"];
        for (how, name) in ways.into_iter().enumerate() {
            print!("{:<22}{name:<11}", if how == RAW { way } else { "" });
            for band in 0..BANDS {
                let errors = &mut self.errors[how][band];
                errors.sort_by(f64::total_cmp);
                let Some(median) = errors.get(errors.len() / 2) else {
                    print!("{:>17}", "–");
                    continue;
                };
                let covered = f64::from(self.held[how][band]) / errors.len() as f64;
                print!("{:>9.1} ({:.1})", 100.0 * median, 100.0 * covered);
            }
            println!();
        }
    }
}

impl Alliance {
    fn new(dictionary: &Dictionary, stays: &[Stay]) -> Self {
        let mut hospitals: Vec<&str> = stays.iter().map(|stay| stay.0.as_str()).collect();
        hospitals.sort_unstable();
        hospitals.dedup();
        let groups = dictionary.groups.len();
        let mut counts = vec![vec![0; groups]; hospitals.len()];
        let mut sums = counts.clone();
        for (hospital, group, cost) in stays {
            let at = hospitals.binary_search(&hospital.as_str()).expect("listed");
            let of = |code: &str| dictionary.groups.iter().position(|g| g.code == code);
            let group = of(group).or_else(|| of("other")).expect("listed");
            let reference = dictionary.groups[group].references.cost;
            let capped = (*cost).min(u64::from(dictionary.cap) * reference);
            counts[at][group] += 1;
            sums[at][group] += ((2000 * capped + reference) / (2 * reference)) as i64;
        }
        Self { counts, sums }
    }

    fn over_all(table: &[Vec<i64>]) -> Vec<i64> {
        let groups = table.first().map_or(0, Vec::len);
        (0..groups)
            .map(|group| table.iter().map(|row| row[group]).sum())
            .collect()
    }

    /// One draw of everybody's noise.
    fn draw(&self, [count, sum]: &[BlockLayout; 2], tally: &mut Tally) -> anyhow::Result<()> {
        let less = |sums: &[i64], counts: &[i64], sign: i64| -> Vec<i64> {
            let pairs = sums.iter().zip(counts);
            pairs
                .map(|(value, count)| value + sign * i64::from(sum.centre) * count)
                .collect()
        };
        let noised = |table: &[Vec<i64>], block: &BlockLayout| -> anyhow::Result<Vec<Vec<i64>>> {
            table
                .iter()
                .map(|row| Ok(Gaussian.add(row, block)?))
                .collect()
        };
        let square = |block: &BlockLayout| block.sigma.as_f64().powi(2);
        let noise = Noise {
            count: square(count),
            sum: square(sum),
            centre: f64::from(sum.centre) / 1000.0,
        };
        let counts = noised(&self.counts, count)?;
        let exact_sums = self.sums.iter().zip(&self.counts);
        let centred: Vec<Vec<i64>> = exact_sums.map(|(s, n)| less(s, n, -1)).collect();
        let centred = noised(&centred, sum)?;
        let sums: Vec<Vec<i64>> = centred
            .iter()
            .zip(&counts)
            .map(|(s, n)| less(s, n, 1))
            .collect();
        let hospitals = self.counts.len() as f64;
        let exact = [Self::over_all(&self.counts), Self::over_all(&self.sums)];
        let attributed = Noise {
            count: hospitals * noise.count,
            sum: hospitals * noise.sum,
            ..noise
        };
        let together = [Self::over_all(&counts), Self::over_all(&sums)];
        let groups = of_groups(&together, &exact, &attributed, [RAW, IMPROVED], tally);
        let n_min = (0.8 * hospitals).ceil();
        let factor = hospitals / (n_min - 1.0);
        let pooled = |exact: &[i64], block: &BlockLayout| {
            let mut of_all = block.clone();
            of_all.sigma = Sigma((block.sigma.0 as f64 * factor.sqrt()).ceil() as u64);
            Gaussian.add(exact, &of_all)
        };
        let drawn = pooled(&exact[0], count)?;
        let centred = pooled(&less(&exact[1], &exact[0], -1), sum)?;
        let drawn_sums = less(&centred, &drawn, 1);
        let drawn = [drawn, drawn_sums];
        let of_all = Noise {
            count: factor * noise.count,
            sum: factor * noise.sum,
            ..noise
        };
        of_groups(&drawn, &exact, &of_all, [POOLED, POOLED_IMPROVED], tally);
        let shown = |n: i64| n >= 11 && n as f64 > 1.96 * noise.count.sqrt();
        let table: Vec<Vec<Option<Mean>>> = counts
            .iter()
            .zip(&sums)
            .map(|(counts, sums)| {
                let pairs = counts.iter().zip(sums);
                let of = |(n, s): (&i64, &i64)| shown(*n).then(|| mean(*n, *s));
                pairs.map(of).collect()
            })
            .collect();
        let fitted = among_peers(&table, &noise, &groups);
        for (hospital, row) in table.iter().enumerate() {
            for (group, cell) in row.iter().enumerate() {
                let n = self.counts[hospital][group];
                let band = match n {
                    30..100 => 0,
                    100..300 => 1,
                    300.. => 2,
                    _ => continue,
                };
                let truth = self.sums[hospital][group] as f64 / n as f64 / 1000.0;
                let Some(cell) = cell else { continue };
                let found = fitted.cells[hospital][group];
                note(tally, [RAW, IMPROVED, band], cell, found, &noise, truth);
            }
        }
        Ok(())
    }
}

fn mean(count: i64, sum: i64) -> Mean {
    Mean {
        count: count as f64,
        sum: sum as f64,
    }
}

/// Group means over all hospitals.
fn of_groups(
    [counts, sums]: &[Vec<i64>; 2],
    exact: &[Vec<i64>; 2],
    noise: &Noise,
    how: [usize; 2],
    tally: &mut Tally,
) -> policies::figures::improve::Fitted {
    let clear = |n: i64| n as f64 > 1.96 * noise.count.sqrt() && n >= 33;
    let of = |(n, s): (&i64, &i64)| clear(*n).then(|| mean(*n, *s));
    let means: Vec<Option<Mean>> = counts.iter().zip(sums).map(of).collect();
    let found = among_groups(&means, noise);
    for (group, cell) in means.iter().enumerate() {
        let (n, sum) = (exact[0][group], exact[1][group]);
        let Some(cell) = cell.as_ref().filter(|_| n >= 30) else {
            continue;
        };
        let truth = sum as f64 / n as f64 / 1000.0;
        let [raw, improved] = how;
        let how = [raw, improved, 3];
        note(tally, how, cell, found.cells[0][group], noise, truth);
    }
    found
}

/// The raw and the improved mean of a cell; where there is no improved one the raw one stands in.
fn note(
    tally: &mut Tally,
    [raw, improved, band]: [usize; 3],
    cell: &Mean,
    found: Option<Shrunken>,
    noise: &Noise,
    truth: f64,
) {
    let value = cell.sum / cell.count / 1000.0;
    let off = value - noise.centre;
    let of_mean = (noise.sum / 1e6 + off * off * noise.count).sqrt() / cell.count;
    tally.note(raw, band, value, of_mean, truth);
    let (value, sigma) = found.map_or((value, of_mean), |f| (f.value, f.variance.sqrt()));
    tally.note(improved, band, value, sigma, truth);
}
