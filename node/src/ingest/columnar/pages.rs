//! Pages of one column chunk, read and unpacked within bounds: what a page says of its size is not believed
//! until it is seen to be small, and what it unpacks to is held to it.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use parquet::basic::{Compression, Encoding, Type};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};

use super::thrift::{Numbers, Thrift};
use super::{ParquetRule, plain};

/// Largest page, packed or unpacked, in bytes.
const LARGEST: usize = 64 * 1024 * 1024;
/// Most bytes of pages that all columns hold at once.
const MOST_HELD: u64 = 512 * 1024 * 1024;
/// Longest head of a page in bytes; statistics may stand in it.
const LONGEST_HEAD: usize = 64 * 1024;

/// Bytes of pages that the columns of a file hold at present.
pub(super) type Held = Arc<AtomicU64>;

/// How pages are packed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Snappy,
    Gzip,
}

impl Packing {
    pub(super) fn of(compression: Compression) -> std::result::Result<Self, ParquetRule> {
        match compression {
            Compression::UNCOMPRESSED => Ok(Self::Plain),
            Compression::SNAPPY => Ok(Self::Snappy),
            Compression::GZIP(_) => Ok(Self::Gzip),
            _ => Err(ParquetRule::Packing),
        }
    }
}

/// The pages of a column chunk.
pub(super) struct Pages {
    pub(super) file: Arc<File>,
    /// Where the next page begins.
    pub(super) at: u64,
    /// Where the chunk ends.
    pub(super) end: u64,
    pub(super) packing: Packing,
    pub(super) of: Type,
    /// Bytes of a value of fixed length.
    pub(super) width: usize,
    pub(super) held: Held,
    /// Bytes of dictionary and data page that this column holds.
    pub(super) own: [u64; 2],
    /// Whether rows may be without a value.
    pub(super) is_optional: bool,
    /// Whether the dictionary was read: values that name it without are damage.
    pub(super) has_dictionary: bool,
}

/// What a page says of itself.
struct Head {
    kind: i64,
    unpacked: usize,
    packed: usize,
    of: Numbers,
}

impl Head {
    /// Reads a head and its length.
    fn read(bytes: &[u8]) -> std::result::Result<(Self, usize), ParquetRule> {
        let mut thrift = Thrift::new(bytes);
        let (mut last, mut top, mut of) = (0, Numbers::new(), Numbers::new());
        while let Some((id, kind)) = thrift.field(&mut last)? {
            match id {
                1..=3 => drop(top.insert(id, thrift.number(kind)?)),
                5 | 7 | 8 if Thrift::is_struct(kind) => of = thrift.numbers()?,
                _ => thrift.skip(kind, 0)?,
            }
        }
        let size = |id| {
            let size = top.get(&id).and_then(|size| usize::try_from(*size).ok());
            let size = size.ok_or(ParquetRule::Damaged)?;
            if size > LARGEST {
                return Err(ParquetRule::Page);
            }
            Ok(size)
        };
        let head = Self {
            kind: top.get(&1).copied().ok_or(ParquetRule::Damaged)?,
            unpacked: size(2)?,
            packed: size(3)?,
            of,
        };
        Ok((head, thrift.position()))
    }

    fn number(&self, field: i16) -> std::result::Result<u32, ParquetRule> {
        let number = self.of.get(&field).and_then(|n| u32::try_from(*n).ok());
        number.ok_or(ParquetRule::Damaged)
    }

    fn encoding(&self, field: i16) -> std::result::Result<Encoding, ParquetRule> {
        match self.of.get(&field) {
            Some(0) => Ok(Encoding::PLAIN),
            Some(2) => Ok(Encoding::PLAIN_DICTIONARY),
            Some(3) => Ok(Encoding::RLE),
            Some(8) => Ok(Encoding::RLE_DICTIONARY),
            Some(_) => Err(ParquetRule::Encoding),
            None => Err(ParquetRule::Damaged),
        }
    }
}

impl Pages {
    fn next_page(&mut self) -> std::result::Result<Option<Page>, ParquetRule> {
        loop {
            let left = self.end.saturating_sub(self.at);
            if left == 0 {
                return Ok(None);
            }
            let window = usize::try_from(left).map_or(LONGEST_HEAD, |left| left.min(LONGEST_HEAD));
            let mut bytes = vec![0; window];
            self.read_at(&mut bytes)?;
            let (head, length) = Head::read(&bytes)?;
            self.step(length)?;
            if u64::try_from(head.packed).is_ok_and(|packed| packed > self.end - self.at) {
                return Err(ParquetRule::Damaged);
            }
            let page = match head.kind {
                0 | 2 | 3 => Some(self.page(&head)?),
                // Other pages are indexes.
                _ => None,
            };
            self.step(head.packed)?;
            if page.is_some() {
                return Ok(page);
            }
        }
    }

    fn read_at(&self, bytes: &mut [u8]) -> std::result::Result<(), ParquetRule> {
        let read = self.file.read_exact_at(bytes, self.at);
        read.map_err(|_| ParquetRule::Damaged)
    }

    fn step(&mut self, bytes: usize) -> std::result::Result<(), ParquetRule> {
        let bytes = u64::try_from(bytes).map_err(|_| ParquetRule::Damaged)?;
        let at = self.at.checked_add(bytes).filter(|at| *at <= self.end);
        self.at = at.ok_or(ParquetRule::Damaged)?;
        Ok(())
    }

    /// Makes room for a page of a kind in place of the one before.
    fn hold(&mut self, is_dictionary: bool, bytes: usize) -> std::result::Result<(), ParquetRule> {
        let bytes = u64::try_from(bytes).map_err(|_| ParquetRule::Page)?;
        let [dictionary, data] = &mut self.own;
        let own = if is_dictionary { dictionary } else { data };
        self.held.fetch_sub(*own, Ordering::Relaxed);
        *own = bytes;
        if self.held.fetch_add(bytes, Ordering::Relaxed) + bytes > MOST_HELD {
            return Err(ParquetRule::Memory);
        }
        Ok(())
    }

    fn page(&mut self, head: &Head) -> std::result::Result<Page, ParquetRule> {
        self.hold(head.kind == 2, head.unpacked.max(head.packed))?;
        let mut packed = vec![0; head.packed];
        self.read_at(&mut packed)?;
        if head.kind == 3 {
            return self.second(head, &packed);
        }
        let buf = Bytes::from(self.unpack(&packed, head.unpacked)?);
        let num_values = head.number(1)?;
        if head.kind == 2 {
            let least = match self.of {
                Type::BYTE_ARRAY | Type::INT32 | Type::FLOAT => 4,
                Type::INT64 | Type::DOUBLE => 8,
                Type::FIXED_LEN_BYTE_ARRAY => self.width.max(1),
                Type::INT96 | Type::BOOLEAN => return Err(ParquetRule::Encoding),
            };
            // The library makes room for so many values before it reads one.
            let fits = usize::try_from(num_values).is_ok_and(|n| n <= buf.len() / least);
            if !fits {
                return Err(ParquetRule::Damaged);
            }
            if self.of == Type::BYTE_ARRAY && !plain::holds(&buf, num_values.into()) {
                return Err(ParquetRule::Damaged);
            }
            if std::mem::replace(&mut self.has_dictionary, true) {
                return Err(ParquetRule::Damaged);
            }
            return match head.encoding(2)? {
                encoding @ (Encoding::PLAIN | Encoding::PLAIN_DICTIONARY) => {
                    Ok(Page::DictionaryPage {
                        buf,
                        num_values,
                        encoding,
                        is_sorted: false,
                    })
                }
                _ => Err(ParquetRule::Encoding),
            };
        }
        if head.encoding(3)? != Encoding::RLE {
            return Err(ParquetRule::Encoding);
        }
        let encoding = self.values(head.encoding(2)?)?;
        let (levels, values) = self.levels(&buf)?;
        self.has_texts(encoding, num_values, levels, values)?;
        Ok(Page::DataPage {
            buf,
            num_values,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        })
    }

    /// A data page of the second version: levels stand before the values and are not packed.
    fn second(&self, head: &Head, packed: &[u8]) -> std::result::Result<Page, ParquetRule> {
        let (def, rep) = (head.number(5)?, head.number(6)?);
        let levels = usize::try_from(u64::from(def) + u64::from(rep));
        let levels = levels.map_err(|_| ParquetRule::Damaged)?;
        let (plain, values) = packed
            .split_at_checked(levels)
            .ok_or(ParquetRule::Damaged)?;
        let rest = head.unpacked.checked_sub(levels);
        let rest = rest.ok_or(ParquetRule::Damaged)?;
        let mut buf = plain.to_vec();
        if head.of.get(&7) == Some(&0) {
            buf.extend_from_slice(values);
        } else if rest > 0 {
            buf.extend_from_slice(&self.unpack(values, rest)?);
        }
        let (encoding, num_values) = (self.values(head.encoding(4)?)?, head.number(1)?);
        let (own, values) = buf.split_at_checked(levels).ok_or(ParquetRule::Damaged)?;
        self.has_texts(encoding, num_values, own, values)?;
        Ok(Page::DataPageV2 {
            buf: buf.into(),
            num_values,
            encoding,
            num_nulls: head.number(2)?,
            num_rows: head.number(3)?,
            def_levels_byte_len: def,
            rep_levels_byte_len: rep,
            is_compressed: false,
            statistics: None,
        })
    }

    /// Levels and values of a page of the first version.
    fn levels<'p>(&self, page: &'p [u8]) -> std::result::Result<(&'p [u8], &'p [u8]), ParquetRule> {
        if !self.is_optional {
            return Ok((&[], page));
        }
        let (length, rest) = page.split_first_chunk().ok_or(ParquetRule::Damaged)?;
        let length = usize::try_from(u32::from_le_bytes(*length));
        let length = length.map_err(|_| ParquetRule::Damaged)?;
        rest.split_at_checked(length).ok_or(ParquetRule::Damaged)
    }

    /// Holds that plain texts are there.
    fn has_texts(
        &self,
        encoding: Encoding,
        rows: u32,
        levels: &[u8],
        values: &[u8],
    ) -> std::result::Result<(), ParquetRule> {
        if encoding != Encoding::PLAIN || self.of != Type::BYTE_ARRAY {
            return Ok(());
        }
        let filled = if self.is_optional {
            plain::filled(levels, rows)
        } else {
            Some(rows.into())
        };
        if filled.is_some_and(|filled| plain::holds(values, filled)) {
            Ok(())
        } else {
            Err(ParquetRule::Damaged)
        }
    }

    /// The encoding of values: run lengths are for flags only.
    fn values(&self, encoding: Encoding) -> std::result::Result<Encoding, ParquetRule> {
        if encoding == Encoding::RLE && self.of != Type::BOOLEAN {
            return Err(ParquetRule::Encoding);
        }
        let by_dictionary = matches!(
            encoding,
            Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY
        );
        if by_dictionary && !self.has_dictionary {
            return Err(ParquetRule::Damaged);
        }
        Ok(encoding)
    }

    /// Unpacks to exactly as many bytes as were said.
    fn unpack(&self, packed: &[u8], size: usize) -> std::result::Result<Vec<u8>, ParquetRule> {
        let unpacked = match self.packing {
            Packing::Plain => packed.to_vec(),
            Packing::Snappy => {
                if snap::raw::decompress_len(packed) != Ok(size) {
                    return Err(ParquetRule::Damaged);
                }
                let unpacked = snap::raw::Decoder::new().decompress_vec(packed);
                unpacked.map_err(|_| ParquetRule::Damaged)?
            }
            Packing::Gzip => {
                let mut unpacked = Vec::new();
                let most = u64::try_from(size).unwrap_or(u64::MAX).saturating_add(1);
                MultiGzDecoder::new(packed)
                    .take(most)
                    .read_to_end(&mut unpacked)
                    .map_err(|_| ParquetRule::Damaged)?;
                unpacked
            }
        };
        if unpacked.len() == size {
            Ok(unpacked)
        } else {
            Err(ParquetRule::Damaged)
        }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        let own = self.own.iter().sum();
        self.held.fetch_sub(own, Ordering::Relaxed);
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        self.next_page()
            .map_err(|rule| ParquetError::External(Box::new(rule)))
    }

    /// Columns are flat and read from end to end: nobody looks ahead.
    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        Err(ParquetError::NYI(String::new()))
    }

    fn skip_next_page(&mut self) -> Result<()> {
        Err(ParquetError::NYI(String::new()))
    }
}
