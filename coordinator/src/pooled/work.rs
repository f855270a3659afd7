//! What waits for a member.

use pooled::published::mask_sums;
use pooled::shape::Class;
use pooled::sums::Sent;
use pooled::work::{SeatTask, Step, Work};
use schemas::id::Slug;
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::bodies::committees;
use super::{Held, PooledError, advance, list, open, receipts, void};
use crate::authority::Authority;
use crate::store::state::{State, StateError};

/// Certificates that are told at once.
const MOST_TOLD: i64 = 200;

/// What waits for this member now.
pub async fn work(
    state: &State,
    authority: &Authority,
    member: &Slug,
    now: Timestamp,
) -> Result<Work, PooledError> {
    let mut work = Work::default();
    let newest: Option<i64> =
        sqlx::query_scalar("select max(version) from pooled_lists where published = 1")
            .fetch_one(state.pool())
            .await?;
    work.list = u32::try_from(newest.unwrap_or(0)).map_err(|_| StateError::Range)?;
    if let Some((version, _)) = list::draft_sealed(state).await? {
        let signed = sqlx::query(
            "select 1 from pooled_countersignatures where version = $1 and member = $2",
        )
        .bind(i64::from(version))
        .bind(member.as_str())
        .fetch_optional(state.pool())
        .await?;
        work.draft = signed.is_none().then_some(version);
    }
    let seats = committees(state).await?;
    let mine = seats.into_iter().filter(|one| one.seats.contains(member));
    work.epochs = mine.map(|one| one.epoch).collect();
    (work.asked, work.receipts) = receipts::held(state, member).await?;
    if !work.epochs.is_empty() {
        work.asks = receipts::waiting(state, member).await?;
    }
    for id in advance::overdue(state).await? {
        let held = open::find(state, authority, &id).await?;
        if uploads_wait(state, &held, member, now).await? {
            work.rounds.push(id);
        } else if let Some(step) = step(state, &held, member, now).await? {
            work.seats.push(SeatTask { round: id, step });
        }
    }
    for id in void::voidable(state, now).await? {
        let held = open::find(state, authority, &id).await?;
        if void::asked(state, &held, member, now).await? {
            let step = Step::Void;
            work.seats.push(SeatTask { round: id, step });
        }
    }
    work.certified = newest_of(
        state,
        "select c.round from pooled_certificates c join pooled_rounds r on r.id = c.round \
         order by r.opened desc, c.round limit $1",
    )
    .await?;
    work.voided = newest_of(
        state,
        "select v.round from pooled_voids v join pooled_rounds r on r.id = v.round \
         order by r.opened desc, v.round limit $1",
    )
    .await?;
    Ok(work)
}

async fn newest_of(state: &State, select: &'static str) -> Result<Vec<Slug>, PooledError> {
    let rows = sqlx::query(select).bind(MOST_TOLD).fetch_all(state.pool());
    let mut rounds = Vec::new();
    for row in &rows.await? {
        let name: String = row.try_get(0)?;
        rounds.push(name.parse().map_err(|_| StateError::Name)?);
    }
    Ok(rounds)
}

async fn uploads_wait(
    state: &State,
    held: &Held,
    member: &Slug,
    now: Timestamp,
) -> Result<bool, PooledError> {
    if held.state != "open" || !held.round.takes_uploads(now) {
        return Ok(false);
    }
    if !held.asked.roster.contains(member) {
        return Ok(false);
    }
    let sent = sqlx::query("select 1 from pooled_uploads where round = $1 and hospital = $2")
        .bind(held.asked.id.as_str())
        .bind(member.as_str())
        .fetch_optional(state.pool())
        .await?;
    Ok(sent.is_none())
}

async fn step(
    state: &State,
    held: &Held,
    member: &Slug,
    now: Timestamp,
) -> Result<Option<Step>, PooledError> {
    let Some((seat, _)) = held.round.seat(member) else {
        return Ok(None);
    };
    if now > held.round.manifest().answer_by {
        return Ok(None);
    }
    match held.state.as_str() {
        "proposed" => {
            let proposed = advance::proposed(state, held).await?;
            let voted = proposed.votes.iter().any(|(name, _)| name == member);
            if voted || proposed.complaints.contains_key(member) {
                return Ok(None);
            }
            if proposed.votable(held) {
                return Ok(Some(Step::Certify));
            }
            let said = proposed.sound.contains(member);
            Ok((!said).then_some(Step::Inspect))
        }
        // Who complained about the set cannot add its masks up.
        "certified" => {
            let proposed = advance::proposed(state, held).await?;
            if proposed.complaints.contains_key(member) {
                return Ok(None);
            }
            sum_step(state, held, (member, seat)).await
        }
        _ => Ok(None),
    }
}

/// Words on all of its classes from every member; a vector from the first, and from further ones
/// where the first one's is not believed.
async fn sum_step(
    state: &State,
    held: &Held,
    (member, seat): (&Slug, u8),
) -> Result<Option<Step>, PooledError> {
    let found = advance::certificate(state, &held.round.manifest().round).await?;
    let certified = found.ok_or(PooledError::NotYet)?.verify(&held.round)?;
    let mut given: Vec<(Slug, Class, bool)> = Vec::new();
    let mut all: Vec<Sent> = Vec::new();
    for (name, sent) in advance::sent(state, held).await? {
        let key = held.round.seat(&name).ok_or(StateError::Range)?.1.key;
        let class = sent.word.open(&key)?.class;
        given.push((name, class, sent.vector.is_some()));
        all.push(sent);
    }
    if mask_sums(&held.round, &certified, &all).is_ok() {
        return Ok(None);
    }
    let mine = held.round.shape().classes_of(seat);
    let has = |class: &Class, vector: bool| {
        let mut words = given.iter();
        words.any(|(name, of, with)| name == member && of == class && (*with || !vector))
    };
    let needed = held.round.shape().sum_signers();
    let mut wanted: Vec<Class> = Vec::new();
    for class in &mine {
        let words = given.iter().filter(|(_, of, _)| of == class).count();
        let vectors = given
            .iter()
            .filter(|(_, of, with)| of == class && *with)
            .count();
        // Enough words and still no sum: the vectors so far are false.
        if (vectors == 0 || words >= needed) && !has(class, true) {
            wanted.push(*class);
        }
    }
    let lacks_word = mine.iter().any(|class| !has(class, false));
    Ok((lacks_word || !wanted.is_empty()).then_some(Step::Sum(wanted)))
}
