//! The files of a folder of FHIR resources: which are read, and their lines, in bounded memory.

use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::FhirRule;
use crate::ingest::IngestError;
use crate::ingest::packed::{Bytes, PackedRule};

/// Longest line, in bytes.
const MOST_LINE: u64 = 4 * 1024 * 1024;
/// Deepest nesting of a resource: the deepest in use have some twenty.
const MOST_DEPTH: u32 = 64;
/// Bytes that the reader takes from a file at once.
const BUFFER: usize = 256 * 1024;

/// A type of resource that is read, in the order of reading.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    Encounter,
    Claim,
    ExplanationOfBenefit,
    Condition,
    Procedure,
    Patient,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Encounter,
        Self::Claim,
        Self::ExplanationOfBenefit,
        Self::Condition,
        Self::Procedure,
        Self::Patient,
    ];

    /// As `resourceType` has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Encounter => "Encounter",
            Self::Claim => "Claim",
            Self::ExplanationOfBenefit => "ExplanationOfBenefit",
            Self::Condition => "Condition",
            Self::Procedure => "Procedure",
            Self::Patient => "Patient",
        }
    }
}

/// A file of one type.
pub(super) struct File {
    pub(super) kind: Kind,
    pub(super) name: Arc<str>,
    path: PathBuf,
}

/// The files of a folder that are read, by type and name. A file's name is told to people and stands in
/// the quarantine, so it may be no more than the type and numbers.
pub(super) fn list(folder: &Path) -> Result<Vec<File>, IngestError> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(IngestError::io(folder))? {
        let path = entry.map_err(IngestError::io(folder))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy());
        let Some(name) = name.map(std::borrow::Cow::into_owned) else {
            continue;
        };
        let stem = name.strip_suffix(".gz").unwrap_or(&name);
        let Some(stem) = stem.strip_suffix(".ndjson") else {
            continue;
        };
        if let Some(kind) = kind(stem)? {
            let name = name.as_str().into();
            files.push(File { kind, name, path });
        }
    }
    files.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    if files
        .first()
        .is_none_or(|file| file.kind != Kind::Encounter)
    {
        return Err(refused("Encounter.ndjson", 0, FhirRule::NoEncounters));
    }
    Ok(files)
}

/// The type that a name says, with numbers about it (`Claim`, `Claim.000`, `1.Claim`).
fn kind(stem: &str) -> Result<Option<Kind>, IngestError> {
    let parts = || stem.split(['.', '-', '_']);
    let of = |part: &str| Kind::ALL.into_iter().find(|kind| kind.name() == part);
    let Some(kind) = parts().find_map(of) else {
        return Ok(None);
    };
    let number = |part: &str| part.len() <= 10 && part.bytes().all(|byte| byte.is_ascii_digit());
    let others = parts().filter(|part| !number(part)).count();
    if others == 1 {
        Ok(Some(kind))
    } else {
        Err(refused(kind.name(), 0, FhirRule::Name))
    }
}

pub(super) fn refused(file: &str, line: u64, rule: FhirRule) -> IngestError {
    IngestError::Fhir {
        file: file.to_owned(),
        line,
        rule,
    }
}

/// The lines of a file.
pub(super) struct Lines {
    bytes: BufReader<Bytes>,
    pub(super) line: Vec<u8>,
    pub(super) number: u64,
}

impl Lines {
    pub(super) fn open(file: &File) -> Result<Self, IngestError> {
        let bytes = Bytes::open(&file.path, MOST_LINE)?;
        Ok(Self {
            bytes: BufReader::with_capacity(BUFFER, bytes),
            line: Vec::new(),
            number: 0,
        })
    }

    /// Reads the next line that is not empty; `false` at the end.
    pub(super) fn next(&mut self, file: &File) -> Result<bool, IngestError> {
        loop {
            self.bytes.get_ref().begin_record();
            self.line.clear();
            self.number += 1;
            let read = self.bytes.read_until(b'\n', &mut self.line);
            if read.map_err(|error| self.unread(file, &error))? == 0 {
                return Ok(false);
            }
            if self.line.trim_ascii().is_empty() {
                continue;
            }
            if depth(&self.line) > MOST_DEPTH {
                return Err(refused(&file.name, self.number, FhirRule::Depth));
            }
            return Ok(true);
        }
    }

    fn unread(&self, file: &File, error: &io::Error) -> IngestError {
        let row = self.number;
        if error.kind() == io::ErrorKind::FileTooLarge {
            return refused(&file.name, row, FhirRule::Length);
        }
        let packed = file.name.ends_with(".gz");
        match PackedRule::of(error.kind()).filter(|_| packed) {
            Some(rule) => IngestError::Packed {
                file: file.name.to_string(),
                row,
                rule,
            },
            None => IngestError::io(&file.path)(io::Error::from(error.kind())),
        }
    }

    /// Bytes of the file read so far.
    pub(super) fn position(&self) -> u64 {
        self.bytes.get_ref().position()
    }

    /// BLAKE3 of the file, once it is read to its end.
    pub(super) fn digest(&self) -> blake3::Hash {
        self.bytes.get_ref().digest()
    }
}

/// How deep brackets nest outside of texts.
fn depth(line: &[u8]) -> u32 {
    let (mut depth, mut most) = (0_u32, 0);
    let (mut text, mut escaped) = (false, false);
    for byte in line {
        match (text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => text = !text,
            (false, b'{' | b'[') => {
                depth = depth.saturating_add(1);
                most = most.max(depth);
            }
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// One digest of the files, by their names.
pub(super) fn together<'a>(parts: impl Iterator<Item = (&'a str, blake3::Hash)>) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for (name, digest) in parts {
        hasher.update(&name.len().to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update(digest.as_bytes());
    }
    hasher.finalize()
}

/// BLAKE3 of the files of a folder that are read.
pub(in crate::ingest) fn digest(folder: &Path) -> Result<blake3::Hash, IngestError> {
    let files = list(folder)?;
    let mut digests = Vec::with_capacity(files.len());
    for file in &files {
        let mut hasher = blake3::Hasher::new();
        let open = std::fs::File::open(&file.path).map_err(IngestError::io(&file.path))?;
        hasher
            .update_reader(open)
            .map_err(IngestError::io(&file.path))?;
        digests.push((&*file.name, hasher.finalize()));
    }
    Ok(together(digests.into_iter()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_a_type_and_numbers() {
        for name in ["Claim", "Claim.000", "1.Claim", "Claim-2", "2026_Claim_01"] {
            assert_eq!(kind(name).unwrap(), Some(Kind::Claim), "{name}");
        }
        for name in ["Organization", "claim", "ClaimResponse", ""] {
            assert_eq!(kind(name).unwrap(), None, "{name}");
        }
        for name in ["Claim-Hane", "Claim.Patient", "Patient_Murray_Hane"] {
            let told = kind(name).unwrap_err().to_string();
            assert!(!told.contains("Hane"), "{told}");
        }
    }

    #[test]
    fn brackets_inside_texts_do_not_nest() {
        for (line, expected) in [
            ("{}", 1),
            ("[[[]]]", 3),
            (r#"{"a":"[[[\"[["}"#, 1),
            (r#"{"a\\":[1]}"#, 2),
            ("]]]{", 1),
        ] {
            assert_eq!(depth(line.as_bytes()), expected, "{line}");
        }
    }
}
