//! `columns`: the tables in an engine that the hospital has.

use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, bail};
use clap::Subcommand;

use super::Node;
use crate::engine::Engine;
use crate::load::{self, Settled};
use crate::store::dictionaries;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print the statements that make the tables of the dictionary in use, for whoever administers the
    /// engine. Nothing is changed.
    ///
    /// Example: consilium-node --data ./node1 columns ddl
    Ddl,
    /// Send the months that the engine lacks, and delete there what is no longer registered here.
    ///
    /// Example: consilium-node --data ./node1 columns send
    Send,
}

pub(super) async fn run(command: Command, at: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let node = Node::open(at).await?;
    let Some(columns) = &node.config.columns else {
        bail!("node.toml names no engine: `[columns]` is left out, the node scans its own files");
    };
    let dictionary = dictionaries::latest(&node.state).await?;
    let dictionary = dictionary.context("no dictionary was accepted")?;
    match command {
        Command::Ddl => {
            for sql in Engine::open(columns, &node.config.hospital)?.ddl(&dictionary) {
                writeln!(out, "{sql};")?;
            }
        }
        Command::Send => {
            let settled = load::settle(&node.state, &node.config, &dictionary).await?;
            let Settled { sent, gone } = settled.unwrap_or(Settled { sent: 0, gone: 0 });
            writeln!(out, "{sent} months sent, {gone} deleted")?;
        }
    }
    Ok(())
}
