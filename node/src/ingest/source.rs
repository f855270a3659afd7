//! Rows of a source as bytes, one at a time, in bounded memory: CSV, settlement lists a line each
//! (`.ndjson`), either packed too (`.gz`), Parquet (`.parquet`), a folder of FHIR resources, or a view of a database.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use super::IngestError;
use super::columnar::Table;
use super::encoding::Encoding;
use super::fhir::{self, Folder};
use super::packed::{Bytes, PackedRule, is_packed};
use super::quoted::{Broken, Quoted};
use super::row::Row;
use super::settlement_list;
use super::sql::{Rows, View};

/// Longest record, in bytes.
const MOST_RECORD: u64 = 1024 * 1024;
/// Bytes that the reader takes from the file at once.
const BUFFER: usize = 256 * 1024;

/// A file being read. Its digest is taken on the way.
pub struct Source {
    path: PathBuf,
    reader: Reader,
    header: Vec<String>,
    rows: u64,
}

enum Reader {
    Csv(Box<csv::Reader<Quoted>>, Encoding),
    Lists(Box<Lists>),
    Fhir(Box<Folder>),
    View(Box<Rows>),
    Table(Box<Table>),
}

/// Settlement lists.
struct Lists {
    file: BufReader<Bytes>,
    line: Vec<u8>,
    /// The first line was read for the header and stands in `line`.
    waits: bool,
}

impl Lists {
    /// The next line that is not empty, and how many lines that took; `None` at the end.
    fn next(&mut self) -> io::Result<Option<u64>> {
        if std::mem::take(&mut self.waits) {
            return Ok(Some(0));
        }
        let mut lines = 0;
        loop {
            self.line.clear();
            if self.file.read_until(b'\n', &mut self.line)? == 0 {
                return Ok(None);
            }
            lines += 1;
            if !self.line.trim_ascii().is_empty() {
                return Ok(Some(lines));
            }
        }
    }
}

impl Reader {
    /// The one file that is read from end to end; `None` for others.
    fn bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Csv(reader, _) => Some(reader.get_ref().bytes()),
            Self::Lists(lists) => Some(lists.file.get_ref()),
            Self::Fhir(_) | Self::View(_) | Self::Table(_) => None,
        }
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Source(row {})", self.rows)
    }
}

impl Source {
    /// Opens a file and reads its header. A folder is one of FHIR resources. Only CSV may be of another
    /// encoding than UTF-8.
    pub fn open(path: &Path, encoding: Encoding) -> Result<Self, IngestError> {
        if encoding != Encoding::Utf8 && !is_csv(path) {
            return Err(IngestError::Encoding);
        }
        if path.is_dir() {
            return Ok(Self {
                path: path.to_owned(),
                header: fhir::header(),
                reader: Reader::Fhir(Box::new(Folder::open(path)?)),
                rows: 0,
            });
        }
        if path.extension().is_some_and(|end| end == "parquet") {
            let table = Table::open(path)?;
            return Ok(Self {
                path: path.to_owned(),
                header: table.header().to_vec(),
                reader: Reader::Table(Box::new(table)),
                rows: 0,
            });
        }
        let bytes = Bytes::open(path, MOST_RECORD)?;
        let name = path.to_string_lossy();
        if name.trim_end_matches(".gz").ends_with(".ndjson") {
            return Self::lists(path, bytes);
        }
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .buffer_capacity(BUFFER)
            .from_reader(Quoted::new(bytes));
        let header = reader
            .byte_headers()
            .map_err(|error| refused(error, path, 1))?;
        let names = header.iter().map(|name| {
            let name = encoding.text(name).ok_or(IngestError::Header)?;
            Ok(name.trim().to_owned())
        });
        let header = names.collect::<Result<Vec<String>, IngestError>>()?;
        Ok(Self {
            path: path.to_owned(),
            reader: Reader::Csv(Box::new(reader), encoding),
            header,
            rows: 1,
        })
    }

    /// Whether rows and columns are the source's own, of whatever dataset; not those that are made of
    /// settlement lists and FHIR resources.
    pub fn is_table(&self) -> bool {
        match self.reader {
            Reader::Csv(..) | Reader::View(_) | Reader::Table(_) => true,
            Reader::Lists(_) | Reader::Fhir(_) => false,
        }
    }

    /// The rows of a view's picture; `most` of them at the most.
    pub fn view(view: &View, most: Option<u64>) -> Result<Self, IngestError> {
        Ok(Self {
            path: PathBuf::new(),
            header: view.header().to_vec(),
            reader: Reader::View(Box::new(view.rows(most)?)),
            rows: 0,
        })
    }

    fn lists(path: &Path, bytes: Bytes) -> Result<Self, IngestError> {
        let mut lists = Lists {
            file: BufReader::with_capacity(BUFFER, bytes),
            line: Vec::new(),
            waits: false,
        };
        let read = lists.next();
        let lines = read.map_err(|error| refused(error.into(), path, 1))?;
        let header = settlement_list::header(&lists.line).map_err(|_| IngestError::List)?;
        lists.waits = true;
        Ok(Self {
            path: path.to_owned(),
            reader: Reader::Lists(Box::new(lists)),
            header,
            rows: lines.unwrap_or(0),
        })
    }

    /// The names of the columns.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Columns whose type is not read: their values are empty.
    pub fn unread(&self) -> Vec<String> {
        match &self.reader {
            Reader::Table(table) => table.unread().map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }

    /// Reads the next row; `false` at the end.
    pub fn read(&mut self, row: &mut Row) -> Result<bool, IngestError> {
        if let Some(bytes) = self.reader.bytes() {
            bytes.begin_record();
        }
        match &mut self.reader {
            Reader::Csv(reader, encoding) => {
                self.rows += 1;
                row.number = self.rows;
                let found = reader
                    .read_byte_record(&mut row.record)
                    .map_err(|error| refused(error, &self.path, self.rows))?;
                encoding.decode(&mut row.record);
                Ok(found)
            }
            Reader::Lists(lists) => {
                let next = lists.next();
                let next =
                    next.map_err(|error| refused(error.into(), &self.path, self.rows + 1))?;
                let Some(lines) = next else { return Ok(false) };
                self.rows += lines;
                row.number = self.rows;
                let record = &mut row.record;
                if settlement_list::flatten(&lists.line, &self.header, record).is_err() {
                    // A row without values: it goes to quarantine.
                    record.clear();
                }
                Ok(true)
            }
            Reader::Fhir(folder) => {
                self.rows += 1;
                row.number = self.rows;
                folder.read(row)
            }
            Reader::View(rows) => rows.read(row),
            Reader::Table(table) => table.read(row),
        }
    }

    /// Bytes of the source read so far; of a view its rows.
    pub fn position(&self) -> u64 {
        match &self.reader {
            Reader::Fhir(folder) => folder.position(),
            Reader::View(rows) => rows.position(),
            Reader::Table(table) => table.position(),
            reader => reader.bytes().map_or(0, Bytes::position),
        }
    }

    /// BLAKE3 of what was read: of the whole source once [`Self::read`] gave `false`. A view has none.
    pub fn digest(&self) -> String {
        let digest = match &self.reader {
            Reader::Fhir(folder) => folder.digest(),
            Reader::Table(table) => table.digest(),
            reader => reader.bytes().map(Bytes::digest),
        };
        digest.map_or_else(String::new, |digest| digest.to_hex().to_string())
    }
}

/// Whether a path is read as CSV: what is no folder and has no name of another format.
pub(super) fn is_csv(path: &Path) -> bool {
    let name = path.to_string_lossy();
    let name = name.trim_end_matches(".gz");
    !path.is_dir() && !name.ends_with(".ndjson") && !name.ends_with(".parquet")
}

/// BLAKE3 of a file or folder, by which a second load of it is recognised.
pub fn digest(path: &Path) -> Result<String, IngestError> {
    if path.is_dir() {
        return Ok(fhir::digest(path)?.to_hex().to_string());
    }
    let mut hasher = blake3::Hasher::new();
    let file = File::open(path).map_err(IngestError::io(path))?;
    hasher.update_reader(file).map_err(IngestError::io(path))?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Keeps the kind of a reading error and drops its text.
fn refused(error: csv::Error, path: &Path, row: u64) -> IngestError {
    let error = error.into_kind();
    if let csv::ErrorKind::Io(error) = &error
        && let Some(Broken { line, rule }) = error.get_ref().and_then(|inner| inner.downcast_ref())
    {
        let (line, rule) = (*line, *rule);
        return IngestError::Quotes { line, rule };
    }
    let kind = match error {
        csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            return IngestError::TooLong { row };
        }
        csv::ErrorKind::Io(error) => error.kind(),
        _ => io::ErrorKind::InvalidData,
    };
    if let Some(rule) = PackedRule::of(kind).filter(|_| is_packed(path)) {
        return IngestError::Packed {
            file: path.display().to_string(),
            row,
            rule,
        };
    }
    IngestError::io(path)(io::Error::from(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.csv");
        std::fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_name() {
        let (_folder, path) = write("\u{feff}a,b\r\n 1 ,\"x,\ny\"\n".as_bytes());
        let mut source = Source::open(&path, Encoding::Utf8).unwrap();
        assert_eq!(source.header(), ["a", "b"]);
        let mut row = Row::new();
        assert!(source.read(&mut row).unwrap());
        assert_eq!(
            (row.number(), row.value(0), row.value(1)),
            (2, &b"1"[..], &b"x,\ny"[..])
        );
        assert_eq!(row.value(9), b"");
        assert!(!source.read(&mut row).unwrap());
        assert_eq!(source.digest(), digest(&path).unwrap());
    }

    #[test]
    fn a_quotation_mark_that_is_never_closed_does_not_fill_the_memory() {
        let mut bytes = b"a,b\n1,\"".to_vec();
        bytes.resize(8 * 1024 * 1024, b'x');
        let (_folder, path) = write(&bytes);
        let mut source = Source::open(&path, Encoding::Utf8).unwrap();
        let error = source.read(&mut Row::new()).unwrap_err();
        assert!(matches!(error, IngestError::TooLong { row: 2 }));
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let path = Path::new("no/such/march.csv");
        for error in [
            Source::open(path, Encoding::Utf8).unwrap_err(),
            digest(path).unwrap_err(),
        ] {
            assert_eq!(error.to_string(), "`no/such/march.csv` could not be read");
        }
    }

    #[test]
    fn settlement_lists_are_rows_too_and_a_line_that_is_none_has_no_values() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lists.ndjson");
        let one = r#"{"setlinfo":{"setl_id":"S1"},"iteminfo":[{"med_chrgitm":"01","amt":7.5}]}"#;
        std::fs::write(
            &path,
            format!("\n{one}\n\nnonsense\n{}", one.replace("S1", "S2")),
        )
        .unwrap();
        let mut source = Source::open(&path, Encoding::Utf8).unwrap();
        let id = source
            .header()
            .iter()
            .position(|name| name == "setl_id")
            .unwrap();
        let mut row = Row::new();
        let mut found = Vec::new();
        while source.read(&mut row).unwrap() {
            found.push((row.number(), row.width() > 0, row.value(id).to_vec()));
        }
        let expected = [
            (2, true, b"S1".to_vec()),
            (4, false, Vec::new()),
            (5, true, b"S2".to_vec()),
        ];
        assert_eq!(found, expected);
        assert_eq!(source.digest(), digest(&path).unwrap());
        std::fs::write(&path, "[1]\n").unwrap();
        assert!(matches!(
            Source::open(&path, Encoding::Utf8),
            Err(IngestError::List)
        ));
        std::fs::write(&path, vec![b'x'; 4 * 1024 * 1024]).unwrap();
        assert!(matches!(
            Source::open(&path, Encoding::Utf8),
            Err(IngestError::TooLong { row: 1 })
        ));
    }

    #[test]
    fn a_row_does_not_print_itself() {
        let (_folder, path) = write(b"a\nsecret\n");
        let mut source = Source::open(&path, Encoding::Utf8).unwrap();
        let mut row = Row::new();
        source.read(&mut row).unwrap();
        assert_eq!(format!("{row:?}"), "Row(2)");
    }
}
