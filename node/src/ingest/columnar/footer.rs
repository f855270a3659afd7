//! The footer of a Parquet file, within bounds and flat, before the library makes a schema of it.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::ParquetRule;
use super::thrift::Thrift;

/// Largest footer in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;
/// Most columns.
const MOST_COLUMNS: u64 = 1024;
/// What follows the footer: its length and the mark.
const TAIL: u64 = 8;

/// Reads the footer of a file of so many bytes.
pub(super) fn read(file: &File, size: u64) -> Result<ParquetMetaData, ParquetRule> {
    let mut tail = [0; 8];
    let at = size.checked_sub(TAIL).ok_or(ParquetRule::Damaged)?;
    file.read_exact_at(&mut tail, at)
        .map_err(|_| ParquetRule::Damaged)?;
    let (length, mark) = tail.split_first_chunk::<4>().ok_or(ParquetRule::Damaged)?;
    match mark {
        b"PAR1" => {}
        b"PARE" => return Err(ParquetRule::Encrypted),
        _ => return Err(ParquetRule::Damaged),
    }
    let length = u64::from(u32::from_le_bytes(*length));
    if length > LARGEST {
        return Err(ParquetRule::Footer);
    }
    let start = at.checked_sub(length).ok_or(ParquetRule::Damaged)?;
    let mut bytes = vec![0; usize::try_from(length).map_err(|_| ParquetRule::Footer)?];
    file.read_exact_at(&mut bytes, start)
        .map_err(|_| ParquetRule::Damaged)?;
    check(&bytes)?;
    ParquetMetaDataReader::decode_metadata(&bytes).map_err(|_| ParquetRule::Damaged)
}

/// The schema is a root with columns, and nothing deeper: deep ones would be walked without end.
fn check(bytes: &[u8]) -> Result<(), ParquetRule> {
    let mut thrift = Thrift::new(bytes);
    let mut last = 0;
    let mut has_schema = false;
    while let Some((id, kind)) = thrift.field(&mut last)? {
        if id != 2 {
            thrift.skip(kind, 0)?;
            continue;
        }
        let list = Thrift::is_list(kind).then(|| thrift.list()).transpose()?;
        let (count, of) = list.ok_or(ParquetRule::Damaged)?;
        if has_schema || !Thrift::is_struct(of) || count == 0 {
            return Err(ParquetRule::Damaged);
        }
        if count > MOST_COLUMNS + 1 {
            return Err(ParquetRule::Columns);
        }
        has_schema = true;
        for place in 0..count {
            let numbers = thrift.numbers()?;
            let children = numbers.get(&5).copied().unwrap_or(0);
            let repeated = numbers.get(&3) == Some(&2);
            if place == 0 {
                if u64::try_from(children) != Ok(count - 1) {
                    return Err(ParquetRule::Nested);
                }
            } else if children != 0 || repeated {
                return Err(ParquetRule::Nested);
            }
        }
    }
    if has_schema {
        Ok(())
    } else {
        Err(ParquetRule::Damaged)
    }
}
