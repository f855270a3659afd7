//! The two dialects: how columns are listed, written as text and compared. Statements are built from quoted
//! names and fixed words only; values are always bound.

use super::name::{Name, ViewName};

/// Longest value of a column, in characters; a longer one is refused, not cut.
pub(super) const MOST_CHARS: usize = 65_536;

/// Which protocol is spoken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wire {
    /// PostgreSQL.
    Postgres,
    /// MySQL, MariaDB.
    MySql,
}

/// What a column holds, as far as its text needs it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Text,
    Whole,
    Decimal,
    Float,
    Flag,
    Date,
    /// A date and time without a zone.
    Time,
    /// A moment, whose date depends on a zone: a watermark, never a value.
    Moment,
}

impl Kind {
    /// Whether it may be a watermark: what counts or a time, so that it has one order everywhere.
    pub(super) fn is_watermark(self) -> bool {
        matches!(
            self,
            Self::Whole | Self::Decimal | Self::Date | Self::Time | Self::Moment
        )
    }
}

impl Wire {
    /// The statement that lists a view's columns and their types, and what is bound to it.
    pub(super) fn columns(self, view: &ViewName) -> (&'static str, Vec<String>) {
        match (self, &view.schema) {
            (Self::Postgres, _) => (
                "select a.attname::text, case when t.typtype = 'e' then 'text' \
                 else format_type(coalesce(nullif(t.typbasetype, 0), t.oid), null)::text end \
                 from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid \
                 where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped \
                 order by a.attnum",
                vec![view.quoted(self)],
            ),
            (Self::MySql, Some(schema)) => (
                "select cast(column_name as char), cast(data_type as char) \
                 from information_schema.columns \
                 where table_schema = ? and table_name = ? order by ordinal_position",
                vec![schema.text().to_owned(), view.view.text().to_owned()],
            ),
            (Self::MySql, None) => (
                "select cast(column_name as char), cast(data_type as char) \
                 from information_schema.columns \
                 where table_schema = database() and table_name = ? order by ordinal_position",
                vec![view.view.text().to_owned()],
            ),
        }
    }

    /// What a type of the server holds; `None` where it is not read.
    pub(super) fn kind(self, name: &str) -> Option<Kind> {
        Some(match (self, name) {
            (Self::Postgres, "text" | "character varying" | "character" | "name" | "uuid")
            | (
                Self::MySql,
                "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum",
            ) => Kind::Text,
            (_, "smallint" | "integer" | "bigint")
            | (Self::MySql, "tinyint" | "mediumint" | "int" | "year") => Kind::Whole,
            (Self::Postgres, "numeric") | (Self::MySql, "decimal") => Kind::Decimal,
            (Self::Postgres, "real" | "double precision") | (Self::MySql, "float" | "double") => {
                Kind::Float
            }
            (Self::Postgres, "boolean") => Kind::Flag,
            (_, "date") => Kind::Date,
            (Self::Postgres, "timestamp without time zone") | (Self::MySql, "datetime") => {
                Kind::Time
            }
            (Self::Postgres, "timestamp with time zone") | (Self::MySql, "timestamp") => {
                Kind::Moment
            }
            _ => return None,
        })
    }

    /// What begins one consistent, read-only picture of the view.
    pub(super) fn begin(self) -> &'static [&'static str] {
        match self {
            // Notices of the server may hold values; none is sent.
            Self::Postgres => &[
                "set client_min_messages = error",
                "rollback",
                "begin transaction isolation level repeatable read read only",
            ],
            Self::MySql => &[
                "rollback",
                "set session transaction isolation level repeatable read",
                "start transaction with consistent snapshot, read only",
            ],
        }
    }

    /// An expression as text.
    pub(super) fn text(self, expression: &str) -> String {
        match self {
            Self::Postgres => format!("({expression})::text"),
            Self::MySql => format!("cast({expression} as char)"),
        }
    }

    /// A column as text, one character longer than allowed at the most.
    pub(super) fn value(self, column: &Name) -> String {
        format!(
            "left({}, {})",
            self.text(&column.quoted(self)),
            MOST_CHARS + 1
        )
    }

    /// The bound value of a number, read as text and compared as what it is.
    pub(super) fn bound(self, number: usize, kind: Kind) -> String {
        let (postgres, mysql) = match kind {
            Kind::Whole | Kind::Decimal | Kind::Float => ("numeric", "decimal(65, 10)"),
            Kind::Date => ("date", "date"),
            Kind::Time => ("timestamp", "datetime(6)"),
            Kind::Moment => ("timestamptz", "datetime(6)"),
            Kind::Text | Kind::Flag => ("text", "char"),
        };
        match self {
            Self::Postgres => format!("${number}::text::{postgres}"),
            Self::MySql => format!("cast(? as {mysql})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_hold_quoted_names_and_bound_values_only() {
        let column = Name::new("出院").unwrap();
        assert_eq!(
            Wire::Postgres.value(&column),
            "left((\"出院\")::text, 65537)"
        );
        assert_eq!(
            Wire::MySql.value(&column),
            "left(cast(`出院` as char), 65537)"
        );
        assert_eq!(Wire::Postgres.bound(2, Kind::Date), "$2::text::date");
        assert_eq!(Wire::MySql.bound(2, Kind::Date), "cast(? as date)");
    }

    #[test]
    fn what_has_no_one_text_or_order_is_not_read() {
        for wire in [Wire::Postgres, Wire::MySql] {
            for odd in [
                "json",
                "bytea",
                "blob",
                "bit",
                "interval",
                "integer[]",
                "time",
            ] {
                assert_eq!(wire.kind(odd), None, "{odd}");
            }
        }
        assert!(!Kind::Text.is_watermark() && !Kind::Float.is_watermark());
        assert!(Kind::Moment.is_watermark());
    }
}
