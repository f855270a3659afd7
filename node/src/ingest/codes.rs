//! From a source value to the index of a key. Values that the dictionary does not list have none.

#![expect(
    clippy::disallowed_types,
    reason = "looked up several times a row; never iterated, so its order shows nowhere"
)]

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

/// A short hash for short codes. The table holds public keys only, so nobody can fill it with
/// values that collide.
#[derive(Debug, Default)]
struct Short(u64);

impl Hasher for Short {
    fn finish(&self) -> u64 {
        // The table looks at the highest bits too.
        self.0 ^ self.0.rotate_left(29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let word = chunk
                .iter()
                .fold(0, |word, byte| (word << 8) | u64::from(*byte));
            self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }

    fn write_usize(&mut self, length: usize) {
        self.write(&length.to_le_bytes());
    }
}

type Table = HashMap<Box<[u8]>, u16, BuildHasherDefault<Short>>;

/// A table from source values to key indexes.
#[derive(Debug)]
pub struct Codes {
    table: Table,
    prefix: Option<usize>,
    mapped: bool,
}

impl Codes {
    /// Keys by their own codes, and by the mapping's `values` (source value → code), which go
    /// first. Gives also the codes in `values` that are no key.
    pub fn new<'a>(
        keys: impl Iterator<Item = &'a str>,
        values: &BTreeMap<String, String>,
        prefix: Option<usize>,
    ) -> (Self, Vec<String>) {
        let keys: BTreeMap<&str, u16> = keys.zip(0..).collect();
        let mut table = Table::default();
        for (code, index) in &keys {
            table.insert(code.as_bytes().into(), *index);
        }
        let mut unknown = Vec::new();
        for (value, code) in values {
            if let Some(index) = keys.get(code.as_str()) {
                table.insert(value.as_bytes().into(), *index);
            } else {
                table.remove(value.as_bytes());
                unknown.push(code.clone());
            }
        }
        unknown.sort_unstable();
        unknown.dedup();
        let codes = Self {
            table,
            prefix,
            mapped: !values.is_empty(),
        };
        (codes, unknown)
    }

    /// The key of a source value. For a prefix dimension only the first characters count.
    pub fn find(&self, value: &[u8]) -> Option<u16> {
        let Some(chars) = self.prefix else {
            return self.table.get(value).copied();
        };
        if self.mapped
            && let Some(key) = self.table.get(value)
        {
            return Some(*key);
        }
        self.table.get(first(value, chars)).copied()
    }
}

/// The first so many characters; bytes where the value is not UTF-8.
fn first(value: &[u8], chars: usize) -> &[u8] {
    let is_start = |byte: u8| byte & 0b1100_0000 != 0b1000_0000;
    let starts = value
        .iter()
        .enumerate()
        .filter(|(_, byte)| is_start(**byte));
    let end = starts.map(|(place, _)| place).nth(chars);
    value.get(..end.unwrap_or(value.len())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_before_keys_and_prefixes_are_cut() {
        let values = BTreeMap::from([
            ("1".to_owned(), "male".to_owned()),
            ("male".to_owned(), "gone".to_owned()),
        ]);
        let (codes, unknown) = Codes::new(["male", "female", "other"].into_iter(), &values, None);
        assert_eq!(codes.find(b"1"), Some(0));
        assert_eq!(codes.find(b"female"), Some(1));
        assert_eq!((codes.find(b"male"), codes.find(b"2")), (None, None));
        assert_eq!(unknown, ["gone"]);
        let (codes, _) = Codes::new(["3304", "朝阳"].into_iter(), &BTreeMap::new(), Some(4));
        assert_eq!(codes.find(b"330421"), Some(0));
        assert_eq!(codes.find(b"330"), None);
        let (codes, _) = Codes::new(["朝阳"].into_iter(), &BTreeMap::new(), Some(2));
        assert_eq!(codes.find("朝阳区".as_bytes()), Some(0));
    }
}
