//! `template list` and `template show`.

use std::io::Write;
use std::path::Path;

use anyhow::Context as _;
use schemas::id::Slug;

use crate::config::Config;
use crate::template;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Name, version, price and purpose of each.
    List,
    /// What one asks.
    Show {
        /// Its name.
        id: Slug,
    },
}

pub(super) fn run(data: &Path, command: &Command, out: &mut dyn Write) -> anyhow::Result<()> {
    // The shipped templates can be read before there is an alliance.
    let folder = if data.join(crate::config::FILE).exists() {
        Config::read(data)?.templates
    } else {
        None
    };
    let templates = template::load(folder.as_deref())?;
    match command {
        Command::List => {
            for template in templates.values() {
                let price = template.price()?;
                let name = template.reference().to_string();
                let purpose = template.purpose;
                writeln!(out, "{name:<28} rho {price:<6} a data year  {purpose:?}")?;
            }
        }
        Command::Show { id } => {
            let template = templates
                .get(id)
                .with_context(|| format!("there is no template `{id}`"))?;
            writeln!(out, "{}  {}", template.reference(), template.label.en)?;
            writeln!(out, "price    rho {} a data year", template.price()?)?;
            if let Some(series) = template.series {
                writeln!(out, "series   a patient counts in {} months", series.months)?;
            }
            for table in &template.tables {
                let by: Vec<&str> = table.by.iter().map(Slug::as_str).collect();
                writeln!(out, "table    by [{}]", by.join(", "))?;
                for block in &table.blocks {
                    writeln!(out, "  rho {:<8} {:?}", block.rho, block.measure)?;
                }
            }
        }
    }
    Ok(())
}
