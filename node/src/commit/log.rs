//! The settlement log's files: for each close its leaves (what books and proofs are made from) and
//! their labels (what leaves open to; they hold no settlement number).
//!
//! `MONTH-vN.leaves`: entries on end, each behind its length in 4 bytes. `MONTH-vN.labels`: 72
//! bytes an entry: amount, blinding, case group filled with zeros; zeros for a header.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use proofs::book::{Book, Place};
use proofs::commit::{Blinding, Opening};
use proofs::leaf::{Leaf, Leaves};
use proofs::tree::{Log, leaf_hash};
use schemas::time::Month;

use super::build::Batch;
use super::store::{Close, StoredBatch};
use super::{CloseError, folder};

const LABEL: usize = 72;
/// Longest entry: a header.
const LONGEST: u32 = 4096;

/// Writes both files of a close, durably. A file that a crash left behind is replaced: it was never
/// registered.
pub(super) fn write(data: &Path, close: (Month, u32), batches: &[Batch]) -> Result<(), CloseError> {
    let folder = folder(data);
    fs::create_dir_all(&folder)?;
    whole(&path(data, close, "leaves"), |file| {
        for batch in batches {
            let leaves = batch.leaves.as_slice().iter();
            let leaves = leaves.map(|leaf| leaf.as_bytes().as_slice());
            for entry in std::iter::once(batch.header_bytes.as_slice()).chain(leaves) {
                let length = u32::try_from(entry.len()).unwrap_or(u32::MAX);
                file.write_all(&length.to_be_bytes())?;
                file.write_all(entry)?;
            }
        }
        Ok(())
    })?;
    whole(&path(data, close, "labels"), |file| {
        for batch in batches {
            file.write_all(&[0; LABEL])?;
            for (opening, group) in &batch.labels {
                let mut group = group.clone().into_bytes();
                group.resize(32, 0);
                // Each settlement is an i64.
                let amount = i64::try_from(opening.amount).unwrap_or_default();
                file.write_all(&amount.to_be_bytes())?;
                file.write_all(&*opening.blinding.to_bytes())?;
                file.write_all(&group)?;
            }
        }
        Ok(())
    })?;
    File::open(&folder)?.sync_all()?;
    Ok(())
}

/// The whole log up to and including a close, for proofs.
pub fn tree(data: &Path, closes: &[Close], upto: &Close) -> Result<Log, CloseError> {
    let mut log = Log::default();
    for close in closes.iter().filter(|close| close.first <= upto.first) {
        if close.first != log.size() {
            return Err(CloseError::Damaged(
                "a close does not continue the one before",
            ));
        }
        for entry in entries(data, close)? {
            log.append(leaf_hash(&entry))?;
        }
        if close.frontier.size() != log.size()
            || close.frontier.root() != log.root_at(log.size())?
        {
            return Err(CloseError::Damaged("leaves do not lead to the checkpoint"));
        }
    }
    Ok(log)
}

/// What is published to a batch's payer.
pub fn book(
    data: &Path,
    closes: &[Close],
    close: &Close,
    batch: &StoredBatch,
) -> Result<Book, CloseError> {
    let log = tree(data, closes, close)?;
    let skip = usize::try_from(batch.first.saturating_sub(close.first)).unwrap_or(usize::MAX);
    let mut own = entries(data, close)?.into_iter().skip(skip);
    let damaged = || CloseError::Damaged("a batch is missing");
    let header = own.next().ok_or_else(damaged)?;
    let count = usize::try_from(batch.leaves).unwrap_or(usize::MAX);
    let leaves = own.take(count).enumerate();
    let leaves = leaves.map(|(place, bytes)| Leaf::from_bytes(place, &bytes));
    let leaves = Leaves::received(leaves.collect::<Result<_, _>>()?)?;
    Ok(Book {
        place: Place {
            checkpoint: close.checkpoint.clone(),
            first: batch.first,
            proof: log.range_proof(batch.first, batch.leaves + 1, log.size())?,
            receipt: None,
        },
        header,
        leaves,
    })
}

/// What leaves of a batch open to, with their case groups.
pub fn labels(
    data: &Path,
    close: &Close,
    batch: &StoredBatch,
    places: &[u32],
) -> Result<Vec<(Opening, String)>, CloseError> {
    let mut file = File::open(path(data, (close.month, close.version), "labels"))?;
    let damaged = || CloseError::Damaged("a label is none");
    let mut found = Vec::with_capacity(places.len());
    for place in places {
        let entry = batch.first.saturating_sub(close.first) + 1 + u64::from(*place);
        file.seek(SeekFrom::Start(entry * 72))?;
        let mut bytes = [0; LABEL];
        file.read_exact(&mut bytes)?;
        let (amount, rest) = bytes.split_first_chunk().ok_or_else(damaged)?;
        let (blinding, group) = rest.split_first_chunk().ok_or_else(damaged)?;
        let opening = Opening {
            amount: i64::from_be_bytes(*amount).into(),
            blinding: Blinding::from_bytes(*blinding).map_err(|_| damaged())?,
        };
        let group = String::from_utf8(group.to_vec()).map_err(|_| damaged())?;
        found.push((opening, group.trim_end_matches('\0').to_owned()));
    }
    Ok(found)
}

/// Removes what only the hospital knows of a month's batches.
pub fn forget(data: &Path, month: Month) -> Result<(), CloseError> {
    let folder = folder(data);
    if !folder.is_dir() {
        return Ok(());
    }
    // Also what a close that was cut off left behind and nobody registered.
    let (of_month, mut removed) = (format!("{month}-v"), false);
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = name.rsplit('.').next();
        if name.starts_with(&of_month) && matches!(kind, Some("labels" | "part")) {
            fs::remove_file(entry.path())?;
            removed = true;
        }
    }
    if removed {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn entries(data: &Path, close: &Close) -> Result<Vec<Vec<u8>>, CloseError> {
    let bytes = fs::read(path(data, (close.month, close.version), "leaves"))?;
    let damaged = || CloseError::Damaged("a file of leaves is cut short");
    let mut entries = Vec::new();
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk().ok_or_else(damaged)?;
        let length = u32::from_be_bytes(*length).min(LONGEST);
        let length = usize::try_from(length).map_err(|_| damaged())?;
        let (entry, after) = after.split_at_checked(length).ok_or_else(damaged)?;
        entries.push(entry.to_vec());
        rest = after;
    }
    Ok(entries)
}

fn path(data: &Path, (month, version): (Month, u32), kind: &str) -> PathBuf {
    folder(data).join(format!("{month}-v{version}.{kind}"))
}

/// Writes a file under a passing name, then gives it its own.
fn whole(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let passing = path.with_extension("part");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = BufWriter::new(options.open(&passing)?);
    fill(&mut file)?;
    let file = file
        .into_inner()
        .map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all()?;
    fs::rename(&passing, path)
}
