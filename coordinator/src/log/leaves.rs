//! The tree over the stored entries.

use proofs::stored;
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
        loop {
            let next = self.tree.size().saturating_add(1);
            let select = "select string_agg(line, $3 order by sequence) from (\
                          select sequence, sequence || ' ' || leaf as line from log \
                          where sequence >= $1 order by sequence limit $2) as page";
            let page = sqlx::query_scalar(select)
                .bind(whole(next)?)
                .bind(PAGE)
                .bind("\n");
            let page: Option<String> = page.fetch_one(state.pool()).await?;
            let Some(page) = page else {
                break;
            };
            for (number, line) in (next..).zip(page.split('\n')) {
                let entry = whole(number)?;
                let leaf = stored::leaf(line, number).ok_or(LogError::Damaged { entry })?;
                self.tree.append(leaf)?;
                self.last = Some(leaf);
            }
        }
        Ok(&self.tree)
    }
}
