//! The arrows of ARCHITECTURE.md: crates name only the crates they may, a module names only
//! modules above it in `lib.rs`, files stay readable, one crypto provider.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found.sort();
    found
}

const CRATES: [&str; 9] = [
    "schemas",
    "proofs",
    "pooled",
    "sinks",
    "backups",
    "policies",
    "web",
    "node",
    "coordinator",
];

/// The folder of a crate: of its own name, `proofs`, `pooled`, `sinks` and `backups` inside `schemas`.
fn home(name: &str) -> PathBuf {
    match name {
        "proofs" | "pooled" | "sinks" | "backups" => root().join("schemas").join(name),
        _ => root().join(name),
    }
}

#[test]
fn crates_name_only_the_crates_they_may() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("schemas", &[][..]),
        ("proofs", &["schemas"][..]),
        ("pooled", &["schemas", "proofs"][..]),
        ("sinks", &[][..]),
        ("backups", &["schemas"][..]),
        ("policies", &["schemas", "proofs", "pooled"][..]),
        ("web", &["schemas"][..]),
        (
            "node",
            &[
                "schemas", "proofs", "pooled", "sinks", "backups", "policies", "web",
            ][..],
        ),
        (
            "coordinator",
            &[
                "schemas", "proofs", "pooled", "sinks", "backups", "policies", "web",
            ][..],
        ),
    ]);
    for (name, may) in allowed {
        for (path, text) in sources(&home(name).join("src")) {
            for other in CRATES
                .iter()
                .filter(|other| **other != name && !may.contains(other))
            {
                let named = text.contains(&format!("use {other}::"));
                assert!(!named, "{} names the crate {other}", path.display());
            }
        }
        let manifest = std::fs::read_to_string(home(name).join("Cargo.toml")).unwrap();
        for other in CRATES
            .iter()
            .filter(|other| **other != name && !may.contains(other))
        {
            let listed = manifest.contains(&format!("\n{other}.workspace"));
            assert!(!listed, "{name}/Cargo.toml lists {other}");
        }
    }
}

/// The modules of a crate, in the order of `lib.rs`.
fn modules(name: &str) -> Vec<String> {
    let lib = std::fs::read_to_string(home(name).join("src/lib.rs")).unwrap();
    let declared = |line: &str| {
        let rest = line
            .strip_prefix("pub mod ")
            .or_else(|| line.strip_prefix("mod "))?;
        rest.strip_suffix(';').map(str::to_owned)
    };
    lib.lines().filter_map(declared).collect()
}

#[test]
fn modules_name_only_modules_above_them() {
    for name in CRATES {
        let order = modules(name);
        let source = home(name).join("src");
        // Tests may look ahead: a check's test borrows the loader's fixture.
        let code = sources(&source)
            .into_iter()
            .filter(|(path, _)| !path.ends_with("test.rs"));
        for (path, text) in code {
            let relative = path.strip_prefix(&source).unwrap();
            let first = relative.iter().next().unwrap().to_str().unwrap();
            let own = first.trim_end_matches(".rs");
            let Some(position) = order.iter().position(|module| module == own) else {
                continue;
            };
            let used = order[position + 1..].iter().find(|below| {
                text.contains(&format!("crate::{below}::"))
                    || text.contains(&format!("crate::{below};"))
            });
            assert_eq!(
                used,
                None,
                "{} names a module below its own",
                path.display()
            );
            assert!(
                !text.contains("use crate::{"),
                "{}: one module a line",
                path.display()
            );
        }
    }
}

#[test]
fn files_stay_readable() {
    for name in CRATES {
        for (path, text) in sources(&home(name).join("src")) {
            let lines = text.lines().count();
            assert!(lines <= 400, "{} has {lines} lines", path.display());
        }
    }
}

/// The binaries draw noise from the sampler and from nowhere else.
#[test]
fn only_the_sampler_makes_noise_in_the_node() {
    for (path, text) in sources(&root().join("node/src")) {
        let implements =
            text.contains("impl Source for") || text.contains("impl noise::Source for");
        assert!(
            !implements || path.ends_with("noise/gaussian.rs"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn ring_is_the_one_crypto_provider() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for banned in [
        "aws-lc-rs",
        "aws-lc-sys",
        "openssl",
        "openssl-sys",
        "native-tls",
        "boring",
    ] {
        assert!(
            !lock.contains(&format!("name = \"{banned}\"\n")),
            "{banned} is in the tree"
        );
    }
    assert!(lock.contains("name = \"ring\"\n"));
}

/// Curve arithmetic is `proofs`' alone, boxes and masks are `pooled`'s; both are pure.
#[test]
fn only_the_message_crates_know_curve_boxes_and_stream() {
    let manifest = |name: &str| std::fs::read_to_string(home(name).join("Cargo.toml")).unwrap();
    for name in CRATES {
        for (owner, library) in [
            ("proofs", "voprf"),
            ("proofs", "curve25519-dalek"),
            ("proofs", "rand_core"),
            ("pooled", "hpke"),
            ("pooled", "chacha20"),
        ] {
            let listed = manifest(name).contains(&format!("\n{library}.workspace"));
            assert_eq!(listed, name == owner, "{name}/Cargo.toml and {library}");
        }
    }
    for pure in ["proofs", "pooled"] {
        for impure in ["tokio", "sqlx", "axum", "reqwest"] {
            let listed = manifest(pure).contains(&format!("\n{impure}"));
            assert!(!listed, "{pure} lists {impure}");
        }
        for (path, text) in sources(&home(pure).join("src")) {
            for impure in [
                "std::fs",
                "std::net",
                "std::time",
                "std::env",
                "std::thread",
            ] {
                assert!(!text.contains(impure), "{} uses {impure}", path.display());
            }
        }
    }
}

/// The project speaks of itself alone and needs no path of one machine.
#[test]
fn no_secret_and_no_machine_in_the_tree() {
    for name in [
        "schemas",
        "policies",
        "web",
        "node",
        "coordinator",
        "tests",
        "deploy",
        "docs",
    ] {
        let mut open = vec![root().join(name)];
        while let Some(folder) = open.pop() {
            let Ok(entries) = std::fs::read_dir(&folder) else {
                continue;
            };
            for entry in entries {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                    continue;
                }
                let Ok(text) = std::fs::read_to_string(&path) else {
                    continue;
                };
                // Written in two parts, so that this file does not find itself.
                for word in [
                    concat!("/ro", "ot/"),
                    concat!("/wo", "rk/"),
                    concat!("PRIVATE", " KEY-----\n"),
                ] {
                    assert!(!text.contains(word), "{} holds {word:?}", path.display());
                }
            }
        }
    }
}

/// Every test that THREATS.md names is a function of the tree, in a file of that place, and no row
/// that has to have a test is without one.
#[test]
fn every_threat_names_tests_that_exist() {
    let text = std::fs::read_to_string(root().join("docs/THREATS.md")).unwrap();
    let mut files = sources(&root().join("tests/it"));
    for name in CRATES {
        files.extend(sources(&home(name).join("src")));
    }
    files.extend(sources(&home("pooled").join("tests")));
    // A test is a function right below the attribute, perhaps of a block of `proptest`.
    let tests = |text: &str, function: &str| {
        let head = format!("fn {function}(");
        let mut before = "";
        text.lines().any(|line| {
            let found = line.contains(&head) && before.trim().starts_with("#[");
            before = line;
            found
        })
    };
    let exists = |name: &str| {
        let (place, function) = name.rsplit_once("::").unwrap();
        files.iter().any(|(path, text)| {
            let path = path.with_extension("");
            let parts: Vec<_> = path.iter().map(|part| part.to_str().unwrap()).collect();
            place.split("::").all(|part| parts.contains(&part)) && tests(text, function)
        })
    };
    let named = |text: &str| {
        let rows = text.lines().filter(|line| line.starts_with("| "));
        let mut named = BTreeMap::new();
        for row in rows {
            let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
            let [number, _, _, column] = cells[..] else {
                panic!("four columns: {row}");
            };
            let names: Vec<&str> = column
                .split('`')
                .skip(1)
                .step_by(2)
                .filter(|name| name.contains("::"))
                .collect();
            for name in &names {
                assert!(exists(name), "row {number}: there is no test {name}");
            }
            let number = number.split_whitespace().next().unwrap_or_default();
            named.insert(number.to_owned(), names.len());
        }
        named
    };
    let pooled = named(&std::fs::read_to_string(root().join("docs/POOLED.md")).unwrap());
    for number in 1..=23 {
        let tests = pooled.get(&number.to_string()).copied().unwrap_or_default();
        assert!(tests > 0, "row {number} of POOLED.md names no test");
    }
    let named = named(&text);
    let required = (1..=6).chain(8..=22).chain(36..=40).chain([44]);
    for number in required {
        let tests = named.get(&number.to_string()).copied().unwrap_or_default();
        assert!(tests > 0, "row {number} names no test");
    }
    assert!(!exists("attacks::no_such_test"));
    assert!(!exists("log::forks::t6_what_cannot_be_said"), "elsewhere");
}
