//! The tree over the stored entries.

use proofs::tree::Log;
use schemas::digest::Digest;
use sqlx::Row as _;

use super::{LogError, whole};
use crate::store::state::State;

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
        let rows = sqlx::query("select sequence, leaf from log where sequence >= $1 order by 1")
            .bind(expected)
            .fetch_all(state.pool())
            .await?;
        for row in rows {
            let leaf = row.try_get::<String, _>(1)?.parse::<Digest>().ok();
            let leaf = leaf.filter(|_| row.try_get(0).is_ok_and(|it: i64| it == expected));
            let leaf = leaf.ok_or(LogError::Damaged { entry: expected })?;
            self.tree.append(leaf)?;
            self.last = Some(leaf);
            expected = expected.saturating_add(1);
        }
        Ok(&self.tree)
    }
}
