//! The file that a command reads, and how.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::{Node, next};
use crate::ingest::mapping::Mapping;
use crate::load::Request;

#[derive(Debug, Args)]
pub(super) struct FileArgs {
    /// CSV (UTF-8, with a header), settlement lists (`.ndjson`), either packed (`.gz`), or a folder of
    /// FHIR R4 resources.
    pub(super) file: PathBuf,
    /// The mapping file.
    #[arg(long)]
    pub(super) mapping: PathBuf,
    /// Only rows with this value in this column; may be given again.
    #[arg(long, value_name = "COLUMN=VALUE", value_parser = filter)]
    pub(super) only: Vec<(String, String)>,
    /// History brought in when the node starts: it is not judged late.
    #[arg(long)]
    pub(super) history: bool,
    /// Answer in JSON.
    #[arg(long)]
    pub(super) json: bool,
}

fn filter(text: &str) -> Result<(String, String), String> {
    let (column, value) = text.split_once('=').ok_or("a filter is COLUMN=VALUE")?;
    Ok((column.to_owned(), value.to_owned()))
}

impl FileArgs {
    pub(super) fn request(&self) -> anyhow::Result<Request> {
        let text = std::fs::read_to_string(&self.mapping)
            .with_context(|| format!("`{}` could not be read", self.mapping.display()))?;
        let mapping = Mapping::parse(&text)
            .with_context(|| format!("`{}` is refused", self.mapping.display()))?;
        Ok(Request {
            file: self.file.clone(),
            mapping,
            only: self.only.clone(),
            history: self.history,
        })
    }

    /// Prints the same file under the command that comes next; nothing for machines.
    pub(super) fn step(
        &self,
        command: &str,
        node: &Node,
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        if self.json {
            return Ok(());
        }
        let (file, mapping) = (next::path(&self.file), next::path(&self.mapping));
        let mut rest = format!("{command} {file} --mapping {mapping}");
        for (column, value) in &self.only {
            let filter = PathBuf::from(format!("{column}={value}"));
            rest.push_str(" --only ");
            rest.push_str(&next::path(&filter));
        }
        if self.history {
            rest += " --history";
        }
        next::step(out, &node.given, &rest)?;
        Ok(())
    }
}
