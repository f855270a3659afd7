//! The rules of the design, checked after every operation against state files as they are, what was
//! decided, and what the observer saw.

use std::collections::{BTreeMap, BTreeSet};

use node::ledger;
use policies::rules::Privacy;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::entry::Entry;
use schemas::request::SKEW;
use schemas::time::Timestamp;
use sqlx::{Row as _, SqlitePool};

use super::decide::Decided;
use super::node::Node;
use super::seen::Seen;

/// A round as somebody opened it.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    pub(super) name: String,
    pub(super) template: Option<String>,
    pub(super) deadline: Timestamp,
    pub(super) min_answers: u32,
    pub(super) roster: Vec<String>,
}

/// All rounds, by digest.
pub(super) type Rounds = BTreeMap<Digest, Opened>;

/// How far a log was followed.
#[derive(Clone, Debug)]
pub(super) struct Followed {
    sequence: i64,
    digest: Digest,
}

impl Default for Followed {
    fn default() -> Self {
        Self {
            sequence: 0,
            digest: Digest::ZERO,
        }
    }
}

impl Followed {
    /// New entries, each chained to the one before; what was followed before must be there still.
    async fn entries(&mut self, pool: &SqlitePool) -> Result<Vec<Entry>, String> {
        let rows = sqlx::query(
            "select sequence, digest, entry from log where sequence >= $1 order by sequence",
        )
        .bind(self.sequence)
        .fetch_all(pool)
        .await
        .map_err(|error| format!("the log cannot be read: {error}"))?;
        let mut rows = rows.iter();
        if self.sequence > 0 {
            let kept = rows.next().is_some_and(|row| {
                row.get::<i64, _>(0) == self.sequence
                    && row.get::<String, _>(1) == self.digest.to_string()
            });
            if !kept {
                return Err("an entry is gone from the log, or was changed".to_owned());
            }
        }
        let mut new = Vec::new();
        for row in rows {
            let entry: Entry = canonical::from_bytes(row.get::<String, _>(2).as_bytes())
                .map_err(|_| "a log entry cannot be read".to_owned())?;
            let digest = entry
                .digest()
                .map_err(|_| "an entry has no digest".to_owned())?;
            let next = self.sequence + 1;
            let chained = row.get::<i64, _>(0) == next
                && i64::try_from(entry.sequence) == Ok(next)
                && entry.previous == self.digest
                && row.get::<String, _>(1) == digest.to_string();
            if !chained {
                return Err(format!("the log's chain breaks at entry {next}"));
            }
            (self.sequence, self.digest) = (next, digest);
            new.push(entry);
        }
        Ok(new)
    }
}

fn detail<'e>(entry: &'e Entry, name: &str) -> &'e str {
    let found = entry.detail.iter().find(|(key, _)| key.as_str() == name);
    found.map_or("", |(_, value)| value.as_str())
}

fn nano(text: &str) -> u64 {
    text.parse::<schemas::loss::Rho>()
        .map_or(0, schemas::loss::Rho::nano)
}

/// What the log of a node says so far.
#[derive(Clone, Default, Debug)]
pub(super) struct Watched {
    log: Followed,
    spent: BTreeMap<(u16, String), u64>,
    charges: i64,
    replies: i64,
    burned: bool,
    answered_at: i64,
}

impl Watched {
    fn spend(&mut self, year: &str, line: &str, loss: u64) {
        let year = year.parse().unwrap_or(0);
        *self.spent.entry((year, line.to_owned())).or_default() += loss;
    }

    fn hear(
        &mut self,
        entry: &Entry,
        (decided, rounds, now): (&Decided, &Rounds, Timestamp),
    ) -> Result<(), String> {
        match entry.kind.as_str() {
            "charge" => {
                self.charges += 1;
                let loss = nano(detail(entry, "charge"));
                for year in detail(entry, "years").split(' ') {
                    self.spend(year, "all", loss);
                    self.spend(year, detail(entry, "purpose"), loss);
                }
            }
            "burn" => {
                self.burned = true;
                for (name, value) in &entry.detail {
                    if let Some((year, line)) = name.as_str().split_once('.') {
                        self.spend(year, line, nano(value));
                    }
                }
            }
            "reply" => {
                self.replies += 1;
                if detail(entry, "said") == "answered" {
                    let round = rounds.get(&entry.subject);
                    let round = round.ok_or("it answered a round that nobody opened")?;
                    if !decided.allows(entry.subject, round.template.as_deref()) {
                        return Err("it answered what its steward did not approve".to_owned());
                    }
                    if now > round.deadline {
                        return Err("it answered after the deadline".to_owned());
                    }
                    if now.0 < self.answered_at - SKEW {
                        return Err("it answered by a clock that went back".to_owned());
                    }
                    self.answered_at = self.answered_at.max(now.0);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Reads the whole log anew, without judging what was judged before.
    pub(super) async fn again(&mut self, pool: &SqlitePool) -> Result<(), String> {
        *self = Self {
            answered_at: self.answered_at,
            ..Self::default()
        };
        for entry in self.log.entries(pool).await? {
            match entry.kind.as_str() {
                "reply" => self.replies += 1,
                _ => self.hear(&entry, (&Decided::default(), &Rounds::new(), Timestamp(0)))?,
            }
        }
        Ok(())
    }

    /// Whether the ledger covers what left; `false` where it knows less.
    pub(super) fn covers(&self, who: usize, seen: &Seen) -> bool {
        let of = seen.lost.iter().filter(|((node, _, _), _)| *node == who);
        of.into_iter().all(|((_, year, line), lost)| {
            let spent = self.spent.get(&(*year, (*line).to_owned()));
            spent.copied().unwrap_or(0) >= *lost
        })
    }

    /// The rules of a node.
    pub(super) async fn check(
        &mut self,
        node: &Node,
        (decided, rounds): (&Decided, &Rounds),
        seen: &std::sync::Mutex<Seen>,
        rules: &Privacy,
    ) -> Result<(), String> {
        for entry in self.log.entries(node.state.pool()).await? {
            self.hear(&entry, (decided, rounds, node.now()))?;
        }
        let failed = |error: sqlx::Error| format!("the state cannot be read: {error}");
        let row =
            sqlx::query("select (select count(*) from answers), (select count(*) from replies)")
                .fetch_one(node.state.pool())
                .await
                .map_err(failed)?;
        if row.get::<i64, _>(0) != self.charges {
            return Err("answers and charges in the log are not as many".to_owned());
        }
        if row.get::<i64, _>(1) != self.replies {
            return Err("replies and their entries in the log are not as many".to_owned());
        }
        let lines = ledger::lines(&node.state)
            .await
            .map_err(|error| error.to_string())?;
        let stored: BTreeMap<(u16, String), u64> = lines
            .into_iter()
            .map(|line| ((line.year.0, line.purpose), line.spent.nano()))
            .collect();
        if stored != self.spent {
            return Err("the ledger is not the sum of the charges in the log".to_owned());
        }
        if !self.burned {
            for ((_, line), spent) in &self.spent {
                if *spent > limit(rules, line) {
                    return Err(format!("more is spent than the allowance of `{line}`"));
                }
            }
        }
        let seen = super::wire::held(seen);
        let forgetful = seen.forgetful.get(&node.who).copied().unwrap_or(false);
        if !forgetful && !self.covers(node.who, &seen) {
            return Err("more left the node than it was charged for".to_owned());
        }
        Ok(())
    }
}

fn limit(rules: &Privacy, line: &str) -> u64 {
    use schemas::question::Purpose;
    let all = [
        Purpose::Benchmark,
        Purpose::Budget,
        Purpose::Audit,
        Purpose::Free,
    ];
    let quota = all
        .into_iter()
        .find(|purpose| ledger::name(*purpose) == line);
    quota.map_or(rules.allowance.total.nano(), |purpose| {
        rules.quota(purpose).nano()
    })
}

/// What the log of the coordinator says so far.
#[derive(Clone, Default, Debug)]
pub(super) struct Office {
    log: Followed,
    replies: BTreeSet<(String, String)>,
    answers: BTreeMap<String, u32>,
    pub(super) closed: BTreeSet<String>,
}

impl Office {
    /// The rules of the coordinator.
    pub(super) async fn check(
        &mut self,
        pool: &SqlitePool,
        (rounds, seen, now): (&Rounds, &Seen, Timestamp),
        (names, revoked): (&[String], &BTreeSet<usize>),
    ) -> Result<(), String> {
        for entry in self.log.entries(pool).await? {
            let name = detail(&entry, "round");
            let round = rounds.values().find(|round| round.name == name);
            match (entry.kind.as_str(), round) {
                ("reply", Some(round)) => {
                    let hospital = detail(&entry, "hospital");
                    let who = names.iter().position(|name| name == hospital);
                    let who = who.ok_or("a reply of no hospital was taken")?;
                    if seen.reply(who, entry.subject).is_none() {
                        return Err("a reply was taken that its hospital never sent".to_owned());
                    }
                    if revoked.contains(&who) {
                        return Err("a reply was taken of who is shut out".to_owned());
                    }
                    if now > round.deadline || !round.roster.iter().any(|one| one == hospital) {
                        return Err("a reply was taken late, or of who was not asked".to_owned());
                    }
                    if !self.replies.insert((name.to_owned(), hospital.to_owned())) {
                        return Err("two replies of one hospital count".to_owned());
                    }
                    if detail(&entry, "said") == "answered" {
                        *self.answers.entry(name.to_owned()).or_default() += 1;
                    }
                }
                ("round-end", Some(round)) if detail(&entry, "state") == "closed" => {
                    if self.answers.get(name).copied().unwrap_or(0) < round.min_answers {
                        return Err("a round closed with too few answers".to_owned());
                    }
                    self.closed.insert(name.to_owned());
                }
                _ => {}
            }
        }
        let rows = sqlx::query(
            "select id, (select count(*) from replies) from rounds where state = 'closed'",
        )
        .fetch_all(pool)
        .await
        .map_err(|error| format!("the state cannot be read: {error}"))?;
        for row in &rows {
            if !self.closed.contains(&row.get::<String, _>(0)) {
                return Err("a round is closed that never ended so".to_owned());
            }
            if usize::try_from(row.get::<i64, _>(1)) != Ok(self.replies.len()) {
                return Err("stored replies and their entries are not as many".to_owned());
            }
        }
        Ok(())
    }
}
