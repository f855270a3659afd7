//! Why a view is not read. Names views, columns, types and rules, never a value, an address or a name of
//! somebody who logs in.

use super::address::VARIABLE;

/// Why a view is not read.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// No address was given.
    #[error(
        "the mapping reads a view: say where it is by `--database FILE` (a file of mode 0600 that holds \
         the URL) or in {VARIABLE}"
    )]
    NoAddress,
    /// The file of the address cannot be read.
    #[error("`{path}` could not be read")]
    File {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Others can read the address.
    #[error("`{path}` holds a password and other accounts may read it; first: chmod 600 {path}")]
    Open {
        /// Which file.
        path: String,
    },
    /// The address is no URL of a kind that is read.
    #[error("the database's address is `postgres://…` or `mysql://…`, as these servers define it")]
    Scheme,
    /// The address asks for less than a certificate for the server's name.
    #[error(
        "the database's address sets `sslmode` (MySQL: `ssl-mode`) to less than `verify-full`: to another machine \
         take it out, and name the hospital's own authority with `sslrootcert=FILE` (`ssl-ca=FILE`)"
    )]
    Lowered,
    /// A name that is not of the shape of names.
    #[error(
        "`{0}`: names of views and columns are letters, digits and `_`, do not begin with a digit and \
         take at most 63 bytes; name it so in the view"
    )]
    Name(String),
    /// Nothing answers.
    #[error("the database server could not be reached at its address")]
    Unreachable,
    /// No secured connection came about.
    #[error(
        "no secured connection to the database server: it shows no certificate for its name that is \
         trusted (`sslrootcert` or `ssl-ca` of the URL names the hospital's own authority)"
    )]
    Tls,
    /// The server does not know the user or the password.
    #[error("the database server refused the login")]
    Login,
    /// The server has no such database.
    #[error("the database server has no database of the name in its address")]
    Database,
    /// There is no such view.
    #[error("there is no view of the mapping's name in the database (upper and lower case count)")]
    View,
    /// The login may not read it.
    #[error("the login may not read the view")]
    Permission,
    /// A column of a type that is not read.
    #[error(
        "column `{column}` is of the type {kind}, which is not read; let the view give it as a date, a \
         time without a zone, a number or a text"
    )]
    Type {
        /// Which column.
        column: String,
        /// Its type, as the server names it.
        kind: String,
    },
    /// A watermark of a type that has no order of its own.
    #[error(
        "column `{column}` is of the type {kind}: a watermark is a time, a date or a number that only \
         rises"
    )]
    Watermark {
        /// Which column.
        column: String,
        /// Its type, as the server names it.
        kind: String,
    },
    /// Key or watermark of some rows is missing.
    #[error("{rows} rows of the view have no key or no watermark; every row needs both")]
    Empty {
        /// How many.
        rows: u64,
    },
    /// The watermark fell.
    #[error(
        "the view's greatest watermark is below that of the last load: is it another database? \
         `--whole` reads the view from its beginning"
    )]
    Fallen,
    /// The connection broke.
    #[error("the connection to the database was lost; nothing was kept")]
    Lost,
    /// The server answered what cannot be read.
    #[error("the database server gave an answer that cannot be read; nothing was kept")]
    Answer,
    /// The server refused a statement.
    #[error("the database server refused to read the view (code {code}); nothing was kept")]
    Refused {
        /// SQLSTATE.
        code: String,
    },
    /// The reader's thread ended.
    #[error("the reader of the view stopped; nothing was kept")]
    Stopped,
}
