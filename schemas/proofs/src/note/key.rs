//! Keys that sign notes, and what exactly each kind signs.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::digest::{Context, SHA256};
use schemas::seal::PublicKey;

use super::NoteError;

/// The first line of what a witness signs (C2SP tlog-cosignature).
pub(super) const COSIGNATURE: &str = "cosignature/v1\n";

/// What a key signs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// The note's text (type 0x01).
    Text,
    /// Text and time, as a witness (type 0x04).
    Cosignature,
}

/// A public key under the name by which notes cite it. Written as a C2SP verifier key:
/// `name+8 hexadecimal digits of the id+base64(type ‖ 32 bytes)`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Key {
    name: String,
    kind: Kind,
    public: PublicKey,
    id: [u8; 4],
}

impl Key {
    /// A key of this name, 1 to 255 bytes without spaces, plus and control characters.
    pub fn new(name: &str, kind: Kind, public: PublicKey) -> Result<Self, NoteError> {
        check_name(name)?;
        let mut hasher = Context::new(&SHA256);
        for part in [name.as_bytes(), b"\n", &[kind.byte()], public.as_bytes()] {
            hasher.update(part);
        }
        let mut id = [0; 4];
        for (byte, hashed) in id.iter_mut().zip(hasher.finish().as_ref()) {
            *byte = *hashed;
        }
        Ok(Self {
            name: name.to_owned(),
            kind,
            public,
            id,
        })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `SHA-256(name ‖ 0x0A ‖ type ‖ key)[..4]`: a short name, no proof of anything.
    pub fn id(&self) -> [u8; 4] {
        self.id
    }

    /// What the key signs.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The key itself.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Checks a signature line's bytes after the id; gives the witness's time.
    pub(super) fn check(&self, text: &str, signature: &[u8]) -> Result<Option<u64>, NoteError> {
        let (message, time, signature) = match self.kind {
            Kind::Text => (text.to_owned(), None, signature),
            Kind::Cosignature => {
                let (time, rest) = signature.split_first_chunk().ok_or(NoteError::Signature)?;
                let time = u64::from_be_bytes(*time);
                (cosigned(text, time)?, Some(time), rest)
            }
        };
        let checked = self.public.verify(message.as_bytes(), signature);
        checked.map_err(|_| NoteError::Signature)?;
        Ok(time)
    }
}

impl Kind {
    fn byte(self) -> u8 {
        match self {
            Self::Text => 1,
            Self::Cosignature => 4,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+", self.name)?;
        for byte in self.id {
            write!(f, "{byte:02x}")?;
        }
        let bytes = [&[self.kind.byte()], self.public.as_bytes().as_slice()].concat();
        write!(f, "+{}", BASE64.encode(bytes))
    }
}

impl FromStr for Key {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        // The base64 may hold a plus, a name may not.
        let (name, rest) = text.split_once('+').ok_or(NoteError::Key)?;
        let (_, base64) = rest.split_once('+').ok_or(NoteError::Key)?;
        let bytes = BASE64.decode(base64).map_err(|_| NoteError::Key)?;
        let (kind, public) = bytes.split_first().ok_or(NoteError::Key)?;
        let kind = match kind {
            1 => Kind::Text,
            4 => Kind::Cosignature,
            _ => return Err(NoteError::Key),
        };
        let public = <[u8; 32]>::try_from(public).map_err(|_| NoteError::Key)?;
        let key = Self::new(name, kind, PublicKey::from_bytes(public))?;
        // One key has one text; with it the id is checked.
        if key.to_string() == text {
            Ok(key)
        } else {
            Err(NoteError::Key)
        }
    }
}

/// What a witness signs: a header line, a time line, the text.
pub(super) fn cosigned(text: &str, time: u64) -> Result<String, NoteError> {
    i64::try_from(time).map_err(|_| NoteError::Time)?;
    Ok(format!("{COSIGNATURE}time {time}\n{text}"))
}

pub(super) fn check_name(name: &str) -> Result<(), NoteError> {
    let refused = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if name.is_empty() || name.len() > 255 || name.contains(refused) {
        return Err(NoteError::Name);
    }
    Ok(())
}
