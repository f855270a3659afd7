//! The part of a draft on a view: its key and its watermark.

use super::{Draft, UNKNOWN, names};
use crate::ingest::sql::View;

/// What columns of the last change are called.
const WATERMARKS: [&str; 10] = [
    "watermark",
    "updated_at",
    "update_time",
    "upd_time",
    "changed_at",
    "modified_at",
    "last_modified",
    "更新时间",
    "修改时间",
    "最后修改时间",
];

impl Draft<'_> {
    /// Says which view is read, and by what its rows are told apart and found new.
    pub(super) fn view(&mut self, view: &View) {
        let quoted = |name: &str| toml::Value::String(name.to_owned()).to_string();
        self.say("\n[source]");
        self.say(&format!("view = {}", quoted(view.name())));
        let settlement = self.find("settlement");
        let key = self.quoted(settlement);
        self.say(&format!(
            "key = [{key}] # by the column's name; the columns that tell rows apart"
        ));
        let all = view.header().iter().chain(view.unread());
        let found = all
            .clone()
            .find(|column| WATERMARKS.iter().any(|name| names::is(column, name)));
        let name = found.map_or(UNKNOWN, String::as_str);
        if let Some(place) = self.header.iter().position(|column| column == name) {
            self.used.insert(place);
        }
        self.say(&format!(
            "watermark = {} # a time or number that is higher in every new or changed row",
            quoted(name)
        ));
        for column in view.unread().iter().filter(|column| *column != name) {
            self.say(&format!(
                "# {}: of a type or name that is not read",
                schemas::shown::line(column)
            ));
        }
    }
}
