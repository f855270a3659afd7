//! JSON in which every key of an object stands once. Readers keep the last of two and others the first, so
//! that one text could mean one thing to a person and another to a program.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Reads a value; refuses a text in which a key of an object stands twice, however deep. The error names
/// line and column, never a value.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    let _: Unique = serde_json::from_str(text)?;
    serde_json::from_str(text)
}

/// Any value whose keys stand once.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Once)
    }
}

struct Once;

impl<'de> Visitor<'de> for Once {
    type Value = Unique;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unique, A::Error> {
        let mut known = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !known.insert(key) {
                return Err(A::Error::custom("a key stands twice"));
            }
            map.next_value::<Unique>()?;
        }
        Ok(Unique)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Unique, A::Error> {
        while seq.next_element::<Unique>()?.is_some() {}
        Ok(Unique)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_str<E>(self, _: &str) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_unit<E>(self) -> Result<Unique, E> {
        Ok(Unique)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::read;

    #[test]
    fn a_key_that_stands_twice_is_refused_however_deep() {
        let sound = r#"{"a": [1, -2, 0.5, null, true, "x", {"a": {}}], "b": {"a": 1}}"#;
        assert!(read::<Value>(sound).is_ok());
        for text in [
            r#"{"a": 1, "a": 1}"#,
            r#"{"a": 1, "\u0061": 2}"#,
            r#"[[{"b": {"c": 1, "d": 2, "c": 3}}]]"#,
        ] {
            let error = read::<Value>(text).unwrap_err().to_string();
            assert!(error.contains("a key stands twice at line 1"), "{error}");
        }
        // Neither deep nor broken texts get through, and none overflows the stack.
        assert!(read::<Value>(&"[".repeat(100_000)).is_err());
        assert!(read::<BTreeMap<String, u8>>("{\"a\": 300}").is_err());
    }
}
