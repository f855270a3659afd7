//! The key list: drafted from members, committees and published seat keys; published once enough
//! hospitals have countersigned it.

use std::collections::BTreeSet;

use pooled::key_list::{
    Committee, Countersignature, Countersigned, KeyList, Kind, LONGEST, Member, Pinned, Seat,
    SeatKey, SignedList, destroy_by, month_at,
};
use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::{Message as _, Sealed};
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::PooledError;
use super::bodies::{bodies, committees};
use crate::authority::Authority;
use crate::register;
use crate::store::state::{Change, State, StateError, append};

/// What people decide about a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListOrder {
    /// The legal entity that runs this coordinator.
    pub operator: Slug,
    /// Most hospitals that are assumed to collude.
    pub t_max: u32,
}

/// Takes a seat's key of a month. The same again is welcome, another one refused.
pub async fn seat_key(
    state: &State,
    member: &register::Member,
    sealed: &Sealed<SeatKey>,
    now: Timestamp,
) -> Result<(), PooledError> {
    let key = sealed.open(&member.message_key)?;
    let founded = committees(state).await?;
    let sits = founded
        .iter()
        .any(|one| one.epoch == key.epoch && one.seats.contains(&member.hospital));
    if !sits || key.member != member.hospital || key.valid_to > destroy_by(key.month) {
        return Err(PooledError::NotAsked);
    }
    let text = serde_json::to_string(sealed).map_err(|_| StateError::Range)?;
    let mut change = state.begin().await?;
    let added = sqlx::query(
        "insert into pooled_seat_keys (epoch, member, month, sealed) values ($1, $2, $3, $4) \
         on conflict do nothing",
    )
    .bind(i64::from(key.epoch))
    .bind(member.hospital.as_str())
    .bind(key.month.to_string())
    .bind(&text)
    .execute(&mut *change)
    .await?;
    if added.rows_affected() == 0 {
        let held: String = sqlx::query_scalar(
            "select sealed from pooled_seat_keys where epoch = $1 and member = $2 and month = $3",
        )
        .bind(i64::from(key.epoch))
        .bind(member.hospital.as_str())
        .bind(key.month.to_string())
        .fetch_one(&mut *change)
        .await?;
        return if held == text {
            Ok(())
        } else {
            Err(PooledError::Conflict)
        };
    }
    let detail = [
        ("member", member.hospital.to_string()),
        ("month", key.month.to_string()),
    ];
    append(&mut change, now, "seat-key", sealed.digest()?, &detail).await?;
    Ok(change.commit().await.map_err(StateError::from)?)
}

/// Drafts and signs the next version. It waits for countersignatures; there is one draft a version,
/// since hospitals countersign one.
pub async fn draft(
    state: &State,
    authority: &Authority,
    order: &ListOrder,
    now: Timestamp,
) -> Result<KeyList, PooledError> {
    if let Some((version, _)) = draft_sealed(state).await? {
        return Err(PooledError::Draft(version));
    }
    let before = published(state).await?;
    let before = before
        .map(|signed| signed.list.open(&authority.signer().public()))
        .transpose()?;
    let newest = before.as_ref();
    let (version, previous, least) = match &before {
        Some(list) => {
            let hash = canonical::digest(KeyList::TAG, list)?;
            (list.version.saturating_add(1), hash, list.t_max)
        }
        None => (1, Digest::ZERO, 0),
    };
    let members = bodies(state).await?.into_iter().map(|body| Member {
        id: body.member.hospital,
        kind: body.kind,
        entity: body.entity,
        key: body.member.message_key,
    });
    let list = KeyList {
        alliance: authority.alliance().clone(),
        version,
        previous,
        valid_from: now,
        valid_to: Timestamp(now.0.saturating_add(LONGEST)),
        t_max: order.t_max,
        operator: order.operator.clone(),
        members: members.collect(),
        committees: seats(state, now).await?,
    };
    if let Some(newest) = newest.filter(|newest| same(newest, &list)) {
        // It is renewed in the second half of its time.
        let from = Timestamp(newest.valid_to.0.saturating_sub(LONGEST / 2));
        if now < from {
            return Err(PooledError::Unchanged {
                version: newest.version,
                until: newest.valid_to,
                from,
            });
        }
    }
    // A committee without keys could not be asked in any round under this list.
    let newest = list.committees.last();
    let seats = newest.map_or(&[][..], |newest| &newest.seats);
    let without = seats.iter().filter(|seat| seat.keys.is_empty());
    let without: Vec<String> = without.map(|seat| seat.member.to_string()).collect();
    if !without.is_empty() {
        return Err(PooledError::SeatKeys(without));
    }
    let pinned = Pinned::stored(list.clone())?;
    let needed = order.t_max.max(least).saturating_add(1).max(2);
    let sealed = Sealed::seal(authority.signer(), &list)?;
    let mut change = state.begin().await?;
    sqlx::query(
        "insert into pooled_lists (version, hash, sealed, needed, published) \
         values ($1, $2, $3, $4, 0)",
    )
    .bind(i64::from(version))
    .bind(pinned.hash().to_string())
    .bind(serde_json::to_string(&sealed).map_err(|_| StateError::Range)?)
    .bind(i64::from(needed))
    .execute(&mut *change)
    .await?;
    let detail = [("version", version.to_string())];
    append(&mut change, now, "key-list-draft", pinned.hash(), &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(list)
}

/// Whether two lists say the same of everybody.
fn same(one: &KeyList, other: &KeyList) -> bool {
    (one.t_max, &one.operator, &one.members, &one.committees)
        == (
            other.t_max,
            &other.operator,
            &other.members,
            &other.committees,
        )
}

async fn seats(state: &State, now: Timestamp) -> Result<Vec<Committee>, PooledError> {
    let founded = committees(state).await?;
    if founded.is_empty() {
        return Err(PooledError::NoCommittee);
    }
    let this = month_at(now).ok_or(StateError::Range)?;
    let mut all = Vec::with_capacity(founded.len());
    for one in founded {
        let mut seats = Vec::with_capacity(one.seats.len());
        for member in one.seats {
            let rows = sqlx::query(
                "select sealed from pooled_seat_keys where epoch = $1 and member = $2 \
                 and month >= $3 order by month limit 4",
            )
            .bind(i64::from(one.epoch))
            .bind(member.as_str())
            .bind(this.to_string())
            .fetch_all(state.pool())
            .await?;
            let mut keys = Vec::with_capacity(rows.len());
            for row in &rows {
                let text: String = row.try_get(0)?;
                keys.push(serde_json::from_str(&text).map_err(|_| StateError::Range)?);
            }
            seats.push(Seat { member, keys });
        }
        all.push(Committee {
            epoch: one.epoch,
            f: one.f,
            operator_seats: one.operator_seats,
            seats,
        });
    }
    Ok(all)
}

/// The draft that waits, with its version.
pub async fn draft_sealed(state: &State) -> Result<Option<(u32, Sealed<KeyList>)>, PooledError> {
    let row = sqlx::query("select version, sealed from pooled_lists where published = 0")
        .fetch_optional(state.pool())
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let version = u32::try_from(row.try_get::<i64, _>(0)?).map_err(|_| StateError::Range)?;
    let text: String = row.try_get(1)?;
    Ok(Some((
        version,
        serde_json::from_str(&text).map_err(|_| StateError::Range)?,
    )))
}

/// Takes a countersignature; with enough of them the list is published. `true` where it is now.
pub async fn countersign(
    state: &State,
    authority: &Authority,
    member: &register::Member,
    seal: &Sealed<Countersignature>,
    now: Timestamp,
) -> Result<bool, PooledError> {
    let word = seal.open(&member.message_key)?;
    let Some((version, sealed)) = draft_sealed(state).await? else {
        return Err(PooledError::NoDraft);
    };
    if (word.version, word.list) != (version, sealed.digest()?)
        || word.alliance != *authority.alliance()
    {
        return Err(PooledError::NoDraft);
    }
    let mut change = state.begin().await?;
    let added = sqlx::query(
        "insert into pooled_countersignatures (version, member, sealed) values ($1, $2, $3) \
         on conflict do nothing",
    )
    .bind(i64::from(version))
    .bind(member.hospital.as_str())
    .bind(serde_json::to_string(seal).map_err(|_| StateError::Range)?)
    .execute(&mut *change)
    .await?;
    if added.rows_affected() == 0 {
        return Ok(false);
    }
    let detail = [
        ("member", member.hospital.to_string()),
        ("version", version.to_string()),
    ];
    append(
        &mut change,
        now,
        "key-list-countersigned",
        sealed.digest()?,
        &detail,
    )
    .await?;
    let enough = enough(&mut change, state, authority, version, &sealed).await?;
    if enough {
        sqlx::query("update pooled_lists set published = 1 where version = $1")
            .bind(i64::from(version))
            .execute(&mut *change)
            .await?;
    }
    change.commit().await.map_err(StateError::from)?;
    Ok(enough)
}

/// Whether hospitals of enough entities of the list before (of this one, if it is the first) signed.
async fn enough(
    change: &mut Change,
    state: &State,
    authority: &Authority,
    version: u32,
    sealed: &Sealed<KeyList>,
) -> Result<bool, PooledError> {
    let key = authority.signer().public();
    let judge = match published(state).await? {
        Some(before) => before.list.open(&key)?,
        None => sealed.open(&key)?,
    };
    let rows = sqlx::query("select member from pooled_countersignatures where version = $1")
        .bind(i64::from(version))
        .fetch_all(&mut **change)
        .await?;
    let mut entities = BTreeSet::new();
    for row in &rows {
        let name: Slug = row
            .try_get::<String, _>(0)?
            .parse()
            .map_err(|_| StateError::Name)?;
        let member = judge.member(&name).filter(|one| one.kind == Kind::Hospital);
        entities.extend(member.map(|one| one.entity.clone()));
    }
    let needed: i64 = sqlx::query_scalar("select needed from pooled_lists where version = $1")
        .bind(i64::from(version))
        .fetch_one(&mut **change)
        .await?;
    Ok(i64::try_from(entities.len()).is_ok_and(|found| found >= needed))
}

/// The newest published list.
pub async fn published(state: &State) -> Result<Option<SignedList>, PooledError> {
    let newest: Option<i64> =
        sqlx::query_scalar("select max(version) from pooled_lists where published = 1")
            .fetch_one(state.pool())
            .await?;
    match newest {
        Some(version) => signed_list(state, version).await,
        None => Ok(None),
    }
}

/// A published list with everybody who countersigned it.
pub async fn signed_list(state: &State, version: i64) -> Result<Option<SignedList>, PooledError> {
    let sealed: Option<String> =
        sqlx::query_scalar("select sealed from pooled_lists where version = $1 and published = 1")
            .bind(version)
            .fetch_optional(state.pool())
            .await?;
    let Some(sealed) = sealed else {
        return Ok(None);
    };
    let rows = sqlx::query(
        "select member, sealed from pooled_countersignatures where version = $1 order by member",
    )
    .bind(version)
    .fetch_all(state.pool())
    .await?;
    let mut countersigned = Vec::with_capacity(rows.len());
    for row in &rows {
        let text = |column| row.try_get::<String, _>(column);
        countersigned.push(Countersigned {
            member: text(0)?.parse().map_err(|_| StateError::Name)?,
            seal: serde_json::from_str(&text(1)?).map_err(|_| StateError::Range)?,
        });
    }
    Ok(Some(SignedList {
        list: serde_json::from_str(&sealed).map_err(|_| StateError::Range)?,
        countersigned,
    }))
}

/// The version of a published list by its hash.
pub(super) async fn version_of(state: &State, hash: &str) -> Result<u32, PooledError> {
    let version: Option<i64> =
        sqlx::query_scalar("select version from pooled_lists where hash = $1 and published = 1")
            .bind(hash)
            .fetch_optional(state.pool())
            .await?;
    let version = version.ok_or(PooledError::NoList)?;
    Ok(u32::try_from(version).map_err(|_| StateError::Range)?)
}

/// A published list by its hash.
pub(super) async fn of_hash(state: &State, hash: &str) -> Result<SignedList, PooledError> {
    let version = version_of(state, hash).await?;
    let list = signed_list(state, i64::from(version)).await?;
    list.ok_or(PooledError::NoList)
}
