//! The file that a command reads, and how.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;

use super::{Node, next};
use crate::access;
use crate::costing;
use crate::crosswalks;
use crate::ingest::mapping::Mapping;
use crate::ingest::origin::Origin;
use crate::ingest::sql::{Address, View};
use crate::load::Request;

#[derive(Debug, Args)]
pub(super) struct FileArgs {
    /// CSV (UTF-8, with a header), settlement lists (`.ndjson`), either packed (`.gz`), Parquet
    /// (`.parquet`), or a folder of FHIR R4 resources. None where the mapping reads a view.
    pub(super) file: Option<PathBuf>,
    /// The mapping file.
    #[arg(long)]
    pub(super) mapping: PathBuf,
    /// A file of mode 0600 that holds the URL of the database whose view the mapping reads; without it
    /// the URL stands in CONSILIUM_DATABASE_URL.
    #[arg(long, value_name = "FILE")]
    pub(super) database: Option<PathBuf>,
    /// All of a view, and not only the months in which rows are new.
    #[arg(long)]
    pub(super) whole: bool,
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
    pub(super) async fn request(&self, node: &Node) -> anyhow::Result<Request> {
        let text = std::fs::read_to_string(&self.mapping)
            .with_context(|| format!("`{}` could not be read", self.mapping.display()))?;
        let mapping = Mapping::parse(&text)
            .with_context(|| format!("`{}` is refused", self.mapping.display()))?;
        let from = match (&self.file, &mapping.source) {
            (Some(file), None) => Origin::File(file.clone()),
            (None, Some(_)) => {
                let address = Address::find(self.database.as_deref())?;
                Origin::View(View::open(&address, &mapping, &self.only)?)
            }
            (None, None) => bail!("name a file, or a view in the mapping's `[source]`"),
            (Some(_), Some(_)) => bail!("the mapping reads a view: name no file"),
        };
        let register = access::officers(node.state.pool(), &node.config.hospital).await?;
        let rates = costing::book(&node.state, &register).await?;
        let crosswalks = crosswalks::approved(&node.state, &register).await?;
        Ok(Request {
            from,
            mapping,
            only: self.only.clone(),
            history: self.history,
            whole: self.whole,
            rates,
            crosswalks,
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
        let mut rest = command.to_owned();
        let file = self.file.iter().map(|file| (" ", file));
        let mapping = [(" --mapping ", &self.mapping)];
        let database = self.database.iter().map(|file| (" --database ", file));
        for (word, path) in file.chain(mapping).chain(database) {
            rest.push_str(word);
            rest.push_str(&next::path(path));
        }
        for (column, value) in &self.only {
            let filter = PathBuf::from(format!("{column}={value}"));
            rest.push_str(" --only ");
            rest.push_str(&next::path(&filter));
        }
        for (word, is_given) in [(" --history", self.history), (" --whole", self.whole)] {
            if is_given {
                rest += word;
            }
        }
        next::step(out, &node.given, &rest)?;
        Ok(())
    }
}
