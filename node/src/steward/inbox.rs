//! Rounds that wait for the steward, until their window ends.

use schemas::canonical;
use schemas::digest::Digest;
use schemas::officer::QuestionApproval;
use schemas::round::Round;
use schemas::seal::Sealed;
use schemas::time::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::StewardError;
use crate::store::state::{self, Change, StateError, append};

/// Where a round stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Waits for a decision.
    Pending,
    /// Approved; answered at the next poll.
    Approved,
    /// Answered, charged and stored; waits for the steward to let it leave.
    Held,
    /// May leave.
    Released,
    /// Its answer left, or is on its way: nothing takes it back.
    Sent,
    /// Refused.
    Refused,
    /// Its window ended first.
    Late,
}

impl State {
    const ALL: [Self; 7] = [
        Self::Pending,
        Self::Approved,
        Self::Held,
        Self::Released,
        Self::Sent,
        Self::Refused,
        Self::Late,
    ];

    /// Whether the steward approved it, as far as the state file says.
    pub fn is_approved(self) -> bool {
        matches!(self, Self::Approved | Self::Held | Self::Released)
    }

    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Held => "held",
            Self::Released => "released",
            Self::Sent => "sent",
            Self::Refused => "refused",
            Self::Late => "late",
        }
    }
}

/// A round in the inbox.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Digest of the round as signed.
    pub digest: Digest,
    /// What was signed.
    pub round: Round,
    /// Where it stands.
    pub state: State,
    /// The steward's approval, unchecked.
    pub approval: Option<Sealed<QuestionApproval>>,
    /// When it came.
    pub at: Timestamp,
    /// Why it was refused, in the steward's words.
    pub reason: Option<String>,
}

const SELECT: &str = "select round, body, state, approval, at, reason from inbox";

/// Keeps a round for the steward; a round that is there stays as it is. Its name is taken from now
/// on: another round cannot come under it.
pub async fn put(
    state: &state::State,
    round: &Round,
    digest: Digest,
    at: Timestamp,
) -> Result<(), StewardError> {
    let body = String::from_utf8(canonical::to_bytes(round)?).map_err(|_| StateError::Range)?;
    let mut change = state.begin().await?;
    let fresh = sqlx::query(
        "insert into inbox (round, name, body, deadline, state, approval, at) \
         values ($1, $2, $3, $4, 'pending', null, $5) on conflict do nothing",
    )
    .bind(digest.to_string())
    .bind(round.id.as_str())
    .bind(body)
    .bind(round.deadline.0)
    .bind(at.0)
    .execute(&mut *change)
    .await?;
    if fresh.rows_affected() == 0 {
        return Ok(());
    }
    sqlx::query("insert into round_names (id, round) values ($1, $2) on conflict (id) do nothing")
        .bind(round.id.as_str())
        .bind(digest.to_string())
        .execute(&mut *change)
        .await?;
    let detail = [
        ("round", round.id.to_string()),
        ("question", round.question.digest()?.to_string()),
    ];
    append(&mut change, at, "question", digest, &detail).await?;
    Ok(change.commit().await?)
}

/// All rounds of the inbox, newest first.
pub async fn letters(state: &state::State) -> Result<Vec<Letter>, StewardError> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "{SELECT} order by at desc, name"
    )))
    .fetch_all(state.pool())
    .await?;
    rows.iter().map(read).collect()
}

/// The round of that name or digest.
pub async fn find(state: &state::State, id: &str) -> Result<Option<Letter>, StewardError> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!(
        "{SELECT} where round = $1 or name = $1"
    )))
    .bind(id)
    .fetch_optional(state.pool())
    .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &SqliteRow) -> Result<Letter, StewardError> {
    let text = |at: usize| row.try_get::<String, _>(at);
    let word = text(2)?;
    let state = State::ALL.into_iter().find(|state| state.as_str() == word);
    let approval: Option<String> = row.try_get(3)?;
    let approval = approval.map(|text| serde_json::from_str(&text)).transpose();
    Ok(Letter {
        digest: text(0)?.parse().map_err(|_| StateError::Range)?,
        round: canonical::from_bytes(text(1)?.as_bytes())?,
        state: state.ok_or(StateError::Range)?,
        approval: approval.map_err(|_| StateError::Range)?,
        at: Timestamp(row.try_get(4)?),
        reason: row.try_get(5)?,
    })
}

/// Moves a round on; `false` where it stood elsewhere than expected.
pub(super) async fn advance(
    change: &mut Change,
    round: &Digest,
    from: State,
    to: State,
) -> Result<bool, StewardError> {
    let moved = sqlx::query("update inbox set state = $1 where round = $2 and state = $3")
        .bind(to.as_str())
        .bind(round.to_string())
        .bind(from.as_str())
        .execute(&mut **change)
        .await?;
    Ok(moved.rows_affected() == 1)
}

/// An approved round was answered and charged; it waits for the steward to let it leave.
pub async fn answered(
    state: &state::State,
    round: Digest,
    at: Timestamp,
) -> Result<(), StewardError> {
    let mut change = state.begin().await?;
    if advance(&mut change, &round, State::Approved, State::Held).await? {
        append(&mut change, at, "held", round, &[]).await?;
        change.commit().await?;
    }
    Ok(())
}

/// Lets an answer leave, in the transaction that stores the reply: `false` where the steward has
/// refused, held or locked since the question was judged. What left is taken back by nobody.
pub async fn let_go(change: &mut Change, round: &Digest) -> Result<bool, StateError> {
    let last = "select locked from locks order by position desc limit 1";
    let locked: Option<i64> = sqlx::query_scalar(last)
        .fetch_optional(&mut **change)
        .await?;
    if locked.is_some_and(|locked| locked != 0) {
        return Ok(false);
    }
    let found = sqlx::query("select state from inbox where round = $1")
        .bind(round.to_string())
        .fetch_optional(&mut **change)
        .await?;
    let Some(row) = found else {
        return Ok(true);
    };
    let state: String = row.try_get(0)?;
    // A question that waited and that a standing approval covers since is pending.
    let may = [
        State::Pending,
        State::Approved,
        State::Released,
        State::Sent,
    ];
    if !may.iter().any(|may| may.as_str() == state) {
        return Ok(false);
    }
    sqlx::query("update inbox set state = $1 where round = $2")
        .bind(State::Sent.as_str())
        .bind(round.to_string())
        .execute(&mut **change)
        .await?;
    Ok(true)
}

/// An approval that fits no longer falls back to a question that waits.
pub async fn void(
    state: &state::State,
    round: Digest,
    why: &'static str,
    at: Timestamp,
) -> Result<(), StewardError> {
    let mut change = state.begin().await?;
    let mut moved = false;
    for from in [State::Approved, State::Held, State::Released] {
        moved |= advance(&mut change, &round, from, State::Pending).await?;
    }
    if moved {
        sqlx::query("update inbox set approval = null where round = $1")
            .bind(round.to_string())
            .execute(&mut *change)
            .await?;
        let detail = [("why", why.to_owned())];
        append(&mut change, at, "approval-void", round, &detail).await?;
        change.commit().await?;
    }
    Ok(())
}

/// Ends what was not decided within its window.
pub async fn expire(state: &state::State, now: Timestamp) -> Result<(), StewardError> {
    let overdue = "select round from inbox where deadline < $1 and state in \
                   ('pending', 'approved', 'held') \
                   and not exists (select 1 from replies r where r.round = inbox.round)";
    let any = sqlx::query(overdue)
        .bind(now.0)
        .fetch_optional(state.pool())
        .await?;
    if any.is_none() {
        return Ok(());
    }
    let mut change = state.begin().await?;
    let rows = sqlx::query(overdue)
        .bind(now.0)
        .fetch_all(&mut *change)
        .await?;
    for row in rows {
        let round: Digest = row
            .try_get::<String, _>(0)?
            .parse()
            .map_err(|_| StateError::Range)?;
        for from in [State::Pending, State::Approved, State::Held] {
            advance(&mut change, &round, from, State::Late).await?;
        }
        append(&mut change, now, "late", round, &[]).await?;
    }
    Ok(change.commit().await?)
}
