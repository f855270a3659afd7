//! Whether the money goes where the services are (总量超结构).

use std::collections::BTreeMap;

use dashu::rational::RBig;
use schemas::money::Fen;
use serde::{Deserialize, Serialize};

use super::rules::{BudgetRules, Tier};
use super::split::BudgetInput;
use crate::figures::exact::sum;
use crate::figures::half_up;

/// A tier's shares of money and of services; shares have four decimals.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierGap {
    /// The tier.
    pub tier: Tier,
    /// Its share of the money.
    pub money: String,
    /// Its share of the services.
    pub services: String,
    /// Whether they lie further apart than the rules let pass unsaid.
    pub wide: bool,
}

/// The tiers' shares; none where any member's services are not known, or nobody gave any.
pub(super) fn gaps(rules: &BudgetRules, input: &BudgetInput, amounts: &[Fen]) -> Vec<TierGap> {
    let mut tiers: BTreeMap<Tier, (RBig, RBig)> = BTreeMap::new();
    for (member, amount) in input.members.iter().zip(amounts) {
        let Some(services) = &member.services else {
            return Vec::new();
        };
        let (money, given) = tiers.entry(member.tier).or_insert((RBig::ZERO, RBig::ZERO));
        *money += RBig::from(amount.0);
        *given += services.0.clone().max(RBig::ZERO);
    }
    let all_money = sum(tiers.values().map(|(money, _)| money));
    let all_given = sum(tiers.values().map(|(_, given)| given));
    if all_money == RBig::ZERO || all_given == RBig::ZERO {
        return Vec::new();
    }
    let gap = |(tier, (money, given)): (Tier, (RBig, RBig))| {
        let (money, services) = (money / &all_money, given / &all_given);
        let apart = if money > services {
            &money - &services
        } else {
            &services - &money
        };
        TierGap {
            tier,
            money: half_up(&money, 4),
            services: half_up(&services, 4),
            wide: apart > rules.structure_gap.0,
        }
    };
    tiers.into_iter().map(gap).collect()
}
