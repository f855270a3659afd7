//! What committee members are handed and say.

use pooled::inspect::Proposal;
use pooled::sums::Sent;
use pooled::vote::Complaint;
use pooled::work::SeatWord;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::Sealed;
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::{Held, PooledError, advance, collect, void};
use crate::store::state::{State, StateError, append};

/// The proposal to a seat: the set and, for each survivor, its signed parts and this seat's box.
pub async fn proposal(state: &State, held: &Held, member: &Slug) -> Result<Proposal, PooledError> {
    let (seat, _) = held.round.seat(member).ok_or(PooledError::NotAsked)?;
    let survivors = match advance::certificate(state, &held.round.manifest().round).await? {
        Some(certificate) => certificate.survivors,
        None => advance::proposed(state, held).await?.survivors,
    };
    let uploads = collect::uploads(state, held, &survivors).await?;
    Ok(Proposal::to_seat(&survivors, &uploads, seat))
}

/// Takes what a seat says to the proposed set. A vote is taken once; the same again is welcome.
pub async fn take_word(
    state: &State,
    held: &Held,
    member: &Slug,
    word: &SeatWord,
    now: Timestamp,
) -> Result<(), PooledError> {
    let (_, seat) = held.round.seat(member).ok_or(PooledError::NotAsked)?;
    if let SeatWord::Void(sealed) = word {
        return void::take(state, held, member, sealed, now).await;
    }
    let proposed = advance::proposed(state, held).await?;
    let current = proposed.survivors.digest()?;
    let (kind, text) = match word {
        SeatWord::Sound(set) => {
            if *set != current {
                return Err(PooledError::Ended);
            }
            ("sound", to_text(set)?)
        }
        SeatWord::Complaints(sealed) => {
            if sealed.is_empty() || sealed.len() > proposed.survivors.uploads.len() {
                return Err(PooledError::NotAsked);
            }
            let set = proposed.survivors.hospitals();
            for one in sealed {
                let complaint = Complaint::open(&held.round, one)?;
                if complaint.member != *member || !set.contains(&complaint.hospital) {
                    return Err(PooledError::NotAsked);
                }
            }
            ("complaint", to_text(sealed)?)
        }
        SeatWord::Vote(sealed) => {
            let vote = sealed.open(&seat.key)?;
            let named = (vote.manifest, &vote.member, vote.survivors);
            if named != (*held.round.hash(), member, current) {
                return Err(PooledError::Ended);
            }
            ("vote", to_text(sealed)?)
        }
        SeatWord::Void(_) => return Err(PooledError::NotAsked),
    };
    let id = held.round.manifest().round.as_str();
    let mut change = state.begin().await?;
    let stands: String = sqlx::query_scalar("select state from pooled_rounds where id = $1")
        .bind(id)
        .fetch_one(&mut *change)
        .await?;
    if stands != "proposed" {
        return Err(PooledError::Ended);
    }
    let added = sqlx::query(
        "insert into pooled_words (round, number, member, kind, word) \
         values ($1, $2, $3, $4, $5) on conflict do nothing",
    )
    .bind(id)
    .bind(proposed.number)
    .bind(member.as_str())
    .bind(kind)
    .bind(&text)
    .execute(&mut *change)
    .await?;
    if added.rows_affected() == 0 {
        return Ok(());
    }
    let detail = [
        ("round", id.to_owned()),
        ("member", member.to_string()),
        ("said", kind.to_owned()),
    ];
    let subject = Digest::of("cams-seat-word-v1", &[text.as_bytes()]);
    append(&mut change, now, "seat-word", subject, &detail).await?;
    Ok(change.commit().await.map_err(StateError::from)?)
}

fn to_text<T: serde::Serialize>(word: &T) -> Result<String, PooledError> {
    Ok(serde_json::to_string(word).map_err(|_| StateError::Range)?)
}

/// Takes a word on a mask sum. A later one with its vector replaces the same word without.
pub async fn take_sums(
    state: &State,
    held: &Held,
    member: &Slug,
    bytes: &[u8],
    now: Timestamp,
) -> Result<(), PooledError> {
    let (place, seat) = held.round.seat(member).ok_or(PooledError::NotAsked)?;
    if held.state != "certified" {
        return Err(PooledError::Ended);
    }
    let id = held.round.manifest().round.as_str();
    let sent = Sent::parse(&held.round, bytes)?;
    let word: Sealed<pooled::sums::Sum> = sent.word.clone();
    let sum = word.open(&seat.key)?;
    let certificate = advance::certificate(state, &held.round.manifest().round).await?;
    let certificate = certificate.ok_or(PooledError::NotYet)?;
    let about = (sum.manifest, sum.survivors, &sum.member);
    if about != (*held.round.hash(), certificate.survivors.digest()?, member)
        || !sum.class.contains(place)
    {
        return Err(PooledError::NotAsked);
    }
    let mut change = state.begin().await?;
    let before = sqlx::query(
        "select sent, with_vector from pooled_sums where round = $1 and class = $2 and member = $3",
    )
    .bind(id)
    .bind(i64::from(sum.class.bits()))
    .bind(member.as_str())
    .fetch_optional(&mut *change)
    .await?;
    if let Some(row) = before {
        let held_bytes: Vec<u8> = row.try_get(0)?;
        let earlier = Sent::parse(&held.round, &held_bytes)?;
        if earlier.word != word {
            return Err(PooledError::Conflict);
        }
        if row.try_get::<i64, _>(1)? == 1 || sent.vector.is_none() {
            return Ok(());
        }
    }
    sqlx::query(
        "insert into pooled_sums (round, class, member, with_vector, sent) \
         values ($1, $2, $3, $4, $5) on conflict (round, class, member) \
         do update set with_vector = $4, sent = $5",
    )
    .bind(id)
    .bind(i64::from(sum.class.bits()))
    .bind(member.as_str())
    .bind(i64::from(sent.vector.is_some()))
    .bind(bytes)
    .execute(&mut *change)
    .await?;
    let detail = [
        ("round", id.to_owned()),
        ("member", member.to_string()),
        ("class", sum.class.bits().to_string()),
    ];
    append(&mut change, now, "mask-sum", word.digest()?, &detail).await?;
    Ok(change.commit().await.map_err(StateError::from)?)
}
