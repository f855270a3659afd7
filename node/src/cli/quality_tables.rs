//! What `quality` reads of its arguments: the dataset, and the crosswalks of the three tables.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::ensure;
use schemas::id::Slug;
use schemas::question::Dataset;

use super::Node;
use crate::access;
use crate::crosswalks;
use crate::quality::{Side, Tables};

/// Reads the name of a dataset.
pub(super) fn dataset(text: &str) -> Result<Dataset, &'static str> {
    Dataset::named(text).ok_or("stays, visits, referrals, followups or surveys")
}

/// Reads `TABLE=CROSSWALK`.
pub(super) fn walk(text: &str) -> Result<(Side, Slug), String> {
    let (side, name) = text.split_once('=').ok_or("TABLE=CROSSWALK")?;
    let name = name
        .parse()
        .map_err(|_| "the name of a crosswalk".to_owned())?;
    let side = Side::named(side).ok_or("surgery, stock or charges")?;
    Ok((side, name))
}

/// The tables with their approved crosswalks.
pub(super) async fn crossed(
    node: &Node,
    folder: PathBuf,
    (items, departments): (Vec<(Side, Slug)>, Vec<(Side, Slug)>),
) -> anyhow::Result<Tables> {
    let register = access::officers(node.state.pool(), &node.config.hospital).await?;
    let approved = crosswalks::approved(&node.state, &register).await?;
    let of = |named: Vec<(Side, Slug)>| {
        let mut by = BTreeMap::new();
        for (side, name) in named {
            let before = by.insert(side, approved.get(&name)?.clone());
            ensure!(before.is_none(), "a table goes through one crosswalk");
        }
        Ok(by)
    };
    Ok(Tables {
        folder,
        items: of(items)?,
        departments: of(departments)?,
    })
}
