//! The log as files that a third party can verify without this coordinator.

use std::fs;
use std::path::Path;

use proofs::note::Note;
use sqlx::Row as _;

use super::{LogError, keys};
use crate::authority::Authority;
use crate::store::state::State;

/// Writes `entries.jsonl`, `checkpoints/*.note` and `keys` into a folder; what is there of the same
/// names is replaced. Gives the number of entries and checkpoints.
pub async fn export(
    state: &State,
    authority: &Authority,
    folder: &Path,
) -> Result<(usize, usize), LogError> {
    let notes = folder.join("checkpoints");
    make(&notes)?;
    let pool = state.pool();
    // Checkpoints first: an entry that comes between is one too many, not one too few.
    let keys = keys(state, authority).await?;
    let stored = sqlx::query("select size, note from checkpoints where origin = $1 order by size")
        .bind(keys.log.key.name())
        .fetch_all(pool)
        .await?;
    for row in &stored {
        let note: String = row.try_get(1)?;
        let note = Note::parse(note.as_bytes())?.to_string();
        let name = format!("{:012}.note", row.try_get::<i64, _>(0)?);
        write(&notes.join(name), note.as_bytes())?;
    }
    let rows = sqlx::query("select entry from log order by sequence")
        .fetch_all(pool)
        .await?;
    let mut entries = Vec::new();
    for row in &rows {
        entries.extend_from_slice(row.try_get::<String, _>(0)?.as_bytes());
        entries.push(b'\n');
    }
    write(&folder.join("entries.jsonl"), &entries)?;
    write(&folder.join("keys"), keys.to_string().as_bytes())?;
    Ok((rows.len(), stored.len()))
}

fn make(folder: &Path) -> Result<(), LogError> {
    fs::create_dir_all(folder).map_err(|source| LogError::File {
        path: folder.display().to_string(),
        source,
    })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), LogError> {
    fs::write(path, bytes).map_err(|source| LogError::File {
        path: path.display().to_string(),
        source,
    })
}
