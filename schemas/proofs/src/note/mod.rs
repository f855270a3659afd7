//! Signed notes (C2SP signed-note): a text, a blank line, and one line a signature,
//! `— name base64(key id ‖ signature)`.
//!
//! Two kinds of signature are known: plain Ed25519 over the text (type 0x01), and the timestamped
//! cosignature of a witness (type 0x04, C2SP tlog-cosignature). Lines of unknown keys are ignored,
//! a wrong line of a known key refuses the note.

mod key;
#[cfg(test)]
mod test;

pub use key::{Key, Kind};

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use schemas::seal::Signer;

/// Longest note, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;
/// Most signature lines (the specification asks for 16 at least).
pub const MAX_SIGNATURES: usize = 64;

const DASH: &str = "\u{2014} ";

/// Why a note, key or signature is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Longer than [`MAX_BYTES`].
    #[error("a note has at most {MAX_BYTES} bytes")]
    TooLong,
    /// More than [`MAX_SIGNATURES`] lines.
    #[error("a note has at most {MAX_SIGNATURES} signatures")]
    TooMany,
    /// Not UTF-8, a control character, no final newline, or a length that is kept for digests.
    #[error("a note's text is UTF-8 lines without control characters, each ended by a newline")]
    Text,
    /// No blank line, or a line below it that is no signature line.
    #[error("a note ends with a blank line and signature lines")]
    Form,
    /// A key name that is empty, too long, or has a space, plus or control character.
    #[error("a key name is 1 to 255 bytes without spaces, plus or control characters")]
    Name,
    /// Not `name+id+base64(type ‖ key)`.
    #[error("a key is written name+id+base64 and its id fits its name")]
    Key,
    /// A known key's signature does not fit.
    #[error("a known key's signature does not fit: the note was changed; fetch it again")]
    Signature,
    /// No known key signed.
    #[error("no known key has signed this note")]
    Unsigned,
    /// A moment outside 0 to 2^63 − 1.
    #[error("a cosignature's time is from 0 to 2^63 - 1 seconds")]
    Time,
}

/// A text and its signatures, not yet believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    text: String,
    lines: Vec<Line>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Line {
    name: String,
    id: [u8; 4],
    signature: Vec<u8>,
}

/// That a known key has signed the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verified<'k> {
    /// The key.
    pub key: &'k Key,
    /// When a witness says it did, in seconds since 1970; `None` for a plain signature.
    pub time: Option<u64>,
}

impl Note {
    /// A note without signatures. A text of exactly 32 bytes is refused beyond what the
    /// specification says: that length is a digest's, which sealed messages sign.
    pub fn new(text: String) -> Result<Self, NoteError> {
        let control = |c: char| c < ' ' && c != '\n';
        if text.len() > MAX_BYTES {
            return Err(NoteError::TooLong);
        }
        if !text.ends_with('\n') || text.contains(control) || text.len() == 32 {
            return Err(NoteError::Text);
        }
        // A plain signature must never be a cosignature over what follows.
        if text.starts_with(key::COSIGNATURE) {
            return Err(NoteError::Text);
        }
        let lines = Vec::new();
        Ok(Self { text, lines })
    }

    /// Reads a note with at least one signature line.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_BYTES {
            return Err(NoteError::TooLong);
        }
        let whole = std::str::from_utf8(bytes).map_err(|_| NoteError::Text)?;
        // The text may hold blank lines; the last one separates.
        let (body, signatures) = whole.rsplit_once("\n\n").ok_or(NoteError::Form)?;
        let mut note = Self::new(format!("{body}\n"))?;
        let signatures = signatures.strip_suffix('\n').ok_or(NoteError::Form)?;
        for line in signatures.split('\n') {
            if note.lines.len() == MAX_SIGNATURES {
                return Err(NoteError::TooMany);
            }
            note.lines.push(Line::parse(line)?);
        }
        Ok(note)
    }

    /// The signed text, with its final newline. To be believed only after [`Note::verify`].
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Signs the text as `name` (type 0x01).
    pub fn sign(&mut self, name: &str, signer: &Signer) -> Result<(), NoteError> {
        let key = Key::new(name, Kind::Text, signer.public())?;
        let signature = signer.sign(self.text.as_bytes()).to_vec();
        self.push(&key, signature)
    }

    /// Adds a witness's cosignature at `time` seconds since 1970 (type 0x04). A witness signs only
    /// what continues the log that it saw before, and has a key of its own.
    pub fn cosign(&mut self, name: &str, signer: &Signer, time: u64) -> Result<(), NoteError> {
        let key = Key::new(name, Kind::Cosignature, signer.public())?;
        let message = key::cosigned(&self.text, time)?;
        let mut signature = time.to_be_bytes().to_vec();
        signature.extend(signer.sign(message.as_bytes()));
        self.push(&key, signature)
    }

    /// Adds the signatures of another copy of this note, each once.
    pub fn merge(&mut self, other: &Self) -> Result<(), NoteError> {
        if self.text != other.text {
            return Err(NoteError::Text);
        }
        for line in &other.lines {
            if !self.lines.contains(line) {
                self.add(line.clone())?;
            }
        }
        Ok(())
    }

    /// The same note with the lines of these keys only, so that strangers' lines fill nothing up.
    #[must_use]
    pub fn of_keys(&self, keys: &[Key]) -> Self {
        let known = |line: &&Line| {
            let same = |key: &Key| key.name() == line.name && key.id() == line.id;
            keys.iter().any(same)
        };
        Self {
            text: self.text.clone(),
            lines: self.lines.iter().filter(known).cloned().collect(),
        }
    }

    /// Checks every line of a known key; at least one must be there. A key counts once, a witness
    /// with its latest time.
    pub fn verify<'k>(&self, keys: &'k [Key]) -> Result<Vec<Verified<'k>>, NoteError> {
        let mut verified: Vec<Verified<'k>> = Vec::new();
        for line in &self.lines {
            let known = |key: &&Key| key.name() == line.name && key.id() == line.id;
            let Some(key) = keys.iter().find(known) else {
                continue;
            };
            let time = key.check(&self.text, &line.signature)?;
            match verified.iter_mut().find(|earlier| earlier.key == key) {
                Some(earlier) => earlier.time = earlier.time.max(time),
                None => verified.push(Verified { key, time }),
            }
        }
        if verified.is_empty() {
            return Err(NoteError::Unsigned);
        }
        Ok(verified)
    }

    fn push(&mut self, key: &Key, signature: Vec<u8>) -> Result<(), NoteError> {
        self.add(Line {
            name: key.name().to_owned(),
            id: key.id(),
            signature,
        })
    }

    fn add(&mut self, line: Line) -> Result<(), NoteError> {
        if self.lines.len() == MAX_SIGNATURES {
            return Err(NoteError::TooMany);
        }
        self.lines.push(line);
        Ok(())
    }
}

/// The note as it is sent and kept.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for line in &self.lines {
            let bytes = [&line.id, line.signature.as_slice()].concat();
            writeln!(f, "{DASH}{} {}", line.name, BASE64.encode(bytes))?;
        }
        Ok(())
    }
}

impl Line {
    fn parse(line: &str) -> Result<Self, NoteError> {
        let rest = line.strip_prefix(DASH).ok_or(NoteError::Form)?;
        let (name, base64) = rest.split_once(' ').ok_or(NoteError::Form)?;
        key::check_name(name)?;
        let bytes = BASE64.decode(base64).map_err(|_| NoteError::Form)?;
        let (id, signature) = bytes.split_first_chunk().ok_or(NoteError::Form)?;
        if signature.is_empty() {
            return Err(NoteError::Form);
        }
        Ok(Self {
            name: name.to_owned(),
            id: *id,
            signature: signature.to_vec(),
        })
    }
}
