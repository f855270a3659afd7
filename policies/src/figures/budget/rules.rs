//! The rules of a year's budget (`rules/budget.toml`): what is set aside, by what it is shared, how
//! far a member may rise or fall.

use std::collections::{BTreeMap, BTreeSet};

use dashu::rational::RBig;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::Month;
use serde::{Deserialize, Serialize};

use crate::figures::Exact;
use crate::figures::exact::sum;
use crate::figures::settings::{Faults, RulesError, distinct, one, part, read};

/// The rules as shipped.
pub const DEFAULT: &str = include_str!("../../../rules/budget.toml");

/// Rules of a budget. All shares are from 0 to 1.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetRules {
    /// Rises with each change.
    pub version: u32,
    /// The first month that they hold for.
    pub effective: Month,
    /// Share of the total that is kept as the risk reserve (风险准备金).
    pub reserve: Exact,
    /// Weight of the base; the rest is the factors' (基数法+因素法).
    pub alpha: Exact,
    /// Weights of the years before, oldest first; fewer years use the last ones.
    pub history: Vec<Exact>,
    /// The least that a member gets, of what the base alone would give.
    pub floor: Exact,
    /// The most that a member gets, of what the base alone would give.
    pub ceiling: Exact,
    /// By what the rest is shared.
    pub factors: Vec<Factor>,
    /// Money that a member gets for one purpose only.
    #[serde(default)]
    pub earmarks: Vec<Earmark>,
    /// Largest difference between a tier's share of the money and of the services before it is
    /// pointed out.
    pub structure_gap: Exact,
    /// Weights of the capability rating by tier; each tier's add up to 1.
    #[serde(default)]
    pub capability: BTreeMap<Tier, BTreeMap<Slug, Exact>>,
    /// Scores that are figures, not points: their scales. A score without one has 0 to 100 points.
    #[serde(default)]
    pub scales: BTreeMap<Slug, Scale>,
    /// Standard fee of a case group, of the alliance's mean cost.
    #[serde(default = "whole")]
    pub control_level: Exact,
}

fn whole() -> Exact {
    Exact(RBig::ONE)
}

/// From which value to which other a figure has 0 to 100 points; `best` may be the lower one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// No points.
    pub worst: Exact,
    /// All points.
    pub best: Exact,
}

/// One factor.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    /// Its name, as inputs name it.
    pub id: Slug,
    /// Its weight; all together are 1.
    pub weight: Exact,
    /// Whether it looks at more than the past; at least one factor has to.
    pub past: bool,
}

/// Money for one purpose.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Earmark {
    /// What for.
    pub id: Slug,
    /// Which tiers' members.
    pub tiers: BTreeSet<Tier>,
    /// Share of the member's amount.
    pub share: Exact,
}

/// A hospital's level.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// 三级.
    Tertiary,
    /// 二级.
    Secondary,
    /// 基层: community centres and township hospitals.
    Grassroots,
}

impl BudgetRules {
    /// Reads and checks rules.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        read(text, Self::check)
    }

    /// Digest of the rules, as plans cite it.
    pub fn digest(&self) -> Result<Digest, canonical::Error> {
        canonical::digest("consilium-budget-rules-v1", self)
    }

    pub(crate) fn check(&self, faults: &mut Faults) {
        faults.counted_from_one(self.version);
        let mut check = |sound: bool, fault: &str| faults.check(sound, fault);
        check(part(&self.reserve), "`reserve` is from 0 to 1");
        check(part(&self.alpha), "`alpha` is from 0 to 1");
        check(part(&self.floor), "`floor` is from 0 to 1");
        check(self.ceiling.0 >= RBig::ONE, "`ceiling` is at least 1");
        // Either alone leaves every member at its base: no factor would count, whatever `alpha` says.
        check(
            self.floor.0 != RBig::ONE && self.ceiling.0 != RBig::ONE,
            "`floor` is below 1 and `ceiling` above it",
        );
        check(self.ceiling.0 <= RBig::from(10), "`ceiling` is at most 10");
        check(part(&self.structure_gap), "`structure_gap` is from 0 to 1");
        check(
            !self.history.is_empty() && self.history.len() <= 5,
            "`history` weighs one to five years",
        );
        check(
            self.history.iter().all(|weight| weight.0 > RBig::ZERO),
            "each weight of `history` is above 0",
        );
        check(
            one(self.factors.iter().map(|factor| &factor.weight)),
            "weights of `factors` add up to 1",
        );
        check(
            self.factors
                .iter()
                .all(|factor| factor.weight.0 > RBig::ZERO),
            "each factor's weight is above 0",
        );
        check(
            self.factors.iter().any(|factor| !factor.past),
            "at least one factor looks at more than the past (`past = false`)",
        );
        check(
            distinct(self.factors.iter().map(|factor| &factor.id)),
            "a factor stands twice",
        );
        check(
            distinct(self.earmarks.iter().map(|mark| &mark.id)),
            "an earmark stands twice",
        );
        for tier in [Tier::Tertiary, Tier::Secondary, Tier::Grassroots] {
            let marks = self
                .earmarks
                .iter()
                .filter(|mark| mark.tiers.contains(&tier));
            let whole = sum(marks.map(|mark| &mark.share.0));
            check(
                whole <= RBig::ONE,
                "the earmarks of a tier are more than the whole",
            );
        }
        check(
            self.earmarks.iter().all(|mark| part(&mark.share)),
            "an earmark's share is from 0 to 1",
        );
        check(
            self.capability
                .values()
                .all(|weights| one(weights.values())),
            "weights of each tier's `capability` add up to 1",
        );
        check(
            self.scales.values().all(|scale| scale.worst != scale.best),
            "`worst` and `best` of a scale differ",
        );
        check(
            self.control_level.0 > RBig::ZERO && self.control_level.0 <= RBig::from(2),
            "`control_level` is above 0 and at most 2",
        );
    }
}
