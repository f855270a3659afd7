//! As much of Thrift's compact protocol as is needed to look at a Parquet file's own words before anything
//! is made from them: whole numbers by field, everything else passed over. Input is hostile.

use std::collections::BTreeMap;

use super::ParquetRule;

/// Deepest nesting that is passed over.
const DEEPEST: u8 = 16;

/// Whole numbers and flags of a struct, by field.
pub(super) type Numbers = BTreeMap<i16, i64>;

/// Bytes being read.
pub(super) struct Thrift<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Types on the wire.
mod of {
    pub(super) const TRUE: u8 = 1;
    pub(super) const FALSE: u8 = 2;
    pub(super) const BYTE: u8 = 3;
    pub(super) const I16: u8 = 4;
    pub(super) const I64: u8 = 6;
    pub(super) const DOUBLE: u8 = 7;
    pub(super) const BINARY: u8 = 8;
    pub(super) const LIST: u8 = 9;
    pub(super) const SET: u8 = 10;
    pub(super) const MAP: u8 = 11;
    pub(super) const STRUCT: u8 = 12;
}

impl<'a> Thrift<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes read so far.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    fn byte(&mut self) -> Result<u8, ParquetRule> {
        let byte = self.bytes.get(self.at).copied();
        self.at += 1;
        byte.ok_or(ParquetRule::Damaged)
    }

    fn pass(&mut self, bytes: u64) -> Result<(), ParquetRule> {
        let bytes = usize::try_from(bytes).map_err(|_| ParquetRule::Damaged)?;
        let end = self.at.checked_add(bytes).ok_or(ParquetRule::Damaged)?;
        if end > self.bytes.len() {
            return Err(ParquetRule::Damaged);
        }
        self.at = end;
        Ok(())
    }

    fn unsigned(&mut self) -> Result<u64, ParquetRule> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(ParquetRule::Damaged)
    }

    fn signed(&mut self) -> Result<i64, ParquetRule> {
        let value = self.unsigned()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// The next field and its type; `None` at the end of a struct.
    pub(super) fn field(&mut self, last: &mut i16) -> Result<Option<(i16, u8)>, ParquetRule> {
        let head = self.byte()?;
        if head == 0 {
            return Ok(None);
        }
        let step = i16::from(head >> 4);
        let id = if step == 0 {
            i16::try_from(self.signed()?).map_err(|_| ParquetRule::Damaged)?
        } else {
            last.checked_add(step).ok_or(ParquetRule::Damaged)?
        };
        *last = id;
        Ok(Some((id, head & 0x0f)))
    }

    /// The elements of a list and their type.
    pub(super) fn list(&mut self) -> Result<(u64, u8), ParquetRule> {
        let head = self.byte()?;
        let count = match head >> 4 {
            15 => self.unsigned()?,
            few => u64::from(few),
        };
        Ok((count, head & 0x0f))
    }

    /// The numbers of a struct.
    pub(super) fn numbers(&mut self) -> Result<Numbers, ParquetRule> {
        let (mut numbers, mut last) = (Numbers::new(), 0);
        while let Some((id, kind)) = self.field(&mut last)? {
            let value = match kind {
                of::TRUE => 1,
                of::FALSE => 0,
                of::I16..=of::I64 => self.signed()?,
                kind => {
                    self.skip(kind, 0)?;
                    continue;
                }
            };
            numbers.insert(id, value);
        }
        Ok(numbers)
    }

    /// Whether a type is a struct.
    pub(super) fn is_struct(kind: u8) -> bool {
        kind == of::STRUCT
    }

    /// Whether a type is a list.
    pub(super) fn is_list(kind: u8) -> bool {
        kind == of::LIST
    }

    /// A whole number of a field.
    pub(super) fn number(&mut self, kind: u8) -> Result<i64, ParquetRule> {
        match kind {
            of::I16..=of::I64 => self.signed(),
            _ => Err(ParquetRule::Damaged),
        }
    }

    /// Passes over a value.
    pub(super) fn skip(&mut self, kind: u8, depth: u8) -> Result<(), ParquetRule> {
        if depth > DEEPEST {
            return Err(ParquetRule::Damaged);
        }
        match kind {
            of::TRUE | of::FALSE => Ok(()),
            of::BYTE => self.pass(1),
            of::I16..=of::I64 => self.unsigned().map(drop),
            of::DOUBLE => self.pass(8),
            of::BINARY => {
                let bytes = self.unsigned()?;
                self.pass(bytes)
            }
            of::LIST | of::SET => {
                let (count, kind) = self.list()?;
                (0..count).try_for_each(|_| self.skip_in_list(kind, depth))
            }
            of::MAP => {
                let count = self.unsigned()?;
                let kinds = if count > 0 { self.byte()? } else { 0 };
                (0..count).try_for_each(|_| {
                    self.skip_in_list(kinds >> 4, depth)?;
                    self.skip_in_list(kinds & 0x0f, depth)
                })
            }
            of::STRUCT => {
                let mut last = 0;
                while let Some((_, kind)) = self.field(&mut last)? {
                    self.skip(kind, depth + 1)?;
                }
                Ok(())
            }
            _ => Err(ParquetRule::Damaged),
        }
    }

    /// In a list a flag is a byte of its own.
    fn skip_in_list(&mut self, kind: u8, depth: u8) -> Result<(), ParquetRule> {
        match kind {
            of::TRUE | of::FALSE => self.pass(1),
            kind => self.skip(kind, depth + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_read_and_the_rest_is_passed_over() {
        // 1: i32 -3 · 2: binary "ab" · 3: true · 4: list of two structs · 20: i64 300
        let bytes = [
            0x15, 0x05, 0x18, 2, b'a', b'b', 0x11, 0x19, 0x2c, 0, 0, 0x06, 40, 0xd8, 0x04, 0,
        ];
        let mut thrift = Thrift::new(&bytes);
        let numbers = thrift.numbers().unwrap();
        assert_eq!(numbers, Numbers::from([(1, -3), (3, 1), (20, 300)]));
        assert_eq!(thrift.position(), bytes.len());
    }

    #[test]
    fn nesting_without_end_is_refused() {
        assert!(Thrift::new(&[0x1c; 10_000]).numbers().is_err());
        assert!(Thrift::new(&[0x19; 10_000]).numbers().is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _outcome = Thrift::new(&bytes).numbers();
        }
    }
}
