//! Quotation marks of CSV, held to their rule (RFC 4180, section 2): a parser that forgives a stray one takes
//! everything up to the next for one field, and many rows for one.

use std::io::{self, Read};

use super::packed::Bytes;

/// A quotation mark that does not stand as one may.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum QuoteRule {
    /// Only the next field or line may follow the mark that ends a field.
    #[error(
        "text stands right after the quotation mark that ends a field; inside a field a mark is written twice"
    )]
    After,
    /// What is opened is closed.
    #[error("a quotation mark opens a field here and none closes it")]
    Open,
}

/// A broken rule and its line, as it travels through the CSV reader.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("line {line}: {rule}")]
pub(super) struct Broken {
    pub(super) line: u64,
    pub(super) rule: QuoteRule,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Where a field begins.
    Start,
    /// In a field without marks around it: one inside stands for itself.
    Bare,
    Quoted,
    /// After a mark in a quoted field: its end, or the first of two.
    Closed,
}

/// Bytes of a CSV file on their way to its parser.
pub(super) struct Quoted {
    bytes: Bytes,
    place: Place,
    line: u64,
    opened: u64,
}

impl Quoted {
    pub(super) fn new(bytes: Bytes) -> Self {
        Self {
            bytes,
            place: Place::Start,
            line: 1,
            opened: 0,
        }
    }

    pub(super) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    fn look(&mut self, text: &[u8]) -> Result<(), Broken> {
        for byte in text {
            self.place = match (self.place, byte) {
                (Place::Start, b'"') => {
                    self.opened = self.line;
                    Place::Quoted
                }
                (Place::Quoted, b'"') => Place::Closed,
                (Place::Quoted, _) | (Place::Closed, b'"') => Place::Quoted,
                (_, b',' | b'\n' | b'\r') => Place::Start,
                (Place::Closed, _) => {
                    let (line, rule) = (self.line, QuoteRule::After);
                    return Err(Broken { line, rule });
                }
                (Place::Start | Place::Bare, _) => Place::Bare,
            };
            self.line += u64::from(*byte == b'\n');
        }
        Ok(())
    }
}

impl Read for Quoted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        let looked = if read == 0 && self.place == Place::Quoted && !buffer.is_empty() {
            let (line, rule) = (self.opened, QuoteRule::Open);
            Err(Broken { line, rule })
        } else {
            self.look(buffer.get(..read).unwrap_or_default())
        };
        looked.map_err(io::Error::other)?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use crate::ingest::IngestError;
    use crate::ingest::encoding::Encoding;
    use crate::ingest::row::Row;
    use crate::ingest::source::Source;

    /// The second column of every row.
    fn read(text: &str) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.csv");
        std::fs::write(&path, text).unwrap();
        let told = |error: IngestError| error.to_string();
        let mut source = Source::open(&path, Encoding::Utf8).map_err(told)?;
        let (mut row, mut all) = (Row::new(), Vec::new());
        while source.read(&mut row).map_err(told)? {
            all.push(String::from_utf8_lossy(row.value(1)).into_owned());
        }
        Ok(all)
    }

    #[test]
    fn a_stray_quotation_mark_refuses_the_file_and_takes_no_rows_with_it() {
        assert_eq!(
            read("a,b\n1,\"x\"\"y\"\n2,5\" tube\n3,\"\"\n").unwrap(),
            ["x\"y", "5\" tube", ""]
        );
        assert_eq!(read("a,b\r\n1,\"x\"").unwrap(), ["x"]);
        let between = read("a,b\n1,\"x\n2,y\n3,\"z\n4,y\n").unwrap_err();
        assert!(
            between.contains("line 4") && !between.contains('z'),
            "{between}"
        );
        let open = read("a,b\n1,x\n2,\"y\n3,z\n").unwrap_err();
        assert!(open.contains("line 3") && !open.contains('y'), "{open}");
    }
}
