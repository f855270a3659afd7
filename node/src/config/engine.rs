//! Where columns are scanned: by the node itself, or by an engine that the hospital has (`[columns]`).

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// An engine that the hospital has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// Which kind.
    pub engine: EngineKind,
    /// File of mode 0600 that holds its URL, user and password among it; for a cluster of ClickHouse one URL
    /// a shard and line, the first is asked. Relative to the folder of node.toml.
    pub url_file: PathBuf,
    /// ClickHouse: name of the cluster in its own settings, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
}

/// Kinds of engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// PostgreSQL's wire: PostgreSQL, Citus, Greenplum.
    Postgresql,
    /// MySQL's wire: MariaDB, TiDB, Doris, StarRocks.
    Mariadb,
    /// ClickHouse's HTTP interface.
    Clickhouse,
}

impl Columns {
    /// The rule that is broken, if any.
    pub(super) fn broken(&self) -> Option<(&'static str, &'static str)> {
        if self.url_file.as_os_str().is_empty() {
            return Some((
                "columns.url_file",
                "names a file that holds the engine's URL",
            ));
        }
        let name = self.cluster.as_ref()?;
        if self.engine != EngineKind::Clickhouse {
            return Some(("columns.cluster", "only with engine = \"clickhouse\""));
        }
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
        if begins && name.len() <= 60 && name.chars().all(plain) {
            return None;
        }
        Some(("columns.cluster", "1 to 60 of a-z 0-9 _, a letter first"))
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn told(columns: &str) -> String {
        let text = format!("hospital = \"h\"\n[columns]\n{columns}");
        Config::parse(&text).map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test]
    fn one_setting_names_the_engine_and_wrong_ones_are_told() {
        assert_eq!(
            told("engine = \"postgresql\"\nurl_file = \"engine.url\""),
            ""
        );
        assert_eq!(
            told("engine = \"clickhouse\"\nurl_file = \"u\"\ncluster = \"two\""),
            ""
        );
        for (wrong, says) in [
            ("engine = \"oracle\"\nurl_file = \"u\"", "postgresql"),
            ("engine = \"mariadb\"", "url_file"),
            ("engine = \"mariadb\"\nurl_file = \"\"", "columns.url_file"),
            (
                "engine = \"mariadb\"\nurl_file = \"u\"\ncluster = \"c\"",
                "columns.cluster",
            ),
            (
                "engine = \"clickhouse\"\nurl_file = \"u\"\ncluster = \"a b\"",
                "columns.cluster",
            ),
            ("engine = \"mariadb\"\nurl_file = \"u\"\nurl = \"x\"", "url"),
        ] {
            assert!(told(wrong).contains(says), "{wrong}: {}", told(wrong));
        }
    }
}
