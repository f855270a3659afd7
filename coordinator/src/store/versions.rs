//! The version of this state's tables, and the log entry of a step from an earlier one.

use backups::versions::Tables;
pub use backups::versions::{BUILD, VersionError};
use schemas::digest::Digest;
use schemas::time::Timestamp;
use sqlx::SqlitePool;

use super::state::{StateError, append};

const TABLES: Tables = Tables {
    version: 2,
    schema: include_str!("schema.sql"),
    added: &[(2, "years", "earlier", "text not null default '[]'")],
};

/// Makes a new state, or carries an older one forward, in one change. `at` stands in the log entry of the
/// step.
pub async fn bring(pool: &SqlitePool, at: Timestamp) -> Result<(), StateError> {
    let Some((mut change, before)) = TABLES.bring(pool).await? else {
        return Ok(());
    };
    let detail = [
        ("from", before.to_string()),
        ("to", TABLES.version.to_string()),
    ];
    append(&mut change, at, "state-version", Digest::ZERO, &detail).await?;
    Ok(change.commit().await?)
}
