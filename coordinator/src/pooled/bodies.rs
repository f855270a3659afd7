//! What members are, and committees.

use pooled::key_list::{Kind, MAX_COMMITTEES};
use pooled::shape::Shape;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::PooledError;
use crate::register::{self, Standing};
use crate::store::state::{State, StateError, append};

/// A member with its kind and entity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Body {
    /// As registered.
    pub member: register::Member,
    /// What it is.
    pub kind: Kind,
    /// The legal entity behind it.
    pub entity: Slug,
}

/// All active members by name.
pub async fn bodies(state: &State) -> Result<Vec<Body>, PooledError> {
    let mut bodies = all_bodies(state).await?;
    bodies.retain(|body| body.member.standing == Standing::Active);
    Ok(bodies)
}

/// All members by name, also those that wait for approval or were shut out.
pub async fn all_bodies(state: &State) -> Result<Vec<Body>, PooledError> {
    let rows = sqlx::query("select name, kind, entity from pooled_bodies")
        .fetch_all(state.pool())
        .await?;
    let mut named = std::collections::BTreeMap::new();
    for row in &rows {
        let text = |column| row.try_get::<String, _>(column);
        let name: Slug = text(0)?.parse().map_err(|_| StateError::Name)?;
        let entity: Slug = text(2)?.parse().map_err(|_| StateError::Name)?;
        let kind = match text(1)?.as_str() {
            "insurer" => Kind::Insurer,
            "authority" => Kind::Authority,
            _ => Kind::Hospital,
        };
        named.insert(name, (kind, entity));
    }
    let members = register::members(state).await?.into_iter();
    Ok(members
        .map(|member| {
            let own = || (Kind::Hospital, member.hospital.clone());
            let (kind, entity) = named.remove(&member.hospital).unwrap_or_else(own);
            Body {
                member,
                kind,
                entity,
            }
        })
        .collect())
}

/// Says what a member is: needed before it counts as anything but a hospital of its own entity.
pub async fn set_body(
    state: &State,
    name: &Slug,
    kind: Kind,
    entity: &Slug,
    now: Timestamp,
) -> Result<(), PooledError> {
    let word = match kind {
        Kind::Hospital => "hospital",
        Kind::Insurer => "insurer",
        Kind::Authority => "authority",
    };
    let mut members = register::members(state).await?.into_iter();
    if !members.any(|member| member.hospital == *name && member.standing != Standing::Revoked) {
        return Err(PooledError::Unknown(name.clone()));
    }
    let mut change = state.begin().await?;
    sqlx::query(
        "insert into pooled_bodies (name, kind, entity) values ($1, $2, $3) \
         on conflict (name) do update set kind = $2, entity = $3",
    )
    .bind(name.as_str())
    .bind(word)
    .bind(entity.as_str())
    .execute(&mut *change)
    .await?;
    let detail = [
        ("member", name.to_string()),
        ("kind", word.to_owned()),
        ("entity", entity.to_string()),
    ];
    let subject = Digest::of("cams-body-v1", &[name.as_str().as_bytes()]);
    append(&mut change, now, "body", subject, &detail).await?;
    Ok(change.commit().await.map_err(StateError::from)?)
}

/// Whether all of these are active members, each named once.
pub async fn may_sit(state: &State, seats: &[Slug]) -> Result<(), PooledError> {
    let bodies = bodies(state).await?;
    for seat in seats {
        if !bodies.iter().any(|body| body.member.hospital == *seat) {
            return Err(PooledError::Seat(seat.clone()));
        }
        if seats.iter().filter(|other| *other == seat).count() > 1 {
            return Err(PooledError::Twice("committee", seat.clone()));
        }
    }
    Ok(())
}

/// Founds a committee; its seats then publish their keys. Gives its epoch.
pub async fn new_committee(
    state: &State,
    f: u8,
    operator_seats: u8,
    seats: &[Slug],
    now: Timestamp,
) -> Result<u32, PooledError> {
    may_sit(state, seats).await?;
    Shape::new(seats.len(), f).map_err(|_| {
        let seats = seats.len();
        PooledError::Committee { seats, f }
    })?;
    let mut change = state.begin().await?;
    let last: i64 = sqlx::query_scalar("select coalesce(max(epoch), 0) from pooled_committees")
        .fetch_one(&mut *change)
        .await?;
    let epoch = last.saturating_add(1);
    sqlx::query(
        "insert into pooled_committees (epoch, f, operator_seats, seats) values ($1, $2, $3, $4)",
    )
    .bind(epoch)
    .bind(i64::from(f))
    .bind(i64::from(operator_seats))
    .bind(serde_json::to_string(seats).map_err(|_| StateError::Range)?)
    .execute(&mut *change)
    .await?;
    let names: Vec<&str> = seats.iter().map(Slug::as_str).collect();
    let detail = [("epoch", epoch.to_string()), ("seats", names.join(" "))];
    let subject = Digest::of("cams-committee-v1", &[&epoch.to_le_bytes()]);
    append(&mut change, now, "committee", subject, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(u32::try_from(epoch).map_err(|_| StateError::Range)?)
}

/// A committee as founded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Founded {
    pub(super) epoch: u32,
    pub(super) f: u8,
    pub(super) operator_seats: u8,
    pub(super) seats: Vec<Slug>,
}

/// The newest committees, by rising epoch.
pub(super) async fn committees(state: &State) -> Result<Vec<Founded>, PooledError> {
    let rows = sqlx::query(
        "select epoch, f, operator_seats, seats from pooled_committees order by epoch desc limit $1",
    )
    .bind(i64::try_from(MAX_COMMITTEES).unwrap_or(1))
    .fetch_all(state.pool())
    .await?;
    let mut founded = Vec::with_capacity(rows.len());
    for row in rows.iter().rev() {
        let number = |column| row.try_get::<i64, _>(column);
        let seats: String = row.try_get(3)?;
        founded.push(Founded {
            epoch: u32::try_from(number(0)?).map_err(|_| StateError::Range)?,
            f: u8::try_from(number(1)?).map_err(|_| StateError::Range)?,
            operator_seats: u8::try_from(number(2)?).map_err(|_| StateError::Range)?,
            seats: serde_json::from_str(&seats).map_err(|_| StateError::Range)?,
        });
    }
    Ok(founded)
}
