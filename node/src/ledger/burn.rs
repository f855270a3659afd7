//! Burning what a rollback lost. A state file that was put back from an old backup does not know
//! what was spent since. With the published entries of the gap each lost charge is charged again,
//! exactly; without them the whole allowance of every year of data counts as spent.

use std::collections::BTreeMap;

use policies::rules::Privacy;
use proofs::history::{Fault, lines};
use proofs::tree::{Log, TreeError, leaf_hash};
use schemas::canonical;
use schemas::digest::Digest;
use schemas::entry::Entry;
use schemas::id::Slug;
use schemas::loss::{NotALoss, Rho};
use schemas::question::Purpose;
use schemas::time::Timestamp;
use sqlx::Row as _;

use super::{LedgerError, WORST, name, whole};
use crate::log::{self, LogError, Lost};
use crate::store::state::{Change, State, StateError, append};

/// Why nothing was burned.
#[derive(Debug, thiserror::Error)]
pub enum BurnError {
    /// No rollback waits.
    #[error("the ledger is not rolled back: there is nothing to burn")]
    Nothing,
    /// The published entries cannot be read.
    #[error("the entries: {0}")]
    Entries(#[from] Fault),
    /// They are not those of the gap.
    #[error(
        "the entries do not lead to the root that this node signed at size {size}; give all \
         entries up to there, or burn without them"
    )]
    OtherEntries {
        /// Size of the checkpoint.
        size: u64,
    },
    /// A lost charge cannot be read.
    #[error("entry {0} of the gap is no sound charge; burn without the entries")]
    Charge(u64),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl From<StateError> for BurnError {
    fn from(error: StateError) -> Self {
        Self::Log(error.into())
    }
}

impl From<sqlx::Error> for BurnError {
    fn from(error: sqlx::Error) -> Self {
        Self::Log(error.into())
    }
}

impl From<TreeError> for BurnError {
    fn from(error: TreeError) -> Self {
        Self::Log(error.into())
    }
}

impl From<NotALoss> for BurnError {
    fn from(error: NotALoss) -> Self {
        Self::Ledger(error.into())
    }
}

const PURPOSES: [Purpose; 4] = [
    Purpose::Benchmark,
    Purpose::Budget,
    Purpose::Audit,
    Purpose::Free,
];

/// More than any cap of an audit.
const USED_UP: i64 = 1 << 53;

/// What is added to the ledger, by year and purpose.
pub type Burned = BTreeMap<(u16, String), Rho>;

/// A line of the ledger as burning would leave it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outlook {
    /// What burning adds to it.
    pub burned: Rho,
    /// What the alliance's floors allow afterwards; a stricter policy of the hospital leaves less.
    pub left: Rho,
    /// The most that the floors allow.
    pub limit: Rho,
}

/// What burning would do, for the steward to read first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Preview {
    /// Entries of the log that this node signed.
    pub signed: u64,
    /// Entries that the state file holds.
    pub held: u64,
    /// The ledger's lines that would change, by year and purpose.
    pub lines: BTreeMap<(u16, String), Outlook>,
    /// Months of payers whose audits are answered no more.
    pub audits: u64,
    /// Pooled rounds that are known from before: nothing is said to them any more.
    pub rounds: u64,
}

/// Burns the gap that a rollback left: by `entries`, the published lines of the log up to at least
/// the lost checkpoint, or without them by the allowances of `limits`, which are the alliance's
/// floors: nobody has more.
pub async fn burn(
    state: &State,
    entries: Option<&[u8]>,
    limits: &Privacy,
    steward: &Slug,
    now: Timestamp,
) -> Result<Burned, BurnError> {
    let lost = log::lost(state).await?.ok_or(BurnError::Nothing)?;
    let mut change = state.begin().await?;
    let way = entries.map_or("whole", |_| "entries");
    let burned = spends(&mut change, entries, limits, &lost).await?;
    let (size, root) = (lost.checkpoint.size, lost.checkpoint.root);
    let mut detail = vec![
        ("steward".to_owned(), steward.to_string()),
        ("way".to_owned(), way.to_owned()),
        ("size".to_owned(), size.to_string()),
        ("root".to_owned(), root.to_string()),
    ];
    for ((year, purpose), loss) in &burned {
        add(&mut change, *year, purpose, *loss).await?;
        detail.push((format!("{year}.{purpose}"), loss.to_string()));
    }
    // What payers asked since the backup is not known either: their open months answer no more.
    sqlx::query(
        "insert into audit_spent (payer, month, evaluated, opened) \
         select distinct payer, month, $1, $1 from close_batches where true \
         on conflict (payer, month) do update set evaluated = $1, opened = $1",
    )
    .bind(USED_UP)
    .execute(&mut *change)
    .await?;
    let given_up = sqlx::query("update rollbacks set burned = $1 where burned is null");
    given_up.bind(now.0).execute(&mut *change).await?;
    let seen = sqlx::query("update restores set acknowledged = $1 where acknowledged is null");
    seen.bind(now.0).execute(&mut *change).await?;
    let subject = leaf_hash(lost.note.as_bytes());
    let detail: Vec<(&str, String)> = detail
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    append(&mut change, now, "burn", subject, &detail).await?;
    change.commit().await?;
    Ok(burned)
}

/// What [`burn`] would do with the same entries and limits. Nothing is changed.
pub async fn preview(
    state: &State,
    entries: Option<&[u8]>,
    limits: &Privacy,
) -> Result<Preview, BurnError> {
    let lost = log::lost(state).await?.ok_or(BurnError::Nothing)?;
    // Dropped at the end: nothing of it happens.
    let mut change = state.begin().await?;
    let burned = spends(&mut change, entries, limits, &lost).await?;
    let mut lines = BTreeMap::new();
    for ((year, purpose), burned) in burned {
        let spent: Option<i64> =
            sqlx::query_scalar("select spent_nano from ledger where year = $1 and purpose = $2")
                .bind(i64::from(year))
                .bind(&purpose)
                .fetch_optional(&mut *change)
                .await?;
        let spent = u64::try_from(spent.unwrap_or(0)).map_err(|_| StateError::Range)?;
        let limit = limit(limits, &purpose);
        let left = limit
            .saturating_sub(Rho::from_nano(spent)?)
            .saturating_sub(burned);
        let line = Outlook {
            burned,
            left,
            limit,
        };
        lines.insert((year, purpose), line);
    }
    let mut counts = [0_u64; 3];
    for (count, select) in counts.iter_mut().zip([
        "select count(*) from log",
        "select count(*) from (select distinct payer, month from close_batches)",
        "select count(*) from pooled_rounds",
    ]) {
        let found: i64 = sqlx::query_scalar(select).fetch_one(&mut *change).await?;
        *count = u64::try_from(found).map_err(|_| StateError::Range)?;
    }
    let [held, audits, rounds] = counts;
    Ok(Preview {
        signed: lost.checkpoint.size,
        held,
        lines,
        audits,
        rounds,
    })
}

/// The floor of a line of the ledger.
fn limit(limits: &Privacy, line: &str) -> Rho {
    match line {
        "all" => limits.allowance.total,
        WORST => limits.pooled.worst,
        _ => PURPOSES
            .into_iter()
            .find(|purpose| name(*purpose) == line)
            .map_or(Rho::ZERO, |purpose| limits.quota(purpose)),
    }
}

/// What is added to the ledger: exactly what the entries charged, or without them all that is left.
async fn spends(
    change: &mut Change,
    entries: Option<&[u8]>,
    limits: &Privacy,
    lost: &Lost,
) -> Result<Burned, BurnError> {
    match entries {
        Some(entries) => exact(change, entries, lost).await,
        None => all(change, limits).await,
    }
}

/// The charges of the entries that this log does not hold; they must hash to the signed root.
async fn exact(change: &mut Change, bytes: &[u8], lost: &Lost) -> Result<Burned, BurnError> {
    let own = sqlx::query("select leaf from log order by sequence")
        .fetch_all(&mut **change)
        .await?;
    let mut kept = Vec::with_capacity(own.len());
    for row in &own {
        let leaf: Digest = row
            .try_get::<String, _>(0)?
            .parse()
            .map_err(|_| StateError::Range)?;
        kept.push(leaf);
    }
    let size = lost.checkpoint.size;
    let other = || BurnError::OtherEntries { size };
    let (mut tree, mut burned) = (Log::default(), Burned::new());
    for (number, line) in (1_u64..).zip(lines(bytes)) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let broken = |_| Fault::Edited { entry: number };
        let entry: Entry = canonical::from_bytes(line).map_err(broken)?;
        if number == 1 {
            // A file of the gap alone continues what is still here.
            let before = entry.sequence.checked_sub(1).ok_or_else(other)?;
            let before = usize::try_from(before).map_err(|_| other())?;
            for leaf in kept.get(..before).ok_or_else(other)? {
                tree.append(*leaf)?;
            }
        }
        if tree.size() >= size {
            break;
        }
        let leaf = leaf_hash(line);
        let place = usize::try_from(tree.size()).map_err(|_| other())?;
        tree.append(leaf)?;
        if entry.sequence != tree.size() {
            return Err(other());
        }
        if kept.get(place) != Some(&leaf) {
            count(&entry, &mut burned)?;
        }
    }
    if tree.root_at(size) == Ok(lost.checkpoint.root) {
        Ok(burned)
    } else {
        Err(other())
    }
}

/// Adds what an entry charged, or burned before.
fn count(entry: &Entry, burned: &mut Burned) -> Result<(), BurnError> {
    let unclear = || BurnError::Charge(entry.sequence);
    let detail = |name: &str| {
        let found = entry.detail.iter().find(|(key, _)| key.as_str() == name);
        found.map(|(_, value)| value.as_str()).ok_or_else(unclear)
    };
    let mut spend = |year: &str, purpose: &str, loss: &str| {
        let year: u16 = year.parse().map_err(|_| unclear())?;
        let loss: Rho = loss.parse().map_err(|_| unclear())?;
        let line = burned.entry((year, purpose.to_owned())).or_default();
        *line = line.checked_add(loss)?;
        Ok::<(), BurnError>(())
    };
    match entry.kind.as_str() {
        "charge" => {
            let (loss, purpose) = (detail("charge")?, detail("purpose")?);
            for year in detail("years")?.split(' ') {
                spend(year, "all", loss)?;
                spend(year, purpose, loss)?;
            }
        }
        "pooled-charge" => {
            let (loss, purpose) = (detail("charge")?, detail("purpose")?);
            let worst = detail("worst")?;
            for year in detail("years")?.split(' ') {
                spend(year, "all", loss)?;
                spend(year, purpose, loss)?;
                spend(year, WORST, worst)?;
            }
        }
        // A credit that was lost (`pooled-void`) stays lost: it is never given twice.
        "burn" => {
            for (name, value) in &entry.detail {
                if let Some((year, purpose)) = name.as_str().split_once('.') {
                    spend(year, purpose, value)?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// What is left of every allowance of every year that was loaded or spent from.
async fn all(change: &mut Change, limits: &Privacy) -> Result<Burned, BurnError> {
    let rows = sqlx::query("select distinct substr(month, 1, 4) from months")
        .fetch_all(&mut **change)
        .await?;
    let mut years = Vec::with_capacity(rows.len());
    for row in &rows {
        let year: String = row.try_get(0)?;
        years.push(year.parse::<u16>().map_err(|_| StateError::Range)?);
    }
    let mut spent: BTreeMap<(u16, String), u64> = BTreeMap::new();
    let rows = sqlx::query("select year, purpose, spent_nano from ledger")
        .fetch_all(&mut **change)
        .await?;
    for row in &rows {
        let year = u16::try_from(row.try_get::<i64, _>(0)?).map_err(|_| StateError::Range)?;
        let nano = u64::try_from(row.try_get::<i64, _>(2)?).map_err(|_| StateError::Range)?;
        spent.insert((year, row.try_get(1)?), nano);
        years.push(year);
    }
    let quotas = PURPOSES.map(|purpose| (name(purpose), limits.quota(purpose)));
    let mut burned = Burned::new();
    for year in years {
        let whole = [
            ("all", limits.allowance.total),
            (WORST, limits.pooled.worst),
        ];
        for (purpose, limit) in quotas.into_iter().chain(whole) {
            let key = (year, purpose.to_owned());
            let before = spent.get(&key).copied().unwrap_or_default();
            let left = limit.nano().saturating_sub(before);
            if left > 0 {
                burned.insert(key, Rho::from_nano(left)?);
            }
        }
    }
    Ok(burned)
}

/// Adds to a line whatever its limit: what was lost was spent.
async fn add(change: &mut Change, year: u16, purpose: &str, loss: Rho) -> Result<(), BurnError> {
    sqlx::query(
        "insert into ledger (year, purpose, spent_nano) values ($1, $2, $3) \
         on conflict (year, purpose) do update set spent_nano = spent_nano + $3",
    )
    .bind(i64::from(year))
    .bind(purpose)
    .bind(whole(loss)?)
    .execute(&mut **change)
    .await?;
    Ok(())
}
