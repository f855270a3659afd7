//! The tree over the stored entries.

use proofs::tree::Log;
use schemas::digest::Digest;

use super::{LogError, whole};
use crate::store::state::State;

/// Leaf hashes that are read at once.
const PAGE: i64 = 20_000;

/// The tree in memory, brought up to date from the column of leaf hashes.
#[derive(Debug, Default)]
pub struct Leaves {
    tree: Log,
    last: Option<Digest>,
}

impl Leaves {
    /// The tree over all entries that are stored now. Only new ones are read; if the last known
    /// one is gone or another (a backup was put back), everything is read anew.
    pub async fn follow(&mut self, state: &State) -> Result<&Log, LogError> {
        let known = whole(self.tree.size())?;
        let stored: Option<String> = sqlx::query_scalar("select leaf from log where sequence = $1")
            .bind(known)
            .fetch_optional(state.pool())
            .await?;
        if stored != self.last.map(|last| last.to_string()) {
            *self = Self::default();
        }
        let mut expected = whole(self.tree.size())?.saturating_add(1);
        loop {
            let select = "select string_agg(line, $3 order by sequence) from (select sequence, sequence || ' ' || leaf as line \
                          from log where sequence >= $1 order by sequence limit $2) as page";
            let page = sqlx::query_scalar(select)
                .bind(expected)
                .bind(PAGE)
                .bind("\n");
            let page: Option<String> = page.fetch_one(state.pool()).await?;
            let Some(page) = page else {
                break;
            };
            for line in page.split('\n') {
                let damaged = LogError::Damaged { entry: expected };
                let (number, leaf) = line.split_once(' ').unwrap_or_default();
                let leaf: Option<Digest> = leaf.parse().ok();
                let leaf = leaf.filter(|_| number.parse() == Ok(expected));
                let leaf = leaf.ok_or(damaged)?;
                self.tree.append(leaf)?;
                self.last = Some(leaf);
                expected = expected.saturating_add(1);
            }
        }
        Ok(&self.tree)
    }
}
