//! The tables `years`, `year_statements` and `year_results`.

use std::collections::BTreeMap;

use policies::year::{
    self, Administrators, Computed, Kept, Proposed, Published, Rules, Stage, Year, closable,
    grounded,
};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::seal::Sealed;
use schemas::time::Timestamp;
use schemas::year::{Matter, Says, Statement};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{Row as _, Sqlite};

use super::YearError;
use crate::administrators::administrators;
use crate::store::state::{Change, State, StateError, append};

/// Opens a year by its first statement, under these rules for good; again after it was withdrawn, under
/// these or others.
pub async fn open(
    state: &State,
    alliance: &Slug,
    rules: &Rules,
    sealed: &Sealed<Statement>,
    now: Timestamp,
) -> Result<Year, YearError> {
    let mut change = state.begin().await?;
    let who = who(&mut change, alliance).await?;
    let year = year::open(alliance, rules, &who, sealed, now)?;
    match published(&mut *change, alliance, year.number).await {
        Err(YearError::Unknown(_)) => {}
        Ok(mut before) if before.replay(|_, _, _| Ok(()))?.stage == Stage::Withdrawn => {
            if before.rules != *rules {
                before.earlier.retain(|one| one != rules);
                before.earlier.push(before.rules);
                sqlx::query("update years set rules = $2, earlier = $3 where year = $1")
                    .bind(i64::from(year.number))
                    .bind(text(rules)?)
                    .bind(text(&before.earlier)?)
                    .execute(&mut *change)
                    .await?;
            }
            let year = next(&mut change, (alliance, year.number), sealed, now).await?;
            change.commit().await?;
            return Ok(year);
        }
        Ok(_) => return Err(YearError::Known(year.number)),
        Err(error) => return Err(error),
    }
    sqlx::query("insert into years (year, rules) values ($1, $2)")
        .bind(i64::from(year.number))
        .bind(text(rules)?)
        .execute(&mut *change)
        .await?;
    keep(&mut change, &year, (sealed, who), now).await?;
    change.commit().await?;
    Ok(year)
}

/// Takes a statement; refused, it leaves everything as it was.
pub async fn take(
    state: &State,
    (alliance, number): (&Slug, u16),
    sealed: &Sealed<Statement>,
    now: Timestamp,
) -> Result<Year, YearError> {
    let mut change = state.begin().await?;
    let year = next(&mut change, (alliance, number), sealed, now).await?;
    change.commit().await?;
    Ok(year)
}

/// Computes a result and keeps it with the statement that proposes it.
pub async fn propose(
    state: &State,
    (alliance, number): (&Slug, u16),
    (matter, inputs): (Matter, &str),
    seal: impl FnOnce(&Computed, Timestamp) -> Result<Sealed<Statement>, YearError>,
    now: Timestamp,
) -> Result<(Year, Computed), YearError> {
    // Computed before anything is locked; rules are the year's for good.
    let rules = published(state.pool(), alliance, number).await?.rules;
    let computed = year::compute(&rules, number, matter, inputs)?;
    let mut change = state.begin().await?;
    // Nobody signs what does not hold.
    let before = published(&mut *change, alliance, number).await?;
    let stands = before.replay(|_, _, _| Ok(()))?;
    grounded(&computed, inputs, (&stands, before.plan(&stands)))?;
    sqlx::query(
        "insert into year_results (year, position, digest, inputs, computed) \
         select $1, coalesce(max(position), 0) + 1, $2, $3, $4 from year_results where year = $1 \
         on conflict do nothing",
    )
    .bind(i64::from(number))
    .bind(computed.digest()?.to_string())
    .bind(inputs)
    .bind(text(&computed)?)
    .execute(&mut *change)
    .await?;
    let sealed = seal(&computed, now)?;
    let year = next(&mut change, (alliance, number), &sealed, now).await?;
    change.commit().await?;
    Ok((year, computed))
}

/// Where a year stands, replayed from what was said.
pub async fn read(state: &State, alliance: &Slug, number: u16) -> Result<Year, YearError> {
    let kept = published(state.pool(), alliance, number).await?;
    Ok(kept.replay(|_, _, _| Ok(()))?)
}

/// A year in a list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Listed {
    /// Which.
    pub year: u16,
    /// Where it stands.
    pub stage: Stage,
    /// All there is to spend.
    pub target: Fen,
    /// The newest result about each matter, and whether it is in force.
    pub matters: BTreeMap<Matter, (Digest, bool)>,
}

impl From<&Year> for Listed {
    fn from(year: &Year) -> Self {
        let matters = year.matters.iter();
        Self {
            year: year.number,
            stage: year.stage,
            target: year.target,
            matters: matters
                .map(|(matter, course)| (*matter, (course.result, course.in_force)))
                .collect(),
        }
    }
}

/// All years.
pub async fn all(state: &State, alliance: &Slug) -> Result<Vec<Listed>, YearError> {
    let numbers: Vec<i64> = sqlx::query_scalar("select year from years order by year")
        .fetch_all(state.pool())
        .await?;
    let mut all = Vec::with_capacity(numbers.len());
    for number in numbers {
        let number = u16::try_from(number).map_err(|_| StateError::Range)?;
        all.push(Listed::from(&read(state, alliance, number).await?));
    }
    Ok(all)
}

/// All of a year.
pub async fn published<'e>(
    source: impl sqlx::Executor<'e, Database = Sqlite>,
    alliance: &Slug,
    number: u16,
) -> Result<Published, YearError> {
    // One query, so that all is of one moment.
    let rows = sqlx::query(
        "select 0, 0, rules, earlier, 0 from years where year = $1 union all \
         select 1, position, statement, administrators, taken from year_statements \
         where year = $1 union all \
         select 2, position, inputs, computed, 0 from year_results where year = $1 order by 1, 2",
    )
    .bind(i64::from(number))
    .fetch_all(source)
    .await?;
    let (mut rules, mut earlier) = (None, Vec::new());
    let (mut statements, mut results) = (Vec::new(), Vec::new());
    for row in rows {
        let (first, second): (String, String) = (row.try_get(2)?, row.try_get(3)?);
        match row.try_get::<i64, _>(0)? {
            0 => (rules, earlier) = (Some(parse(&first)?), parse(&second)?),
            1 => statements.push(Kept {
                statement: parse(&first)?,
                administrators: parse(&second)?,
                taken: Timestamp(row.try_get(4)?),
            }),
            _ => results.push(Proposed {
                inputs: first,
                computed: parse(&second)?,
            }),
        }
    }
    Ok(Published {
        alliance: alliance.clone(),
        year: number,
        rules: rules.ok_or(YearError::Unknown(number))?,
        earlier,
        statements,
        results,
    })
}

async fn next(
    change: &mut Change,
    (alliance, number): (&Slug, u16),
    sealed: &Sealed<Statement>,
    now: Timestamp,
) -> Result<Year, YearError> {
    let kept = published(&mut **change, alliance, number).await?;
    let before = kept.replay(|_, _, _| Ok(()))?;
    let who = who(change, alliance).await?;
    let says = before.statement(&who, sealed)?.says;
    if let Says::Propose { matter, result, .. } = &says {
        proposable(&kept, &before, (*matter, *result))?;
    }
    let year = before.take(alliance, &kept.rules, &who, sealed, now)?;
    if let Says::Close = says {
        closable(&year, kept.plan(&year))?;
    }
    keep(change, &year, (sealed, who), now).await?;
    Ok(year)
}

/// A result is proposed that is kept, and about the year's money and members.
fn proposable(
    kept: &Published,
    year: &Year,
    (matter, result): (Matter, Digest),
) -> Result<(), YearError> {
    let digest = |one: &&Proposed| one.computed.digest().is_ok_and(|digest| digest == result);
    let found = kept.results.iter().find(digest);
    let found = found.filter(|one| one.computed.matter() == matter);
    // One of an opening that was withdrawn, under other rules, is none.
    let found = found.filter(|one| kept.earlier.is_empty() || one.follows(&kept.rules, kept.year));
    let proposed = found.ok_or(YearError::NoResult)?;
    let about = (year, kept.plan(year));
    Ok(grounded(&proposed.computed, &proposed.inputs, about)?)
}

/// The administrators and their keys as they are registered now.
async fn who(change: &mut Change, alliance: &Slug) -> Result<Administrators, YearError> {
    let register = administrators(&mut **change, alliance).await?;
    let persons = register.all().iter();
    Ok(persons
        .map(|one| (one.name.clone(), one.key))
        .collect::<BTreeMap<_, _>>())
}

async fn keep(
    change: &mut Change,
    year: &Year,
    (sealed, who): (&Sealed<Statement>, Administrators),
    now: Timestamp,
) -> Result<(), YearError> {
    sqlx::query(
        "insert into year_statements (year, position, statement, administrators, taken) \
         select $1, coalesce(max(position), 0) + 1, $2, $3, $4 from year_statements where year = $1",
    )
    .bind(i64::from(year.number))
    .bind(text(sealed)?)
    .bind(text(&who)?)
    .bind(now.0)
    .execute(&mut **change)
    .await?;
    let said = year.statement(&who, sealed)?;
    let detail = [
        ("year", year.number.to_string()),
        ("by", said.by.to_string()),
        ("says", said.says.as_str().to_owned()),
    ];
    append(change, now, "year", sealed.digest()?, &detail).await?;
    Ok(())
}

fn text(value: &impl Serialize) -> Result<String, StateError> {
    serde_json::to_string(value).map_err(|_| StateError::Range)
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, StateError> {
    serde_json::from_str(text).map_err(|_| StateError::Range)
}
