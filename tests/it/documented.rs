//! docs/DEIDENTIFICATION.md names every field that a node keeps.

use std::collections::BTreeSet;

use coordinator::dictionary::{CHS, SPARCS};
use node::deidentify::identifiers;

const DOCUMENT: &str = include_str!("../../docs/DEIDENTIFICATION.md");

/// The fields that the first two tables list: dataset or field column, each in backticks.
fn listed() -> BTreeSet<String> {
    let tables = DOCUMENT.split("## The 18 identifiers").next().unwrap();
    let rows = tables.lines().filter(|line| line.starts_with('|'));
    let cells = rows.flat_map(|row| row.split('|').skip(1).take(2).map(str::to_owned));
    let names: Vec<String> = cells
        .flat_map(|cell| {
            let quoted = cell.split('`').skip(1).step_by(2);
            quoted.map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    names.into_iter().collect()
}

fn ids(plan: &str, part: &str) -> Vec<String> {
    let plan: toml::Table = toml::from_str(plan).unwrap();
    let entries = plan[part].as_array().unwrap().iter();
    entries
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect()
}

/// The words of the constant list or call that begins with `from` in a reader.
fn quoted(source: &str, from: &str) -> Vec<String> {
    let tail = source
        .split_once(from)
        .unwrap_or_else(|| panic!("{from}"))
        .1;
    let list = tail.split(']').next().unwrap();
    list.split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[test]
fn documented_fields_are_all_that_is_kept() {
    let listed = listed();
    let mut kept: Vec<String> = ["patient", "stay", "group_rank", "stay_rank", "series_rank"]
        .map(str::to_owned)
        .to_vec();
    for plan in [CHS, SPARCS] {
        kept.extend(ids(plan, "dimensions"));
        kept.extend(ids(plan, "fields"));
        let plan: toml::Table = toml::from_str(plan).unwrap();
        let further = plan.get("further").and_then(toml::Value::as_array);
        for set in further.into_iter().flatten() {
            let set = toml::to_string(set).unwrap();
            kept.extend(ids(&set, "dimensions"));
            kept.extend(ids(&set, "fields"));
        }
    }
    let feed = include_str!("../../node/src/early/feed.rs");
    kept.extend(quoted(feed, "const COLUMNS: [&str; 8] = ["));
    let quality = include_str!("../../node/src/quality/read.rs");
    kept.extend(quoted(quality, "let wanted = ["));
    let costing = include_str!("../../node/src/costing/tables.rs");
    for table in costing.split("let wanted = ").skip(1) {
        kept.extend(quoted(table, "["));
    }
    let settlements = include_str!("../../node/src/ingest/settlements.rs");
    let mapping = settlements
        .split_once("pub struct SettlementMapping {")
        .unwrap()
        .1;
    let mapping = mapping.split("\n}").next().unwrap();
    let fields = mapping.lines().filter_map(|line| {
        let (name, _) = line.trim().strip_prefix("pub ")?.split_once(':')?;
        Some(name.to_owned())
    });
    let settings = ["dataset", "encoding", "only"];
    kept.extend(fields.filter(|name| !settings.contains(&name.as_str())));
    assert!(kept.len() > 70, "{}", kept.len());
    let missing: Vec<&String> = kept.iter().filter(|name| !listed.contains(*name)).collect();
    assert!(missing.is_empty(), "not documented: {missing:?}");
    // And nothing is documented as a field of a stay that none is.
    let stays = DOCUMENT.split("## Other tables").next().unwrap();
    let rows = stays.lines().filter(|line| line.starts_with("| `"));
    for row in rows {
        let cells: Vec<&str> = row.split('|').collect();
        assert_eq!(cells.len(), 8, "{row}");
        assert!(
            cells
                .iter()
                .skip(1)
                .take(6)
                .all(|cell| !cell.trim().is_empty()),
            "{row}"
        );
        for name in cells[1].split('`').skip(1).step_by(2) {
            assert!(kept.iter().any(|kept| kept == name), "{name}");
        }
    }
    let classes = DOCUMENT.split_once("## The 18 identifiers").unwrap().1;
    let classes = classes.split("\n## ").next().unwrap();
    for class in 'A'..='R' {
        let named = [format!("| {class} "), format!(", {class} ")];
        assert!(
            named.iter().any(|name| classes.contains(name)),
            "class {class}"
        );
    }
    assert_eq!(
        identifiers::count("138.1234.5678".as_bytes()),
        0,
        "as documented"
    );
}
