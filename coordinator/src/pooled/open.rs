//! Opening a pooled round: template, period and hospitals become a signed round and its manifest,
//! which this coordinator checks as every node will.

use policies::plan::{self, Layout, pooled_blocks};
use policies::rules::Privacy;
use policies::template::Template;
use pooled::key_list::{Committee, KeyList, Kind, Pinned, month_at};
use pooled::manifest::{Manifest, Round};
use pooled::offer::Offer;
use pooled::published::open_round;
use schemas::canonical;
use schemas::dictionary::Dictionary;
use schemas::id::Slug;
use schemas::question::{Question, Release};
use schemas::round::Round as Asked;
use schemas::seal::{PublicKey, Sealed};
use schemas::time::{Month, Period, Timestamp};
use sqlx::Row as _;

use super::foresee::{self, Coming};
use super::{PooledError, list};
use crate::authority::Authority;
use crate::dictionary;
use crate::store::state::{Change, State, StateError, append};

/// What to ask, whom and until when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// The months asked about.
    pub period: Period,
    /// The hospitals asked; all of the key list where it is empty.
    pub roster: Vec<Slug>,
    /// Seconds until uploads close.
    pub window: i64,
    /// Seconds that the committee has after that.
    pub answers: i64,
    /// Hospitals that may collude.
    pub t: u32,
    /// Least survivors; the least that the floors allow where it is left out.
    pub n_min: Option<u32>,
    /// Whether it is opened although hospitals are foreseen to refuse it.
    pub anyway: bool,
}

/// A pooled round as stored.
#[derive(Clone, Debug)]
pub struct Held {
    /// As offered.
    pub offer: Offer,
    /// What is asked.
    pub asked: Asked,
    /// The checked manifest.
    pub round: Round,
    /// The alliance's key.
    pub alliance: PublicKey,
    /// `open`, `proposed`, `certified`, `done`, `dead`, or `void`: dead for good by its committee's word.
    pub state: String,
    /// Why it died.
    pub why: Option<String>,
}

/// Opens a round, unless hospitals are foreseen to refuse it. Gives it and what the template asks but
/// the dictionary lacks.
pub async fn open(
    state: &State,
    authority: &Authority,
    template: &Template,
    rules: &Privacy,
    order: &Order,
    now: Timestamp,
) -> Result<(Held, Vec<String>), PooledError> {
    if template.release != Release::Pooled {
        return Err(PooledError::Attributed);
    }
    let key = authority.signer().public();
    let found = dictionary::latest(state, authority).await?;
    let dictionary = found.ok_or(PooledError::NoDictionary)?.dictionary;
    let draft = template.draft(&dictionary, rules.digest()?, order.period)?;
    let layout = plan::compile(&draft.question, &dictionary, rules)?;
    plan::check_price(&layout, template.purpose, rules)?;
    let signed = list::published(state).await?.ok_or(PooledError::NoList)?;
    let pinned = Pinned::stored(signed.list.open(&key)?)?;
    pinned.check_valid(now)?;
    let roster = roster(pinned.list(), &order.roster)?;
    let n_min = n_min(order, template, roster.len());
    let times = times(order, now)?;
    let committee = pinned
        .list()
        .committees
        .last()
        .ok_or(PooledError::NoCommittee)?;
    let question = (&draft.question, &layout, &dictionary);
    let named = |id: Slug| Asked {
        id,
        template: Some(template.reference()),
        purpose: template.purpose,
        question: draft.question.clone(),
        roster: roster.clone(),
        min_answers: n_min,
        opened: now,
        deadline: times.0,
    };
    let under = (&pinned, committee);
    let thresholds = (n_min, order.t);
    if !order.anyway {
        let asked = named(template.id.clone());
        let coming = Coming {
            question: &draft.question,
            layout: &layout,
            dictionary: &dictionary,
            manifest: &manifest(&asked, question, under, thresholds, times.1)?,
        };
        foresee::foresee(state, authority, rules, &coming).await?;
    }
    let mut change = state.begin().await?;
    let asked = named(next_name(&mut change, template).await?);
    let manifest = manifest(&asked, question, under, thresholds, times.1)?;
    let offer = Offer {
        round: Sealed::seal(authority.signer(), &asked)?,
        manifest: Sealed::seal(authority.signer(), &manifest)?,
    };
    let round = open_round(&offer, pinned.list().clone(), &key)?;
    let held = Held {
        offer,
        asked,
        round,
        alliance: key,
        state: "open".to_owned(),
        why: None,
    };
    insert(&mut change, &held, &pinned.hash().to_string()).await?;
    let detail = [
        ("round", held.asked.id.to_string()),
        ("template", template.reference().to_string()),
    ];
    let subject = *held.round.hash();
    append(&mut change, now, "pooled-round", subject, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok((held, draft.left_out))
}

async fn next_name(change: &mut Change, template: &Template) -> Result<Slug, PooledError> {
    let count: i64 = sqlx::query_scalar("select count(*) from pooled_rounds")
        .fetch_one(&mut **change)
        .await?;
    let name = format!("p{}-{}", count.saturating_add(1), template.id);
    let name: String = name.chars().take(64).collect();
    Ok(name.parse().map_err(|_| StateError::Name)?)
}

async fn insert(change: &mut Change, held: &Held, list: &str) -> Result<(), PooledError> {
    let offer = canonical::to_bytes(&held.offer)?;
    sqlx::query(
        "insert into pooled_rounds (id, manifest, offer, list, state, opened) \
         values ($1, $2, $3, $4, 'open', $5)",
    )
    .bind(held.asked.id.as_str())
    .bind(held.round.hash().to_string())
    .bind(String::from_utf8(offer).map_err(|_| StateError::Range)?)
    .bind(list)
    .bind(held.asked.opened.0)
    .execute(&mut **change)
    .await?;
    Ok(())
}

fn roster(list: &KeyList, named: &[Slug]) -> Result<Vec<Slug>, PooledError> {
    let hospital = |name: &Slug| {
        list.member(name)
            .is_some_and(|one| one.kind == Kind::Hospital)
    };
    let mut roster: Vec<Slug> = if named.is_empty() {
        list.members
            .iter()
            .map(|one| one.id.clone())
            .filter(hospital)
            .collect()
    } else {
        named.to_vec()
    };
    roster.sort();
    roster.dedup();
    if let Some(stranger) = roster.iter().find(|name| !hospital(name)) {
        return Err(PooledError::Stranger(stranger.clone()));
    }
    if roster.len() < 3 {
        return Err(PooledError::Roster);
    }
    Ok(roster)
}

/// The least that the floors allow, unless more is asked for.
fn n_min(order: &Order, template: &Template, asked: usize) -> u32 {
    let share = asked.saturating_mul(4).div_ceil(5);
    let share = u32::try_from(share).unwrap_or(u32::MAX);
    let least = share.max(3).max(order.t.saturating_add(2));
    let wanted = order.n_min.or(template.min_answers).unwrap_or(0);
    least.max(wanted)
}

/// When uploads close, and when the committee's last answer counts.
fn times(order: &Order, now: Timestamp) -> Result<(Timestamp, Timestamp), PooledError> {
    let closes = now.0.checked_add(order.window).ok_or(PooledError::Window)?;
    let last = closes
        .checked_add(order.answers)
        .ok_or(PooledError::Window)?;
    let sound = order.window > 0
        && order.answers >= 0
        && last.saturating_sub(now.0) <= pooled::manifest::LONGEST;
    if sound {
        Ok((Timestamp(closes), Timestamp(last)))
    } else {
        Err(PooledError::Window)
    }
}

fn manifest(
    asked: &Asked,
    (question, layout, dictionary): (&Question, &Layout, &Dictionary),
    (pinned, committee): (&Pinned, &Committee),
    (n_min, t): (u32, u32),
    answer_by: Timestamp,
) -> Result<Manifest, PooledError> {
    let key_month = key_month(pinned.list(), committee, asked.opened, answer_by)?;
    Ok(Manifest {
        alliance: pinned.list().alliance.clone(),
        round: asked.id.clone(),
        question: layout.question,
        layout: layout.digest()?,
        period: question.period,
        blocks: pooled_blocks(question, layout, dictionary, (n_min, t))?,
        max_rows: dictionary.max_rows,
        roster: asked.roster.clone(),
        key_list: pinned.hash(),
        epoch: committee.epoch,
        key_month,
        f: committee.f,
        t,
        n_min,
        opened: asked.opened,
        closes: asked.deadline,
        answer_by,
    })
}

/// The first month for which every seat has a key that lasts.
fn key_month(
    list: &KeyList,
    committee: &Committee,
    now: Timestamp,
    answer_by: Timestamp,
) -> Result<Month, PooledError> {
    let this = month_at(now);
    for month in [this, this.and_then(Month::next)].into_iter().flatten() {
        let lasts = committee.seats.iter().all(|seat| {
            let Some(member) = list.member(&seat.member) else {
                return false;
            };
            let mut keys = seat
                .keys
                .iter()
                .filter_map(|key| key.open(&member.key).ok());
            keys.any(|key| key.month == month && key.valid_to >= answer_by)
        });
        if lasts {
            return Ok(month);
        }
    }
    Err(PooledError::SeatKeys)
}

const SELECT: &str = "select offer, list, state, why from pooled_rounds";

/// A round by its name.
pub async fn find(state: &State, authority: &Authority, id: &Slug) -> Result<Held, PooledError> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} where id = $1")))
        .bind(id.as_str())
        .fetch_optional(state.pool())
        .await?;
    let row = row.ok_or_else(|| PooledError::NoRound(id.clone()))?;
    read(state, authority, &row).await
}

/// All rounds, oldest first.
pub async fn list(state: &State, authority: &Authority) -> Result<Vec<Held>, PooledError> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "{SELECT} order by opened, length(id), id"
    )))
    .fetch_all(state.pool())
    .await?;
    let mut held = Vec::with_capacity(rows.len());
    for row in &rows {
        held.push(read(state, authority, row).await?);
    }
    Ok(held)
}

async fn read(
    state: &State,
    authority: &Authority,
    row: &sqlx::sqlite::SqliteRow,
) -> Result<Held, PooledError> {
    let key = authority.signer().public();
    let text: String = row.try_get(0)?;
    let offer: Offer = canonical::from_bytes(text.as_bytes())?;
    let (asked, _, _) = offer.open(&key)?;
    let signed = list::of_hash(state, &row.try_get::<String, _>(1)?).await?;
    let round = open_round(&offer, signed.list.open(&key)?, &key)?;
    Ok(Held {
        offer,
        asked,
        round,
        alliance: key,
        state: row.try_get(2)?,
        why: row.try_get(3)?,
    })
}
