//! Canonical JSON of any length: keys sorted, no white space. A benchmark of many hospitals is far longer
//! than a message may be, and a tree of it would take ten times the memory of its text.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

/// The canonical bytes of a value, without a tree of it.
pub(super) fn sorted(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let text = serde_json::to_string(value)?;
    let mut out = Vec::with_capacity(text.len());
    write(&text, &mut out)?;
    Ok(out)
}

fn write(text: &str, out: &mut Vec<u8>) -> serde_json::Result<()> {
    match text.as_bytes().first() {
        Some(b'{') => {
            let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
            out.push(b'{');
            for (place, (name, value)) in fields.into_iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                serde_json::to_writer(&mut *out, &name)?;
                out.push(b':');
                write(value.get(), out)?;
            }
            out.push(b'}');
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            out.push(b'[');
            for (place, value) in items.into_iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                write(value.get(), out)?;
            }
            out.push(b']');
        }
        _ => out.extend_from_slice(text.as_bytes()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn keys_are_sorted_at_every_depth() {
        let value =
            json!({"b": [{"z": 1, "\u{e9}": "\u{1}\""}, []], "a\n": null, "a": {"y": -7, "x": {}}});
        let expected =
            "{\"a\":{\"x\":{},\"y\":-7},\"a\\n\":null,\"b\":[{\"z\":1,\"é\":\"\\u0001\\\"\"},[]]}";
        let bytes = sorted(&value).unwrap();
        assert_eq!(String::from_utf8_lossy(&bytes), expected);
        let mut tree: Value = value;
        tree.sort_all_objects();
        assert_eq!(bytes, serde_json::to_vec(&tree).unwrap());
    }
}
