//! How a round goes on: uploads → one proposed set → votes → mask sums → totals. Every step is
//! stored before anybody is told of it, so that a restart goes on where it was.

use std::collections::{BTreeMap, BTreeSet};

use pooled::published::{Written, mask_sums};
use pooled::sums::Sent;
use pooled::survivors::{Certificate, Certified, Survivor, Survivors};
use pooled::total::Adding;
use pooled::vote::{Certify, Complaint};
use schemas::id::Slug;
use schemas::seal::Sealed;
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::complaints::{self, Next, Words};
use super::{Held, PooledError, collect, void};
use crate::store::state::{State, StateError, append};

/// A proposed set and what was said to it.
#[derive(Clone, Debug)]
pub(super) struct Proposed {
    pub(super) number: i64,
    pub(super) survivors: Survivors,
    pub(super) sound: BTreeSet<Slug>,
    /// Seats that complained, and about which of its hospitals.
    pub(super) complaints: BTreeMap<Slug, BTreeSet<Slug>>,
    pub(super) votes: Vec<(Slug, Sealed<Certify>)>,
    at: Timestamp,
}

impl Proposed {
    /// Whether members are asked to vote: once so many found it sound that their votes certify it.
    pub(super) fn votable(&self, held: &Held) -> bool {
        self.sound.len() >= held.round.shape().quorum() || !self.votes.is_empty()
    }
}

/// Names of rounds that may go on by themselves.
pub async fn overdue(state: &State) -> Result<Vec<Slug>, PooledError> {
    let rows = sqlx::query(
        "select id from pooled_rounds where state in ('open', 'proposed', 'certified') or \
         (state = 'dead' and id in (select round from pooled_void_votes))",
    )
    .fetch_all(state.pool())
    .await?;
    rows.iter()
        .map(|row| {
            let name: String = row.try_get(0)?;
            name.parse().map_err(|_| StateError::Name.into())
        })
        .collect()
}

/// Takes a round as far as what is stored allows. `true` where it moved.
pub async fn advance(state: &State, held: &Held, now: Timestamp) -> Result<bool, PooledError> {
    match held.state.as_str() {
        "open" => close(state, held, now).await,
        "proposed" if now > held.round.manifest().answer_by => {
            die(
                state,
                held,
                "too few committee members answered in time",
                now,
            )
            .await
        }
        "proposed" => certify(state, held, now).await,
        "certified" => finish(state, held, now).await,
        "dead" => void::stands(state, held, now).await,
        _ => Ok(false),
    }
}

/// Closes a round whose time is over, or to which everybody has uploaded.
async fn close(state: &State, held: &Held, now: Timestamp) -> Result<bool, PooledError> {
    let manifest = held.round.manifest();
    let count: i64 = sqlx::query_scalar("select count(*) from pooled_uploads where round = $1")
        .bind(manifest.round.as_str())
        .fetch_one(state.pool())
        .await?;
    if usize::try_from(count) != Ok(manifest.roster.len()) && now <= manifest.closes {
        return Ok(false);
    }
    if count < i64::from(manifest.n_min) {
        return die(state, held, "fewer uploads than n_min", now).await;
    }
    let uploads = collect::digests(state, held).await?;
    propose(state, held, (1, &uploads, &BTreeSet::new()), now).await
}

/// Stores the next set: all uploads but those of hospitals complained about.
async fn propose(
    state: &State,
    held: &Held,
    (number, uploads, without): (i64, &[Survivor], &BTreeSet<Slug>),
    now: Timestamp,
) -> Result<bool, PooledError> {
    let manifest = held.round.manifest();
    let left = uploads
        .iter()
        .filter(|upload| !without.contains(&upload.hospital));
    let survivors = Survivors {
        manifest: *held.round.hash(),
        uploads: left.cloned().collect(),
    };
    if survivors.check(&held.round).is_err() {
        let why = "fewer sound uploads than n_min";
        return die(state, held, why, now).await;
    }
    let mut change = state.begin().await?;
    let added = sqlx::query(
        "insert into pooled_sets (round, number, survivors, at) values ($1, $2, $3, $4) \
         on conflict do nothing",
    )
    .bind(manifest.round.as_str())
    .bind(number)
    .bind(serde_json::to_string(&survivors).map_err(|_| StateError::Range)?)
    .bind(now.0)
    .execute(&mut *change)
    .await?;
    if added.rows_affected() == 0 {
        return Ok(false);
    }
    let moved = sqlx::query(
        "update pooled_rounds set state = 'proposed' where id = $1 and state in ('open', 'proposed')",
    )
    .bind(manifest.round.as_str())
    .execute(&mut *change)
    .await?;
    if moved.rows_affected() == 0 {
        // Withdrawn meanwhile.
        return Ok(false);
    }
    let detail = [
        ("round", manifest.round.to_string()),
        ("hospitals", survivors.uploads.len().to_string()),
    ];
    append(&mut change, now, "survivors", survivors.digest()?, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(true)
}

/// The set that members are asked about now.
pub(super) async fn proposed(state: &State, held: &Held) -> Result<Proposed, PooledError> {
    let id = held.round.manifest().round.as_str();
    let row = sqlx::query(
        "select number, survivors, at from pooled_sets where round = $1 order by number desc limit 1",
    )
    .bind(id)
    .fetch_optional(state.pool())
    .await?;
    let row = row.ok_or(PooledError::NotYet)?;
    let number: i64 = row.try_get(0)?;
    let survivors: String = row.try_get(1)?;
    let mut proposed = Proposed {
        number,
        survivors: serde_json::from_str(&survivors).map_err(|_| StateError::Range)?,
        sound: BTreeSet::new(),
        complaints: BTreeMap::new(),
        votes: Vec::new(),
        at: Timestamp(row.try_get(2)?),
    };
    let set = proposed.survivors.hospitals();
    let rows = sqlx::query(
        "select member, kind, word from pooled_words where round = $1 and number = $2 \
         order by member",
    )
    .bind(id)
    .bind(number)
    .fetch_all(state.pool())
    .await?;
    for row in &rows {
        let text = |column| row.try_get::<String, _>(column);
        let member: Slug = text(0)?.parse().map_err(|_| StateError::Name)?;
        let word = text(2)?;
        match text(1)?.as_str() {
            "sound" => drop(proposed.sound.insert(member)),
            "vote" => {
                let vote = serde_json::from_str(&word).map_err(|_| StateError::Range)?;
                proposed.votes.push((member, vote));
            }
            _ => {
                let sealed: Vec<Sealed<Complaint>> =
                    serde_json::from_str(&word).map_err(|_| StateError::Range)?;
                let mut about = BTreeSet::new();
                for one in &sealed {
                    about.insert(Complaint::open(&held.round, one)?.hospital);
                }
                about.retain(|hospital| set.contains(hospital));
                proposed.complaints.insert(member, about);
            }
        }
    }
    Ok(proposed)
}

/// Makes the certificate, or the next set where complaints keep a quorum from finding this one sound.
async fn certify(state: &State, held: &Held, now: Timestamp) -> Result<bool, PooledError> {
    let now_proposed = proposed(state, held).await?;
    if now_proposed.votes.len() >= held.round.shape().quorum() {
        let certificate = Certificate {
            survivors: now_proposed.survivors.clone(),
            votes: now_proposed
                .votes
                .into_iter()
                .map(|(_, vote)| vote)
                .collect(),
        };
        let certified = certificate.verify(&held.round)?;
        return certificate_stands(state, held, (&certificate, &certified), now).await;
    }
    if now_proposed.votable(held) || now_proposed.complaints.is_empty() {
        return Ok(false);
    }
    let manifest = held.round.manifest();
    let words = Words {
        shape: held.round.shape(),
        sound: &now_proposed.sound,
        complaints: &now_proposed.complaints,
        survivors: now_proposed.survivors.uploads.len(),
        n_min: usize::try_from(manifest.n_min).unwrap_or(usize::MAX),
    };
    let waited = complaints::waited(now_proposed.at, manifest.answer_by, now);
    let mut without = match complaints::next(&words, waited) {
        Next::Wait => return Ok(false),
        Next::Without(hospitals) => hospitals,
        Next::Nothing => {
            let why = "complaints leave no set of n_min hospitals";
            return die(state, held, why, now).await;
        }
    };
    let set = now_proposed.survivors.hospitals();
    let uploads = collect::digests(state, held).await?;
    let all = uploads.iter().map(|upload| &upload.hospital);
    without.extend(all.filter(|one| !set.contains(*one)).cloned());
    let next = now_proposed.number.saturating_add(1);
    propose(state, held, (next, &uploads, &without), now).await
}

async fn certificate_stands(
    state: &State,
    held: &Held,
    (certificate, certified): (&Certificate, &Certified),
    now: Timestamp,
) -> Result<bool, PooledError> {
    let id = &held.round.manifest().round;
    let mut change = state.begin().await?;
    let added = sqlx::query(
        "insert into pooled_certificates (round, certificate) values ($1, $2) on conflict do nothing",
    )
    .bind(id.as_str())
    .bind(serde_json::to_string(certificate).map_err(|_| StateError::Range)?)
    .execute(&mut *change)
    .await?;
    if added.rows_affected() == 0 {
        return Ok(false);
    }
    let moved = sqlx::query(
        "update pooled_rounds set state = 'certified' where id = $1 and state = 'proposed'",
    )
    .bind(id.as_str())
    .execute(&mut *change)
    .await?;
    if moved.rows_affected() == 0 {
        return Ok(false);
    }
    let detail = [("round", id.to_string())];
    append(
        &mut change,
        now,
        "certificate",
        *certified.digest(),
        &detail,
    )
    .await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(true)
}

/// The stored certificate.
pub async fn certificate(state: &State, round: &Slug) -> Result<Option<Certificate>, PooledError> {
    let text: Option<String> =
        sqlx::query_scalar("select certificate from pooled_certificates where round = $1")
            .bind(round.as_str())
            .fetch_optional(state.pool())
            .await?;
    Ok(text
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|_| StateError::Range)?)
}

/// What seats sent about mask sums: class, member, whether with its vector, bytes.
pub(super) async fn sent(state: &State, held: &Held) -> Result<Vec<(Slug, Sent)>, PooledError> {
    let rows =
        sqlx::query("select member, sent from pooled_sums where round = $1 order by class, member")
            .bind(held.round.manifest().round.as_str())
            .fetch_all(state.pool())
            .await?;
    rows.iter()
        .map(|row| {
            let name: String = row.try_get(0)?;
            let bytes: Vec<u8> = row.try_get(1)?;
            let sent = Sent::parse(&held.round, &bytes)?;
            Ok((name.parse().map_err(|_| StateError::Name)?, sent))
        })
        .collect()
}

/// Unmasks the sum once every class has its mask sum.
async fn finish(state: &State, held: &Held, now: Timestamp) -> Result<bool, PooledError> {
    let id = &held.round.manifest().round;
    let found = certificate(state, id).await?.ok_or(PooledError::NotYet)?;
    let certified = found.verify(&held.round)?;
    let sent: Vec<Sent> = sent(state, held)
        .await?
        .into_iter()
        .map(|(_, sent)| sent)
        .collect();
    let Ok(sums) = mask_sums(&held.round, &certified, &sent) else {
        if now > held.round.manifest().answer_by {
            let why = "too few mask sums in time";
            return die(state, held, why, now).await;
        }
        return Ok(false);
    };
    let mut adding = Adding::new(&held.round, &certified);
    let mut added = Ok(());
    collect::vectors(state, held, certified.survivors(), |masked| {
        added = added.clone().and_then(|()| adding.add(&masked));
        Ok(())
    })
    .await?;
    let Ok(totals) = added.and_then(|()| adding.total(&sums)) else {
        let why = "a total is outside its range: what was signed is evidence";
        return die(state, held, why, now).await;
    };
    let written = Written::of(&held.round, &certified, &totals);
    let mut change = state.begin().await?;
    sqlx::query("insert into pooled_totals (round, totals) values ($1, $2) on conflict do nothing")
        .bind(id.as_str())
        .bind(serde_json::to_string(&written).map_err(|_| StateError::Range)?)
        .execute(&mut *change)
        .await?;
    sqlx::query("update pooled_rounds set state = 'done', ended = $1 where id = $2")
        .bind(now.0)
        .bind(id.as_str())
        .execute(&mut *change)
        .await?;
    let subject = schemas::canonical::digest("cams-totals-v1", &written)?;
    let detail = [("round", id.to_string())];
    append(&mut change, now, "pooled-totals", subject, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(true)
}

async fn die(
    state: &State,
    held: &Held,
    why: &'static str,
    now: Timestamp,
) -> Result<bool, PooledError> {
    let id = &held.round.manifest().round;
    let mut change = state.begin().await?;
    sqlx::query(
        "update pooled_rounds set state = 'dead', why = $1, ended = $2 \
         where id = $3 and state not in ('done', 'dead', 'void')",
    )
    .bind(why)
    .bind(now.0)
    .bind(id.as_str())
    .execute(&mut *change)
    .await?;
    let detail = [("round", id.to_string()), ("why", why.to_owned())];
    append(&mut change, now, "pooled-end", *held.round.hash(), &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(true)
}
