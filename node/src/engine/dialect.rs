//! How the three dialects differ. Everything that is put into a statement is a fixed word, a name of
//! [`super::tables`] or a number.

use std::fmt::Display;

/// Which SQL is spoken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// PostgreSQL.
    Postgres,
    /// MariaDB and what speaks its wire.
    MariaDb,
    /// ClickHouse, from 18.16 on: no window functions, `intDiv`, arrays.
    ClickHouse,
}

/// Numbers with commas between them.
pub(crate) fn list<T: Display>(numbers: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<String> = numbers.into_iter().map(|one| one.to_string()).collect();
    texts.join(", ")
}

impl Dialect {
    /// A column as a whole number of 64 bits.
    pub(crate) fn whole(self, column: &str) -> String {
        match self {
            Self::Postgres => format!("{column}::bigint"),
            Self::MariaDb => column.to_owned(),
            Self::ClickHouse => format!("toInt64({column})"),
        }
    }

    /// The value at place `by` of a list; `by` is bounded by the list's length elsewhere.
    pub(crate) fn lookup(self, by: &str, values: &[u64]) -> String {
        if let Some(first) = values.first()
            && values.iter().all(|value| value == first)
        {
            return match self {
                Self::Postgres => format!("{first}::bigint"),
                Self::MariaDb => first.to_string(),
                Self::ClickHouse => format!("toInt64({first})"),
            };
        }
        let values = list(values);
        match self {
            Self::Postgres => {
                let values = values.replace(' ', "");
                format!("('{{{values}}}'::bigint[])[{by} + 1]")
            }
            // `elt` takes its first argument's place in constant time; it is a text until cast.
            Self::MariaDb => format!("cast(elt({by} + 1, {values}) as unsigned)"),
            Self::ClickHouse => format!("toInt64(arrayElement([{values}], {by} + 1))"),
        }
    }

    /// Whole-number division, down; both are at least 0.
    pub(crate) fn divided(self, a: &str, b: &str) -> String {
        match self {
            Self::Postgres => format!("({a}) / ({b})"),
            Self::MariaDb => format!("({a}) div ({b})"),
            Self::ClickHouse => format!("intDiv({a}, {b})"),
        }
    }

    /// The place of the last of the rising edges that is not above a value; the first edge never is.
    pub(crate) fn bin(self, value: &str, edges: &[u32]) -> String {
        let joined = list(edges);
        match self {
            Self::Postgres => {
                let edges = joined.replace(' ', "");
                format!("width_bucket({value}, '{{{edges}}}'::bigint[]) - 1")
            }
            Self::MariaDb => format!("interval({value}, {joined}) - 1"),
            // Functions with a lambda cannot be grouped by there, and a chain of binary ones is named by
            // all of its text at every link: one flat function, the value named where it is met first.
            Self::ClickHouse => {
                let below = edges.iter().skip(1).enumerate().map(|(bin, edge)| {
                    let amount = if bin == 0 {
                        format!("({value} as amount)")
                    } else {
                        "amount".to_owned()
                    };
                    format!("{amount} < {edge}, {bin}")
                });
                let below: Vec<String> = below.collect();
                let last = below.len();
                if last == 0 {
                    return "toInt64(0)".to_owned();
                }
                format!("toInt64(multiIf({}, {last}))", below.join(", "))
            }
        }
    }

    /// A number as text, exactly.
    pub(crate) fn text(self, expression: &str) -> String {
        match self {
            Self::Postgres => format!("({expression})::text"),
            Self::MariaDb => format!("cast({expression} as char)"),
            Self::ClickHouse => format!("toString({expression})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_for_all_needs_no_list() {
        assert_eq!(Dialect::Postgres.lookup("case_group", &[7, 7]), "7::bigint");
        assert_eq!(
            Dialect::Postgres.lookup("case_group", &[7, 8]),
            "('{7,8}'::bigint[])[case_group + 1]"
        );
        assert_eq!(
            Dialect::MariaDb.lookup("case_group", &[7, 8]),
            "cast(elt(case_group + 1, 7, 8) as unsigned)"
        );
        assert_eq!(
            Dialect::ClickHouse.lookup("case_group", &[7, 8]),
            "toInt64(arrayElement([7, 8], case_group + 1))"
        );
    }
}
