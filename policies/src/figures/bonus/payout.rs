//! From surplus to payments: three classes with their splits, and the pool with its prizes.

use std::collections::BTreeMap;

use dashu::rational::RBig;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::money::Fen;
use serde::{Deserialize, Serialize};

use super::rules::BonusRules;
use super::score::{Contributor, Score, ScoreError, Scores, scores};
use crate::figures::apportion::{ApportionError, apportion};
use crate::figures::budget::Tier;
use crate::figures::exact::{round, total};
use crate::figures::half_up;

/// What bonus is computed from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BonusInput {
    /// The year.
    pub year: u16,
    /// Surplus by pure saving (基础结余).
    pub basic: Fen,
    /// Surplus by quality and efficiency (绩效结余).
    pub performance: Fen,
    /// Surplus for research and talent (战略结余).
    pub strategic: Fen,
    /// The lead hospital; one of the members.
    pub lead: Slug,
    /// The members.
    pub members: Vec<Contributor>,
    /// Each member's own surplus, for the pool.
    #[serde(default)]
    pub own: BTreeMap<Slug, Fen>,
    /// Patients referred both ways, for the pool's first prize.
    #[serde(default)]
    pub referrals: BTreeMap<Slug, u64>,
    /// Patients that a member sent to a higher level.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub upward: BTreeMap<Slug, u64>,
    /// Patients that a member sent to a lower level.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub downward: BTreeMap<Slug, u64>,
    /// Teams and how much their control of chronic disease rose, in thousandths, for the second.
    #[serde(default)]
    pub teams: BTreeMap<Slug, i64>,
}

/// What becomes of a year's surplus.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bonus {
    /// The year.
    pub year: u16,
    /// Digest of the rules.
    pub rules: Digest,
    /// Digest of the inputs.
    pub inputs: Digest,
    /// The scores.
    pub scores: Vec<Score>,
    /// What each member gets of the basic surplus.
    pub basic: BTreeMap<Slug, Fen>,
    /// What each member gets of the performance surplus.
    pub performance: BTreeMap<Slug, Fen>,
    /// What stays with the alliance, the strategic surplus included.
    pub retained: Fen,
    /// The pool.
    pub pool: Pooled,
    /// Patients sent up for each that was sent down (虹吸), all members together, two decimals; none where
    /// either is not known of anybody or nobody was sent down.
    #[serde(default)]
    pub siphon: Option<String>,
}

/// The pool and its prizes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pooled {
    /// What each member puts in.
    pub put_in: BTreeMap<Slug, Fen>,
    /// What each member keeps of its own surplus.
    pub kept: BTreeMap<Slug, Fen>,
    /// All that was put in.
    pub total: Fen,
    /// Prizes for referrals.
    pub referrals: BTreeMap<Slug, Fen>,
    /// The prize for the team that rose most.
    pub team: Option<(Slug, Fen)>,
    /// What no prize was given from.
    pub left: Fen,
}

impl Bonus {
    /// What a member is paid in all, or pays where it is below zero: basic and performance surplus and the
    /// prize for referrals, less what it puts into the pool. What it keeps of its own surplus it has already.
    pub fn net(&self, member: &Slug) -> Fen {
        let of = |map: &BTreeMap<Slug, Fen>| map.get(member).map_or(0, |fen| fen.0);
        let got = of(&self.basic).saturating_add(of(&self.performance));
        let got = got.saturating_add(of(&self.pool.referrals));
        Fen(got.saturating_sub(of(&self.pool.put_in)))
    }
}

/// Why there is no bonus.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BonusError {
    /// Scores.
    #[error(transparent)]
    Score(#[from] ScoreError),
    /// The lead hospital is no member.
    #[error("the lead hospital `{0}` is no member")]
    Lead(Slug),
    /// The lead hospital is a grassroots member.
    #[error(
        "the lead hospital `{0}` is of the grassroots, which share the performance surplus already"
    )]
    LeadTier(Slug),
    /// A name that is no member's.
    #[error("`{0}` is no member")]
    Stranger(Slug),
    /// A surplus below zero.
    #[error("a surplus is zero or more; overspend is settled by its own rules")]
    Below,
    /// Beyond 64 bits of fen.
    #[error("an amount is out of range")]
    OutOfRange,
    /// A split.
    #[error(transparent)]
    Apportion(#[from] ApportionError),
    /// The inputs have no canonical bytes.
    #[error("the inputs cannot be written canonically")]
    Canonical,
}

/// Computes scores and payments.
pub fn bonus(rules: &BonusRules, input: &BonusInput) -> Result<Bonus, BonusError> {
    check(input)?;
    let scores = scores(rules, &input.members)?;
    let share = |amount: Fen, part: &RBig| {
        round(&(RBig::from(amount.0) * part)).ok_or(BonusError::OutOfRange)
    };
    let less = |amount: Fen, part: Fen| Fen(amount.0.saturating_sub(part.0));
    let to_members = share(input.basic, &rules.basic_members.0)?;
    let basic = by_score(input, &scores, to_members, |_| true)?;
    let grassroots = share(input.performance, &rules.performance_grassroots.0)?;
    let outstanding = |member: &Contributor| member.tier == Tier::Grassroots && member.quality_held;
    let mut performance = by_score(input, &scores, grassroots, outstanding)?;
    let support = less(input.performance, grassroots);
    let support = match kept(rules, input, &scores, &input.lead) {
        Some(keeps) => share(support, keeps)?,
        None => support,
    };
    let lead = performance.entry(input.lead.clone()).or_insert(Fen(0));
    *lead = add(*lead, support)?;
    let given = total(basic.values().chain(performance.values()).copied());
    let given = given.ok_or(BonusError::OutOfRange)?;
    let all = total([input.basic, input.performance, input.strategic]);
    let all = all.ok_or(BonusError::OutOfRange)?;
    Ok(Bonus {
        year: input.year,
        rules: rules.digest().map_err(|_| BonusError::Canonical)?,
        inputs: canonical::digest("consilium-bonus-input-v1", input)
            .map_err(|_| BonusError::Canonical)?,
        pool: pool(rules, input, &scores)?,
        scores: scores.shown,
        basic,
        performance,
        retained: less(all, given),
        siphon: siphon(input),
    })
}

/// What gate and flags leave of what a member gets beside its score, if the rules have them lower it.
fn kept<'a>(
    rules: &BonusRules,
    input: &BonusInput,
    scores: &'a Scores,
    id: &Slug,
) -> Option<&'a RBig> {
    let place = input.members.iter().position(|member| member.id == *id)?;
    let keeps = scores.keeps.get(place);
    keeps.filter(|_| rules.gate_covers_prizes)
}

/// Whether patients flow to the higher levels alone.
fn siphon(input: &BonusInput) -> Option<String> {
    let all = |of: &BTreeMap<Slug, u64>| {
        let whole = of
            .values()
            .try_fold(0_u64, |sum, one| sum.checked_add(*one));
        whole.filter(|_| !of.is_empty())
    };
    let (up, down) = (all(&input.upward)?, all(&input.downward)?);
    (down > 0).then(|| half_up(&(RBig::from(up) / RBig::from(down)), 2))
}

fn add(one: Fen, other: Fen) -> Result<Fen, BonusError> {
    one.checked_add(other).map_err(|_| BonusError::OutOfRange)
}

fn check(input: &BonusInput) -> Result<(), BonusError> {
    let member = |id: &Slug| input.members.iter().any(|member| member.id == *id);
    let mut leads = input.members.iter().filter(|one| one.id == input.lead);
    match leads.next() {
        None => return Err(BonusError::Lead(input.lead.clone())),
        Some(lead) if lead.tier == Tier::Grassroots => {
            return Err(BonusError::LeadTier(input.lead.clone()));
        }
        Some(_) => {}
    }
    let referred = input.upward.keys().chain(input.downward.keys());
    let names = input.own.keys().chain(input.referrals.keys());
    let mut names = names.chain(referred);
    if let Some(name) = names.find(|name| !member(name)) {
        return Err(BonusError::Stranger(name.clone()));
    }
    let mut amounts = input.own.values().copied();
    let classes = [input.basic, input.performance, input.strategic];
    if amounts.any(|fen| fen < Fen(0)) || classes.iter().any(|fen| *fen < Fen(0)) {
        return Err(BonusError::Below);
    }
    Ok(())
}

/// Splits by the scores of some members. Where none of them has a score, nobody gets anything.
fn by_score(
    input: &BonusInput,
    scores: &Scores,
    amount: Fen,
    which: impl Fn(&Contributor) -> bool,
) -> Result<BTreeMap<Slug, Fen>, BonusError> {
    let both = input.members.iter().zip(&scores.exact);
    let weights: Vec<RBig> = both
        .map(|(member, score)| {
            if which(member) {
                score.clone()
            } else {
                RBig::ZERO
            }
        })
        .collect();
    if weights.iter().all(|weight| *weight == RBig::ZERO) {
        return Ok(BTreeMap::new());
    }
    let parts = apportion(amount, &weights)?;
    let members = input.members.iter().zip(parts).zip(weights);
    let got = members.filter(|(_, weight)| *weight > RBig::ZERO);
    Ok(got
        .map(|((member, part), _)| (member.id.clone(), part))
        .collect())
}

/// Each puts in its share, rounded once; the first prize goes to the grassroots members with most
/// referrals, by their number, of which gate and flags may leave less; of equal ones the first name
/// counts. The second goes to the team
/// that rose most, if any rose.
fn pool(rules: &BonusRules, input: &BonusInput, scores: &Scores) -> Result<Pooled, BonusError> {
    let (mut put_in, mut keeps) = (BTreeMap::new(), BTreeMap::new());
    for (id, own) in &input.own {
        let part = round(&(RBig::from(own.0) * &rules.pool.share.0));
        let part = part.ok_or(BonusError::OutOfRange)?;
        put_in.insert(id.clone(), part);
        keeps.insert(id.clone(), Fen(own.0.saturating_sub(part.0)));
    }
    let whole = total(put_in.values().copied()).ok_or(BonusError::OutOfRange)?;
    let first = round(&(RBig::from(whole.0) * &rules.pool.referrals.0));
    let first = first.ok_or(BonusError::OutOfRange)?;
    let grassroots = |id: &Slug| {
        let mut members = input.members.iter();
        members.any(|member| member.id == *id && member.tier == Tier::Grassroots)
    };
    let counted = input.referrals.iter().filter(|(id, _)| grassroots(id));
    let counted = counted.map(|(id, count)| {
        let count = RBig::from(*count);
        match kept(rules, input, scores, id) {
            Some(keeps) => (id, count * keeps),
            None => (id, count),
        }
    });
    let mut most: Vec<(&Slug, RBig)> = counted.filter(|(_, n)| *n > RBig::ZERO).collect();
    most.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    most.truncate(usize::try_from(rules.pool.top).unwrap_or(usize::MAX));
    let weights: Vec<RBig> = most.iter().map(|(_, count)| count.clone()).collect();
    let parts = if weights.is_empty() {
        Vec::new()
    } else {
        apportion(first, &weights)?
    };
    let names = most.iter().map(|(id, _)| (*id).clone());
    let referrals: BTreeMap<Slug, Fen> = names.zip(parts).collect();
    let second = Fen(whole.0.saturating_sub(first.0));
    let risen = input.teams.iter().filter(|(_, rise)| **rise > 0);
    let fastest = risen.max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)));
    let team = fastest.map(|(name, _)| (name.clone(), second));
    let mut left = Fen(0);
    if referrals.is_empty() {
        left = add(left, first)?;
    }
    if team.is_none() {
        left = add(left, second)?;
    }
    Ok(Pooled {
        put_in,
        kept: keeps,
        total: whole,
        referrals,
        team,
        left,
    })
}
