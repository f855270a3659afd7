//! In what encoding a CSV file is. Chinese hospital systems often export GBK; its successor GB 18030
//! reads that too. Neither uses the bytes of commas, quotation marks or line ends inside a character, so
//! that records are told apart before anything is decoded.

use std::borrow::Cow;

use csv::ByteRecord;
use encoding_rs::GB18030;
use serde::Deserialize;

/// The encoding of a CSV file, as the mapping says it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Deserialize)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// GB 18030, and with it GBK and GB 2312.
    #[serde(rename = "gb18030")]
    Gb18030,
}

impl Encoding {
    /// A name as text; `None` where its bytes are not of this encoding.
    pub(super) fn text(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::Gb18030 => GB18030.decode_without_bom_handling_and_without_replacement(bytes),
        }
    }

    /// Makes a record UTF-8. A value that is not of the encoding stays as it is, which the check refuses by
    /// rule `encoding`, unless it reads as UTF-8 by chance.
    pub(super) fn decode(self, record: &mut ByteRecord) {
        if self == Self::Utf8 || record.as_slice().is_ascii() {
            return;
        }
        let decoded = record.iter().map(|value| match self.text(value) {
            Some(text) => Cow::Owned(text.into_owned().into_bytes()),
            None => Cow::Borrowed(value),
        });
        *record = decoded.collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_utf_8_and_what_is_no_character_stays() {
        // A second byte may be that of a letter, a backslash or a bar, never of a comma or a mark.
        let mut record = ByteRecord::from(vec![
            &b"\xd6\xb0\xb9\xa4"[..],
            &b"A|\x81\x5c\x95\x7c"[..],
            &b"\x81\x39\xef\x30"[..],
            &b"\xd6"[..],
            &b"plain"[..],
        ]);
        Encoding::Gb18030.decode(&mut record);
        let texts: Vec<_> = record.iter().map(std::str::from_utf8).collect();
        assert_eq!(texts[0], Ok("职工"));
        assert!(texts[1].unwrap().starts_with("A|") && texts[1].unwrap().chars().count() == 4);
        assert_eq!(texts[2].map(|text| text.chars().count()), Ok(1));
        assert!(texts[3].is_err());
        assert_eq!(texts[4], Ok("plain"));
        assert_eq!(Encoding::Utf8.text(b"\xb2\xa1"), None);
    }
}
