//! The certificates of hospitals and insurers: issued, superseded, revoked. Each request is judged by them anew,
//! and the revocation lists are made of them.

use std::collections::BTreeSet;

use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::Timestamp;
use sqlx::Row as _;

use crate::authority::{Issued, Revoked, Role};
use crate::store::state::{Change, State, StateError};

/// How long a superseded certificate is still accepted, in seconds.
pub const OVERLAP: i64 = 3600;

/// Registers a certificate inside a change.
pub(crate) async fn add(
    change: &mut Change,
    (role, holder): (Role, &Slug),
    issued: &Issued,
) -> Result<(), StateError> {
    sqlx::query(
        "insert into certificates (number, digest, role, holder, serial, expires) \
         select coalesce(max(number), 0) + 1, $1, $2, $3, $4, $5 from certificates",
    )
    .bind(issued.digest.to_string())
    .bind(role.as_str())
    .bind(holder.as_str())
    .bind(hexadecimal(&issued.serial))
    .bind(issued.expires.0)
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// Revokes all certificates of a holder inside a change.
pub(crate) async fn revoke(
    change: &mut Change,
    (role, holder): (Role, &Slug),
    now: Timestamp,
) -> Result<(), StateError> {
    sqlx::query(
        "update certificates set revoked = $1 where role = $2 and holder = $3 and revoked is null",
    )
    .bind(now.0)
    .bind(role.as_str())
    .bind(holder.as_str())
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// Gives the certificates before this one of the same holder their last hour.
pub(crate) async fn supersede(
    state: &State,
    certificate: Digest,
    now: Timestamp,
) -> Result<(), StateError> {
    sqlx::query(
        "update certificates set accepted_until = $1 where accepted_until is null and exists \
         (select 1 from certificates n where n.digest = $2 \
         and n.role = certificates.role and n.holder = certificates.holder \
         and n.number > certificates.number)",
    )
    .bind(now.0.saturating_add(OVERLAP))
    .bind(certificate.to_string())
    .execute(state.pool())
    .await?;
    Ok(())
}

/// What the revocation lists name: revoked and not yet expired, by number.
pub async fn revoked(state: &State, now: Timestamp) -> Result<Vec<Revoked>, StateError> {
    let rows = sqlx::query(
        "select serial, revoked from certificates \
         where revoked is not null and expires > $1 order by number",
    )
    .bind(now.0)
    .fetch_all(state.pool())
    .await?;
    let revoked = rows.iter().map(|row| {
        Ok(Revoked {
            serial: bytes(&row.try_get::<String, _>(0)?)?,
            at: Timestamp(row.try_get(1)?),
        })
    });
    revoked.collect()
}

/// The certificates that are accepted now: connections of others are closed.
pub async fn accepted(state: &State, now: Timestamp) -> Result<BTreeSet<Digest>, StateError> {
    let rows = sqlx::query(
        "select digest from certificates where revoked is null and expires > $1 \
         and (accepted_until is null or accepted_until > $1)",
    )
    .bind(now.0)
    .fetch_all(state.pool())
    .await?;
    let digest = |text: String| text.parse().map_err(|_| StateError::Range);
    rows.iter().map(|row| digest(row.try_get(0)?)).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16);
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
    digits.filter_map(digit).collect()
}

fn bytes(hexadecimal: &str) -> Result<Vec<u8>, StateError> {
    let pairs = hexadecimal.as_bytes().chunks(2);
    let byte = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).map_err(|_| StateError::Range)?;
        u8::from_str_radix(text, 16).map_err(|_| StateError::Range)
    };
    pairs.map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_the_state_file() {
        let number = vec![0x40, 0, 0x0f, 0xff];
        assert_eq!(hexadecimal(&number), "40000fff");
        assert_eq!(bytes("40000fff").unwrap(), number);
        assert!(bytes("4g").is_err());
    }
}
