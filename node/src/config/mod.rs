//! The node's settings (`node.toml`) and its secret keys.

mod engine;
pub mod environment;
pub mod keys;

pub use engine::{Columns, EngineKind};

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use schemas::answer::Grade;
use schemas::id::Slug;
use schemas::written;
use serde::{Deserialize, Serialize};

/// The page of early warnings below the data folder.
pub const WARNINGS_PAGE: &str = "warnings.html";

/// Name of the settings file in the data folder.
pub const FILE: &str = "node.toml";

/// Below the data folder: files as they came, until they are loaded.
pub const INCOMING: &str = "incoming";

/// The settings of one node. Unknown keys are refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The hospital, as the alliance names it.
    pub hospital: Slug,
    /// Where columns, state and keys are kept; relative to the folder of this file.
    #[serde(default = "here")]
    pub data: PathBuf,
    /// Address of the coordinator, `https://host:port`; absent until the node has joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordinator: Option<String>,
    /// HTTP proxy for the way out, `http://host:port`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// Where the node's own pages listen: a loopback address (rule NODE-2).
    #[serde(default = "own_pages")]
    pub listen: SocketAddr,
    /// Names, beside those of this machine, under which a proxy on it leads browsers to the pages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages_hosts: Vec<String>,
    /// Replies leave at whole multiples of so many milliseconds after their round arrived, 1 to
    /// 60,000: how long an answer took does not show below it.
    #[serde(default = "one_second")]
    pub release_tick_ms: u32,
    /// How a month's data are judged.
    #[serde(default)]
    pub quality: Quality,
    /// What the data officer's work is held to.
    #[serde(default)]
    pub stewardship: Stewardship,
    /// An engine that the hospital has and that scans the columns; left out, the node does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Columns>,
}

/// What the data officer's work is held to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stewardship {
    /// Whether a month is released only after `dataset validate` and `dataset deidentify`; else the release
    /// stands for both.
    pub each_step: bool,
    /// Whether a month is released only while a data-use agreement is in force.
    pub needs_agreement: bool,
    /// Months that are kept after their end, 1 to 600; for ever where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_months: Option<u16>,
}

/// How a month's data are judged.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quality {
    /// Days after a month's end within which its load counts as timely, 1 to 366.
    pub timely_days: u16,
    /// Dimensions by which a person could be recognised, for the k-anonymity report.
    pub quasi_identifiers: Vec<Slug>,
    /// Classes with fewer stays than this are reported as small, 2 to 100: the least k.
    pub small_class: u32,
    /// The least l: case groups of every class, 1 to 100.
    pub least_groups: u32,
    /// The most t, in thousandths, 0 to 1000.
    pub closeness_permille: u16,
    /// Above so many thousandths the risk of a row (1 / stays of its class) is counted as high, 1 to
    /// 1000.
    pub risk_permille: u16,
    /// A month with fewer stays is a small one: its report also says what each quasi-identifier tells
    /// apart; 0 to 100,000.
    pub small_month: u32,
    /// The least grade, by the last `quality run`, with which a month is released without finance's
    /// signature; nothing is asked for where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_grade: Option<Grade>,
}

impl Default for Quality {
    fn default() -> Self {
        let names = ["age_band", "sex", "district", "insurance"];
        Self {
            timely_days: 45,
            quasi_identifiers: names.iter().filter_map(|name| name.parse().ok()).collect(),
            small_class: 5,
            least_groups: 2,
            closeness_permille: 300,
            risk_permille: 50,
            small_month: 200,
            least_grade: None,
        }
    }
}

/// Why settings or keys are refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file or folder could not be read or written.
    #[error("`{path}` could not be read or written")]
    Io {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML of the expected shape.
    #[error("node.toml: {0}")]
    Shape(String),
    /// A setting breaks its rule.
    #[error("node.toml: {field}: {rule}")]
    Rule {
        /// Which setting.
        field: &'static str,
        /// What must hold.
        rule: &'static str,
    },
    /// A key file is damaged, missing where data depend on it, or open to others.
    #[error("key `{name}`: {rule}")]
    Key {
        /// File name of the key.
        name: String,
        /// What must hold.
        rule: &'static str,
    },
    /// The random source gave nothing.
    #[error("the system's random source failed")]
    Random,
}

impl ConfigError {
    fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        |source| Self::Io {
            path: path.display().to_string(),
            source,
        }
    }
}

fn told(text: &str, error: &toml::de::Error) -> String {
    written::fault(text, error.message(), error.span().map(|span| span.start))
}

fn here() -> PathBuf {
    PathBuf::from(".")
}

fn one_second() -> u32 {
    1000
}

fn own_pages() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8710))
}

impl Config {
    /// Settings of a new node.
    pub fn new(hospital: Slug) -> Self {
        Self {
            hospital,
            data: here(),
            coordinator: None,
            proxy: None,
            listen: own_pages(),
            pages_hosts: Vec::new(),
            release_tick_ms: one_second(),
            quality: Quality::default(),
            stewardship: Stewardship::default(),
            columns: None,
        }
    }

    /// Reads `node.toml` in a folder; [`Self::data`] becomes a full path.
    pub fn read(folder: &Path) -> Result<Self, ConfigError> {
        let path = folder.join(FILE);
        let text = fs::read_to_string(&path).map_err(ConfigError::io(&path))?;
        let mut config = Self::parse(&text)?;
        config.data = folder.join(&config.data);
        if let Some(columns) = &mut config.columns {
            columns.url_file = folder.join(&columns.url_file);
        }
        Ok(config)
    }

    /// Reads and checks settings.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self =
            toml::from_str(text).map_err(|error| ConfigError::Shape(told(text, &error)))?;
        let rule = |holds: bool, field, rule| {
            if holds {
                Ok(())
            } else {
                Err(ConfigError::Rule { field, rule })
            }
        };
        rule(
            (1..=60_000).contains(&config.release_tick_ms),
            "release_tick_ms",
            "from 1 to 60,000",
        )?;
        rule(
            config.listen.ip().is_loopback(),
            "listen",
            "a loopback address",
        )?;
        let named = |host: &String| {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
            (1..=253).contains(&host.len()) && host.chars().all(plain)
        };
        rule(
            config.pages_hosts.len() <= 8 && config.pages_hosts.iter().all(named),
            "pages_hosts",
            "at most 8 names of hosts, without scheme and port",
        )?;
        let https = config.coordinator.as_ref();
        rule(
            https.is_none_or(|url| url.starts_with("https://")),
            "coordinator",
            "begins with https://",
        )?;
        let proxy = config.proxy.as_ref();
        rule(
            proxy.is_none_or(|url| url.starts_with("http://") || url.starts_with("https://")),
            "proxy",
            "begins with http:// or https://",
        )?;
        let kept = config.stewardship.retention_months;
        rule(
            kept.is_none_or(|months| (1..=600).contains(&months)),
            "stewardship.retention_months",
            "from 1 to 600",
        )?;
        let quality = &config.quality;
        rule(
            (1..=366).contains(&quality.timely_days),
            "quality.timely_days",
            "from 1 to 366",
        )?;
        rule(
            (2..=100).contains(&quality.small_class),
            "quality.small_class",
            "from 2 to 100",
        )?;
        rule(
            (1..=100).contains(&quality.least_groups),
            "quality.least_groups",
            "from 1 to 100",
        )?;
        rule(
            quality.closeness_permille <= 1000,
            "quality.closeness_permille",
            "from 0 to 1000",
        )?;
        rule(
            (1..=1000).contains(&quality.risk_permille),
            "quality.risk_permille",
            "from 1 to 1000",
        )?;
        rule(
            quality.small_month <= 100_000,
            "quality.small_month",
            "from 0 to 100,000",
        )?;
        rule(
            (1..=4).contains(&quality.quasi_identifiers.len()),
            "quality.quasi_identifiers",
            "from 1 to 4 dimensions",
        )?;
        if let Some((field, rule)) = config.columns.as_ref().and_then(Columns::broken) {
            return Err(ConfigError::Rule { field, rule });
        }
        Ok(config)
    }

    /// Writes `node.toml` into a folder; refuses to replace one.
    pub fn write_new(&self, folder: &Path) -> Result<(), ConfigError> {
        let path = folder.join(FILE);
        let text = toml::to_string(self)
            .map_err(|_| ConfigError::Shape("cannot be written".to_owned()))?;
        let head = "# Settings of this node; every field is explained in node.example.toml.\n";
        keys::write_whole(&path, format!("{head}{text}").as_bytes()).map_err(ConfigError::io(&path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_example_is_read_and_names_every_field() {
        let text = include_str!("../../../deploy/node.example.toml");
        let config = Config::parse(text).unwrap();
        assert!(config.coordinator.is_some() && config.proxy.is_some());
        let whole: toml::Table = toml::from_str(text).unwrap();
        let written: toml::Table = toml::from_str(&toml::to_string(&config).unwrap()).unwrap();
        assert_eq!(
            whole.keys().collect::<Vec<_>>(),
            written.keys().collect::<Vec<_>>()
        );
        assert_eq!(
            whole["quality"]
                .as_table()
                .unwrap()
                .keys()
                .collect::<Vec<_>>(),
            written["quality"]
                .as_table()
                .unwrap()
                .keys()
                .collect::<Vec<_>>()
        );
    }

    #[test]
    fn what_opens_something_is_refused() {
        for bad in [
            "",
            "hospital = \"a b\"",
            "hospital = \"h\"\nlisten = \"0.0.0.0:80\"",
            "hospital = \"h\"\npages_hosts = [\"h:80\"]",
            "hospital = \"h\"\ncoordinator = \"http://c\"",
            "hospital = \"h\"\nunknown = 1",
            "hospital = \"h\"\n[quality]\nsmall_class = 1",
        ] {
            assert!(Config::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_new_file_is_read_back_and_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::new("h1".parse().unwrap());
        config.write_new(folder.path()).unwrap();
        assert_eq!(
            Config::read(folder.path()).unwrap().hospital,
            config.hospital
        );
        assert!(config.write_new(folder.path()).is_err());
    }
}
