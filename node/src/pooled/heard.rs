//! What became of each pooled round that was offered, in words for the steward: why it waits or was
//! declined, and what to do. It decides nothing and is in no log.

use pooled::offer::Offer;
use schemas::id::Slug;
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::{Desk, PooledError, Said, lists};
use crate::store::state::{State, StateError};

/// A round that was offered.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Offered {
    /// The round.
    pub round: Slug,
    /// As what: `hospital`, or `seat` of the round's committee.
    pub part: &'static str,
    /// `waits`, `declined`, `missed`, `uploaded`, `certified` or `voided`; of a seat `awaited`, `said` or
    /// `missed`.
    pub state: String,
    /// Why it waits, was declined or missed; what a seat said last.
    pub why: String,
    /// What to do at this hospital.
    pub next: String,
    /// When its uploads close; of a seat the committee's last moment.
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

/// Notes what this node's seat did in a round: what it said, or why it could not.
pub async fn seated(
    desk: &Desk<'_>,
    offer: &Offer,
    said: Result<&'static str, String>,
) -> Result<(), PooledError> {
    let Ok((_, _, manifest)) = offer.open(desk.alliance) else {
        return Ok(());
    };
    let (state, why) = match &said {
        Ok(word) => ("said", *word),
        Err(why) => ("awaited", why.as_str()),
    };
    write(
        desk,
        (SEAT, &manifest.round),
        (state, why),
        manifest.answer_by,
    )
    .await
}

/// A round ended: notes it as missed where this node was asked and did nothing for it.
pub async fn ended(desk: &Desk<'_>, offer: &Offer) -> Result<(), PooledError> {
    let state = &desk.app.state;
    let Ok((_, _, manifest)) = offer.open(desk.alliance) else {
        return Ok(());
    };
    let (round, name) = (&manifest.round, &desk.app.hospital);
    let known = async |select: &'static str| {
        let found = sqlx::query(select)
            .bind(round.as_str())
            .fetch_optional(state.pool())
            .await;
        found.map(|row| row.is_some())
    };
    if manifest.roster.contains(name)
        && !known("select 1 from pooled_said where round = $1").await?
        && !known("select 1 from pooled_uploads where round = $1").await?
    {
        let why = "it ended before this node took part: the node did not run, or did not reach the \
                   coordinator, while uploads were taken";
        write(desk, (HOSPITAL, round), ("missed", why), manifest.closes).await?;
    }
    let list = lists::of_hash(state, &manifest.key_list.to_string()).await?;
    let committees = list.iter().flat_map(|list| &list.list().committees);
    let mut committee = committees.filter(|one| one.epoch == manifest.epoch);
    let sits = committee.any(|one| one.seats.iter().any(|seat| seat.member == *name));
    if sits
        && !known("select 1 from pooled_seat_said where round = $1 and state = 'said'").await?
        && !known("select 1 from pooled_ballots where round = $1").await?
    {
        let why = "it ended without a word of this seat: the node did not run, did not reach the \
                   coordinator, or could not say anything";
        write(desk, (SEAT, round), ("missed", why), manifest.answer_by).await?;
    }
    Ok(())
}

/// Notes a state in the place of an earlier one; the same again changes nothing.
pub(super) async fn keep(
    desk: &Desk<'_>,
    offer: &Offer,
    state: &'static str,
    why: &str,
) -> Result<(), PooledError> {
    let Ok((_, _, manifest)) = offer.open(desk.alliance) else {
        return Ok(());
    };
    write(
        desk,
        (HOSPITAL, &manifest.round),
        (state, why),
        manifest.closes,
    )
    .await
}

/// A part in a round, with where it is kept.
struct Part {
    name: &'static str,
    known: &'static str,
    put: &'static str,
}

const HOSPITAL: &Part = &Part {
    name: "hospital",
    known: "select state, why from pooled_said where round = $1",
    put: "insert into pooled_said (round, state, why, closes, at) values ($1, $2, $3, $4, $5) \
          on conflict (round) do update set state = $2, why = $3, closes = $4, at = $5",
};

const SEAT: &Part = &Part {
    name: "seat",
    known: "select state, why from pooled_seat_said where round = $1",
    put: "insert into pooled_seat_said (round, state, why, closes, at) values ($1, $2, $3, $4, $5) \
          on conflict (round) do update set state = $2, why = $3, closes = $4, at = $5",
};

async fn write(
    desk: &Desk<'_>,
    (part, round): (&Part, &Slug),
    (state, why): (&'static str, &str),
    closes: Timestamp,
) -> Result<(), PooledError> {
    let (app, name) = (desk.app, round.as_str());
    let known = sqlx::query(part.known)
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
    sqlx::query(part.put)
        .bind(name)
        .bind(state)
        .bind(why)
        .bind(closes.0)
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
         exists (select 1 from pooled_uploads u where u.round = s.round), 'hospital' \
         from pooled_said s \
         union all select s.round, s.state, s.why, s.closes, s.at, 0, 0, 0, 'seat' \
         from pooled_seat_said s order by 5 desc, 1, 9",
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
        let part: String = row.try_get(8)?;
        let part = if part == SEAT.name { SEAT } else { HOSPITAL };
        let mut one = Offered {
            part: part.name,
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
    if one.part == SEAT.name {
        return match one.state.as_str() {
            "awaited" if now <= closes => format!(
                "the committee waits for this seat until {closes}: do what the reason says, and let the \
                 node run; it tries again by itself"
            ),
            "awaited" => "nothing: the committee's time is over".to_owned(),
            "said" => "nothing: the committee goes on by itself".to_owned(),
            _ => {
                "nothing in this round; let the node run (`run`), as a committee can miss few seats"
                    .to_owned()
            }
        };
    }
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
        "missed" => {
            "nothing in this round, and nothing was charged; let the node run (`run`), and ask \
                     the alliance for another round if this hospital was to take part"
                .to_owned()
        }
        "uploaded" => "nothing: its committee goes on by itself".to_owned(),
        "voided" => "nothing: what it cost was credited, but for `pooled-worst`".to_owned(),
        _ => "nothing: the sum is the alliance's; `pooled verify` checks what it publishes"
            .to_owned(),
    }
}
