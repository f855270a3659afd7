//! Taking replies and ending rounds. A reply counts once; its bytes never change afterwards.

use std::collections::BTreeMap;

use schemas::id::Slug;
use schemas::round::{Reply, Round, Said, Standing, State as RoundState};
use schemas::seal::{SealError, Sealed};
use schemas::time::Timestamp;
use serde::Serialize;
use sqlx::Row as _;

use crate::ask::{AskError, Held};
use crate::register::{self, Member};
use crate::store::state::{Change, State, StateError, append};

/// What became of a reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    /// Stored.
    Now,
    /// The same bytes had been stored before.
    Before,
}

/// Why a reply is refused.
#[derive(Debug, thiserror::Error)]
pub enum ReplyError {
    /// This hospital is not asked.
    #[error("this hospital is not on the roster of the round")]
    NotAsked,
    /// Not signed by the member's message key.
    #[error("the reply is not signed by the member's message key")]
    Seal(#[from] SealError),
    /// Another round's or another hospital's.
    #[error("the reply names another round or hospital than it is sent to and from")]
    Elsewhere,
    /// The inner answer is not this hospital's answer to this question.
    #[error("the answer is not this hospital's answer to this round's question")]
    Answer,
    /// Other bytes than those stored.
    #[error("this hospital has replied to the round before, with other bytes")]
    Conflict,
    /// The round has ended.
    #[error("the round has ended")]
    Ended,
    /// The state file failed.
    #[error("the state file could not be read or written")]
    State(#[from] StateError),
}

impl From<sqlx::Error> for ReplyError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(error.into())
    }
}

/// Where a round stands, hospital by hospital.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Progress {
    /// The round.
    pub id: Slug,
    /// Open, closed or dead.
    pub state: RoundState,
    /// Seconds until the deadline; 0 afterwards.
    pub seconds_left: i64,
    /// Answers so far.
    pub answers: u32,
    /// Fewer and the round dies.
    pub min_answers: u32,
    /// Each hospital asked.
    pub hospitals: BTreeMap<Slug, Place>,
}

/// Where one hospital stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Place {
    /// What it said, if anything.
    pub standing: Standing,
    /// Seconds since it was last heard of; none if never.
    pub heard_seconds_ago: Option<i64>,
}

/// Takes a reply. Everything is checked before anything is stored, and storing it, logging it and
/// ending the round with the last reply are one change.
pub async fn take(
    state: &State,
    held: &Held,
    member: &Member,
    sealed: &Sealed<Reply>,
    now: Timestamp,
) -> Result<Taken, ReplyError> {
    let round = &held.round;
    if !round.roster.contains(&member.hospital) {
        return Err(ReplyError::NotAsked);
    }
    let reply = sealed.open(&member.message_key)?;
    if reply.round != held.digest || reply.hospital != member.hospital {
        return Err(ReplyError::Elsewhere);
    }
    let said = check_said(round, member, &reply.said)?;
    let text = serde_json::to_string(sealed).map_err(|_| StateError::Range)?;
    let mut change = state.begin().await?;
    let before = sqlx::query("select sealed from replies where round = $1 and hospital = $2")
        .bind(round.id.as_str())
        .bind(member.hospital.as_str())
        .fetch_optional(&mut *change)
        .await?;
    let detail = [
        ("round", round.id.to_string()),
        ("hospital", member.hospital.to_string()),
        ("said", said.to_owned()),
    ];
    if let Some(before) = before {
        if before.try_get::<String, _>(0)? == text {
            return Ok(Taken::Before);
        }
        append(
            &mut change,
            now,
            "reply-conflict",
            sealed.digest()?,
            &detail,
        )
        .await?;
        change.commit().await?;
        return Err(ReplyError::Conflict);
    }
    if stored_state(&mut change, &round.id).await? != "open" || now > round.deadline {
        return Err(ReplyError::Ended);
    }
    sqlx::query(
        "insert into replies (round, hospital, sealed, message_key, said, at) \
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(round.id.as_str())
    .bind(member.hospital.as_str())
    .bind(text)
    .bind(register::key_text(&member.message_key)?)
    .bind(said)
    .bind(now.0)
    .execute(&mut *change)
    .await?;
    append(&mut change, now, "reply", sealed.digest()?, &detail).await?;
    let (replies, _) = tally(&mut change, &round.id).await?;
    if replies == count(round.roster.len()) {
        end(&mut change, held, now).await?;
    }
    change.commit().await?;
    Ok(Taken::Now)
}

/// What was said, in one word; an answer must open by the same key and fit the question.
fn check_said(round: &Round, member: &Member, said: &Said) -> Result<&'static str, ReplyError> {
    match said {
        Said::Declined(reason) => Ok(reason.as_str()),
        Said::Answered(sealed) => {
            let answer = sealed.open(&member.message_key)?;
            let question = round.question.digest().map_err(SealError::from)?;
            if answer.question == question && answer.hospital == member.hospital {
                Ok("answered")
            } else {
                Err(ReplyError::Answer)
            }
        }
    }
}

async fn stored_state(change: &mut Change, round: &Slug) -> Result<String, StateError> {
    let row = sqlx::query("select state from rounds where id = $1")
        .bind(round.as_str())
        .fetch_one(&mut **change)
        .await?;
    Ok(row.try_get(0)?)
}

/// Number of replies and of answers among them.
async fn tally(change: &mut Change, round: &Slug) -> Result<(i64, i64), StateError> {
    let row = sqlx::query(
        "select count(*), count(case when said = 'answered' then 1 end) \
         from replies where round = $1",
    )
    .bind(round.as_str())
    .fetch_one(&mut **change)
    .await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Ends an open round: closed with enough answers, dead otherwise.
async fn end(change: &mut Change, held: &Held, now: Timestamp) -> Result<RoundState, StateError> {
    let (replies, answers) = tally(change, &held.round.id).await?;
    let enough = answers >= i64::from(held.round.min_answers);
    let (state, word) = if enough {
        (RoundState::Closed, "closed")
    } else {
        (RoundState::Dead, "dead")
    };
    sqlx::query("update rounds set state = $1, ended = $2 where id = $3 and state = 'open'")
        .bind(word)
        .bind(now.0)
        .bind(held.round.id.as_str())
        .execute(&mut **change)
        .await?;
    let silent = count(held.round.roster.len()).saturating_sub(replies);
    let detail = [
        ("round", held.round.id.to_string()),
        ("state", word.to_owned()),
        ("answers", answers.to_string()),
        ("late", silent.to_string()),
    ];
    append(change, now, "round-end", held.digest, &detail).await?;
    Ok(state)
}

/// Ends a round now, if it is still open.
pub async fn close(state: &State, held: &Held, now: Timestamp) -> Result<RoundState, StateError> {
    let mut change = state.begin().await?;
    let ended = match stored_state(&mut change, &held.round.id).await?.as_str() {
        "open" => end(&mut change, held, now).await?,
        "closed" => return Ok(RoundState::Closed),
        _ => return Ok(RoundState::Dead),
    };
    change.commit().await?;
    Ok(ended)
}

/// Names of the open rounds whose deadline has passed.
pub async fn overdue(state: &State, now: Timestamp) -> Result<Vec<Slug>, AskError> {
    let rows = sqlx::query("select id from rounds where state = 'open' and deadline < $1")
        .bind(now.0)
        .fetch_all(state.pool())
        .await?;
    let names = rows.iter().map(|row| {
        let name: String = row.try_get(0)?;
        name.parse().map_err(|_| AskError::State(StateError::Name))
    });
    names.collect()
}

/// The replies of a round: what was received, the key it was verified with, by hospital.
pub(crate) async fn replies(
    state: &State,
    round: &Slug,
) -> Result<BTreeMap<Slug, (Sealed<Reply>, schemas::seal::PublicKey)>, StateError> {
    let rows = sqlx::query("select hospital, sealed, message_key from replies where round = $1")
        .bind(round.as_str())
        .fetch_all(state.pool())
        .await?;
    let replies = rows.iter().map(|row| {
        let text = |column| row.try_get::<String, _>(column);
        let hospital = text(0)?.parse().map_err(|_| StateError::Name)?;
        let sealed = serde_json::from_str(&text(1)?).map_err(|_| StateError::Range)?;
        Ok((hospital, (sealed, register::key(&text(2)?)?)))
    });
    replies.collect()
}

/// Where a round stands.
pub async fn progress(state: &State, held: &Held, now: Timestamp) -> Result<Progress, StateError> {
    let round = &held.round;
    let seen: BTreeMap<Slug, Option<Timestamp>> = register::members(state)
        .await?
        .into_iter()
        .map(|member| (member.hospital, member.seen))
        .collect();
    let replies = replies(state, &round.id).await?;
    let mut hospitals = BTreeMap::new();
    let mut answers: u32 = 0;
    for hospital in &round.roster {
        let standing = match replies.get(hospital) {
            Some((sealed, key)) => match sealed.open(key).map_err(|_| StateError::Range)?.said {
                Said::Answered(_) => {
                    answers = answers.saturating_add(1);
                    Standing::Answered
                }
                Said::Declined(reason) => Standing::Declined(reason),
            },
            None if held.state == RoundState::Open => Standing::Waiting,
            None => Standing::Late,
        };
        let heard = seen.get(hospital).copied().flatten();
        let place = Place {
            standing,
            heard_seconds_ago: heard.map(|at| now.0.saturating_sub(at.0).max(0)),
        };
        hospitals.insert(hospital.clone(), place);
    }
    Ok(Progress {
        id: round.id.clone(),
        state: held.state,
        seconds_left: round.deadline.0.saturating_sub(now.0).max(0),
        answers,
        min_answers: round.min_answers,
        hospitals,
    })
}
