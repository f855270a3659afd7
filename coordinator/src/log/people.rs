//! Whether the register of persons and the policies that they signed are those that the log tells of.

use policies::access::{Signed, Step, Told};
use schemas::entry::Entry;
use schemas::seal::PublicKey;
use serde::de::DeserializeOwned;
use sqlx::Row as _;

use super::fsck::{FsckError, chain, row};
use crate::store::state::State;

/// The kinds of entry by which persons come and leave.
const KINDS: (&str, &str) = ("administrator", "administrator-leaves");

pub(super) fn hear(told: &mut Told, entry: &Entry) {
    told.hear(entry, KINDS);
}

pub(super) async fn agree(state: &State, told: &Told) -> Result<(), FsckError> {
    let steps: Vec<Step> = read(state, "select step from administrators order by position").await?;
    let signed: Vec<Signed> = read(state, "select signed from policies order by position").await?;
    told.agrees(&steps, &signed)
        .map_err(|fault| row("administrators, policies", fault))
}

async fn read<T: DeserializeOwned>(
    state: &State,
    query: &'static str,
) -> Result<Vec<T>, FsckError> {
    let rows = sqlx::query(query).fetch_all(state.pool()).await?;
    let texts = rows.iter().map(|found| found.try_get::<String, _>(0));
    let damaged = || row("administrators, policies", "a row is damaged");
    texts
        .map(|text| serde_json::from_str(&text?).map_err(|_| damaged()))
        .collect()
}

/// What every start checks: chain, tree, own checkpoints, and who decides.
pub async fn at_start(state: &State, key: &PublicKey) -> Result<(), FsckError> {
    let mut told = Told::default();
    chain(state, key, |entry| {
        hear(&mut told, entry);
        Ok(())
    })
    .await?;
    agree(state, &told).await
}
