//! Sound inputs, spoilt so that they cannot be read.

use schemas::dictionary::Dictionary;
use serde_json::Value;

use super::SECRET;
use crate::hospital::{Line, dictionary, file};
use crate::simulated::Source;

pub(super) fn below(random: &mut Source, limit: usize) -> usize {
    ((random.uniform() * limit as f64) as usize).min(limit - 1)
}

/// A message in canonical form, spoilt in one of eleven ways; none of them can be a message.
pub(super) fn spoilt(sound: &[u8], kind: usize, random: &mut Source) -> Vec<u8> {
    let text = String::from_utf8(sound.to_vec()).unwrap();
    let tree: Value = serde_json::from_slice(sound).unwrap();
    let fields = tree.as_object().unwrap();
    let name = fields
        .keys()
        .nth(below(random, fields.len()))
        .unwrap()
        .clone();
    let replaced = |value: &str| {
        let mut parts: Vec<String> = Vec::new();
        for (key, old) in fields {
            let value = if *key == name {
                value.to_owned()
            } else {
                old.to_string()
            };
            parts.push(format!("\"{key}\":{value}"));
        }
        format!("{{{}}}", parts.join(",")).into_bytes()
    };
    let inserted = |byte: u8, at: usize| {
        let mut bytes = sound.to_vec();
        bytes.insert(at, byte);
        bytes
    };
    match kind % 11 {
        0 => sound[..below(random, sound.len())].to_vec(),
        1 => inserted(0, below(random, sound.len())),
        2 => inserted(0xff, below(random, sound.len())),
        3 => text
            .replacen('{', &format!("{{\"{SECRET}\":\"{SECRET}\","), 1)
            .into_bytes(),
        4 => text
            .replacen('{', &format!("{{\"{name}\":{},", fields[&name]), 1)
            .into_bytes(),
        5 => replaced(&format!("[[\"{SECRET}\"]]")),
        6 => {
            let mut fewer = fields.clone();
            fewer.remove(&name);
            serde_json::to_vec(&fewer).unwrap()
        }
        7 => replaced(&format!(
            "{}\"{SECRET}\"{}",
            "[".repeat(100),
            "]".repeat(100)
        )),
        8 => replaced("41114111411141114111411141114111"),
        9 => replaced("4111e400"),
        _ => format!("\"{SECRET}\"").into_bytes(),
    }
}

/// A TOML file with one value spoilt; any line with a value will do.
pub(super) fn spoilt_toml(sound: &str, kind: usize, random: &mut Source) -> String {
    let lines: Vec<&str> = sound.lines().collect();
    let valued: Vec<usize> = (0..lines.len())
        .filter(|n| lines[*n].contains(" = ") && !lines[*n].starts_with('#'))
        .collect();
    let chosen = valued[below(random, valued.len())];
    let name = lines[chosen].split_once(" = ").unwrap().0;
    let line = match kind % 7 {
        0 => format!("{name} = {{ x = \"{SECRET}\" }}"),
        1 => format!("{name} = [[[\"{SECRET}\"]]]"),
        2 => format!("{name} = \"{SECRET}"),
        3 => format!("{name} = 4111-01-01"),
        4 => format!("{name} = 41114111411141114111411141114111"),
        5 => format!("{name} = \u{0}{SECRET}"),
        _ => format!(
            "x{chosen} = \"{SECRET}\"\n{}\n{}",
            lines[chosen], lines[chosen]
        ),
    };
    let mut lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
    lines[chosen] = line;
    lines.join("\n")
}

/// Dictionaries that can be read and break a rule.
pub(super) fn unsound() -> Vec<Dictionary> {
    let changes: [fn(&mut Dictionary); 16] = [
        |d| d.currency = SECRET.to_owned(),
        |d| d.cap = 0,
        |d| d.max_rows = 0,
        |d| d.groups.clear(),
        |d| d.groups.reverse(),
        |d| d.groups.insert(0, d.groups[0].clone()),
        |d| d.groups[0].references.cost = 0,
        |d| d.groups[1].references.charge = u64::MAX,
        |d| d.groups[2].references.stay = 0,
        |d| d.dimensions.clear(),
        |d| d.dimensions.push(d.dimensions[3].clone()),
        |d| d.dimensions[3].keys.clear(),
        |d| d.fields[0].most = 0,
        |d| d.fields[0].most = u32::MAX,
        |d| d.fields.push(d.fields[0].clone()),
        |d| d.bin_edges.reverse(),
    ];
    let changed = |change: &fn(&mut Dictionary)| {
        let mut dictionary = dictionary();
        dictionary.version = 2;
        change(&mut dictionary);
        dictionary
    };
    changes.iter().map(changed).collect()
}

/// A value that no column of that name can hold.
pub(super) const BAD_VALUES: [(&str, &str, &str); 20] = [
    ("total_cost", "秘密4111", "amount"),
    ("total_cost", "4111秘密.00", "amount"),
    ("total_cost", "-4111.00", "negative"),
    ("total_cost", "4111411141114111.00", "range"),
    ("total_cost", "4111.00", "total-parts"),
    ("total_charges", "秘密4111", "amount"),
    ("cost_staff", "秘密4111", "amount"),
    ("cost_drugs", "", "required"),
    ("discharge_date", "秘密4111", "date"),
    ("discharge_date", "2025-02-30", "date"),
    ("discharge_date", "20250201", "date"),
    ("discharge_date", "2026-12-01", "date-range"),
    ("discharge_date", "1980-02-01", "date-range"),
    ("discharge_date", "2025-01-01", "date-order"),
    ("admission_date", "秘密4111", "date"),
    ("birth_date", "2025-12-31", "date-order"),
    ("birth_date", "秘密4111", "date"),
    ("patient_id", "", "required"),
    ("settlement_no", "", "required"),
    ("drg", "秘密4111", "code-shape"),
];

pub(super) fn sound_line(number: usize) -> Line {
    Line::new(
        &format!("P{number}"),
        &format!("S{number}"),
        3,
        "JR19",
        5_000,
    )
}

pub(super) fn column(name: &str) -> &'static str {
    let mut all = node::synth::HEADER.into_iter();
    all.find(|column| *column == name).unwrap()
}

/// Files of which nothing can be kept.
pub(super) fn bad_csv(kind: usize, random: &mut Source) -> Vec<u8> {
    let rows = 1 + below(random, 5);
    let sound = file(&(0..rows).map(sound_line).collect::<Vec<_>>());
    let text = String::from_utf8(sound.clone()).unwrap();
    let (_, body) = text.split_once('\n').unwrap();
    let mapped = [
        "patient_id",
        "total_cost",
        "drg",
        "discharge_date",
        "sex",
        "cost_other",
    ];
    let name = mapped[below(random, mapped.len())];
    match kind % 10 {
        0 => text.replacen(name, SECRET, 1).into_bytes(),
        1 => text
            .replacen(name, &format!("{name},{name}"), 1)
            .into_bytes(),
        2 => [&[0xff, 0xfe], &sound[..]].concat(),
        3 => body.as_bytes().to_vec(),
        4 => sound[..text.find('\n').unwrap() + 1].to_vec(),
        5 => [
            &sound[..text.find('\n').unwrap() + 1],
            &[b'"'; 1],
            &[b'4'; 2_000_000],
        ]
        .concat(),
        6 => body
            .bytes()
            .map(|b| if b == b'\n' { 0 } else { b })
            .collect(),
        _ => {
            let (name, value, _) = BAD_VALUES[below(random, BAD_VALUES.len())];
            let lines: Vec<Line> = (0..rows)
                .map(|n| sound_line(n).with(column(name), value))
                .collect();
            file(&lines)
        }
    }
}
