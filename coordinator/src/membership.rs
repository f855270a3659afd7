//! What becomes of a member after it joined: approval by a second administrator, renewal,
//! revocation.

use schemas::enrolment::Fingerprint;
use schemas::id::Slug;
use schemas::time::Timestamp;
use sqlx::Row as _;

use crate::authority::{Authority, Issued, RequestError, Role};
use crate::certificates;
use crate::register::{self, Member, Standing};
use crate::store::state::{State, StateError, append};

/// Why a member is shut out; stands in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Cause {
    /// A key of it may be in other hands.
    KeyCompromise,
    /// It left the alliance.
    Left,
    /// It broke the agreement.
    Breach,
    /// It joined by mistake, or somebody else did in its name.
    Mistaken,
}

impl Cause {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KeyCompromise => "key-compromise",
            Self::Left => "left",
            Self::Breach => "breach",
            Self::Mistaken => "mistaken",
        }
    }
}

/// Why a member was not approved, renewed or revoked.
#[derive(Debug, thiserror::Error)]
pub enum MembershipError {
    /// Nobody of that name has joined.
    #[error("`{0}` has not joined; `members` lists who has")]
    NoMember(Slug),
    /// It is approved or revoked already.
    #[error("`{hospital}` is {} already", standing.as_str())]
    Already {
        /// Who.
        hospital: Slug,
        /// What it is.
        standing: Standing,
    },
    /// Two persons are needed.
    #[error("`{0}` invited this hospital; another administrator approves it")]
    SamePerson(Slug),
    /// Somebody else joined, or the text was misread.
    #[error(
        "this is not the fingerprint of who joined as `{0}`; read it once more by phone. If it \
         differs again, somebody else used the code: `revoke {0} --why mistaken`, then a new code"
    )]
    Fingerprint(Slug),
    /// The signing request is refused.
    #[error("the signing request is refused")]
    Request(#[from] RequestError),
    /// The state file failed.
    #[error("the state file could not be read or written")]
    State(#[from] StateError),
}

impl From<sqlx::Error> for MembershipError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(error.into())
    }
}

async fn find(state: &State, hospital: &Slug) -> Result<Member, MembershipError> {
    let members = register::members(state).await?;
    let member = members.into_iter().find(|one| one.hospital == *hospital);
    member.ok_or_else(|| MembershipError::NoMember(hospital.clone()))
}

/// Lets a pending member take part. `by` has compared the fingerprint by phone and is not who
/// invited it.
pub async fn approve(
    state: &State,
    hospital: &Slug,
    fingerprint: Fingerprint,
    by: &Slug,
    now: Timestamp,
) -> Result<(), MembershipError> {
    let mut change = state.begin().await?;
    let row = sqlx::query(
        "select s.invited_by, m.certificate, m.message_key, s.standing \
         from standings s join members m on m.hospital = s.hospital where s.hospital = $1",
    )
    .bind(hospital.as_str())
    .fetch_optional(&mut *change)
    .await?;
    let row = row.ok_or_else(|| MembershipError::NoMember(hospital.clone()))?;
    let text = |column| row.try_get::<String, _>(column);
    let standing = match text(3)?.as_str() {
        "pending" => Standing::Pending,
        "active" => Standing::Active,
        _ => Standing::Revoked,
    };
    if standing != Standing::Pending {
        let hospital = hospital.clone();
        return Err(MembershipError::Already { hospital, standing });
    }
    if text(0)? == by.as_str() {
        return Err(MembershipError::SamePerson(by.clone()));
    }
    let certificate = text(1)?.parse().map_err(|_| StateError::Range)?;
    if Fingerprint::of(&certificate, &register::key(&text(2)?)?) != fingerprint {
        return Err(MembershipError::Fingerprint(hospital.clone()));
    }
    sqlx::query("update standings set standing = 'active', approved_by = $1 where hospital = $2")
        .bind(by.as_str())
        .bind(hospital.as_str())
        .execute(&mut *change)
        .await?;
    let detail = [
        ("hospital", hospital.to_string()),
        ("by", by.to_string()),
        ("fingerprint", fingerprint.to_string()),
    ];
    append(&mut change, now, "approve", certificate, &detail).await?;
    change.commit().await?;
    Ok(())
}

/// Issues a new certificate to an active member. The one that it uses now goes on until an hour
/// after the new one's first use, so that a lost response costs nothing.
pub async fn renew(
    state: &State,
    authority: &Authority,
    member: &Member,
    signing_request: &str,
    now: Timestamp,
) -> Result<Issued, MembershipError> {
    let issued = authority.issue(&member.hospital, signing_request, now)?;
    let mut change = state.begin().await?;
    // Revoked while the certificate was made: the change does not happen.
    let renewed = sqlx::query(
        "update members set certificate = $1 where hospital = $2 and exists \
         (select 1 from standings s where s.hospital = $2 and s.standing = 'active')",
    )
    .bind(issued.digest.to_string())
    .bind(member.hospital.as_str())
    .execute(&mut *change)
    .await?;
    if renewed.rows_affected() != 1 {
        return Err(MembershipError::NoMember(member.hospital.clone()));
    }
    certificates::add(&mut change, (Role::Hospital, &member.hospital), &issued).await?;
    let detail = [
        ("hospital", member.hospital.to_string()),
        ("before", member.certificate.to_string()),
    ];
    append(&mut change, now, "renew", issued.digest, &detail).await?;
    change.commit().await?;
    Ok(issued)
}

/// Shuts a member out: its certificates, its message key, its open join code and, within seconds,
/// its open connections.
pub async fn revoke(
    state: &State,
    hospital: &Slug,
    cause: Cause,
    by: &Slug,
    now: Timestamp,
) -> Result<(), MembershipError> {
    let member = find(state, hospital).await?;
    let mut change = state.begin().await?;
    let revoked = sqlx::query(
        "update standings set standing = 'revoked' where hospital = $1 and standing <> 'revoked'",
    )
    .bind(hospital.as_str())
    .execute(&mut *change)
    .await?;
    if revoked.rows_affected() != 1 {
        return Err(MembershipError::Already {
            hospital: hospital.clone(),
            standing: Standing::Revoked,
        });
    }
    certificates::revoke(&mut change, (Role::Hospital, hospital), now).await?;
    sqlx::query("update invites set used = $1 where hospital = $2 and used is null")
        .bind(now.0)
        .bind(hospital.as_str())
        .execute(&mut *change)
        .await?;
    let detail = [
        ("hospital", hospital.to_string()),
        ("why", cause.as_str().to_owned()),
        ("by", by.to_string()),
        ("message-key", member.message_key.fingerprint().to_string()),
    ];
    append(&mut change, now, "revoke", member.certificate, &detail).await?;
    change.commit().await?;
    Ok(())
}
