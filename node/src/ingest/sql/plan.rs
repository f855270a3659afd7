//! What is read of a view: the columns that the mapping names, in the order of watermark and key, and the
//! statements for it.

use std::collections::BTreeSet;

use schemas::time::Month;

use super::SqlError;
use super::name::{Name, ViewName};
use super::wire::{Kind, Wire};
use crate::ingest::amount;
use crate::ingest::date::{Date, DateFormat};
use crate::store::marks::Mark;

/// What is read of a view.
pub(super) struct Plan {
    pub(super) wire: Wire,
    pub(super) view: ViewName,
    /// The columns that rows are made of.
    pub(super) columns: Vec<Name>,
    pub(super) key: Vec<Name>,
    pub(super) watermark: Option<(Name, Kind)>,
    pub(super) settled: Option<Settled>,
}

/// The column that says in which month a row was settled.
#[derive(Clone)]
pub(super) struct Settled {
    pub(super) name: Name,
    pub(super) kind: Kind,
    /// Its place in a row.
    pub(super) place: usize,
    /// How it is written; `None` for a year.
    pub(super) format: Option<DateFormat>,
}

impl Settled {
    /// The month of a value; `None` where it is none.
    pub(super) fn month(&self, value: &[u8]) -> Option<Month> {
        let value = value.trim_ascii();
        if let Some(format) = self.format {
            return Date::parse(value, format)?.month();
        }
        let year = u16::try_from(amount::whole(value).ok()?).ok()?;
        Month::new(year, 12).ok()
    }
}

/// A statement with what is bound to it.
pub(super) type Statement = (String, Vec<String>);

impl Plan {
    fn count_text(&self) -> String {
        self.wire.text("count(*)")
    }

    fn from(&self) -> String {
        format!("from {}", self.view.quoted(self.wire))
    }

    /// Rows, rows without key or watermark, the greatest watermark, and whether it is below `last`.
    pub(super) fn survey(&self, (name, kind): &(Name, Kind), last: Option<&Mark>) -> Statement {
        let wire = self.wire;
        let mark = name.quoted(wire);
        let empty = self.key.iter().chain([name]);
        let empty: Vec<String> = empty
            .map(|name| format!("{} is null", name.quoted(wire)))
            .collect();
        let empty = wire.text(&format!(
            "count(case when {} then 1 end)",
            empty.join(" or ")
        ));
        let below = last.map_or_else(
            || "'0'".to_owned(),
            |_| {
                let bound = wire.bound(1, *kind);
                format!("case when max({mark}) < {bound} then '1' else '0' end")
            },
        );
        let sql = format!(
            "select {}, {empty}, {}, {below} {}",
            self.count_text(),
            wire.text(&format!("max({mark})")),
            self.from()
        );
        (sql, last.iter().map(|mark| mark.text.clone()).collect())
    }

    /// Rows at a watermark.
    pub(super) fn at(&self, (name, kind): &(Name, Kind), mark: &str) -> Statement {
        let sql = format!(
            "select {} {} where {} = {}",
            self.count_text(),
            self.from(),
            name.quoted(self.wire),
            self.wire.bound(1, *kind)
        );
        (sql, vec![mark.to_owned()])
    }

    /// When the rows were settled whose watermark is above `last` (or at it, where `again`).
    pub(super) fn touched(&self, settled: &Settled, last: Option<&Mark>, again: bool) -> Statement {
        let wire = self.wire;
        let day = format!("left({}, 10)", wire.text(&settled.name.quoted(wire)));
        let mut sql = format!("select distinct {day} {}", self.from());
        let mut bound = Vec::new();
        if let (Some(last), Some((name, kind))) = (last, &self.watermark) {
            let above = if again { ">=" } else { ">" };
            let value = wire.bound(1, *kind);
            sql = format!("{sql} where {} {above} {value}", name.quoted(wire));
            bound.push(last.text.clone());
        }
        (sql, bound)
    }

    /// The rows, those of the latest watermark first; of an incremental load those that may be of its
    /// months.
    pub(super) fn rows(&self, months: Option<&BTreeSet<Month>>, most: Option<u64>) -> Statement {
        let wire = self.wire;
        let values: Vec<String> = self.columns.iter().map(|name| wire.value(name)).collect();
        let mut sql = format!("select {} {}", values.join(", "), self.from());
        let mut bound = Vec::new();
        let dated = self
            .settled
            .as_ref()
            .filter(|settled| matches!(settled.kind, Kind::Date | Kind::Time));
        if let (Some(settled), Some((first, after))) = (dated, months.and_then(range)) {
            let day = settled.name.quoted(wire);
            let (from, to) = (wire.bound(1, settled.kind), wire.bound(2, settled.kind));
            sql = format!("{sql} where {day} is null or ({day} >= {from} and {day} < {to})");
            bound.extend([first, after]);
        }
        if let Some((watermark, _)) = &self.watermark {
            let mut order = vec![format!("{} desc", watermark.quoted(wire))];
            order.extend(self.key.iter().map(|name| name.quoted(wire)));
            sql = format!("{sql} order by {}", order.join(", "));
        }
        if let Some(most) = most {
            sql = format!("{sql} limit {most}");
        }
        (sql, bound)
    }
}

/// The first day of the months, and the first after them.
fn range(months: &BTreeSet<Month>) -> Option<(String, String)> {
    let (first, last) = (months.first()?, months.last()?);
    Some((format!("{first}-01"), format!("{}-01", last.next()?)))
}

/// A count that came as text.
pub(super) fn count(value: Option<&Option<String>>) -> Result<u64, SqlError> {
    let text = value.and_then(Option::as_deref);
    text.and_then(|text| text.parse().ok())
        .ok_or(SqlError::Answer)
}
