//! How messages with long vectors travel: parts on end, each after its length as 4 little-endian
//! bytes. Short messages travel as canonical JSON.

use schemas::canonical;
use schemas::digest::Digest;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Most cells of one round.
pub const MAX_CELLS: usize = 100_000;
/// Longest sealed message inside another, in bytes.
pub const MAX_SEALED: usize = 16 * 1024;

/// Why bytes are not a message.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// Longer than this kind of message may be.
    #[error("a message of this kind has at most {0} bytes")]
    TooLong(usize),
    /// A part is cut short, too long, missing, or something follows the last one.
    #[error("part {0} of the message has a wrong length: ask its sender for the same bytes again")]
    Part(usize),
    /// Not canonical JSON of the expected shape.
    #[error("the message is refused: {0}")]
    Content(#[from] canonical::Error),
}

/// Reads a short message: canonical JSON of at most `most` bytes.
pub fn read<T: Serialize + DeserializeOwned>(bytes: &[u8], most: usize) -> Result<T, WireError> {
    if bytes.len() > most {
        return Err(WireError::TooLong(most));
    }
    Ok(canonical::from_bytes(bytes)?)
}

/// The bytes of a short message.
pub fn write<T: Serialize>(message: &T) -> Result<Vec<u8>, WireError> {
    Ok(canonical::to_bytes(message)?)
}

/// Parts on end.
pub(crate) fn join(parts: &[&[u8]]) -> Result<Vec<u8>, WireError> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 4).sum());
    for (place, part) in parts.iter().enumerate() {
        let length = u32::try_from(part.len()).map_err(|_| WireError::Part(place))?;
        bytes.extend(length.to_le_bytes());
        bytes.extend_from_slice(part);
    }
    Ok(bytes)
}

/// Takes bytes apart into exactly as many parts as there are bounds, none longer than its bound.
pub(crate) fn split<'b>(mut bytes: &'b [u8], most: &[usize]) -> Result<Vec<&'b [u8]>, WireError> {
    let mut parts = Vec::with_capacity(most.len());
    for (place, most) in most.iter().enumerate() {
        let wrong = WireError::Part(place);
        let Some((length, rest)) = bytes.split_first_chunk() else {
            return Err(wrong);
        };
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        match rest.split_at_checked(length) {
            Some((part, rest)) if length <= *most => {
                parts.push(part);
                bytes = rest;
            }
            _ => return Err(wrong),
        }
    }
    if bytes.is_empty() {
        Ok(parts)
    } else {
        Err(WireError::Part(most.len()))
    }
}

/// A vector as it is sent and hashed: 8 little-endian bytes a cell.
pub(crate) fn vector_bytes(vector: &[u64]) -> Vec<u8> {
    let cells: Vec<[u8; 8]> = vector.iter().map(|cell| cell.to_le_bytes()).collect();
    cells.into_flattened()
}

/// The vector that these bytes are; `None` unless it has exactly so many cells.
pub(crate) fn vector(bytes: &[u8], cells: usize) -> Option<Vec<u64>> {
    match bytes.as_chunks::<8>() {
        (chunks, []) if chunks.len() == cells => Some(
            chunks
                .iter()
                .map(|cell| u64::from_le_bytes(*cell))
                .collect(),
        ),
        _ => None,
    }
}

/// The digest by which signed messages cite a vector.
pub fn vector_digest(bytes: &[u8]) -> Digest {
    Digest::of("cams-vector-v1", &[bytes])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_come_back(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..6)) {
            let slices: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let bytes = join(&slices).unwrap();
            let most: Vec<usize> = parts.iter().map(Vec::len).collect();
            prop_assert_eq!(split(&bytes, &most).unwrap(), slices);
            if let Some(least) = most.iter().position(|length| *length > 0) {
                let mut tight = most.clone();
                tight[least] -= 1;
                prop_assert!(split(&bytes, &tight).is_err());
            }
            let mut longer = bytes.clone();
            longer.push(0);
            prop_assert!(split(&longer, &most).is_err());
            if !bytes.is_empty() {
                prop_assert!(split(&bytes[..bytes.len() - 1], &most).is_err());
            }
        }

        #[test]
        fn junk_is_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let again = split(&bytes, &[50, 50, 8]).ok().map(|parts| join(&parts).unwrap());
            prop_assert!(again.is_none_or(|again| again == bytes));
            let _known = vector(&bytes, bytes.len() / 8);
        }
    }

    #[test]
    fn a_vector_has_exactly_its_cells() {
        let cells = [1, u64::MAX, 0];
        let bytes = vector_bytes(&cells);
        assert_eq!(vector(&bytes, 3).unwrap(), cells);
        assert!(vector(&bytes, 2).is_none() && vector(&bytes[1..], 3).is_none());
    }
}
