//! Opening a pooled round: template, period and hospitals become a signed round and its manifest,
//! which this coordinator checks as every node will.

use policies::plan::{self, Layout, pooled_blocks, pooled_charge};
use policies::rules::Privacy;
use policies::template::Template;
use pooled::key_list::{Committee, KeyList, Pinned, Seat, month_at};
use pooled::manifest::{Manifest, Round};
use pooled::offer::Offer;
use pooled::published::open_round;
use schemas::canonical;
use schemas::dictionary::Dictionary;
use schemas::id::Slug;
use schemas::loss::Rho;
use schemas::question::{Question, Release};
use schemas::round::Round as Asked;
use schemas::seal::{PublicKey, Sealed};
use schemas::time::{Month, Timestamp};
use sqlx::Row as _;

use super::foresee::{self, Coming};
use super::order::{self, Order};
use super::{PooledError, list};
use crate::authority::Authority;
use crate::dictionary;
use crate::store::state::{Change, State, StateError, append};

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

/// A round as it would be opened: everything but its number.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// What would be asked; the name is the template's.
    pub asked: Asked,
    /// The manifest under that name.
    pub manifest: Manifest,
    /// The committee's seats in order.
    pub seats: Vec<Slug>,
    /// What an upload costs each data year.
    pub charge: Rho,
    /// The same if the whole committee colludes.
    pub worst: Rho,
    /// What the template asks but the dictionary lacks.
    pub left_out: Vec<String>,
    layout: Layout,
    dictionary: Dictionary,
    pinned: Pinned,
    key: PublicKey,
}

/// Draws up a round: what is ordered is checked first. Opens nothing.
pub async fn draw(
    state: &State,
    authority: &Authority,
    template: &Template,
    rules: &Privacy,
    order: &Order,
    now: Timestamp,
) -> Result<Drawn, PooledError> {
    if template.release != Release::Pooled {
        return Err(PooledError::Attributed);
    }
    let times = order::times(order, now)?;
    order::months(order, now)?;
    let key = authority.signer().public();
    let signed = list::published(state).await?.ok_or(PooledError::NoList)?;
    let pinned = Pinned::stored(signed.list.open(&key)?)?;
    pinned.check_valid(now)?;
    let committee = pinned.list().committees.last();
    let committee = committee.ok_or(PooledError::NoCommittee)?;
    let roster = order::roster(pinned.list(), &order.roster)?;
    let n_min = order::n_min(order, template, (pinned.list(), committee), &roster)?;
    let found = dictionary::latest(state, authority).await?;
    let dictionary = found.ok_or(PooledError::NoDictionary)?.dictionary;
    let draft = template.draft(&dictionary, rules.digest()?, order.period)?;
    let layout = plan::compile(&draft.question, &dictionary, rules)?;
    plan::check_price(&layout, template.purpose, rules)?;
    let thresholds = (n_min, order.t);
    let (charge, worst) = pooled_charge(&layout, thresholds)?;
    let asked = Asked {
        id: template.id.clone(),
        template: Some(template.reference()),
        purpose: template.purpose,
        question: draft.question,
        roster,
        min_answers: n_min,
        opened: now,
        deadline: times.0,
    };
    let question = (&asked.question, &layout, &dictionary);
    let manifest = manifest(&asked, question, (&pinned, committee), thresholds, times.1)?;
    let seats = committee.seats.iter().map(|seat| seat.member.clone());
    Ok(Drawn {
        seats: seats.collect(),
        asked,
        manifest,
        charge,
        worst,
        left_out: draft.left_out,
        layout,
        dictionary,
        pinned,
        key,
    })
}

/// Refuses a round that hospitals are foreseen to refuse.
pub async fn check(
    state: &State,
    authority: &Authority,
    rules: &Privacy,
    drawn: &Drawn,
) -> Result<(), PooledError> {
    let coming = Coming {
        question: &drawn.asked.question,
        layout: &drawn.layout,
        dictionary: &drawn.dictionary,
        manifest: &drawn.manifest,
    };
    foresee::foresee(state, authority, rules, &coming).await
}

/// Opens what was drawn up, under the next number.
pub async fn begin(
    state: &State,
    authority: &Authority,
    drawn: Drawn,
) -> Result<Held, PooledError> {
    let Drawn {
        mut asked,
        mut manifest,
        pinned,
        key,
        ..
    } = drawn;
    let mut change = state.begin().await?;
    asked.id = next_name(&mut change, &asked.id).await?;
    manifest.round = asked.id.clone();
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
    let template = held.asked.template.as_ref().map(ToString::to_string);
    let detail = [
        ("round", held.asked.id.to_string()),
        ("template", template.unwrap_or_default()),
    ];
    let (subject, now) = (*held.round.hash(), held.asked.opened);
    append(&mut change, now, "pooled-round", subject, &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(held)
}

async fn next_name(change: &mut Change, template: &Slug) -> Result<Slug, PooledError> {
    let count: i64 = sqlx::query_scalar("select count(*) from pooled_rounds")
        .fetch_one(&mut **change)
        .await?;
    let name = format!("p{}-{template}", count.saturating_add(1));
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
    let mut without = Vec::new();
    for month in [this, this.and_then(Month::next)].into_iter().flatten() {
        let lacks = |seat: &&Seat| {
            let Some(member) = list.member(&seat.member) else {
                return true;
            };
            let mut keys = seat
                .keys
                .iter()
                .filter_map(|key| key.open(&member.key).ok());
            !keys.any(|key| key.month == month && key.valid_to >= answer_by)
        };
        let lacking = committee.seats.iter().filter(lacks);
        without = lacking.map(|seat| seat.member.to_string()).collect();
        if without.is_empty() {
            return Ok(month);
        }
    }
    Err(PooledError::SeatKeys(without))
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
