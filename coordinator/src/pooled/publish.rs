//! Publication: what a verifier needs, as files.

use std::path::Path;

use pooled::published::{Files, KEY, PublishedError, VOID, key_bytes, list_name, masked_bytes};
use schemas::canonical;
use sqlx::Row as _;

use super::{Held, PooledError, advance, collect, list, void};
use crate::store::state::{State, StateError};

/// The files of a finished round: key lists up to the cited one, offer, certificate, masked vectors
/// of the survivors, mask sums, totals, the alliance's key. No boxes, and no upload that is not in the sum. Of a voided
/// round: key lists, offer, void certificate.
pub async fn files(state: &State, held: &Held) -> Result<Files, PooledError> {
    let manifest = held.round.manifest();
    let id = manifest.round.as_str();
    if let Some(certificate) = void(state, &manifest.round).await? {
        let mut files = asked(state, held).await?;
        files.insert(VOID.to_owned(), canonical::to_bytes(&certificate)?);
        return Ok(files);
    }
    let totals: Option<String> =
        sqlx::query_scalar("select totals from pooled_totals where round = $1")
            .bind(id)
            .fetch_optional(state.pool())
            .await?;
    let unfinished = || PooledError::Unfinished(manifest.round.clone(), held.state.clone());
    let totals = totals.ok_or_else(unfinished)?;
    let totals: pooled::published::Written =
        serde_json::from_str(&totals).map_err(|_| StateError::Range)?;
    let certificate = advance::certificate(state, &manifest.round).await?;
    let certificate = certificate.ok_or_else(unfinished)?;
    let mut files = asked(state, held).await?;
    files.insert(
        "certificate.json".to_owned(),
        canonical::to_bytes(&certificate)?,
    );
    files.insert("totals.json".to_owned(), canonical::to_bytes(&totals)?);
    collect::vectors(state, held, &certificate.survivors, |masked| {
        let name = format!("upload-{}", masked.hospital());
        files.insert(name, masked_bytes(&masked)?);
        Ok(())
    })
    .await?;
    let rows = sqlx::query("select class, member, sent from pooled_sums where round = $1")
        .bind(id)
        .fetch_all(state.pool())
        .await?;
    for row in &rows {
        let (class, member): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
        files.insert(format!("sum-{class}-{member}"), row.try_get(2)?);
    }
    Ok(files)
}

/// What was asked, and the key lists up to the cited one.
async fn asked(state: &State, held: &Held) -> Result<Files, PooledError> {
    let cited = held.round.manifest().key_list.to_string();
    let mut files = Files::new();
    for version in 1..=list::version_of(state, &cited).await? {
        let signed = list::signed_list(state, i64::from(version)).await?;
        let signed = signed.ok_or(PooledError::NoList)?;
        files.insert(list_name(version), canonical::to_bytes(&signed)?);
    }
    files.insert("offer.json".to_owned(), canonical::to_bytes(&held.offer)?);
    files.insert(KEY.to_owned(), key_bytes(&held.alliance));
    Ok(files)
}

/// Writes a publication into a new folder.
pub fn write_folder(files: &Files, folder: &Path) -> Result<(), PooledError> {
    let failed = |path: &Path| {
        let name = path.display().to_string();
        move |error| PooledError::File(name, error)
    };
    std::fs::create_dir(folder).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => PooledError::Exists(folder.display().to_string()),
        _ => PooledError::File(folder.display().to_string(), error),
    })?;
    for (name, bytes) in files {
        let path = folder.join(name);
        std::fs::write(&path, bytes).map_err(failed(&path))?;
    }
    Ok(())
}

/// Reads a publication from a folder.
pub fn read_folder(folder: &Path) -> Result<Files, PooledError> {
    let failed = |path: &Path| {
        let name = path.display().to_string();
        move |error| PooledError::File(name, error)
    };
    if !folder.is_dir() {
        return Err(PooledError::NoFolder(folder.display().to_string()));
    }
    let mut files = Files::new();
    for entry in std::fs::read_dir(folder).map_err(failed(folder))? {
        let path = entry.map_err(failed(folder))?.path();
        let about = std::fs::metadata(&path).map_err(failed(&path))?;
        let length = about.len();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if about.is_dir() {
            return Err(PublishedError::Stray(name).into());
        }
        if usize::try_from(length).map_or(true, |length| length > canonical::MAX_BYTES) {
            return Err(PublishedError::Stray(name).into());
        }
        files.insert(name, std::fs::read(&path).map_err(failed(&path))?);
    }
    Ok(files)
}
