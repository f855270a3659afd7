//! The rules of surplus and bonus (`rules/bonus.toml`).

use dashu::rational::RBig;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::Month;
use serde::{Deserialize, Serialize};

use crate::figures::Exact;
use crate::figures::settings::{Faults, RulesError, distinct, one, part, read};

/// The rules as shipped.
pub const DEFAULT: &str = include_str!("../../../rules/bonus.toml");

/// Rules of surplus and bonus. All shares are from 0 to 1.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BonusRules {
    /// Rises with each change.
    pub version: u32,
    /// The first month that they hold for.
    pub effective: Month,
    /// Basic surplus (基础结余): the members' share; the rest is the alliance's.
    pub basic_members: Exact,
    /// Performance surplus (绩效结余): the share of outstanding grassroots members; the rest is the
    /// lead hospital's, for its technical support.
    pub performance_grassroots: Exact,
    /// By what members contribute; weights add up to 1.
    pub dimensions: Vec<Dimension>,
    /// What is left of the score of a member whose quality fell below last year's.
    pub gate: Exact,
    /// Whether gate and flags lower the lead hospital's part and the prizes for referrals as they lower
    /// the score; they do where nothing is said.
    #[serde(default = "covers")]
    pub gate_covers_prizes: bool,
    /// What points to gaming, and what is left of the score then.
    #[serde(default)]
    pub gaming: Vec<Gaming>,
    /// The pool that members put a share of their own surplus into.
    pub pool: Pool,
}

/// A member whose quality fell, or that is flagged, is not rewarded by another way.
fn covers() -> bool {
    true
}

/// One dimension of contribution.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    /// Its name, as inputs name it.
    pub id: Slug,
    /// Its weight.
    pub weight: Exact,
}

/// An indicator of gaming (分解住院、虚增服务量).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gaming {
    /// Its name, as inputs name it.
    pub id: Slug,
    /// A member whose indicator is above this is flagged; where it carries noise, only if its whole
    /// 95 % interval is.
    pub limit: Exact,
    /// What is left of a flagged member's score.
    pub keeps: Exact,
}

/// The bonus pool (奖金池).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// Share of a member's own surplus that it puts in.
    pub share: Exact,
    /// Share of the pool for the grassroots members with most referrals; the rest is for the team
    /// whose control of chronic disease rose most.
    pub referrals: Exact,
    /// How many of them.
    pub top: u32,
}

impl BonusRules {
    /// Reads and checks rules.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        read(text, Self::check)
    }

    /// Digest of the rules, as results cite it.
    pub fn digest(&self) -> Result<Digest, canonical::Error> {
        canonical::digest("consilium-bonus-rules-v1", self)
    }

    pub(crate) fn check(&self, faults: &mut Faults) {
        faults.counted_from_one(self.version);
        let mut check = |sound: bool, fault: &str| faults.check(sound, fault);
        check(part(&self.basic_members), "`basic_members` is from 0 to 1");
        check(
            part(&self.performance_grassroots),
            "`performance_grassroots` is from 0 to 1",
        );
        check(part(&self.gate), "`gate` is from 0 to 1");
        check(part(&self.pool.share), "`pool.share` is from 0 to 1");
        check(
            part(&self.pool.referrals),
            "`pool.referrals` is from 0 to 1",
        );
        check(
            (1..=20).contains(&self.pool.top),
            "`pool.top` is from 1 to 20",
        );
        check(
            one(self.dimensions.iter().map(|dimension| &dimension.weight)),
            "weights of `dimensions` add up to 1",
        );
        check(
            self.dimensions
                .iter()
                .all(|dimension| dimension.weight.0 > RBig::ZERO),
            "each dimension's weight is above 0",
        );
        check(
            distinct(self.dimensions.iter().map(|dimension| &dimension.id)),
            "a dimension stands twice",
        );
        check(
            distinct(self.gaming.iter().map(|gaming| &gaming.id)),
            "an indicator stands twice",
        );
        check(
            self.gaming
                .iter()
                .all(|gaming| part(&gaming.keeps) && gaming.limit.0 >= RBig::ZERO),
            "of `gaming`, `limit` is zero or more and `keeps` from 0 to 1",
        );
    }
}
