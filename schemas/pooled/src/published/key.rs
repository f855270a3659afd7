//! The alliance's key as it lies beside a publication, so that whoever knows its fingerprint alone can
//! verify. It is believed for that fingerprint, never because it lies there.

use schemas::digest::Digest;
use schemas::seal::PublicKey;

use super::{Files, PublishedError};

/// The file of the alliance's key.
pub const KEY: &str = "alliance.key";

/// The key as it is written: 64 hexadecimal digits and a line end.
pub fn key_bytes(key: &PublicKey) -> Vec<u8> {
    format!("{}\n", Digest::from_bytes(*key.as_bytes())).into_bytes()
}

/// The key beside a publication, if there is one.
pub(super) fn beside(files: &Files) -> Result<Option<PublicKey>, PublishedError> {
    let Some(bytes) = files.get(KEY) else {
        return Ok(None);
    };
    let text = std::str::from_utf8(bytes).ok();
    let digest: Option<Digest> = text.and_then(|text| text.strip_suffix('\n')?.parse().ok());
    let digest = digest.ok_or_else(|| PublishedError::Stray(KEY.to_owned()))?;
    Ok(Some(PublicKey::from_bytes(*digest.as_bytes())))
}

/// The key that a verifier names by itself or by its fingerprint, in 64 hexadecimal digits of either
/// case. A fingerprint needs the key beside the publication.
pub fn named_key(files: &Files, named: &str) -> Result<PublicKey, PublishedError> {
    let digest: Digest = named
        .trim()
        .to_ascii_lowercase()
        .parse()
        .map_err(|_| PublishedError::Key)?;
    let itself = PublicKey::from_bytes(*digest.as_bytes());
    match beside(files)? {
        None => Ok(itself),
        Some(key) if key == itself || key.fingerprint() == digest => Ok(key),
        Some(key) => Err(PublishedError::OtherKey(key.fingerprint())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_named_by_itself_or_its_fingerprint() {
        let key = PublicKey::from_bytes([7; 32]);
        let mut files = Files::new();
        let (hex, print) = ("07".repeat(32), key.fingerprint().to_string());
        assert_eq!(named_key(&files, &hex).unwrap(), key);
        assert_ne!(
            named_key(&files, &print).unwrap(),
            key,
            "nothing to find it by"
        );
        files.insert(KEY.to_owned(), key_bytes(&key));
        for named in [&hex, &print, &print.to_uppercase(), &format!("{hex}\n")] {
            assert_eq!(named_key(&files, named).unwrap(), key);
        }
        for other in ["08".repeat(32), String::new(), "h01".to_owned()] {
            assert!(named_key(&files, &other).is_err());
        }
        files.insert(KEY.to_owned(), b"07".to_vec());
        assert!(matches!(
            named_key(&files, &hex),
            Err(PublishedError::Stray(_))
        ));
    }
}
