//! The coordinator's settings: one TOML file in its data folder. Unknown keys are refused.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use schemas::id::Slug;
use schemas::written;
use serde::{Deserialize, Serialize};

/// Name of the file in the data folder.
pub const FILE: &str = "coordinator.toml";

/// The settings; each is explained in `deploy/coordinator.example.toml`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The alliance's name.
    pub alliance: Slug,
    /// Names and addresses in the server's certificate.
    pub hosts: Vec<String>,
    /// Where the listener for nodes (mutual TLS) binds.
    pub node_address: SocketAddr,
    /// Where the public listener (enrolment, health) binds.
    pub public_address: SocketAddr,
    /// How nodes reach the first.
    pub node_url: String,
    /// How nodes reach the second.
    pub public_url: String,
    /// A folder of further question templates beside the built-in ones.
    #[serde(default)]
    pub templates: Option<PathBuf>,
    /// The alliance's floors, if they differ from the published rules.
    #[serde(default)]
    pub rules: Option<PathBuf>,
    /// The pages for browsers; without it there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<Pages>,
    /// Limits of the listeners.
    #[serde(default)]
    pub limits: Limits,
    /// The data folder that the settings were read from; none where they came from elsewhere.
    #[serde(skip)]
    pub data: Option<PathBuf>,
}

/// The listener for browsers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pages {
    /// Where it binds. HTTPS, TLS 1.3.
    pub address: SocketAddr,
    /// A certificate chain (PEM) that browsers of the intranet trust; with `key`. Without both it is the
    /// alliance's own.
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// Its key (PEM, readable by its owner only).
    #[serde(default)]
    pub key: Option<PathBuf>,
}

/// Limits of the listeners.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at a time, for each listener.
    pub connections: u32,
    /// Connections at a time of one address, for each listener.
    pub connections_per_address: u32,
    /// Seconds for a TLS handshake.
    pub handshake_seconds: u32,
    /// Seconds for the head of a request.
    pub head_seconds: u32,
    /// Seconds for a whole request; above the longest poll of 30.
    pub request_seconds: u32,
    /// Refused joins a minute and address; more are turned away unread.
    pub refused_joins: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            connections_per_address: 128,
            handshake_seconds: 5,
            head_seconds: 10,
            request_seconds: 60,
            refused_joins: 10,
        }
    }
}

/// Why settings are refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("`{path}` cannot be read; `consilium-coordinator init` makes it")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML of the expected shape.
    #[error("`{path}`: {message}")]
    Shape {
        /// Which file.
        path: PathBuf,
        /// What is wrong, with the line.
        message: String,
    },
    /// A value that its rule refuses.
    #[error("`{key}`: {rule}")]
    Rule {
        /// Which key.
        key: &'static str,
        /// What must hold.
        rule: &'static str,
    },
}

impl Config {
    /// Reads the settings of a data folder.
    pub fn read(folder: &Path) -> Result<Self, ConfigError> {
        let path = folder.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(|source| ConfigError::Unreadable {
            path: path.clone(),
            source,
        })?;
        let read = Self::parse(&text, &path)?;
        Ok(Self {
            data: Some(folder.to_owned()),
            ..read
        })
    }

    /// Reads settings from a text.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| ConfigError::Shape {
            path: path.to_owned(),
            message: written::fault(text, error.message(), error.span().map(|s| s.start)),
        })?;
        config.check()?;
        Ok(config)
    }

    /// Checks what the types cannot say.
    pub fn check(&self) -> Result<(), ConfigError> {
        let broken = |key, rule| Err(ConfigError::Rule { key, rule });
        if self.hosts.is_empty() {
            return broken("hosts", "at least one name or address");
        }
        let secure = |url: &str| url.starts_with("https://") && !url.ends_with('/');
        if !secure(&self.node_url) {
            return broken("node_url", "begins with https:// and ends without a slash");
        }
        if !secure(&self.public_url) {
            return broken(
                "public_url",
                "begins with https:// and ends without a slash",
            );
        }
        let limits = &self.limits;
        if !(1..=65_536).contains(&limits.connections) {
            return broken("limits.connections", "from 1 to 65,536");
        }
        if !(1..=65_536).contains(&limits.connections_per_address) {
            return broken("limits.connections_per_address", "from 1 to 65,536");
        }
        let brief = |seconds| (1..=60).contains(&seconds);
        if !brief(limits.handshake_seconds) || !brief(limits.head_seconds) {
            return broken("limits", "handshake and head from 1 to 60 seconds");
        }
        if !(40..=600).contains(&limits.request_seconds) {
            return broken("limits.request_seconds", "from 40 to 600");
        }
        if let Some(pages) = &self.pages
            && pages.certificate.is_some() != pages.key.is_some()
        {
            return broken("pages", "`certificate` and `key` together, or neither");
        }
        if limits.refused_joins == 0 {
            return broken("limits.refused_joins", "at least 1");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../deploy/coordinator.example.toml");

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(text, Path::new("example"))
    }

    #[test]
    fn the_shipped_example_is_read_and_states_the_defaults() {
        assert_eq!(parse(EXAMPLE).unwrap().limits, Limits::default());
    }

    #[test]
    fn unknown_keys_and_bad_values_are_refused() {
        for (from, to) in [
            ("alliance =", "aliance ="),
            ("connections = 512", "connections = 0"),
            ("connections = 512", "conections = 512"),
            ("per_address = 128", "per_address = 0"),
            ("request_seconds = 60", "request_seconds = 5"),
            ("https://localhost:7443", "http://localhost:7443"),
        ] {
            let text = EXAMPLE.replacen(from, to, 1);
            assert_ne!(text, EXAMPLE, "{from}");
            assert!(parse(&text).is_err(), "{to}");
        }
    }
}
