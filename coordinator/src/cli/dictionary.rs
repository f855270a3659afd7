//! `dictionary build|publish|show`.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use schemas::canonical;
use schemas::dictionary::{Dictionary, Group};

use super::{Office, write_json};
use crate::config::Config;
use crate::dictionary::{self, Discharges, Plan, Weights, decimal, read_listed};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Builds a dictionary from public tables.
    #[command(after_help = BUILD_HELP)]
    Build(Box<BuildArgs>),
    /// Signs a dictionary as the next version and offers it to the members.
    Publish {
        /// What `build` wrote.
        file: PathBuf,
    },
    /// Shows a published dictionary.
    Show {
        /// Which version; the latest without it.
        #[arg(long)]
        version: Option<u32>,
        /// The whole of it as JSON.
        #[arg(long)]
        json: bool,
    },
}

const BUILD_HELP: &str = "Examples:
  CHS-DRG, from names and local weights; reference cost = weight x rate:
    dictionary build --plan chs --groups groups.tsv --weights weights.tsv \\
      --weight-column rw_2024 --rate 12252.70 --out dictionary.json
  APR-DRG, from a public file of discharges; references are means:
    zcat discharges.csv.gz | dictionary build --plan sparcs --discharges - --group-column apr_drg \\
      --cost-column total_costs --charge-column total_charges --los-column los --mdc 08 \\
      --out dictionary.json
  A finished table (code,name_zh,name_en,mdc,weight,cost_fen,charge_fen,los_milli):
    dictionary build --plan chs --table groups.csv --out dictionary.json

Tables are tab-separated where the name ends in .tsv, else comma-separated; `-` is standard input.";

#[derive(Debug, clap::Args)]
pub(super) struct BuildArgs {
    /// Dimensions and fields: `chs`, `sparcs` or a TOML file.
    #[arg(long)]
    plan: String,
    /// Where the dictionary is written.
    #[arg(long)]
    out: PathBuf,
    /// Finished table of groups.
    #[arg(long, group = "source")]
    table: Option<PathBuf>,
    /// Table of group codes and names.
    #[arg(long, group = "source", requires = "weights", requires = "rate")]
    groups: Option<PathBuf>,
    /// File of discharges.
    #[arg(long, group = "source")]
    discharges: Option<PathBuf>,
    /// Table of weights by group code.
    #[arg(long)]
    weights: Option<PathBuf>,
    /// Amount for a weight of 1, for example 12252.70.
    #[arg(long)]
    rate: Option<String>,
    /// Column of the code in the tables of names and weights.
    #[arg(long, default_value = "drg_code")]
    code_column: String,
    /// Column of the name: in the table of names `drg_name` by default; of discharges none.
    #[arg(long)]
    name_column: Option<String>,
    /// Column of the weight.
    #[arg(long, default_value = "weight")]
    weight_column: String,
    /// Column of the name in the table of weights, for codes that the table of names lacks.
    #[arg(long)]
    local_name_column: Option<String>,
    /// Weight of groups without one; left out without it, their stays count as `other`.
    #[arg(long)]
    missing_weight: Option<String>,
    /// Ordinary length of stay, in days, where the table of weights has no --los-column.
    #[arg(long, default_value = "8")]
    default_los: String,
    /// Column of the case group in the discharges.
    #[arg(long, default_value = "apr_drg")]
    group_column: String,
    /// Column of the cost in the discharges.
    #[arg(long, default_value = "total_costs")]
    cost_column: String,
    /// Column of the charges; without it charges are measured against the reference cost.
    #[arg(long)]
    charge_column: Option<String>,
    /// Column of the length of stay in days; `los` by default in discharges.
    #[arg(long)]
    los_column: Option<String>,
    /// Column of the major diagnostic category in the discharges.
    #[arg(long)]
    mdc_column: Option<String>,
    /// Major diagnostic category of all discharges, without such a column.
    #[arg(long, default_value = "all")]
    mdc: String,
    /// Name of the alliance; the data folder's without it.
    #[arg(long)]
    alliance: Option<schemas::id::Slug>,
}

pub(super) async fn run(data: &Path, command: Command, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::Build(args) => build(data, &args, out),
        Command::Publish { file } => publish(&Office::open(data).await?, &file, out).await,
        Command::Show { version, json } => {
            show(&Office::open(data).await?, version, json, out).await
        }
    }
}

fn build(data: &Path, args: &BuildArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let alliance = match &args.alliance {
        Some(alliance) => alliance.clone(),
        None => {
            Config::read(data)
                .context("or name the --alliance")?
                .alliance
        }
    };
    let plan = match args.plan.as_str() {
        "chs" => dictionary::CHS.to_owned(),
        "sparcs" => dictionary::SPARCS.to_owned(),
        file => std::fs::read_to_string(file).with_context(|| format!("plan `{file}`"))?,
    };
    let dictionary = Plan::parse(&plan)?.build(&alliance, groups(args, out)?)?;
    let file = File::create(&args.out).with_context(|| format!("`{}`", args.out.display()))?;
    serde_json::to_writer_pretty(file, &dictionary)?;
    let (groups, dimensions) = (dictionary.groups.len(), dictionary.dimensions.len());
    let fields = dictionary.fields.len();
    writeln!(
        out,
        "{groups} groups, {dimensions} dimensions, {fields} fields"
    )?;
    Ok(())
}

fn groups(args: &BuildArgs, out: &mut dyn Write) -> anyhow::Result<Vec<Group>> {
    if let Some(path) = &args.table {
        let (source, delimiter) = source(path)?;
        return Ok(read_listed(source, delimiter)?);
    }
    if let Some(path) = &args.discharges {
        let (source, delimiter) = source(path)?;
        let columns = Discharges {
            group: args.group_column.clone(),
            name: args.name_column.clone(),
            cost: args.cost_column.clone(),
            charge: args.charge_column.clone(),
            stay: args.los_column.clone().unwrap_or_else(|| "los".to_owned()),
            mdc_column: args.mdc_column.clone(),
            mdc: args.mdc.clone(),
        };
        let (groups, rows) = columns.read(source, delimiter)?;
        writeln!(out, "{rows} discharges")?;
        return Ok(groups);
    }
    let (Some(names), Some(weights), Some(rate)) = (&args.groups, &args.weights, &args.rate) else {
        bail!("name a source: --table, --groups with --weights and --rate, or --discharges");
    };
    let names_column = args.name_column.clone();
    let missing = args.missing_weight.as_deref();
    let columns = Weights {
        code: args.code_column.clone(),
        name: names_column.unwrap_or_else(|| "drg_name".to_owned()),
        weight: args.weight_column.clone(),
        local_name: args.local_name_column.clone(),
        charge: args.charge_column.clone(),
        stay: args.los_column.clone(),
        default_stay: decimal(&args.default_los, 3).context("--default-los")?,
        missing_weight: missing
            .map(|text| decimal(text, 6))
            .transpose()
            .context("--missing-weight")?,
        rate: decimal(rate, 2).context("--rate")?,
    };
    let (groups, left_out) = columns.read(source(names)?, source(weights)?)?;
    if left_out > 0 {
        writeln!(out, "{left_out} codes without a weight left out")?;
    }
    Ok(groups)
}

/// A table and its delimiter.
type Table = (Box<dyn Read>, u8);

fn source(path: &Path) -> anyhow::Result<Table> {
    if path == Path::new("-") {
        return Ok((Box::new(io::stdin()), b','));
    }
    let name = path.display();
    let packed = path.extension().is_some_and(|extension| extension == "gz");
    ensure!(
        !packed,
        "`{name}` is compressed: unpack it into standard input, `zcat {name} | … -`"
    );
    let tabs = path.extension().is_some_and(|extension| extension == "tsv");
    let file = File::open(path).with_context(|| format!("`{name}`"))?;
    Ok((Box::new(file), if tabs { b'\t' } else { b',' }))
}

async fn publish(office: &Office, file: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let bytes = std::fs::read(file).with_context(|| format!("`{}`", file.display()))?;
    let dictionary: Dictionary = canonical::read(&bytes)?;
    let now = office.clock.now();
    let published = dictionary::publish(&office.state, &office.authority, dictionary, now).await?;
    writeln!(
        out,
        "version {} {}",
        published.dictionary.version, published.digest
    )?;
    Ok(())
}

async fn show(
    office: &Office,
    version: Option<u32>,
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let published = match version {
        Some(version) => dictionary::at_version(&office.state, &office.authority, version).await?,
        None => dictionary::latest(&office.state, &office.authority).await?,
    };
    let published = published.context("no such dictionary is published")?;
    let dictionary = &published.dictionary;
    if json {
        return write_json(out, dictionary);
    }
    writeln!(
        out,
        "version    {} {}",
        dictionary.version, published.digest
    )?;
    let scheme = &dictionary.scheme;
    writeln!(
        out,
        "scheme     {} {}, {}",
        scheme.id, scheme.version, dictionary.currency
    )?;
    writeln!(out, "groups     {}", dictionary.groups.len())?;
    let names = |ids: Vec<&str>| ids.join(" ");
    let dimensions = dictionary
        .dimensions
        .iter()
        .map(|d| d.id.as_str())
        .collect();
    writeln!(out, "dimensions {}", names(dimensions))?;
    let fields = dictionary.fields.iter().map(|f| f.id.as_str()).collect();
    writeln!(out, "fields     {}", names(fields))?;
    Ok(())
}
