//! The one way a value becomes bytes.
//!
//! Canonical form: JSON in UTF-8, object keys sorted by code point, no white space, whole numbers
//! only, no field that holds nothing left out or added. Money, loss and counts are whole numbers,
//! so no float ever needs a canonical form; one that turns up is refused.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::digest::Digest;

/// Depth beyond which a message is refused.
pub const MAX_DEPTH: usize = 24;
/// Size in bytes beyond which a message is refused.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Why a value has no canonical form, or bytes are not one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A float somewhere inside.
    #[error("only whole numbers have a canonical form")]
    Float,
    /// Longer than [`MAX_BYTES`].
    #[error("longer than {MAX_BYTES} bytes")]
    TooLong,
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// The bytes mean a value but are not its canonical form.
    #[error("not in canonical form")]
    NotCanonical,
    /// Not JSON of the expected shape. The text names the field and the line, never a value.
    #[error("not of the expected shape: {0}")]
    Shape(String),
}

/// The canonical bytes of a value.
pub fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    let mut tree = serde_json::to_value(value).map_err(|error| shape(&error))?;
    // Objects keep the order of their fields where any crate of the build asks for that.
    tree.sort_all_objects();
    check(&tree, 0)?;
    let bytes = serde_json::to_vec(&tree).map_err(|error| shape(&error))?;
    if bytes.len() > MAX_BYTES {
        return Err(Error::TooLong);
    }
    Ok(bytes)
}

/// Reads a value from canonical bytes; anything that is not exactly canonical is refused, so that
/// one meaning has one digest.
pub fn from_bytes<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let value: T = read(bytes)?;
    if to_bytes(&value)? != bytes {
        return Err(Error::NotCanonical);
    }
    Ok(value)
}

/// Reads a value from any JSON of bounded size and depth (a file that a person wrote).
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::TooLong);
    }
    if depth(bytes) > MAX_DEPTH {
        return Err(Error::TooDeep);
    }
    serde_json::from_slice(bytes).map_err(|error| shape(&error))
}

/// The digest of a value's canonical bytes under a domain tag.
pub fn digest<T: Serialize>(tag: &str, value: &T) -> Result<Digest, Error> {
    Ok(Digest::of(tag, &[&to_bytes(value)?]))
}

fn check(value: &Value, depth: usize) -> Result<(), Error> {
    if depth > MAX_DEPTH {
        return Err(Error::TooDeep);
    }
    match value {
        Value::Number(number) if number.is_f64() => Err(Error::Float),
        Value::Array(items) => items.iter().try_for_each(|item| check(item, depth + 1)),
        Value::Object(fields) => fields.values().try_for_each(|item| check(item, depth + 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// Greatest nesting of brackets outside strings, counted before anything is parsed.
fn depth(bytes: &[u8]) -> usize {
    let (mut now, mut most, mut inside, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in bytes {
        match (inside, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => inside = !inside,
            (false, b'[' | b'{') => {
                now += 1;
                most = most.max(now);
            }
            (false, b']' | b'}') => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// A parse error without the value that caused it: serde quotes offending values in its text, so
/// only the kind and the place are kept.
fn shape(error: &serde_json::Error) -> Error {
    let kind = match error.classify() {
        serde_json::error::Category::Io => "unreadable",
        serde_json::error::Category::Syntax => "not JSON",
        serde_json::error::Category::Eof => "cut short",
        serde_json::error::Category::Data => {
            return Error::Shape(format!(
                "{} at line {}",
                field_problem(&error.to_string()),
                error.line()
            ));
        }
    };
    Error::Shape(format!(
        "{kind} at line {}, column {}",
        error.line(),
        error.column()
    ))
}

/// Keeps the part of serde's message that names fields and types of ours, drops quoted input.
fn field_problem(text: &str) -> String {
    for ours in [
        "missing field `",
        "unknown field `",
        "duplicate field `",
        "unknown variant `",
    ] {
        if let Some(rest) = text.strip_prefix(ours) {
            let name = rest.split('`').next().unwrap_or_default();
            let known = !ours.starts_with("unknown") && name.len() <= 64;
            let shown = if known {
                format!(" `{name}`")
            } else {
                String::new()
            };
            return format!("{}{shown}", ours.trim_end_matches(" `"));
        }
    }
    if text.starts_with("invalid type") {
        return "a value of the wrong type".to_owned();
    }
    "a value that its rule refuses".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_are_sorted_and_floats_refused() {
        let bytes = to_bytes(&json!({"b": 1, "a": {"z": [], "y": "é"}})).unwrap();
        assert_eq!(bytes, r#"{"a":{"y":"é","z":[]},"b":1}"#.as_bytes());
        assert!(matches!(to_bytes(&json!([1.5])), Err(Error::Float)));
    }

    #[test]
    fn other_spellings_are_refused() {
        assert!(matches!(
            from_bytes::<Value>(b"{ }"),
            Err(Error::NotCanonical)
        ));
        assert!(matches!(
            from_bytes::<Value>(br#"{"b":1,"a":2}"#),
            Err(Error::NotCanonical)
        ));
        assert!(from_bytes::<Value>(br#"{"a":2,"b":1}"#).is_ok());
    }

    #[test]
    fn depth_is_bounded_before_parsing() {
        let deep = "[".repeat(200_000);
        assert!(matches!(
            read::<Value>(deep.as_bytes()),
            Err(Error::TooDeep)
        ));
        let quoted = format!("\"{}\"", "[".repeat(1000));
        assert!(read::<Value>(quoted.as_bytes()).is_ok());
    }

    #[test]
    fn errors_never_quote_the_input() {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "only parsed")]
        struct One {
            known: u8,
        }
        for bad in [
            r#"{"known":"secret"}"#,
            r#"{"secret":1}"#,
            r#"{"known":7777777}"#,
        ] {
            let text = read::<One>(bad.as_bytes()).err().unwrap().to_string();
            assert!(!text.contains("secret") && !text.contains("7777"), "{text}");
        }
    }
}
