//! Where a pooled round stands, for people: moments, hospitals, seats, and what comes next.

use std::collections::BTreeMap;

use schemas::id::Slug;
use schemas::time::{Period, Timestamp};
use serde::Serialize;
use sqlx::Row as _;

use super::{Held, PooledError, advance};
use crate::store::state::{State, StateError};

/// A round as it is shown. Moments are seconds since 1970, UTC.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Progress {
    /// The round.
    pub round: Slug,
    /// Its template, `name@version`.
    pub template: Option<String>,
    /// The months asked about.
    pub period: Period,
    /// `open`, `proposed`, `certified`, `done`, `dead` or `void`.
    pub state: String,
    /// Why it died.
    pub why: Option<String>,
    /// When it was opened.
    pub opened: i64,
    /// When uploads close.
    pub closes: i64,
    /// Last moment of the committee.
    pub answer_by: i64,
    /// When it ended.
    pub ended: Option<i64>,
    /// Fewest hospitals in the sum.
    pub n_min: u32,
    /// Hospitals that may collude.
    pub t: u32,
    /// The hospitals asked.
    pub hospitals: Vec<Place>,
    /// The committee's seats in order.
    pub committee: Vec<SeatPlace>,
    /// Votes that certify, or void.
    pub quorum: usize,
    /// Whether a certificate stands: its hospitals are never credited.
    pub certified: bool,
    /// What happens or is to be done next.
    pub next: String,
}

/// A hospital that was asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Place {
    /// The hospital.
    pub hospital: Slug,
    /// When its upload came; `None` where none did.
    pub uploaded: Option<i64>,
    /// Whether it is in the set that is proposed or certified; `None` where there is none yet.
    pub in_sum: Option<bool>,
}

/// A seat of the committee.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SeatPlace {
    /// The member.
    pub member: Slug,
    /// What it said, in order: `sound`, `complaint` and `vote` about the newest set, `sum`, `void`.
    pub said: Vec<String>,
}

impl Progress {
    /// Uploads that came.
    pub fn uploads(&self) -> usize {
        let came = self.hospitals.iter().filter(|one| one.uploaded.is_some());
        came.count()
    }

    /// Seats that said this.
    pub fn saying(&self, word: &str) -> usize {
        let seats = self.committee.iter();
        seats
            .filter(|seat| seat.said.iter().any(|said| said == word))
            .count()
    }
}

/// Where a round stands now.
pub async fn progress(state: &State, held: &Held, now: Timestamp) -> Result<Progress, PooledError> {
    let manifest = held.round.manifest();
    let id = manifest.round.as_str();
    let uploads = "select hospital, at from pooled_uploads where round = $1";
    let rows = sqlx::query(uploads)
        .bind(id)
        .fetch_all(state.pool())
        .await?;
    let mut came: BTreeMap<String, i64> = BTreeMap::new();
    for row in &rows {
        came.insert(row.try_get(0)?, row.try_get(1)?);
    }
    let certificate = advance::certificate(state, &manifest.round).await?;
    let certified = certificate.is_some();
    let set = match certificate {
        Some(certificate) => Some(certificate.survivors.hospitals()),
        None => match advance::proposed(state, held).await {
            Ok(proposed) => Some(proposed.survivors.hospitals()),
            Err(PooledError::NotYet) => None,
            Err(error) => return Err(error),
        },
    };
    let place = |hospital: &Slug| Place {
        hospital: hospital.clone(),
        uploaded: came.get(hospital.as_str()).copied(),
        in_sum: set.as_ref().map(|set| set.contains(hospital)),
    };
    let mut said = words(state, id).await?;
    let seats = held.round.seats().iter();
    let ended: Option<i64> = sqlx::query_scalar("select ended from pooled_rounds where id = $1")
        .bind(id)
        .fetch_one(state.pool())
        .await?;
    let mut progress = Progress {
        round: manifest.round.clone(),
        template: held.asked.template.as_ref().map(ToString::to_string),
        period: manifest.period,
        state: held.state.clone(),
        why: held.why.clone(),
        opened: manifest.opened.0,
        closes: manifest.closes.0,
        answer_by: manifest.answer_by.0,
        ended,
        n_min: manifest.n_min,
        t: manifest.t,
        hospitals: manifest.roster.iter().map(place).collect(),
        committee: seats
            .map(|seat| SeatPlace {
                member: seat.member.clone(),
                said: said.remove(seat.member.as_str()).unwrap_or_default(),
            })
            .collect(),
        quorum: held.round.shape().quorum(),
        certified,
        next: String::new(),
    };
    progress.next = next(&progress, now);
    Ok(progress)
}

async fn words(state: &State, id: &str) -> Result<BTreeMap<String, Vec<String>>, PooledError> {
    let rows = sqlx::query(
        "select member, kind, 1 from pooled_words w where round = $1 and number = \
         (select max(number) from pooled_sets s where s.round = w.round) \
         union select member, 'sum', 2 from pooled_sums where round = $1 \
         union select member, 'void', 3 from pooled_void_votes where round = $1 order by 3, 2, 1",
    )
    .bind(id)
    .fetch_all(state.pool())
    .await
    .map_err(StateError::from)?;
    let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in &rows {
        let (member, word): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        said.entry(member).or_default().push(word);
    }
    Ok(said)
}

/// What happens by itself, or what is to be done.
fn next(round: &Progress, now: Timestamp) -> String {
    let (id, asked) = (&round.round, round.hospitals.len());
    let last = Timestamp(round.answer_by);
    match round.state.as_str() {
        "open" => format!(
            "{} of {asked} hospitals uploaded; uploads close when all have, or at {}. A hospital that \
             has not says why in its `steward inbox`. `pooled withdraw {id}` ends the round",
            round.uploads(),
            Timestamp(round.closes)
        ),
        "proposed" => format!(
            "{} of {} votes for the set; the seats vote by themselves until {last}: let the members \
             of the committee run",
            round.saying("vote"),
            round.quorum
        ),
        "certified" => format!(
            "the committee's mask sums come by themselves until {last}: let its members run"
        ),
        "done" => format!(
            "`pooled publish {id} --out DIR` for anyone to verify; `pooled report {id} --out DIR`, or \
             `benchmark ROUND --pooled {id} --out DIR` beside an attributed round, for the figures"
        ),
        "dead" if round.certified => "its set was certified, so no hospital is credited; open \
             another round if the figures are still wanted"
            .to_owned(),
        "dead" if now.0 <= round.closes => format!(
            "the seats vote to void it once {} is over, when no hospital may upload any more; then \
             the hospitals that uploaded are credited",
            Timestamp(round.closes)
        ),
        "dead" => format!(
            "{} of {} votes to void it; with them the hospitals that uploaded are credited: let the \
             members of the committee run",
            round.saying("void"),
            round.quorum
        ),
        _ => format!(
            "hospitals take back what it cost them as they hear of it; `pooled publish {id} --out \
             DIR` shows anyone the votes"
        ),
    }
}
