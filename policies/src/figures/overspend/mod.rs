//! Overspend (超支分担): classified first, then borne. Every fen has exactly one bearer: the insurer,
//! the reserve, a responsible member, or nobody yet, which is shown.

mod rules;
#[cfg(test)]
mod test;

pub use rules::{Corridor, DEFAULT, OverspendRules, Slice, paid};

use std::collections::BTreeMap;

use dashu::rational::RBig;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::money::Fen;
use serde::{Deserialize, Serialize};

use crate::figures::Exact;
use crate::figures::exact::{round, total};

/// Why a year's spending went beyond the budget.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// 突发公共卫生事件. Reasonable.
    PublicHealthEmergency,
    /// 新技术. Reasonable.
    NewTechnology,
    /// 药耗价格波动. Reasonable.
    PriceSwing,
    /// 过度医疗. Unreasonable.
    OverTreatment,
    /// 管理漏洞. Unreasonable; counts in the next appraisal.
    ManagementGap,
    /// 服务量虚增. Unreasonable.
    InflatedVolume,
}

impl Cause {
    /// Whether insurer and reserve bear it.
    pub fn reasonable(self) -> bool {
        matches!(
            self,
            Self::PublicHealthEmergency | Self::NewTechnology | Self::PriceSwing
        )
    }
}

/// One classified amount.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classified {
    /// Whose overspend.
    pub member: Slug,
    /// Why.
    pub cause: Cause,
    /// How much.
    pub amount: Fen,
    /// Digests of what proves it; at least one.
    pub evidence: Vec<Digest>,
}

/// What overspend is settled from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverspendInput {
    /// The year.
    pub year: u16,
    /// Each member's overspend.
    pub overspend: BTreeMap<Slug, Fen>,
    /// Its classification; each member's amounts add up to its overspend.
    pub classified: Vec<Classified>,
    /// What is in the reserve.
    pub reserve: Fen,
}

/// Who bears what.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settlement {
    /// The year.
    pub year: u16,
    /// Digest of the rules.
    pub rules: Digest,
    /// Digest of the inputs.
    pub inputs: Digest,
    /// All reasonable overspend.
    pub reasonable: Fen,
    /// All unreasonable overspend.
    pub unreasonable: Fen,
    /// Borne by the insurer.
    pub insurer: Fen,
    /// Borne by the reserve.
    pub from_reserve: Fen,
    /// Left in the reserve.
    pub reserve_after: Fen,
    /// Borne by nobody yet.
    pub uncovered: Fen,
    /// Borne by the members whose fault it was.
    pub responsible: BTreeMap<Slug, Fen>,
    /// Taken from their next budgets.
    pub next_year: BTreeMap<Slug, Fen>,
}

/// Why overspend is not settled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverspendError {
    /// Amounts that do not add up.
    #[error(
        "member `{member}`: {classified} classified of {overspend} overspent; every fen is classified once"
    )]
    Sum {
        /// Whose.
        member: Slug,
        /// What was classified.
        classified: Fen,
        /// What was overspent.
        overspend: Fen,
    },
    /// A member without overspend.
    #[error("`{0}` did not overspend")]
    Stranger(Slug),
    /// No evidence.
    #[error("member `{0}`: a classified amount needs evidence")]
    Evidence(Slug),
    /// Not above zero, or a reserve below zero.
    #[error("amounts are above zero, the reserve zero or more")]
    Amount,
    /// Beyond 64 bits of fen.
    #[error("an amount is out of range")]
    OutOfRange,
    /// The inputs have no canonical bytes.
    #[error("the inputs cannot be written canonically")]
    Canonical,
}

/// Settles a year's overspend: of what is reasonable the insurer bears its share, the reserve the
/// rest as far as it reaches; what is unreasonable is borne by those whose fault it was.
pub fn settle(
    rules: &OverspendRules,
    input: &OverspendInput,
) -> Result<Settlement, OverspendError> {
    check(input)?;
    let of = |reasonable: bool| {
        let amounts = input.classified.iter();
        let amounts = amounts.filter(move |one| one.cause.reasonable() == reasonable);
        total(amounts.map(|one| one.amount)).ok_or(OverspendError::OutOfRange)
    };
    let (reasonable, unreasonable) = (of(true)?, of(false)?);
    let share = |amount: Fen, part: &Exact| {
        round(&(RBig::from(amount.0) * &part.0)).ok_or(OverspendError::OutOfRange)
    };
    let less = |amount: Fen, part: Fen| Fen(amount.0.saturating_sub(part.0));
    let insurer = share(reasonable, &rules.insurer)?;
    let rest = less(reasonable, insurer);
    let from_reserve = rest.min(input.reserve);
    let mut responsible: BTreeMap<Slug, Fen> = BTreeMap::new();
    for one in input
        .classified
        .iter()
        .filter(|one| !one.cause.reasonable())
    {
        let borne = responsible.entry(one.member.clone()).or_insert(Fen(0));
        *borne = borne
            .checked_add(one.amount)
            .map_err(|_| OverspendError::OutOfRange)?;
    }
    let mut next_year = BTreeMap::new();
    for (member, amount) in &responsible {
        next_year.insert(member.clone(), share(*amount, &rules.next_year)?);
    }
    Ok(Settlement {
        year: input.year,
        rules: rules.digest().map_err(|_| OverspendError::Canonical)?,
        inputs: canonical::digest("consilium-overspend-input-v1", input)
            .map_err(|_| OverspendError::Canonical)?,
        reasonable,
        unreasonable,
        insurer,
        from_reserve,
        reserve_after: less(input.reserve, from_reserve),
        uncovered: less(rest, from_reserve),
        responsible,
        next_year,
    })
}

fn check(input: &OverspendInput) -> Result<(), OverspendError> {
    let positive = |fen: &Fen| *fen > Fen(0);
    let mut amounts = input.overspend.values();
    if input.reserve < Fen(0)
        || !amounts.all(positive)
        || !input.classified.iter().all(|one| positive(&one.amount))
    {
        return Err(OverspendError::Amount);
    }
    for one in &input.classified {
        if !input.overspend.contains_key(&one.member) {
            return Err(OverspendError::Stranger(one.member.clone()));
        }
        if one.evidence.is_empty() {
            return Err(OverspendError::Evidence(one.member.clone()));
        }
    }
    for (member, overspend) in &input.overspend {
        let own = input.classified.iter().filter(|one| one.member == *member);
        let classified = total(own.map(|one| one.amount)).ok_or(OverspendError::OutOfRange)?;
        if classified != *overspend {
            return Err(OverspendError::Sum {
                member: member.clone(),
                classified,
                overspend: *overspend,
            });
        }
    }
    Ok(())
}
