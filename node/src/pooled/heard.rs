//! What became of each pooled round that was offered, in words for the steward: why it waits or was
//! declined, and what to do. It decides nothing and is in no log.

use pooled::offer::Offer;
use schemas::id::Slug;
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::{Desk, PooledError, Said};
use crate::store::state::{State, StateError};

/// A round that was offered.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Offered {
    /// The round.
    pub round: Slug,
    /// `waits`, `declined`, `uploaded`, `certified` or `voided`.
    pub state: String,
    /// Why it waits or was declined.
    pub why: String,
    /// What to do at this hospital.
    pub next: String,
    /// When its uploads close.
    pub closes: i64,
    /// When this was first found.
    pub at: i64,
}

/// Notes what was said to an offer, or why nothing was. What the alliance did not sign is not noted.
pub(super) async fn note(
    desk: &Desk<'_>,
    offer: &Offer,
    said: &Result<Said, PooledError>,
) -> Result<(), PooledError> {
    let (state, why) = match said {
        Ok(Said::Upload(_)) => ("uploaded", String::new()),
        Ok(Said::Waits) => ("waits", "the steward has not decided".to_owned()),
        // Noted with its reason where it was declined.
        Ok(Said::Declined(_)) | Err(PooledError::State(_)) => return Ok(()),
        Err(error) => ("waits", error.to_string()),
    };
    keep(desk, offer, state, &why).await
}

/// Notes a state in the place of an earlier one; the same again changes nothing.
pub(super) async fn keep(
    desk: &Desk<'_>,
    offer: &Offer,
    state: &'static str,
    why: &str,
) -> Result<(), PooledError> {
    let app = desk.app;
    let Ok((_, _, manifest)) = offer.open(desk.alliance) else {
        return Ok(());
    };
    let name = manifest.round.as_str();
    let known = sqlx::query("select state, why from pooled_said where round = $1")
        .bind(name)
        .fetch_optional(app.state.pool())
        .await?;
    if let Some(row) = known {
        let known: (String, String) = (row.try_get(0)?, row.try_get(1)?);
        if (known.0.as_str(), known.1.as_str()) == (state, why) {
            return Ok(());
        }
    }
    let mut change = app.state.begin().await?;
    sqlx::query(
        "insert into pooled_said (round, state, why, closes, at) values ($1, $2, $3, $4, $5) \
         on conflict (round) do update set state = $2, why = $3, closes = $4, at = $5",
    )
    .bind(name)
    .bind(state)
    .bind(why)
    .bind(manifest.closes.0)
    .bind(app.clock.now().0)
    .execute(&mut *change)
    .await?;
    Ok(change.commit().await.map_err(StateError::from)?)
}

/// Rounds that were offered, the newest first.
pub async fn offered(state: &State, now: Timestamp) -> Result<Vec<Offered>, PooledError> {
    let rows = sqlx::query(
        "select s.round, s.state, s.why, s.closes, s.at, \
         exists (select 1 from pooled_certified c where c.round = s.round), \
         exists (select 1 from pooled_voided v where v.round = s.round), \
         exists (select 1 from pooled_uploads u where u.round = s.round) \
         from pooled_said s order by s.at desc, s.round",
    )
    .fetch_all(state.pool())
    .await?;
    let mut offered = Vec::with_capacity(rows.len());
    for row in &rows {
        let round: String = row.try_get(0)?;
        let round: Slug = round.parse().map_err(|_| StateError::Name)?;
        let ended = match (row.try_get::<i64, _>(5)?, row.try_get::<i64, _>(6)?) {
            (_, 1) => Some("voided"),
            (1, _) => Some("certified"),
            _ => None,
        };
        let mut one = Offered {
            state: row.try_get(1)?,
            why: row.try_get(2)?,
            next: String::new(),
            closes: row.try_get(3)?,
            at: row.try_get(4)?,
            round,
        };
        // How a round ended says nothing of a hospital that put nothing into it: what kept it out stays.
        let took_part = row.try_get::<i64, _>(7)? == 1;
        if let (Some(ended), true) = (ended, took_part) {
            ended.clone_into(&mut one.state);
        }
        one.next = next(&one, now);
        offered.push(one);
    }
    Ok(offered)
}

/// What to do at this hospital.
fn next(one: &Offered, now: Timestamp) -> String {
    let (round, closes) = (&one.round, Timestamp(one.closes));
    match one.state.as_str() {
        "waits" if now > closes => {
            "nothing: its uploads are closed, and nothing of this hospital was charged".to_owned()
        }
        "waits" if one.why.starts_with("the steward") => {
            format!("`steward show {round}`, then approve or refuse it until {closes}")
        }
        "waits" => format!("do what the reason says; it is looked at again until {closes}"),
        "declined" => match one.why.as_str() {
            "locked" => "`steward unlock`, and ask the alliance for another round".to_owned(),
            "steward" => "nothing: it was refused here".to_owned(),
            _ => {
                "it is declined for good; if that is not wanted, ask the alliance for another round"
                    .to_owned()
            }
        },
        "uploaded" => "nothing: its committee goes on by itself".to_owned(),
        "voided" => "nothing: what it cost was credited, but for `pooled-worst`".to_owned(),
        _ => "nothing: the sum is the alliance's; `pooled verify` checks what it publishes"
            .to_owned(),
    }
}
