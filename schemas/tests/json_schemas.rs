//! The JSON Schemas in `schemas/json/` are those of the types.

use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn the_files_are_those_of_the_types() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("json");
    let mut expected = BTreeSet::new();
    for (name, schema) in schemas::catalogue::all() {
        let file = format!("{name}.json");
        let there = std::fs::read_to_string(folder.join(&file)).unwrap_or_default();
        let made = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        assert!(
            there == made,
            "{file} differs: run `cargo run --release -p schemas --example write_schemas`"
        );
        expected.insert(file);
    }
    let there: BTreeSet<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(there, expected, "files that belong to no type");
}
