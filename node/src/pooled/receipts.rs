//! Receipts against rollback. As a subject: an ask at every start and twice a day, and pooled work
//! only while enough other seats know the own log as it was at most a day ago. As a seat: the
//! memory of others' logs, and receipts about them.

use std::collections::BTreeSet;

use pooled::manifest::Round;
use pooled::receipt::{
    self, Asked, LONGEST, Local, Receipt, Seen, Told, Worth, enough, judge, links, nonce,
};
use proofs::note::Note;
use proofs::tree::Log;
use proofs::witness::generation;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::Sealed;
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::{Desk, PooledError, lists};
use crate::answer::App;
use crate::ledger::{self, LedgerError};
use crate::log::{Keeper, Standing};
use crate::store::state::{Change, State, StateError};

/// Seconds after which a new ask is made, so that receipts never run out.
const EVERY: i64 = LONGEST / 2;
/// Seconds until another ask where seats lacked the way from what they knew; twice as long after
/// each that came to nothing, so that a seat that lies about what it knows makes few.
const AGAIN: i64 = 10;
/// The longest of these times.
const LONGEST_AGAIN: i64 = 3_600;
/// Seconds for which asks and receipts are kept as evidence.
const KEPT: i64 = 90 * LONGEST;

/// A process starts: what was received before counts no more, since the state file may have been
/// put back meanwhile.
pub async fn begin(state: &State) -> Result<(), StateError> {
    sqlx::query("update pooled_nonces set ended = 1 where ended = 0")
        .execute(state.pool())
        .await?;
    Ok(())
}

fn keeper(app: &App) -> Keeper<'_> {
    Keeper {
        state: &app.state,
        signer: &app.signer,
        hospital: &app.hospital,
        alliance: app.dictionary.alliance.clone(),
    }
}

/// An ask as it was sent.
struct Sent {
    nonce: Digest,
    size: u64,
    at: Timestamp,
    sealed: Sealed<Asked>,
}

/// The ask that is to be sent, a new one where the last is old; none before this organisation
/// follows a list that it stands in.
pub async fn ask(desk: &Desk<'_>, tree: &Log) -> Result<Option<Sealed<Asked>>, PooledError> {
    let app = desk.app;
    let Some(pinned) = lists::pinned(&app.state).await? else {
        return Ok(None);
    };
    let list = pinned.list();
    if list.member(&app.hospital).is_none() {
        return Ok(None);
    }
    let (keeper, now) = (keeper(app), app.clock.now());
    let origin = keeper.origin().await?;
    if let Some(last) = standing(&app.state, &origin).await? {
        let age = now.0.saturating_sub(last.at.0);
        let known = heard(&app.state, &last.nonce).await?;
        let some = |committee| enough(&known.counted, list, committee, &app.hospital).is_err();
        let lacking = known.earlier && list.committees.iter().any(some);
        if (0..EVERY).contains(&age) && !(lacking && age >= again(&app.state, &origin, now).await?)
        {
            return Ok(Some(last.sealed));
        }
    }
    let (nonce, size) = (nonce()?, tree.size());
    let asked = Asked {
        alliance: list.alliance.clone(),
        subject: app.hospital.clone(),
        nonce,
        checkpoint: keeper.sign(&origin, tree)?.to_string(),
        links: links(tree, size, told_before(&app.state, &origin).await?),
        at: now,
    };
    let sealed = Sealed::seal(&app.signer, &asked)?;
    let mut change = app.state.begin().await?;
    forget(&mut change, now).await?;
    sqlx::query(
        "insert into pooled_nonces (nonce, origin, size, sealed, at) values ($1, $2, $3, $4, $5)",
    )
    .bind(nonce.to_string())
    .bind(&origin)
    .bind(i64::try_from(size).map_err(|_| StateError::Range)?)
    .bind(serde_json::to_string(&sealed).map_err(|_| StateError::Range)?)
    .bind(now.0)
    .execute(&mut *change)
    .await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(Some(sealed))
}

/// Seconds from the last ask to the next where seats lacked the way: by how many were made of late.
async fn again(state: &State, origin: &str, now: Timestamp) -> Result<i64, PooledError> {
    let made: i64 = sqlx::query_scalar(
        "select count(*) from pooled_nonces where ended = 0 and origin = $1 and at > $2",
    )
    .bind(origin)
    .bind(now.0.saturating_sub(EVERY))
    .fetch_one(state.pool())
    .await?;
    let doublings = u32::try_from(made.saturating_sub(1)).unwrap_or(u32::MAX);
    let seconds = 2_i64
        .checked_pow(doublings)
        .and_then(|twice| AGAIN.checked_mul(twice));
    Ok(seconds.map_or(LONGEST_AGAIN, |seconds| seconds.min(LONGEST_AGAIN)))
}

async fn standing(state: &State, origin: &str) -> Result<Option<Sent>, PooledError> {
    let row = sqlx::query(
        "select nonce, size, at, sealed from pooled_nonces where ended = 0 and origin = $1 \
         order by at desc, rowid desc limit 1",
    )
    .bind(origin)
    .fetch_optional(state.pool())
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let (nonce, sealed): (String, String) = (row.try_get(0)?, row.try_get(3)?);
    Ok(Some(Sent {
        nonce: nonce.parse().map_err(|_| StateError::Range)?,
        size: u64::try_from(row.try_get::<i64, _>(1)?).map_err(|_| StateError::Range)?,
        at: Timestamp(row.try_get(2)?),
        sealed: serde_json::from_str(&sealed).map_err(|_| StateError::Range)?,
    }))
}

/// What was said to an ask.
struct Heard {
    /// Seats that know the log as it was sent.
    counted: BTreeSet<Slug>,
    /// Whether one knows an earlier state only.
    earlier: bool,
}

async fn heard(state: &State, nonce: &Digest) -> Result<Heard, PooledError> {
    let rows = sqlx::query("select witness, counts from pooled_receipts where nonce = $1")
        .bind(nonce.to_string())
        .fetch_all(state.pool())
        .await?;
    let (mut counted, mut earlier) = (BTreeSet::new(), false);
    for row in &rows {
        if row.try_get::<i64, _>(1)? == 1 {
            let name: String = row.try_get(0)?;
            counted.insert(name.parse().map_err(|_| StateError::Name)?);
        } else {
            earlier = true;
        }
    }
    Ok(Heard { counted, earlier })
}

/// Sizes of the own log that seats may know: what they said, what was sent, what was cosigned.
async fn told_before(state: &State, origin: &str) -> Result<Vec<u64>, PooledError> {
    let mut sizes = Vec::new();
    for select in [
        "select distinct r.size from pooled_receipts r join pooled_nonces n on n.nonce = r.nonce \
         where n.origin = $1 order by n.at desc limit 8",
        "select distinct size from pooled_nonces where origin = $1 order by at desc limit 4",
        "select size from checkpoints where origin = $1 order by size desc limit 4",
    ] {
        let rows: Vec<i64> = sqlx::query_scalar(select)
            .bind(origin)
            .fetch_all(state.pool())
            .await?;
        sizes.extend(rows.into_iter().filter_map(|size| u64::try_from(size).ok()));
    }
    Ok(sizes)
}

async fn forget(change: &mut Change, now: Timestamp) -> Result<(), PooledError> {
    for delete in [
        "delete from pooled_receipts where nonce in (select nonce from pooled_nonces where at < $1)",
        "delete from pooled_nonces where at < $1",
    ] {
        sqlx::query(delete)
            .bind(now.0.saturating_sub(KEPT))
            .execute(&mut **change)
            .await?;
    }
    Ok(())
}

/// Takes receipts for the ask that stands and keeps them. One that shows more of this log than there
/// is, or another one, is a rollback: from then on nothing is answered until a steward burned it.
pub async fn take(desk: &Desk<'_>, tree: &Log, receipts: &[Told]) -> Result<(), PooledError> {
    let (app, keeper) = (desk.app, keeper(desk.app));
    let origin = keeper.origin().await?;
    let (Some(pinned), Some(asked)) = (
        lists::pinned(&app.state).await?,
        standing(&app.state, &origin).await?,
    ) else {
        return Ok(());
    };
    let now = app.clock.now();
    let local = Local {
        subject: &app.hospital,
        key: app.signer.public(),
        nonce: &asked.nonce,
        asked: asked.size,
        generation: generation(&keeper.alliance, &app.hospital, &origin).unwrap_or(1),
        tree,
    };
    for told in receipts {
        let (size, counts) = match judge(told, pinned.list(), &local, now) {
            Worth::Nothing => continue,
            Worth::Earlier(size) => (size, 0),
            Worth::Counts(_) => (asked.size, 1),
            Worth::Lost(seen) => {
                lost(&keeper, tree, &seen, now).await?;
                (seen.checkpoint.size, 0)
            }
        };
        let witness = pinned.list().members.iter();
        let mut witness = witness
            .filter(|member| member.key.fingerprint() == told.receipt.claimed_key())
            .map(|member| &member.id);
        let Some(witness) = witness.next() else {
            continue;
        };
        sqlx::query(
            "insert into pooled_receipts (nonce, witness, size, counts, told) \
             values ($1, $2, $3, $4, $5) on conflict do nothing",
        )
        .bind(asked.nonce.to_string())
        .bind(witness.as_str())
        .bind(i64::try_from(size).map_err(|_| StateError::Range)?)
        .bind(counts)
        .bind(serde_json::to_string(told).map_err(|_| StateError::Range)?)
        .execute(app.state.pool())
        .await?;
    }
    Ok(())
}

async fn lost(
    keeper: &Keeper<'_>,
    tree: &Log,
    seen: &Seen,
    now: Timestamp,
) -> Result<(), PooledError> {
    let note = Note::parse(seen.note.as_bytes()).map_err(crate::log::LogError::from)?;
    if keeper.compare(tree, &note, now).await? == Standing::RolledBack {
        tracing::error!(
            size = seen.checkpoint.size,
            "LEDGER_ROLLED_BACK: a committee seat has seen more of this node's log; nothing is \
             answered; see `consilium-node log burn --help`"
        );
    }
    Ok(())
}

/// What this seat says to another's ask. What it tells from now on is on disk before it is signed.
pub async fn witness(desk: &Desk<'_>, sealed: &Sealed<Asked>) -> Result<Told, PooledError> {
    let app = desk.app;
    let pinned = lists::pinned(&app.state)
        .await?
        .ok_or(PooledError::NoList)?;
    let list = pinned.list();
    let (asked, seen) = Asked::open(sealed, list)?;
    let mut change = app.state.begin().await?;
    // One that was itself put back has forgotten what it would have to say.
    if ledger::rolled_back(&mut *change).await? {
        return Err(LedgerError::RolledBack.into());
    }
    let known = known(&mut change, &asked, list).await?;
    let answer = asked.answer(seen.clone(), &known);
    let now = app.clock.now();
    if answer.keep {
        sqlx::query(
            "insert into pooled_seen (subject, note, at) values ($1, $2, $3) \
             on conflict (subject) do update set note = $2, at = $3",
        )
        .bind(asked.subject.as_str())
        .bind(&seen.note)
        .bind(now.0)
        .execute(&mut *change)
        .await?;
        change.commit().await.map_err(StateError::from)?;
    }
    let receipt = Receipt {
        alliance: list.alliance.clone(),
        subject: asked.subject,
        nonce: asked.nonce,
        sequence: answer.told.checkpoint.size,
        head: answer.told.checkpoint.root,
        witness: app.hospital.clone(),
        at: now,
    };
    Ok(Told {
        receipt: Sealed::seal(&app.signer, &receipt)?,
        checkpoint: answer.told.note,
    })
}

/// What this seat knows of a subject's log: from its earlier asks, and from cosigning.
async fn known(
    change: &mut Change,
    asked: &Asked,
    list: &pooled::key_list::KeyList,
) -> Result<Vec<Seen>, PooledError> {
    let subject = list.member(&asked.subject);
    let subject = subject.ok_or(receipt::ReceiptError::Stranger)?;
    let own: Option<String> = sqlx::query_scalar("select note from pooled_seen where subject = $1")
        .bind(asked.subject.as_str())
        .fetch_optional(&mut **change)
        .await?;
    let cosigned = sqlx::query("select origin, note from witnessed")
        .fetch_all(&mut **change)
        .await?;
    let mut notes: Vec<String> = own.into_iter().collect();
    for row in &cosigned {
        let origin: String = row.try_get(0)?;
        if generation(&list.alliance, &asked.subject, &origin).is_some() {
            notes.push(row.try_get(1)?);
        }
    }
    let read = |note: &String| Seen::read(&list.alliance, &subject.id, subject.key, note).ok();
    Ok(notes.iter().filter_map(read).collect())
}

/// Whether this node may work on a round: it was opened after the last rollback that was burned
/// here, and enough other seats of its committee know this log as it was at most a day ago.
pub(super) async fn hold(app: &App, round: &Round) -> Result<(), PooledError> {
    let (state, manifest, now) = (&app.state, round.manifest(), app.clock.now());
    if ledger::rolled_back(state.pool()).await? {
        return Err(LedgerError::RolledBack.into());
    }
    let burned = ledger::burned_at(state.pool()).await?;
    if burned.is_some_and(|burned| manifest.opened <= burned) {
        return Err(PooledError::Restored);
    }
    let pinned = lists::of_hash(state, &manifest.key_list.to_string()).await?;
    let pinned = pinned.ok_or(PooledError::NoList)?;
    let list = pinned.list();
    let committee = list.committee(manifest.epoch).ok_or(PooledError::NoList)?;
    // Receipts of before a burning are about a log that was given up.
    let origin = keeper(app).origin().await?;
    let names: Vec<String> = sqlx::query_scalar(
        "select distinct r.witness from pooled_receipts r \
         join pooled_nonces n on n.nonce = r.nonce \
         where r.counts = 1 and n.ended = 0 and n.at between $1 and $2 and n.origin = $3",
    )
    .bind(now.0.saturating_sub(LONGEST))
    .bind(now.0)
    .bind(&origin)
    .fetch_all(state.pool())
    .await?;
    let mut witnesses: BTreeSet<Slug> = BTreeSet::new();
    for name in names {
        witnesses.insert(name.parse().map_err(|_| StateError::Name)?);
    }
    Ok(enough(&witnesses, list, committee, &app.hospital)?)
}
