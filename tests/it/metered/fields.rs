//! What is logged: fields of a closed list, texts without anything put into them, no Debug of a value that
//! could hold more than its type's words.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Every field that a log line may have: names of rounds, organisations and messages, digests, counts, codes
/// and errors (whose texts name place and rule, never a value; `tests/it/told` holds them to that).
const FIELDS: [&str; 27] = [
    "address",
    "before",
    "by",
    "cause",
    "certificate",
    "credit",
    "error",
    "fault",
    "hospital",
    "known",
    "log",
    "new",
    "note",
    "reason",
    "refusal",
    "refused",
    "request",
    "revoked",
    "round",
    "size",
    "state",
    "status",
    "subject",
    "wait_ms",
    "what",
    "why",
    "year",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The arguments of a macro whose text begins after its bracket.
fn arguments(text: &str) -> Vec<String> {
    let (mut depth, mut quoted, mut escaped) = (0_i32, false, false);
    let (mut all, mut one) = (Vec::new(), String::new());
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            break;
        }
        if c == ',' && depth == 0 && !quoted {
            all.push(std::mem::take(&mut one).trim().to_owned());
        } else {
            one.push(c);
        }
    }
    all.push(one.trim().to_owned());
    all.retain(|one| !one.is_empty());
    all
}

/// Faults of one call.
fn judged(call: &str, used: &mut BTreeSet<String>) -> Vec<String> {
    let mut faults = Vec::new();
    for argument in arguments(call) {
        if argument.starts_with('"') {
            if argument.contains('{') {
                faults.push(format!("a value is put into the text {argument}"));
            }
            continue;
        }
        let (name, value) = argument.split_once('=').unwrap_or((&argument, &argument));
        let name = name.trim().trim_start_matches(['%', '?']);
        let name = name.rsplit('.').next().unwrap_or(name);
        if value.trim().starts_with('?') && name != "state" {
            faults.push(format!("Debug of {name}"));
        }
        if !FIELDS.contains(&name) {
            faults.push(format!("the field {name} is not listed"));
        }
        used.insert(name.to_owned());
    }
    faults
}

#[test]
fn log_lines_have_listed_fields_and_fixed_texts() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let (mut files, mut used, mut calls) = (Vec::new(), BTreeSet::new(), 0);
    for part in [
        "node/src",
        "coordinator/src",
        "schemas",
        "policies/src",
        "web/src",
    ] {
        sources(&root.join(part), &mut files);
    }
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        for level in ["error", "warn", "info", "debug", "trace"] {
            let start = format!("tracing::{level}!(");
            for (at, _) in text.match_indices(&start) {
                let faults = judged(&text[at + start.len()..], &mut used);
                assert!(faults.is_empty(), "{}: {faults:?}", path.display());
                calls += 1;
            }
        }
        // Another way to log would pass this test by.
        for other in [
            "use tracing::",
            "#[instrument",
            "tracing::event!",
            "_span!(",
        ] {
            assert!(!text.contains(other), "{} has {other}", path.display());
        }
    }
    assert!(calls > 40, "only {calls} calls were found");
    let listed: BTreeSet<String> = FIELDS.map(str::to_owned).into();
    let unused: Vec<&String> = listed.difference(&used).collect();
    assert!(unused.is_empty(), "listed for nothing: {unused:?}");
}

#[test]
fn the_judge_sees_what_it_should() {
    let judge = |call: &str| judged(call, &mut BTreeSet::new()).len();
    assert_eq!(
        judge("%error, round = %round.id, \"a text, of (all) kinds\");"),
        0
    );
    assert_eq!(judge("patient = %id, \"x\");"), 1);
    assert_eq!(judge("?rows, \"x\");"), 2);
    assert_eq!(judge("\"lost {n} rows\");"), 1);
}
