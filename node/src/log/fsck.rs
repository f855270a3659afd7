//! Whether the live state file agrees with itself: chain, tree, checkpoints; answers, charges and
//! ledger; replies and dictionaries. What only outsiders can know is `log verify`'s.

use std::collections::{BTreeMap, BTreeSet};

use policies::access::Told;
use proofs::stored::Stored;
use schemas::answer::Answer;
use schemas::canonical;
use schemas::dictionary::Dictionary;
use schemas::digest::Digest;
use schemas::entry::Entry;
use schemas::loss::Rho;
use schemas::round::Reply;
use schemas::seal::{PublicKey, Sealed};
use sqlx::Row as _;

use super::{LogError, people};
use crate::store::state::State;

/// Entries that are read at once.
const PAGE: i64 = 5000;

/// What was found sound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tally {
    /// Number of entries.
    pub entries: u64,
    /// Digest of the last entry.
    pub head: Digest,
    /// Root of the tree over them.
    pub root: Digest,
    /// Stored answers, each with its charge.
    pub answers: usize,
}

/// The first thing that does not agree.
#[derive(Debug, thiserror::Error)]
pub enum FsckError {
    /// The file cannot be read.
    #[error("the state file cannot be read: put the newest backup back")]
    Unreadable(#[from] LogError),
    /// The database says that it is damaged.
    #[error("the database is damaged: put the newest backup back")]
    Database,
    /// An entry of the log.
    #[error("log entry {entry}: {fault}; put the newest backup back")]
    Entry {
        /// Which.
        entry: i64,
        /// What is wrong.
        fault: &'static str,
    },
    /// A row of another table.
    #[error("{table}: {fault}; put the newest backup back")]
    Row {
        /// Which table.
        table: &'static str,
        /// What is wrong.
        fault: &'static str,
    },
}

impl From<sqlx::Error> for FsckError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unreadable(error.into())
    }
}

pub(super) fn row(table: &'static str, fault: &'static str) -> FsckError {
    FsckError::Row { table, fault }
}

/// Checks chain, tree and own checkpoints, which every start does; `visit` sees each entry.
pub async fn chain(
    state: &State,
    key: &PublicKey,
    mut visit: impl FnMut(&Entry) -> Result<(), FsckError>,
) -> Result<Tally, FsckError> {
    let mut stored = Stored::default();
    let mut last = 0_i64;
    loop {
        // One text a page: a row at a time would take most of a start.
        let select = "select string_agg(line, $3 order by sequence) from (\
                      select sequence, sequence || ' ' || digest || ' ' || leaf || ' ' || entry \
                      as line from log where sequence > $1 order by sequence limit $2) as page";
        let page = sqlx::query_scalar(select).bind(last).bind(PAGE).bind("\n");
        let page: Option<String> = page.fetch_one(state.pool()).await?;
        let Some(page) = page else {
            break;
        };
        for line in page.split('\n') {
            last = last.saturating_add(1);
            let fault = |fault| FsckError::Entry { entry: last, fault };
            visit(&stored.take(line).map_err(fault)?)?;
        }
    }
    // A number below 1 stands before everything that was read.
    let count: i64 = sqlx::query_scalar("select count(*) from log")
        .fetch_one(state.pool())
        .await?;
    if count != last {
        return Err(FsckError::Entry {
            entry: 0,
            fault: "entries stand outside the order",
        });
    }
    let select = "select origin, size, note from checkpoints \
                  where origin not in (select origin from rollbacks)";
    for found in sqlx::query(select).fetch_all(state.pool()).await? {
        let (origin, size): (String, i64) = (found.try_get(0)?, found.try_get(1)?);
        let note: String = found.try_get(2)?;
        let signed = stored.signed((&origin, size), &note, key);
        signed.map_err(|fault| row("checkpoints", fault))?;
    }
    Ok(Tally {
        entries: stored.size(),
        head: stored.head(),
        root: stored.root().map_err(LogError::from)?,
        answers: 0,
    })
}

/// What the log says that other tables must hold.
#[derive(Default)]
struct Said {
    /// Question and digest of an answer, and its charge.
    charges: BTreeMap<(String, String), (Rho, i64)>,
    /// Spent, by year and purpose, in nano-ρ.
    spent: BTreeMap<(i64, String), u64>,
    replies: BTreeMap<String, String>,
    /// Digest and charges of an upload, by manifest.
    uploads: BTreeMap<String, (String, Rho, Rho)>,
    /// Manifests of voided rounds.
    voided: BTreeSet<String>,
    /// Version and whether it was signed.
    dictionaries: BTreeMap<String, (String, String)>,
}

impl Said {
    fn hear(&mut self, entry: &Entry) -> Result<(), FsckError> {
        let detail = |name: &str| {
            let found = entry.detail.iter().find(|(key, _)| key.as_str() == name);
            found.map(|(_, value)| value.clone())
        };
        let unclear = || FsckError::Entry {
            entry: i64::try_from(entry.sequence).unwrap_or(i64::MAX),
            fault: "its details are not those of its kind",
        };
        let need = |name| detail(name).ok_or_else(unclear);
        let subject = entry.subject.to_string();
        match entry.kind.as_str() {
            "charge" => {
                let charge: Rho = need("charge")?.parse().map_err(|_| unclear())?;
                let key = (subject, need("answer")?);
                self.charges.insert(key, (charge, entry.at.0));
                for year in need("years")?.split(' ') {
                    let year: i64 = year.parse().map_err(|_| unclear())?;
                    self.spend(year, "all", charge);
                    self.spend(year, &need("purpose")?, charge);
                }
            }
            "pooled-charge" => {
                let loss = |text: String| text.parse::<Rho>().map_err(|_| unclear());
                let (charge, worst) = (loss(need("charge")?)?, loss(need("worst")?)?);
                self.uploads
                    .insert(subject, (need("upload")?, charge, worst));
                for year in need("years")?.split(' ') {
                    let year: i64 = year.parse().map_err(|_| unclear())?;
                    self.spend(year, "all", charge);
                    self.spend(year, &need("purpose")?, charge);
                    // The ledger's own name of the line; it stands below this module.
                    self.spend(year, "pooled-worst", worst);
                }
            }
            "pooled-void" => {
                let credit = detail("credit");
                self.voided.insert(subject);
                if let Some(credit) = credit {
                    let credit: Rho = credit.parse().map_err(|_| unclear())?;
                    for year in need("years")?.split(' ') {
                        let year: i64 = year.parse().map_err(|_| unclear())?;
                        for purpose in ["all", &need("purpose")?] {
                            let line = self.spent.get_mut(&(year, purpose.to_owned()));
                            let line = line.ok_or_else(unclear)?;
                            *line = line.checked_sub(credit.nano()).ok_or_else(unclear)?;
                        }
                    }
                }
            }
            "burn" => {
                for (name, value) in &entry.detail {
                    // `2025.all` and the like; other details have no dot.
                    let Some((year, purpose)) = name.as_str().split_once('.') else {
                        continue;
                    };
                    let year: i64 = year.parse().map_err(|_| unclear())?;
                    let burned: Rho = value.parse().map_err(|_| unclear())?;
                    self.spend(year, purpose, burned);
                }
            }
            "reply" => drop(self.replies.insert(subject, need("reply")?)),
            "dictionary" => {
                let accepted = (need("version")?, need("signed")?);
                self.dictionaries.insert(subject, accepted);
            }
            _ => {}
        }
        Ok(())
    }

    fn spend(&mut self, year: i64, purpose: &str, loss: Rho) {
        let line = self.spent.entry((year, purpose.to_owned())).or_default();
        *line = line.saturating_add(loss.nano());
    }
}

/// Checks the whole state file: what the log says against every table that it speaks of.
pub async fn fsck(state: &State, key: &PublicKey) -> Result<Tally, FsckError> {
    let sound: String = sqlx::query_scalar("pragma integrity_check")
        .fetch_one(state.pool())
        .await?;
    if sound != "ok" {
        return Err(FsckError::Database);
    }
    let mut said = Said::default();
    let mut told = Told::default();
    let tally = chain(state, key, |entry| {
        people::hear(&mut told, entry);
        said.hear(entry)
    })
    .await?;
    people::agree(state, &told).await?;
    let answers = answers(state, key, &said).await?;
    ledger(state, &said).await?;
    replies(state, key, &said).await?;
    uploads(state, &said).await?;
    dictionaries(state, &said).await?;
    Ok(Tally { answers, ..tally })
}

async fn answers(state: &State, key: &PublicKey, said: &Said) -> Result<usize, FsckError> {
    let select = "select question, releases, mechanism, sealed, charged_nano, at from answers";
    let rows = sqlx::query(select).fetch_all(state.pool()).await?;
    let damaged = || row("answers", "an answer is not the one that was signed");
    for found in &rows {
        let text = |column| found.try_get::<String, _>(column).map_err(|_| damaged());
        let sealed: Sealed<Answer> = serde_json::from_str(&text(3)?).map_err(|_| damaged())?;
        let answer = sealed.open(key).map_err(|_| damaged())?;
        let releases = answer.snapshots.iter().map(|it| it.release.to_string());
        let releases: Vec<String> = releases.collect();
        let same = text(0)? == answer.question.to_string()
            && text(1)? == releases.join(",")
            && text(2)? == answer.mechanism.to_string()
            && serde_json::to_string(&sealed).is_ok_and(|it| text(3).is_ok_and(|own| own == it));
        let digest = sealed.digest().map_err(|_| damaged())?.to_string();
        let charge = said.charges.get(&(answer.question.to_string(), digest));
        let charge = charge.ok_or_else(|| row("answers", "an answer has no charge in the log"))?;
        let paid: i64 = found.try_get(4)?;
        let charged = u64::try_from(paid) == Ok(charge.0.nano());
        if !same || !charged || found.try_get::<i64, _>(5)? != charge.1 {
            return Err(damaged());
        }
    }
    if rows.len() == said.charges.len() {
        Ok(rows.len())
    } else {
        Err(row("answers", "a charge in the log has no answer"))
    }
}

async fn ledger(state: &State, said: &Said) -> Result<(), FsckError> {
    let mut stored = BTreeMap::new();
    let select = "select year, purpose, spent_nano from ledger";
    for found in sqlx::query(select).fetch_all(state.pool()).await? {
        let spent = u64::try_from(found.try_get::<i64, _>(2)?);
        let spent = spent.map_err(|_| row("ledger", "a line is negative"))?;
        stored.insert((found.try_get(0)?, found.try_get(1)?), spent);
    }
    if stored == said.spent {
        Ok(())
    } else {
        Err(row("ledger", "it is not the sum of the charges in the log"))
    }
}

async fn replies(state: &State, key: &PublicKey, said: &Said) -> Result<(), FsckError> {
    let damaged = || row("replies", "a reply is not the one in the log");
    let rows = sqlx::query("select round, sealed from replies").fetch_all(state.pool());
    let rows = rows.await?;
    for found in &rows {
        let round: String = found.try_get(0)?;
        let text: String = found.try_get(1)?;
        let sealed: Sealed<Reply> = serde_json::from_str(&text).map_err(|_| damaged())?;
        sealed.open(key).map_err(|_| damaged())?;
        let same = serde_json::to_string(&sealed).is_ok_and(|it| it == text);
        let digest = sealed.digest().map_err(|_| damaged())?.to_string();
        if !same || said.replies.get(&round) != Some(&digest) {
            return Err(damaged());
        }
    }
    if rows.len() == said.replies.len() {
        Ok(())
    } else {
        Err(damaged())
    }
}

async fn uploads(state: &State, said: &Said) -> Result<(), FsckError> {
    let damaged = || row("pooled_uploads", "an upload is not the one in the log");
    let select = "select manifest, digest, charged_nano, worst_nano, voided is not null \
                  from pooled_uploads";
    let rows = sqlx::query(select).fetch_all(state.pool()).await?;
    for found in &rows {
        let loss = |column| -> Result<Rho, FsckError> {
            let nano = u64::try_from(found.try_get::<i64, _>(column)?).map_err(|_| damaged())?;
            Rho::from_nano(nano).map_err(|_| damaged())
        };
        let (manifest, digest): (String, String) = (found.try_get(0)?, found.try_get(1)?);
        let voided = found.try_get::<i64, _>(4)? == 1;
        if said.uploads.get(&manifest) != Some(&(digest, loss(2)?, loss(3)?))
            || said.voided.contains(&manifest) != voided
        {
            return Err(damaged());
        }
    }
    if rows.len() == said.uploads.len() {
        Ok(())
    } else {
        Err(damaged())
    }
}

async fn dictionaries(state: &State, said: &Said) -> Result<(), FsckError> {
    let damaged = || row("dictionaries", "a dictionary is not the one in the log");
    let select = "select version, digest, body, signed from dictionaries";
    let rows = sqlx::query(select).fetch_all(state.pool()).await?;
    for found in &rows {
        let (digest, body): (String, String) = (found.try_get(1)?, found.try_get(2)?);
        let read: Dictionary = canonical::from_bytes(body.as_bytes()).map_err(|_| damaged())?;
        let own = read.digest().map_err(|_| damaged())?.to_string();
        let version = found.try_get::<i64, _>(0)?.to_string();
        let signed = match found.try_get::<i64, _>(3)? {
            0 => "false",
            1 => "true",
            _ => return Err(damaged()),
        };
        let accepted = (version, signed.to_owned());
        if own != digest || said.dictionaries.get(&digest) != Some(&accepted) {
            return Err(damaged());
        }
    }
    if rows.len() == said.dictionaries.len() {
        Ok(())
    } else {
        Err(damaged())
    }
}
