//! Seeds: what the repository holds already (vectors, states, rules, templates, settings), and changes of it.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use super::SECRET;
use crate::simulated::Source;

const JSON: [&str; 15] = [
    include_str!("../../../schemas/pooled/vectors/round.json"),
    include_str!("../../../schemas/vectors/answer.json"),
    include_str!("../../../schemas/vectors/chain.json"),
    include_str!("../../../schemas/vectors/dictionary.json"),
    include_str!("../../../schemas/vectors/digests.json"),
    include_str!("../../../schemas/vectors/join-code.json"),
    include_str!("../../../schemas/vectors/question.json"),
    include_str!("../../../schemas/vectors/refused.json"),
    include_str!("../../../schemas/vectors/reply-declined.json"),
    include_str!("../../../schemas/vectors/reply.json"),
    include_str!("../../../schemas/vectors/round-free.json"),
    include_str!("../../../schemas/vectors/round.json"),
    include_str!("../../../schemas/vectors/values.json"),
    include_str!("../../../policies/src/year/earlier.json"),
    include_str!("../../../deploy/grafana/node.json"),
];

const TEXTS: [&str; 24] = [
    include_str!("../../../policies/rules/privacy.toml"),
    include_str!("../../../policies/rules/year.toml"),
    include_str!("../../../policies/rules/budget.toml"),
    include_str!("../../../policies/rules/bonus.toml"),
    include_str!("../../../policies/rules/overspend.toml"),
    include_str!("../../../policies/rules/appraisal.toml"),
    include_str!("../../../policies/rules/alerts.toml"),
    include_str!("../../../policies/rules/templates/yearly-benchmark.toml"),
    include_str!("../../../deploy/mappings/consilium-csv.toml"),
    include_str!("../../../deploy/node.example.toml"),
    include_str!("../../../deploy/coordinator.example.toml"),
    policies::early::DEFAULT,
    policies::quality::DEFAULT,
    policies::costing::DEFAULT,
    coordinator::dictionary::CHS,
    coordinator::dictionary::SPARCS,
    "2025-03",
    "2025-01..2025-12",
    "0.15",
    "1234.56",
    "steward",
    "20250331",
    "river/h1/log\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    "old 0\n\nriver/h1/log\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— river AAAAAAAA\n",
];

/// Seeds, each once, small ones first.
pub(super) fn corpus() -> Vec<Vec<u8>> {
    let mut all = BTreeSet::new();
    for text in TEXTS {
        all.insert(text.as_bytes().to_vec());
    }
    for text in JSON {
        all.insert(text.as_bytes().to_vec());
        parts(&serde_json::from_str(text).unwrap(), &mut all);
    }
    for state in [
        include_str!("../../states/coordinator-1.sql"),
        include_str!("../../states/node-1.sql"),
    ] {
        // Texts of a dump: what stands between quotes.
        for text in state.split('\'').filter(|text| text.len() > 3) {
            let text = text.trim();
            all.insert(text.as_bytes().to_vec());
            if let Ok(value) = serde_json::from_str(text) {
                parts(&value, &mut all);
            }
        }
    }
    let (note, signer) = noted();
    all.extend([note, signer]);
    let mut all: Vec<Vec<u8>> = all.into_iter().filter(|one| one.len() < 60_000).collect();
    all.sort_by_key(Vec::len);
    all
}

/// A signed note and its key.
fn noted() -> (Vec<u8>, Vec<u8>) {
    let signer = schemas::seal::Signer::from_seed(&[7; 32]).unwrap();
    let origin = "river/h1/log";
    let text = format!("{origin}\n3\n{}\n", BASE64.encode([1; 32]));
    let mut note = proofs::note::Note::new(text).unwrap();
    note.sign(origin, &signer).unwrap();
    let slug = "h1".parse().unwrap();
    let key = proofs::witness::log_key(&slug, origin, signer.public()).unwrap();
    (
        note.to_string().into_bytes(),
        key.key.to_string().into_bytes(),
    )
}

/// A value, what is in it, and what its base64 texts hold.
fn parts(value: &Value, all: &mut BTreeSet<Vec<u8>>) {
    match value {
        Value::Object(fields) => {
            all.insert(schemas::canonical::to_bytes(value).unwrap_or_default());
            fields.values().for_each(|one| parts(one, all));
        }
        Value::Array(items) => items.iter().take(4).for_each(|one| parts(one, all)),
        Value::String(text) => {
            all.insert(text.as_bytes().to_vec());
            if let Some(bytes) = BASE64.decode(text).ok().filter(|bytes| bytes.len() > 40) {
                if let Ok(inner) = serde_json::from_slice(&bytes) {
                    parts(&inner, all);
                }
                all.insert(bytes);
            }
        }
        _ => {}
    }
}

pub(super) fn below(random: &mut Source, limit: usize) -> usize {
    ((random.uniform() * limit as f64) as usize).min(limit.saturating_sub(1))
}

/// Numbers at the edges of types.
const NUMBERS: [&str; 10] = [
    "-1",
    "0",
    "255",
    "65536",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "1e400",
    "0.1",
];

/// A seed with one to four changes, together with parts of another.
pub(super) fn changed(first: &[u8], second: &[u8], random: &mut Source) -> Vec<u8> {
    let mut bytes = first.to_vec();
    for _ in 0..=below(random, 4) {
        let at = below(random, bytes.len().max(1)).min(bytes.len());
        let to = (at + below(random, 40)).min(bytes.len());
        match below(random, 13) {
            0 if at < bytes.len() => bytes[at] ^= 1 << below(random, 8),
            1 => bytes.insert(at, u8::try_from(below(random, 256)).unwrap()),
            2 => drop(bytes.drain(at..to)),
            3 => bytes.truncate(at),
            4 => {
                let part = bytes[at..to].to_vec();
                bytes.splice(at..at, part);
            }
            5 => {
                let from = below(random, second.len().max(1)).min(second.len());
                bytes.splice(at..to, second[from..].iter().copied());
            }
            6 => {
                let number = NUMBERS[below(random, NUMBERS.len())];
                let digits = bytes[at..]
                    .iter()
                    .take_while(|byte| byte.is_ascii_digit())
                    .count();
                bytes.splice(at..at + digits, number.bytes());
            }
            7 => drop(bytes.splice(at..at, SECRET.bytes())),
            8 => {
                // Within and beyond any stated depth.
                let deep = 1 << below(random, 14);
                let nested = ["[".repeat(deep), "{\"a\":".repeat(deep)];
                bytes.splice(at..at, nested[below(random, 2)].bytes());
            }
            9 => drop(bytes.splice(at..at, [0xff, 0xfe, 0x00])),
            10 => {
                let long = "9".repeat(1 << below(random, 12));
                bytes.splice(at..at, long.bytes());
            }
            11 => {
                let line = [b"\n".as_slice(), b"\r\n", b"\"", b"\\u0000", b",", b":"];
                bytes.splice(at..at, line[below(random, 6)].iter().copied());
            }
            _ => bytes.rotate_left(at),
        }
    }
    bytes
}
