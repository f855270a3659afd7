//! Opening rounds: a template, a period, the hospitals asked and a deadline become one signed
//! message.

use policies::plan::{self, Refusal};
use policies::rules::Privacy;
use policies::template::{DraftError, Template};
use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::loss::Rho;
use schemas::question::Release;
use schemas::round::{Round, State as RoundState};
use schemas::seal::{SealError, Sealed};
use schemas::time::{NotAPeriod, Period, Timestamp};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::authority::Authority;
use crate::dictionary::{self, PublishError};
use crate::register::{self, Standing};
use crate::store::state::{State, StateError, append};

/// Window of a round unless another is given: seven days.
pub const DEFAULT_WINDOW: i64 = 7 * 86_400;

/// What to ask, whom and until when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// The months asked about.
    pub period: Period,
    /// The hospitals asked; all members where it is empty.
    pub roster: Vec<Slug>,
    /// Seconds until the deadline.
    pub window: i64,
    /// Fewer answers and the round dies; the template's number where it is left out.
    pub min_answers: Option<u32>,
}

/// A round as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    /// As signed.
    pub sealed: Sealed<Round>,
    /// Digest of the signed bytes.
    pub digest: Digest,
    /// What was signed.
    pub round: Round,
    /// Where it stands.
    pub state: RoundState,
    /// When it ended.
    pub ended: Option<Timestamp>,
}

/// Why no round was opened.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nothing to ask by.
    #[error("no dictionary is published; `consilium-coordinator dictionary publish` does it")]
    NoDictionary,
    /// No question follows.
    #[error("the template gives no question")]
    Draft(#[from] DraftError),
    /// Every node would refuse it.
    #[error("the question breaks the alliance's rules")]
    Refused(#[from] Refusal),
    /// The template's answers are pooled.
    #[error("the template's answers are pooled; open it with `pooled open`")]
    Pooled,
    /// A hospital that is no member.
    #[error("`{0}` is not a member, or not an approved one (`members` lists them)")]
    Stranger(Slug),
    /// Fewer answers than a figure across hospitals needs would show nothing, and cost all the same.
    #[error(
        "at least {0} answers must come (display.hospitals of the alliance's rules): with fewer \
         hospitals no figure across hospitals is shown, and each hospital's allowance is spent"
    )]
    Few(u32),
    /// The very same question is being asked.
    #[error("the round `{0}` asks the very same question and is open")]
    Open(Slug),
    /// Nobody is asked, or fewer than must answer.
    #[error("the round needs at least {needed} hospitals and asks {asked}")]
    Roster {
        /// Hospitals asked.
        asked: usize,
        /// Least number of answers.
        needed: u32,
    },
    /// The window is empty or too long.
    #[error("the deadline lies from 1 second to 60 days ahead")]
    Window,
    /// No such round.
    #[error("there is no round `{0}`")]
    NoRound(Slug),
    /// The rules have no digest.
    #[error("the rules have no digest")]
    Rules(#[from] canonical::Error),
    /// The dictionary could not be read.
    #[error("the dictionary could not be read")]
    Dictionary(#[from] PublishError),
    /// The round could not be signed or opened.
    #[error("the round could not be signed or opened")]
    Seal(#[from] SealError),
    /// The state file failed.
    #[error("the state file could not be read or written")]
    State(#[from] StateError),
}

impl From<sqlx::Error> for AskError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(error.into())
    }
}

/// Reads a period: `2025`, `2025-03` or `2025-01..2025-06`.
pub fn period(text: &str) -> Result<Period, NotAPeriod> {
    text.parse()
}

/// A round as it would be opened: everything but its number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Drawn {
    /// What would be asked; the name is the template's.
    pub round: Round,
    /// What an answer costs each data year.
    pub charge: Rho,
    /// Rounds that asked the very same question, oldest first.
    pub before: Vec<Slug>,
    /// What the template asks but the dictionary lacks.
    pub left_out: Vec<String>,
}

/// Refuses a round of which too few answers would be enough to show anything.
pub fn enough(min_answers: Option<u32>, rules: &Privacy) -> Result<(), AskError> {
    let floor = rules.display.hospitals;
    if min_answers.is_some_and(|answers| answers >= floor) {
        Ok(())
    } else {
        Err(AskError::Few(floor))
    }
}

/// Draws up a round and opens nothing.
pub async fn draw(
    state: &State,
    authority: &Authority,
    template: &Template,
    rules: &Privacy,
    order: &Order,
    now: Timestamp,
) -> Result<Drawn, AskError> {
    if !(1..=Round::LONGEST).contains(&order.window) {
        return Err(AskError::Window);
    }
    if template.release != Release::Attributed {
        return Err(AskError::Pooled);
    }
    let dictionary = dictionary::latest(state, authority).await?;
    let dictionary = dictionary.ok_or(AskError::NoDictionary)?.dictionary;
    let draft = template.draft(&dictionary, rules.digest()?, order.period)?;
    let layout = plan::compile(&draft.question, &dictionary, rules)?;
    plan::check_price(&layout, template.purpose, rules)?;
    let roster = roster(state, &order.roster).await?;
    let min_answers = order.min_answers.or(template.min_answers).unwrap_or(1);
    if min_answers == 0 || usize::try_from(min_answers).map_or(true, |n| n > roster.len()) {
        return Err(AskError::Roster {
            asked: roster.len(),
            needed: min_answers.max(1),
        });
    }
    let digest = draft.question.digest()?;
    let mut before = Vec::new();
    for held in list(state, authority).await? {
        if held.round.question.digest()? == digest {
            before.push(held.round.id);
        }
    }
    let round = Round {
        id: template.id.clone(),
        template: Some(template.reference()),
        purpose: template.purpose,
        question: draft.question,
        roster,
        min_answers,
        opened: now,
        deadline: Timestamp(now.0.saturating_add(order.window)),
    };
    Ok(Drawn {
        round,
        charge: layout.charge,
        before,
        left_out: draft.left_out,
    })
}

/// Opens what was drawn up, under the next number.
pub async fn begin(state: &State, authority: &Authority, drawn: Drawn) -> Result<Held, AskError> {
    begin_by(state, authority, drawn, None).await
}

/// Opens what was drawn up; the log names the account that did it.
pub async fn begin_by(
    state: &State,
    authority: &Authority,
    drawn: Drawn,
    by: Option<&Slug>,
) -> Result<Held, AskError> {
    let mut round = drawn.round;
    let mut change = state.begin().await?;
    let count: i64 = sqlx::query("select count(*) from rounds")
        .fetch_one(&mut *change)
        .await?
        .try_get(0)?;
    let name = format!("r{}-{}", count.saturating_add(1), round.id);
    let name: String = name.chars().take(64).collect();
    round.id = name.parse().map_err(|_| StateError::Name)?;
    let sealed = Sealed::seal(authority.signer(), &round)?;
    let held = Held {
        digest: sealed.digest()?,
        sealed,
        round,
        state: RoundState::Open,
        ended: None,
    };
    insert(&mut change, &held, by).await?;
    change.commit().await?;
    Ok(held)
}

async fn insert(
    change: &mut crate::store::state::Change,
    held: &Held,
    by: Option<&Slug>,
) -> Result<(), StateError> {
    let round = &held.round;
    sqlx::query(
        "insert into rounds (id, digest, sealed, state, opened, deadline, ended) \
         values ($1, $2, $3, 'open', $4, $5, null)",
    )
    .bind(round.id.as_str())
    .bind(held.digest.to_string())
    .bind(serde_json::to_string(&held.sealed).map_err(|_| StateError::Range)?)
    .bind(round.opened.0)
    .bind(round.deadline.0)
    .execute(&mut **change)
    .await?;
    for hospital in &round.roster {
        sqlx::query("insert into roster (round, hospital) values ($1, $2)")
            .bind(round.id.as_str())
            .bind(hospital.as_str())
            .execute(&mut **change)
            .await?;
    }
    let template = round
        .template
        .as_ref()
        .map_or_else(String::new, ToString::to_string);
    let mut detail = vec![("round", round.id.to_string()), ("template", template)];
    detail.extend(by.map(|account| ("by", account.to_string())));
    append(change, round.opened, "round", held.digest, &detail).await
}

/// The hospitals asked, sorted, each once and an approved member.
async fn roster(state: &State, named: &[Slug]) -> Result<Vec<Slug>, AskError> {
    // Insurers and public bodies that sit in committees hold no data.
    let bodies = sqlx::query("select name from pooled_bodies where kind <> 'hospital'")
        .fetch_all(state.pool())
        .await?;
    let mut others = Vec::with_capacity(bodies.len());
    for row in &bodies {
        others.push(row.try_get::<String, _>(0)?);
    }
    let members = register::members(state).await?;
    let members: Vec<Slug> = members
        .into_iter()
        .filter(|member| member.standing == Standing::Active)
        .map(|member| member.hospital)
        .filter(|name| !others.iter().any(|other| other == name.as_str()))
        .collect();
    if named.is_empty() {
        return Ok(members);
    }
    let mut roster = named.to_vec();
    roster.sort();
    roster.dedup();
    match roster.iter().find(|name| !members.contains(name)) {
        Some(stranger) => Err(AskError::Stranger(stranger.clone())),
        None => Ok(roster),
    }
}

/// A round by its name, or by its digest in hexadecimal (no round bears such a name).
pub async fn find(state: &State, authority: &Authority, id: &Slug) -> Result<Held, AskError> {
    let row = sqlx::query("select sealed, state, ended from rounds where id = $1 or digest = $1")
        .bind(id.as_str())
        .fetch_optional(state.pool())
        .await?;
    match row {
        Some(row) => read(&row, authority),
        None => Err(AskError::NoRound(id.clone())),
    }
}

/// All rounds, oldest first.
pub async fn list(state: &State, authority: &Authority) -> Result<Vec<Held>, AskError> {
    let rows = sqlx::query("select sealed, state, ended from rounds order by opened, id")
        .fetch_all(state.pool())
        .await?;
    rows.iter().map(|row| read(row, authority)).collect()
}

/// The open rounds that a hospital is asked and has not replied to.
pub async fn pending(
    state: &State,
    hospital: &Slug,
    now: Timestamp,
) -> Result<Vec<Sealed<Round>>, AskError> {
    let rows = sqlx::query(
        "select r.sealed from rounds r join roster a on a.round = r.id \
         where a.hospital = $1 and r.state = 'open' and r.deadline >= $2 \
         and not exists (select 1 from replies p where p.round = r.id and p.hospital = $1) \
         order by r.opened, r.id",
    )
    .bind(hospital.as_str())
    .bind(now.0)
    .fetch_all(state.pool())
    .await?;
    let sealed = rows.iter().map(|row| {
        let text: String = row.try_get(0)?;
        Ok(serde_json::from_str(&text).map_err(|_| StateError::Range)?)
    });
    sealed.collect()
}

fn read(row: &SqliteRow, authority: &Authority) -> Result<Held, AskError> {
    let text: String = row.try_get(0)?;
    let sealed: Sealed<Round> = serde_json::from_str(&text).map_err(|_| StateError::Range)?;
    let state: String = row.try_get(1)?;
    Ok(Held {
        digest: sealed.digest()?,
        round: sealed.open(&authority.signer().public())?,
        sealed,
        state: match state.as_str() {
            "open" => RoundState::Open,
            "closed" => RoundState::Closed,
            _ => RoundState::Dead,
        },
        ended: row.try_get::<Option<i64>, _>(2)?.map(Timestamp),
    })
}

#[cfg(test)]
mod tests {
    use policies::rules::{DEFAULT, Privacy};

    use super::enough;

    #[test]
    fn a_round_asks_for_as_many_answers_as_a_figure_needs() {
        let rules = Privacy::parse(DEFAULT).unwrap();
        assert!(enough(Some(3), &rules).is_ok() && enough(Some(5), &rules).is_ok());
        for few in [None, Some(0), Some(2)] {
            let error = enough(few, &rules).unwrap_err().to_string();
            assert!(error.contains("at least 3"), "{error}");
        }
    }
}
