//! Where the database is: a URL from a file that only its owner reads, or from the environment. It holds a
//! password, so it is never printed, and stands neither in a mapping nor on a command line.

use std::fs::File;
use std::io::Read as _;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::str::FromStr as _;

use reqwest::Url;
use sqlx::ConnectOptions as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use zeroize::Zeroizing;

use super::SqlError;
use super::wire::Wire;
use crate::config::environment;

/// The environment variable that may hold the URL.
pub(super) const VARIABLE: &str = "CONSILIUM_DATABASE_URL";
/// Longest URL, in bytes.
const LONGEST: u64 = 4096;

/// The URL of a database.
#[derive(Clone)]
pub struct Address(Zeroizing<String>);

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Address(…)")
    }
}

/// How to connect.
pub(super) enum Options {
    Postgres(Box<PgConnectOptions>),
    MySql(Box<MySqlConnectOptions>),
}

impl Address {
    /// Reads the URL from a file of mode 0600 (or closer), or from the environment where none is named.
    pub fn find(file: Option<&Path>) -> Result<Self, SqlError> {
        let text = match file {
            Some(path) => read(path)?,
            None => environment::secret(VARIABLE).ok_or(SqlError::NoAddress)?,
        };
        let address = Self(Zeroizing::new(text.trim().to_owned()));
        address.wire()?;
        Ok(address)
    }

    /// Which protocol is spoken.
    pub(crate) fn wire(&self) -> Result<Wire, SqlError> {
        match self.0.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Ok(Wire::Postgres),
            Some(("mysql" | "mariadb", _)) => Ok(Wire::MySql),
            _ => Err(SqlError::Scheme),
        }
    }

    /// How to connect. Another machine must show a certificate for its name; a URL that asks for less is
    /// refused. To this machine the URL's own `sslmode` (MySQL: `ssl-mode`) counts.
    pub(super) fn options(&self) -> Result<Options, SqlError> {
        // The text of a parsing error may hold parts of the URL.
        let odd = |_| SqlError::Scheme;
        let settings = self.settings()?;
        match self.wire()? {
            Wire::Postgres => {
                let mut options = PgConnectOptions::from_str(&self.0).map_err(odd)?;
                let near = options.get_socket().is_some() || is_near(options.get_host());
                if !near {
                    strict(&settings)?;
                    options = options.ssl_mode(PgSslMode::VerifyFull);
                }
                let options = options
                    .application_name("consilium-node")
                    .disable_statement_logging();
                Ok(Options::Postgres(Box::new(options)))
            }
            Wire::MySql => {
                let mut options = MySqlConnectOptions::from_str(&self.0).map_err(odd)?;
                let socket = settings.iter().any(|(name, _)| name == "socket");
                if !socket && !is_near(options.get_host()) {
                    strict(&settings)?;
                    options = options.ssl_mode(MySqlSslMode::VerifyIdentity);
                }
                Ok(Options::MySql(Box::new(
                    options.disable_statement_logging(),
                )))
            }
        }
    }

    /// What the URL's query sets, as the drivers read it.
    fn settings(&self) -> Result<Vec<(String, Zeroizing<String>)>, SqlError> {
        let url = Url::parse(&self.0).map_err(|_| SqlError::Scheme)?;
        let pairs = url.query_pairs();
        Ok(pairs
            .map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned())))
            .collect())
    }
}

/// Refuses what would let another machine go without the certificate for its name.
fn strict(settings: &[(String, Zeroizing<String>)]) -> Result<(), SqlError> {
    for (name, value) in settings {
        let name = name.to_ascii_lowercase().replace('_', "-");
        let value = value.to_ascii_lowercase().replace('_', "-");
        if matches!(name.as_str(), "sslmode" | "ssl-mode")
            && !matches!(value.as_str(), "verify-full" | "verify-identity")
        {
            return Err(SqlError::Lowered);
        }
    }
    Ok(())
}

/// Whether a host is this machine: a loopback address, `localhost` or the path of a socket.
pub(crate) fn is_near(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost" || host.starts_with('/'),
    }
}

/// The text of a file that only its owner reads.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<String>, SqlError> {
    let name = path.display().to_string();
    let failed = |source| SqlError::File {
        path: name.clone(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.mode() & 0o077 != 0 {
        return Err(SqlError::Open { path: name });
    }
    let mut text = Zeroizing::new(String::new());
    file.take(LONGEST)
        .read_to_string(&mut text)
        .map_err(failed)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_url_comes_from_a_closed_file_and_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("url");
        std::fs::write(&path, "postgres://reader:hunter2@db.example/his\n").unwrap();
        let mode = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        mode(0o640);
        let error = Address::find(Some(&path)).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
        mode(0o600);
        let address = Address::find(Some(&path)).unwrap();
        assert_eq!(format!("{address:?}"), "Address(…)");
        for odd in [
            "",
            "sqlite://x",
            "reader:hunter2@db",
            "postgres://a:hunter2@b:x/c",
        ] {
            std::fs::write(&path, odd).unwrap();
            let error = match Address::find(Some(&path)) {
                Ok(address) => address.options().err().unwrap(),
                Err(error) => error,
            };
            let told = format!("{error} {error:?}");
            assert!(!told.contains("hunter2"), "{told}");
        }
        let missing = Address::find(Some(&folder.path().join("none"))).unwrap_err();
        assert!(missing.to_string().contains("could not be read"));
    }

    #[test]
    fn another_machine_must_show_a_certificate() {
        let modes = |url: &str| match Address(Zeroizing::new(url.to_owned())).options().unwrap() {
            Options::Postgres(options) => format!("{:?}", options.get_ssl_mode()),
            Options::MySql(options) => format!("{:?}", options.get_ssl_mode()),
        };
        assert_eq!(modes("postgres://a:b@db.example/his"), "VerifyFull");
        assert_eq!(modes("mysql://a:b@db.example/his"), "VerifyIdentity");
        for full in [
            "postgres://a:b@db.example/his?sslmode=verify-full",
            "postgres://a:sslmode=disable@db.example/his",
        ] {
            assert_eq!(modes(full), "VerifyFull");
        }
        assert_eq!(modes("postgres://a:b@127.0.0.1/his"), "Prefer");
        assert_eq!(modes("mysql://a:b@localhost/his"), "Preferred");
        assert_eq!(modes("mysql://a:b@127.0.0.2/his"), "Preferred");
        assert_eq!(modes("mysql://a:socket=@db.example/his"), "VerifyIdentity");
    }

    #[test]
    fn another_machine_gets_no_less_by_its_url() {
        for url in [
            "postgres://a:hunter2@db.example/his?sslmode=disable",
            "postgres://a:hunter2@db.example/his?sslmode=require",
            "postgres://a:hunter2@db.example/his?sslmode=verify-ca",
            "postgres://a:hunter2@db.example/his?sslmode=verify-full&sslmode=allow",
            "postgres://a:hunter2@db.example/his?ssl%6Dode=prefer",
            "postgres://a:hunter2@db.example/his?ssl-mode=disable",
            "postgres://a:hunter2@127.0.0.1.example/his?sslmode=disable",
            "postgres://a:hunter2@localhost/his?host=db.example&sslmode=disable",
            "mysql://a:hunter2@db.example/his?ssl-mode=DISABLED",
            "mysql://a:hunter2@db.example/his?sslmode=preferred",
            "mysql://a:hunter2@db.example/his?ssl-mode=VERIFY_CA",
        ] {
            let error = Address(Zeroizing::new(url.to_owned())).options().err();
            assert!(matches!(error, Some(SqlError::Lowered)), "{url}");
            let told = error.unwrap().to_string();
            assert!(told.contains("sslmode") && !told.contains("hunter2"));
        }
    }
}
