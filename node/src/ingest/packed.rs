//! Bytes of a file, as they stand or packed by gzip (`.gz`), in bounded memory: a record without an
//! end is refused, and so is a packed file that unpacks to far more than it is.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::IngestError;

/// A packed file may unpack to so many times its size: records pack to a tenth or a fiftieth.
const MOST_TIMES: u64 = 100;
/// That many bytes beyond, so that small files pass.
const SLACK: u64 = 4 * 1024 * 1024;

/// What a packed file must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PackedRule {
    /// It unpacks to no more than a hundred times its size.
    #[error("the file unpacks to more than 100 times its size; unpack it and look at it first")]
    Bomb,
    /// It is there to its end.
    #[error("the packed file is cut short; copy or export it again")]
    Short,
    /// It is gzip and its sums agree.
    #[error("the packed file is damaged or not gzip; copy or export it again")]
    Damaged,
}

impl PackedRule {
    /// The rule that a reading error of a packed file stands for.
    pub(super) fn of(kind: io::ErrorKind) -> Option<Self> {
        match kind {
            io::ErrorKind::QuotaExceeded => Some(Self::Bomb),
            io::ErrorKind::UnexpectedEof => Some(Self::Short),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => Some(Self::Damaged),
            _ => None,
        }
    }
}

/// Whether a file's name says that it is packed.
pub(super) fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "gz")
}

/// A file being read: unpacked bytes for the reader, a digest of the file itself on the way.
pub(super) struct Bytes {
    from: From,
    most_record: u64,
    given: u64,
    record_began: Cell<u64>,
}

enum From {
    Plain(Box<Raw>),
    Packed(Box<MultiGzDecoder<Raw>>),
}

struct Raw {
    file: File,
    hasher: blake3::Hasher,
    read: u64,
}

impl Bytes {
    /// Opens a file of which no record is longer than `most_record` bytes.
    pub(super) fn open(path: &Path, most_record: u64) -> Result<Self, IngestError> {
        let raw = Raw {
            file: File::open(path).map_err(IngestError::io(path))?,
            hasher: blake3::Hasher::new(),
            read: 0,
        };
        let from = if is_packed(path) {
            From::Packed(Box::new(MultiGzDecoder::new(raw)))
        } else {
            From::Plain(Box::new(raw))
        };
        Ok(Self {
            from,
            most_record,
            given: 0,
            record_began: Cell::new(0),
        })
    }

    fn raw(&self) -> &Raw {
        match &self.from {
            From::Plain(raw) => raw,
            From::Packed(decoder) => decoder.get_ref(),
        }
    }

    /// The next record begins.
    pub(super) fn begin_record(&self) {
        self.record_began.set(self.given);
    }

    /// Bytes of the file read so far.
    pub(super) fn position(&self) -> u64 {
        self.raw().read
    }

    /// BLAKE3 of what was read of the file.
    pub(super) fn digest(&self) -> blake3::Hash {
        self.raw().hasher.finalize()
    }
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given.saturating_sub(self.record_began.get()) > self.most_record {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        let read = match &mut self.from {
            From::Plain(raw) => raw.read(buffer),
            From::Packed(decoder) => decoder.read(buffer),
        }?;
        self.given += u64::try_from(read).unwrap_or(0);
        let packed = matches!(self.from, From::Packed(_));
        let most = self.position().saturating_mul(MOST_TIMES);
        if packed && self.given > most.saturating_add(SLACK) {
            return Err(io::Error::from(io::ErrorKind::QuotaExceeded));
        }
        Ok(read)
    }
}

impl Read for Raw {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.hasher.update(buffer.get(..read).unwrap_or_default());
        self.read += u64::try_from(read).unwrap_or(0);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use crate::ingest::encoding::Encoding;
    use crate::ingest::row::Row;
    use crate::ingest::source::{Source, digest};

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Rows of a packed CSV, or why it is refused.
    fn rows(bytes: &[u8]) -> Result<u64, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.csv.gz");
        std::fs::write(&path, bytes).unwrap();
        let mut source = Source::open(&path, Encoding::Utf8).map_err(|error| error.to_string())?;
        let mut row = Row::new();
        let mut rows = 0;
        while source.read(&mut row).map_err(|error| error.to_string())? {
            rows += 1;
        }
        assert_eq!(source.digest(), digest(&path).unwrap());
        Ok(rows)
    }

    #[test]
    fn packed_files_are_read_whole_and_damaged_ones_are_refused() {
        let mut plain = b"a,b\n".to_vec();
        for row in 0..5_000_u32 {
            writeln!(plain, "{row},{}", row.wrapping_mul(2_654_435_761)).unwrap();
        }
        let whole = packed(&plain);
        assert_eq!(rows(&whole), Ok(5_000));
        // Two members, as `cat` makes them, are one file.
        assert_eq!(rows(&[whole.clone(), packed(b"1,2\n")].concat()), Ok(5_001));
        let cut = rows(&whole[..whole.len() / 2]).unwrap_err();
        assert!(cut.contains("row ") && cut.contains("cut short"), "{cut}");
        let mut odd = whole.clone();
        let end = odd.len() - 6;
        odd[end] ^= 1;
        assert!(rows(&odd).unwrap_err().contains("damaged"));
        assert!(rows(&plain).unwrap_err().contains("damaged"));
        assert!(rows(&[whole, b"tail".to_vec()].concat()).is_err());
        assert!(rows(b"").is_err());
    }

    #[test]
    fn a_bomb_is_refused_long_before_it_is_unpacked() {
        let bomb = packed(&b"a\n".repeat(32 * 1024 * 1024));
        assert!(bomb.len() < 256 * 1024);
        let error = rows(&bomb).unwrap_err();
        assert!(error.contains("100 times"), "{error}");
        // One record without an end stays the record's fault.
        let endless = packed(&vec![b'x'; 64 * 1024 * 1024]);
        assert!(rows(&endless).unwrap_err().contains("1 MiB"));
    }
}
