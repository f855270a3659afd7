//! Which parsers there are, read from the sources: every message, every `FromStr`, every public function that
//! reads bytes or text.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::targets::TARGETS;

/// Parsers that are changed elsewhere, and why not here.
const ELSEWHERE: &[(&str, usize, &str)] = &[
    (
        "schemas/src/unique.rs",
        1,
        "published years and inputs go through it",
    ),
    (
        "schemas/src/canonical.rs",
        2,
        "every message here goes through it",
    ),
    (
        "schemas/pooled/src/wire.rs",
        1,
        "every message of a pooled round goes through it",
    ),
    (
        "schemas/pooled/src/sums.rs",
        1,
        "needs a round: `pooled` tests/it/hostile.rs",
    ),
    (
        "schemas/pooled/src/upload/mod.rs",
        2,
        "needs a round: `pooled` tests/it/hostile.rs",
    ),
    (
        "coordinator/src/cli/year/mod.rs",
        1,
        "a word of the command line",
    ),
    (
        "schemas/backups/src/list.rs",
        1,
        "reads a folder: its own tests, and the drill",
    ),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" && name != "examples" {
            sources(&path, found);
        } else if name.ends_with(".rs") && !name.starts_with("test") {
            found.push(path);
        }
    }
}

/// Whether a line begins a parser.
fn begins(line: &str) -> bool {
    let message = [
        "impl Message for ",
        "impl FromStr for ",
        "impl std::str::FromStr for ",
    ];
    if message.iter().any(|start| line.starts_with(start)) {
        return true;
    }
    let Some(function) = line.trim_start().strip_prefix("pub fn ") else {
        return false;
    };
    let Some((name, arguments)) = function.split_once('(') else {
        return false;
    };
    let name = name.split('<').next().unwrap_or(name);
    let reads = ["parse", "read", "from_bytes"].contains(&name) || name.starts_with("read_");
    let arguments = arguments.split("->").next().unwrap_or(arguments);
    let data = ["&[u8]", "text: &str", "impl Read", "program: &str"];
    reads && data.iter().any(|data| arguments.contains(data)) && !arguments.contains("&self")
}

#[test]
fn every_parser_is_a_target_or_is_said_to_be_elsewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for part in ["schemas", "policies/src", "node/src", "coordinator/src"] {
        sources(&root.join(part), &mut files);
    }
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let count = text.lines().filter(|line| begins(line)).count();
        if count > 0 {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            found.insert(name.to_owned(), count);
        }
    }
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for ((path, _), _) in TARGETS.iter().filter(|((path, _), _)| *path != "catalogue") {
        *known.entry((*path).to_owned()).or_default() += 1;
    }
    for (path, count, why) in ELSEWHERE {
        assert!(!why.is_empty());
        *known.entry((*path).to_owned()).or_default() += count;
    }
    assert_eq!(found, known, "left: parsers of the sources, right: targets");
}

/// Everything with a JSON Schema is a target too.
#[test]
fn everything_of_the_catalogue_is_a_target() {
    let plain = |text: &str| text.to_lowercase().replace('-', "");
    let known: Vec<String> = TARGETS.iter().map(|((_, name), _)| plain(name)).collect();
    for (name, _) in schemas::catalogue::all() {
        let name = plain(name);
        let name = name.strip_prefix("sealed").unwrap_or(&name);
        assert!(known.iter().any(|one| one == name), "{name} has no target");
    }
}
