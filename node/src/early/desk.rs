//! One turn after another: read what came, judge it, tell what is new, keep that it was told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use policies::early::{Alert, Watcher};
use schemas::dictionary::Dictionary;
use schemas::money::Fen;

use super::feed::{Fault, Feed};
use super::sinks::Sinks;
use super::{EarlyError, store};
use crate::clock::Clock;
use crate::config::keys::{Keys, PseudonymKey};
use crate::ingest::table::{TableError, each};
use crate::store::state::State;

/// What a turn came to.
#[derive(Debug, Default)]
pub struct Turn {
    /// Postings that were read.
    pub rows: u64,
    /// Warnings that were told for the first time.
    pub told: Vec<Alert>,
    /// Lines that were passed over.
    pub faults: Vec<Fault>,
    /// Whether more waits already.
    pub more: bool,
}

/// A feed with what is known of its cases, and where its warnings go.
#[derive(Debug)]
pub struct Desk {
    feed: Feed,
    watcher: Watcher,
    sinks: Sinks,
    state: State,
    key: PseudonymKey,
    known: BTreeSet<String>,
    /// Not told yet.
    pending: Vec<Alert>,
    clock: Clock,
}

impl Desk {
    /// Begins at the start of a feed. What was told before is not told again.
    pub async fn open(
        (state, data, clock): (&State, &Path, Clock),
        feed: &Path,
        watcher: Watcher,
        sinks: Sinks,
    ) -> Result<Self, EarlyError> {
        Ok(Self {
            feed: Feed::open(feed)?,
            watcher,
            sinks,
            key: Keys::open(data)?.warning_key()?,
            known: store::known(state).await?,
            state: state.clone(),
            pending: Vec::new(),
            clock,
        })
    }

    /// One turn. Where a sink fails, its warnings wait for the next turn. A process that dies between
    /// telling and keeping tells the same once more.
    pub async fn turn(&mut self) -> Result<Turn, EarlyError> {
        let batch = self.feed.read()?;
        let mut turn = Turn {
            faults: batch.faults,
            more: batch.more,
            ..Turn::default()
        };
        for (line, posting) in &batch.postings {
            turn.rows = turn.rows.saturating_add(1);
            match self.watcher.post(posting) {
                Ok(alerts) => self.pending.extend(alerts),
                Err(refused) => turn.faults.push(Fault {
                    line: *line,
                    what: refused.to_string(),
                }),
            }
        }
        self.tell(&mut turn).await?;
        Ok(turn)
    }

    async fn tell(&mut self, turn: &mut Turn) -> Result<(), EarlyError> {
        let mut seen = BTreeSet::new();
        let mut news = Vec::new();
        for alert in &self.pending {
            let id = store::id(&self.key, alert);
            if !self.known.contains(&id) && seen.insert(id.clone()) {
                news.push((id, alert.clone()));
            }
        }
        if !news.is_empty() {
            let alerts: Vec<Alert> = news.iter().map(|(_, alert)| alert.clone()).collect();
            self.sinks.tell(&alerts).await?;
            store::keep(&self.state, &self.key, &news, self.clock.now()).await?;
            self.known.extend(news.into_iter().map(|(id, _)| id));
            turn.told = alerts;
        }
        self.pending.clear();
        Ok(())
    }

    /// What is known of the cases.
    pub fn watcher(&self) -> &Watcher {
        &self.watcher
    }
}

/// Reads payment standards (`case_group,standard`, yuan above zero): of the dictionary's groups, each once.
pub fn standards(
    path: &Path,
    dictionary: &Dictionary,
) -> Result<BTreeMap<String, Fen>, TableError> {
    let mut found = BTreeMap::new();
    each(path, (&["case_group", "standard"], &|_| false), |row| {
        let group = row.text("case_group").unwrap_or_default();
        let known = dictionary.groups.iter().any(|one| one.code == group);
        let standard: Fen = row.need("standard")?;
        if !known {
            return Err(row.wrong("`case_group` is none of the dictionary's"));
        }
        if standard <= Fen(0) {
            return Err(row.wrong("`standard` is above zero"));
        }
        if found.insert(group.to_owned(), standard).is_some() {
            return Err(row.wrong("`case_group` stands twice"));
        }
        Ok(())
    })?;
    Ok(found)
}
