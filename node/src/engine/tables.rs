//! The tables in the engine: one a dataset, and one that says which months are there. Names are fixed or
//! follow from the dictionary's; neither pseudonyms nor ids of stays are columns.

use schemas::dictionary::Dictionary;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::question::Dataset;

use super::dialect::Dialect;
use crate::store::columns::is_stored;

/// Which months are there, and whole.
pub(crate) const PARTS: &str = "consilium_parts";
/// The columns of [`PARTS`].
pub(crate) const PARTS_COLUMNS: &str = "part, held, dataset, fields";

/// What a column holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Holds {
    /// Digest of the month's files, in 63 bits.
    Part,
    /// Months since 1900-01.
    Month,
    /// Index of the case group.
    Group,
    /// Index of a dimension's key.
    Key(Slug),
    /// Amount of a field.
    Field(Slug),
    /// Rank of group, stay or month.
    Rank(&'static str),
}

/// A column of a dataset's table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) holds: Holds,
}

/// The table of a dataset.
pub(crate) fn table(dataset: Dataset) -> String {
    format!("consilium_{}", dataset.as_str())
}

/// ClickHouse clusters: the table on every shard.
pub(crate) fn shard(dataset: Dataset) -> String {
    format!("consilium_{}_shard", dataset.as_str())
}

/// The column of a stored dimension.
pub(crate) fn key(dimension: &Slug) -> String {
    named("k_", dimension)
}

/// The column of a field.
pub(crate) fn field(field: &Slug) -> String {
    named("f_", field)
}

/// Names that every engine takes as they stand; others by their digest.
fn named(before: &str, name: &Slug) -> String {
    let text = name.as_str();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if text.len() <= 48 && text.chars().all(plain) {
        return format!("{before}{text}");
    }
    let digest = Digest::of("consilium-column-v1", &[text.as_bytes()]).to_string();
    let digest: String = digest.chars().filter(char::is_ascii_hexdigit).collect();
    format!("{before}_{}", digest.get(..24).unwrap_or_default())
}

/// The columns of a dataset's table; `dictionary` is that of the dataset.
pub(crate) fn columns(dictionary: &Dictionary) -> Vec<Column> {
    let column = |name: &str, holds| Column {
        name: name.to_owned(),
        holds,
    };
    let mut columns = vec![
        column("part", Holds::Part),
        column("month", Holds::Month),
        column("case_group", Holds::Group),
    ];
    let stored = dictionary.dimensions.iter().filter(|one| is_stored(one));
    columns.extend(stored.map(|one| column(&key(&one.id), Holds::Key(one.id.clone()))));
    let fields = dictionary.fields.iter();
    columns.extend(fields.map(|one| column(&field(&one.id), Holds::Field(one.id.clone()))));
    let ranks = ["group_rank", "stay_rank", "series_rank"];
    columns.extend(ranks.map(|rank| column(rank, Holds::Rank(rank))));
    columns
}

/// Names of columns, with commas between them.
pub(crate) fn names(columns: &[Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    names.join(", ")
}

impl Column {
    /// Its type.
    pub(crate) fn kind(&self, dialect: Dialect) -> &'static str {
        let [postgres, maria, click] = match self.holds {
            Holds::Part => ["bigint", "bigint", "Int64"],
            Holds::Month => ["smallint", "smallint", "Int16"],
            Holds::Group | Holds::Key(_) => ["smallint", "smallint", "UInt16"],
            Holds::Field(_) => ["bigint", "int unsigned", "UInt32"],
            Holds::Rank(_) => ["smallint", "smallint", "UInt8"],
        };
        match dialect {
            Dialect::Postgres => postgres,
            Dialect::MariaDb => maria,
            Dialect::ClickHouse => click,
        }
    }

    /// Its definition.
    pub(crate) fn definition(&self, dialect: Dialect) -> String {
        let (name, kind) = (&self.name, self.kind(dialect));
        match dialect {
            Dialect::ClickHouse => format!("{name} {kind}"),
            _ => format!("{name} {kind} not null default 0"),
        }
    }
}

/// A statement that makes a table, and whether every shard gets it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Making {
    pub(crate) everywhere: bool,
    pub(crate) sql: String,
}

/// The statements that make what a dataset needs. `cluster`: name of ClickHouse's cluster and the database.
pub(crate) fn making(
    dialect: Dialect,
    cluster: Option<(&str, &str)>,
    dictionary: &Dictionary,
    dataset: Dataset,
) -> Vec<Making> {
    let columns = columns(dictionary);
    let definitions = columns.iter().map(|column| column.definition(dialect));
    let definitions = definitions.collect::<Vec<_>>().join(", ");
    let all = table(dataset);
    let one = |sql: String| Making {
        everywhere: false,
        sql,
    };
    let create = "create table if not exists";
    match (dialect, cluster) {
        (Dialect::Postgres, _) => vec![
            one(format!(
                "{create} {PARTS} (part bigint not null, held bigint not null, \
                 dataset varchar(20) not null, fields varchar(8000) not null)"
            )),
            one(format!("{create} {all} ({definitions})")),
            one(format!(
                "create index if not exists {all}_part on {all} using brin (part)"
            )),
        ],
        (Dialect::MariaDb, _) => vec![
            one(format!(
                "{create} {PARTS} (part bigint not null, held bigint not null, \
                 dataset varchar(20) not null, fields varchar(8000) not null)"
            )),
            one(format!(
                "{create} {all} ({definitions}, key {all}_part (part))"
            )),
        ],
        (Dialect::ClickHouse, None) => vec![
            one(clickhouse_parts()),
            one(format!(
                "{create} {all} ({definitions}) engine = MergeTree() partition by part order by case_group"
            )),
        ],
        (Dialect::ClickHouse, Some((cluster, database))) => {
            let shard = shard(dataset);
            vec![
                one(clickhouse_parts()),
                Making {
                    everywhere: true,
                    sql: format!(
                        "{create} {shard} ({definitions}) engine = MergeTree() partition by part \
                         order by case_group"
                    ),
                },
                one(format!(
                    "{create} {all} ({definitions}) engine = Distributed({cluster}, {database}, {shard})"
                )),
            ]
        }
    }
}

fn clickhouse_parts() -> String {
    format!(
        "create table if not exists {PARTS} (part Int64, held Int64, dataset String, fields String) \
         engine = MergeTree() partition by part order by part"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_of_a_strict_shape_whatever_the_dictionary_says() {
        for odd in ["Cost", "a-b", "9.x", "a.b", &"x".repeat(64)] {
            let name = field(&odd.parse().unwrap());
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(name.starts_with("f_") && name.len() <= 60, "{name}");
            assert!(name.chars().all(plain), "{name}");
        }
        assert_eq!(key(&"sex".parse().unwrap()), "k_sex");
        let apart = ["a-b", "a.b"].map(|odd| field(&odd.parse().unwrap()));
        assert_ne!(apart[0], apart[1]);
    }
}
