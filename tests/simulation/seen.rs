//! An observer outside both programs: he sees every byte that leaves a node, and adds up what it
//! tells about patients.

use std::collections::BTreeMap;

use schemas::answer::Answer;
use schemas::digest::Digest;
use schemas::question::Purpose;
use schemas::round::{Reply, Said};
use schemas::seal::{PublicKey, Sealed};

use super::catalog::{Catalog, Known};

/// A request that somebody kept, to send it again.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) who: usize,
    pub(super) certificate: Vec<u8>,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// A node as the observer knows it.
#[derive(Clone, Debug)]
pub(super) struct Whose<'c> {
    pub(super) who: usize,
    pub(super) name: schemas::id::Slug,
    pub(super) key: PublicKey,
    pub(super) catalog: &'c Catalog,
}

/// Everything that was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// What each node said to a round: digests of reply and answer, by the state it was said from.
    said: BTreeMap<(usize, Digest, u32), Digest>,
    /// All replies that ever left a node.
    replies: BTreeMap<(usize, Digest), Option<Answer>>,
    /// Answers by node, question and releases, with the state that they were said from.
    answers: BTreeMap<(usize, Digest, String), BTreeMap<Digest, u32>>,
    /// Loss of what left, in nano-ρ, by node, year and line of the ledger.
    pub(super) lost: BTreeMap<(usize, u16, &'static str), u64>,
    /// Answers of a series by month.
    series: BTreeMap<(usize, Digest), BTreeMap<String, u32>>,
    /// How often a node's state was put back.
    pub(super) generation: BTreeMap<usize, u32>,
    /// Nodes whose state knows less than was charged, until their steward has burned it.
    pub(super) forgetful: BTreeMap<usize, bool>,
    /// Requests that were kept.
    pub(super) kept: Vec<Kept>,
    /// Requests that arrive later.
    pub(super) late: Vec<Kept>,
    /// The first rule that was broken, as soon as it was.
    pub(super) broken: Option<String>,
}

const MOST_KEPT: usize = 60;

impl Seen {
    fn breaks(&mut self, what: String) {
        self.broken.get_or_insert(what);
    }

    /// Keeps a request.
    pub(super) fn keep(&mut self, kept: Kept) {
        if self.kept.len() >= MOST_KEPT {
            self.kept.remove(0);
        }
        self.kept.push(kept);
    }

    /// The answer in a reply that left a node.
    pub(super) fn reply(&self, who: usize, reply: Digest) -> Option<&Option<Answer>> {
        self.replies.get(&(who, reply))
    }

    /// What a node answered to a round.
    pub(super) fn answer_to(&self, who: usize, round: Digest) -> Option<&Answer> {
        let mut said = self
            .said
            .iter()
            .filter(|((node, of, _), _)| (*node, *of) == (who, round));
        said.find_map(|(_, reply)| self.replies.get(&(who, *reply))?.as_ref())
    }

    /// How many answers left, each counted once.
    pub(super) fn answers_left(&self) -> u64 {
        self.answers.values().map(|of| of.len() as u64).sum()
    }

    /// A reply leaves a node, whether it arrives or not.
    pub(super) fn leaves(&mut self, whose: &Whose<'_>, body: &[u8]) {
        let name = &whose.name;
        let sealed: Option<Sealed<Reply>> = serde_json::from_slice(body).ok();
        let opened = sealed
            .as_ref()
            .and_then(|sealed| Some((sealed.open(&whose.key).ok()?, sealed.digest().ok()?)));
        let Some((reply, digest)) = opened else {
            self.breaks(format!("{name} sent a reply that it did not sign"));
            return;
        };
        let generation = self.generation.get(&whose.who).copied().unwrap_or(0);
        let before = self
            .said
            .insert((whose.who, reply.round, generation), digest);
        if before.is_some_and(|before| before != digest) {
            self.breaks(format!("{name} said two things to one round"));
        }
        let answer = match reply.said {
            Said::Declined(_) => None,
            Said::Answered(sealed) => match sealed.open(&whose.key) {
                Ok(answer) => {
                    if let Ok(digest) = sealed.digest() {
                        self.answered(whose, &answer, digest, generation);
                    }
                    Some(answer)
                }
                Err(_) => {
                    self.breaks(format!("{name} sent an answer that it did not sign"));
                    None
                }
            },
        };
        self.replies.insert((whose.who, digest), answer);
    }

    fn answered(&mut self, whose: &Whose<'_>, answer: &Answer, digest: Digest, generation: u32) {
        let (who, name) = (whose.who, &whose.name);
        let Some(known) = whose.catalog.known.get(&answer.question) else {
            self.breaks(format!("{name} answered a question that nobody may ask"));
            return;
        };
        let releases = answer.snapshots.iter().map(|one| one.release.to_string());
        let releases: Vec<String> = releases.collect();
        let key = (who, answer.question, releases.join(","));
        let before = self.answers.entry(key).or_default();
        if before.contains_key(&digest) {
            return;
        }
        let fresh = before.values().any(|other| *other == generation);
        before.insert(digest, generation);
        if fresh {
            self.breaks(format!(
                "{name} gave fresh noise to a question that it had answered"
            ));
        }
        if self.forgetful.get(&who).copied().unwrap_or(false) {
            self.breaks(format!(
                "{name} answered anew from a state that was put back"
            ));
        }
        let exact = whose.catalog.exact.get(&(name.clone(), answer.question));
        if exact.is_none_or(|exact| *exact == answer.blocks) {
            self.breaks(format!(
                "{name} sent exact cells, or cells of data that it does not have"
            ));
        }
        self.count(who, known);
    }

    /// Adds the loss of one more answer.
    fn count(&mut self, who: usize, known: &Known) {
        let charge = known.layout.charge.nano();
        let loss = match known.layout.series {
            None => charge,
            Some(series) => {
                let months = self.series.entry((who, series)).or_default();
                let first = months.is_empty();
                let month = months
                    .entry(known.layout.period.from.to_string())
                    .or_default();
                *month += 1;
                match (first, *month) {
                    (true, _) => charge,
                    (false, 1) => 0,
                    _ => charge.div_ceil(known.months.max(1)),
                }
            }
        };
        for year in known.layout.period.years() {
            for line in ["all", line(known.purpose)] {
                *self.lost.entry((who, year.0, line)).or_default() += loss;
            }
        }
    }
}

/// The ledger's name of a purpose.
pub(super) fn line(purpose: Purpose) -> &'static str {
    node::ledger::name(purpose)
}
