//! Entries of a log as a table, the newest first, a part of them at a time.

use schemas::entry::Entry;

use super::answer::Visit;
use crate::block::{Cell, Table, Window};
use crate::number;

/// The rows of a log up to entry `until` of `length`, at most `most` of them, with ways to the others. Words
/// for kinds stand under `words` and `entry-`.
pub fn table(
    visit: &Visit,
    entries: &[Entry],
    (until, length, most): (i64, i64, i64),
    words: &str,
) -> Table {
    let mut table = visit.table(
        "log",
        "entries",
        &["#number", "time", "kind", "detail", "subject"],
    );
    for entry in entries {
        let detail: Vec<String> = entry
            .detail
            .iter()
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        table.rows.push(vec![
            Cell::text(entry.sequence),
            Cell::text(number::moment(entry.at)),
            Cell::Text(kind(visit, words, entry.kind.as_str())),
            Cell::text(detail.join(" · ")),
            Cell::Code(entry.subject.short()),
        ]);
    }
    let before = until.saturating_sub(most);
    let address = |until: i64| visit.with(&[("until", &until.to_string())]);
    table.window = Some(Window {
        from: 0,
        most: usize::MAX,
        before: (until < length).then(|| {
            (
                address(until.saturating_add(most).min(length)),
                visit.say("newer"),
            )
        }),
        behind: (before > 0).then(|| (address(before), visit.say("older"))),
        told: String::new(),
    });
    table
}

/// A kind of entry in words, its own name where there are none.
fn kind(visit: &Visit, words: &str, kind: &str) -> String {
    let key = format!("{words}entry-{kind}");
    if visit.language.knows(&key) {
        visit.say(&key)
    } else {
        kind.to_owned()
    }
}
