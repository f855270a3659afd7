//! What a what-if changed: rules and inputs against those of its baseline, field by field.

use std::io::Write;

use policies::year::{Computed, Published, Rules, Year};
use schemas::year::Matter;
use serde::Serialize;
use serde_json::Value;

/// Most changes that are named; the others are counted.
const NAMED: usize = 12;

/// Fields in which two values differ: where, what it was, what it is.
fn differences(path: &str, (before, now): (&Value, &Value), found: &mut Vec<String>) {
    match (before, now) {
        (Value::Object(old), Value::Object(new)) => {
            let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let at = format!("{path}.{name}");
                let of = |map: &serde_json::Map<String, Value>| {
                    map.get(name).cloned().unwrap_or(Value::Null)
                };
                differences(&at, (&of(old), &of(new)), found);
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            for place in 0..old.len().max(new.len()) {
                let of = |list: &[Value]| list.get(place).cloned().unwrap_or(Value::Null);
                let (old, new) = (of(old), of(new));
                let name = [&new, &old]
                    .into_iter()
                    .find_map(|one| one.get("id")?.as_str());
                let name = name.map_or_else(|| place.to_string(), str::to_owned);
                differences(&format!("{path}.{name}"), (&old, &new), found);
            }
        }
        _ if before == now => {}
        _ => {
            let (old, new) = (short(before), short(now));
            found.push(format!("{path}: {new}, before {old}"));
        }
    }
}

/// A value in few letters.
fn short(of: &Value) -> String {
    match of {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.chars().take(40).collect(),
        Value::Object(_) | Value::Array(_) => "a list".to_owned(),
        other => other.to_string(),
    }
}

fn tree(of: &impl Serialize) -> Value {
    serde_json::to_value(of).unwrap_or_default()
}

/// The newest result about a matter with its inputs, as the year stands; of plans the one that is looked at.
pub(super) fn baseline<'a>(
    kept: &'a Published,
    stands: &Year,
    matter: Matter,
) -> Option<(&'a str, &'a Computed)> {
    let newest = kept.newest(stands, matter)?;
    Some((newest.inputs.as_str(), &newest.computed))
}

/// Heads a what-if: against what it stands, and what was changed.
pub(super) fn head(
    (kept, stands, matter): (&Published, &Year, Matter),
    (rules, inputs): (&Rules, &str),
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let (year, name) = (stands.number, matter.as_str());
    writeln!(
        out,
        "what if: {name} of {year}; nothing is proposed, no allowance is spent"
    )?;
    let mut found = Vec::new();
    differences("rules", (&tree(&kept.rules), &tree(rules)), &mut found);
    let course = match matter {
        Matter::Plan => stands.shown_plan(),
        _ => stands.matters.get(&matter),
    };
    match (course, baseline(kept, stands, matter)) {
        (Some(course), Some((before, _))) => {
            let state = super::show::state(course);
            writeln!(
                out,
                "baseline: {name} version {}, {state}, result {}",
                course.version, course.result
            )?;
            let read = |text| serde_json::from_str::<Value>(text).unwrap_or_default();
            differences("inputs", (&read(before), &read(inputs)), &mut found);
        }
        _ => writeln!(
            out,
            "baseline: none, no {name} is proposed; rules against the year's"
        )?,
    }
    if found.is_empty() {
        writeln!(out, "changed: nothing")?;
    }
    for one in found.iter().take(NAMED) {
        writeln!(out, "changed: {one}")?;
    }
    if found.len() > NAMED {
        let more = found.len().saturating_sub(NAMED);
        writeln!(out, "changed: {more} more fields")?;
    }
    Ok(())
}

/// What a what-if leaves out.
pub(super) fn foot(matter: Matter, out: &mut dyn Write) -> anyhow::Result<()> {
    let others = Matter::ALL.into_iter().filter(|other| *other != matter);
    let others: Vec<&str> = others.map(Matter::as_str).collect();
    writeln!(
        out,
        "not covered: what would follow for {}, and what members would do differently",
        others.join(", ")
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_differs_is_named_with_its_place() {
        let before = json!({"alpha": "0.60", "same": 1, "factors": [{"id": "stays", "weight": "0.5"}], "gone": true});
        let now = json!({"alpha": "0.40", "same": 1, "factors": [{"id": "stays", "weight": "0.7"}, {"id": "new"}]});
        let mut found = Vec::new();
        differences("budget", (&before, &now), &mut found);
        assert_eq!(
            found,
            [
                "budget.alpha: 0.40, before 0.60",
                "budget.factors.stays.weight: 0.7, before 0.5",
                "budget.factors.new: a list, before nothing",
                "budget.gone: nothing, before true",
            ]
        );
    }
}
