//! Canonical JSON of any length: keys sorted, no white space. A benchmark of many hospitals is far longer
//! than a message may be, and a tree of it would take ten times the memory of its text.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use policies::figures::Benchmark;
use serde::Serialize;
use serde_json::value::RawValue;

use super::ReportError;

/// How a split without rows is written; in a text inside JSON its quotes would be escaped.
const NO_ROWS: &str = "\"rows\":[]";

/// Writes a benchmark's canonical bytes, one row of its splits after the other: they are nearly all of it.
pub(super) fn benchmark(path: &Path, benchmark: &Benchmark) -> Result<(), ReportError> {
    let form = |_| ReportError::Form("JSON");
    let whole = String::from_utf8(sorted(&benchmark.without_rows()).map_err(form)?);
    let whole = whole.map_err(|_| ReportError::Form("JSON"))?;
    let mut between = whole.split(NO_ROWS);
    let failed = |error: io::Error| ReportError::File(path.to_owned(), error);
    let mut out = BufWriter::new(File::create(path).map_err(failed)?);
    out.write_all(between.next().unwrap_or_default().as_bytes())
        .map_err(failed)?;
    for split in &benchmark.splits {
        out.write_all(b"\"rows\":[").map_err(failed)?;
        for (place, row) in split.rows.iter().enumerate() {
            if place > 0 {
                out.write_all(b",").map_err(failed)?;
            }
            out.write_all(&sorted(row).map_err(form)?).map_err(failed)?;
        }
        let after = between.next().ok_or(ReportError::Form("JSON"))?;
        out.write_all(b"]").map_err(failed)?;
        out.write_all(after.as_bytes()).map_err(failed)?;
    }
    match between.next() {
        Some(_) => Err(ReportError::Form("JSON")),
        None => out.flush().map_err(failed),
    }
}

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
