//! The privacy rules: one TOML file of known keys, checked whole. Floors are the alliance's,
//! a policy is a hospital's own and may only be stricter.

use std::collections::{BTreeMap, BTreeSet};

use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::loss::Rho;
use schemas::question::{Purpose, Release};
use schemas::written;
use serde::{Deserialize, Serialize};

use crate::pooling::Pooling;

/// The rules as published with the software: the floors of an alliance that set no others.
pub const DEFAULT: &str = include_str!("../rules/privacy.toml");

/// Privacy rules. Fields are explained in `rules/privacy.toml`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Privacy {
    /// Form of the file; only 1 is known.
    pub version: u32,
    /// Loss by purpose in a data year.
    pub allowance: Allowance,
    /// Weight of one patient.
    pub contribution: Contribution,
    /// When a cell is shown.
    pub display: Display,
    /// Largest question.
    pub size: Size,
    /// How often.
    pub quota: Quota,
    /// What may be asked.
    pub allow: Allow,
    /// Which pooled rounds are taken part in; the floors where it is left out.
    #[serde(default)]
    pub pooled: Pooling,
}

/// Loss in a data year.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowance {
    /// All purposes together.
    pub total: Rho,
    /// Cost benchmarks.
    pub benchmark: Rho,
    /// Budget and bonus.
    pub budget: Rho,
    /// Insurer's audit.
    pub audit: Rho,
    /// Free questions.
    pub free: Rho,
    /// The most that one free question may cost.
    pub free_question: Rho,
}

/// Weight of one patient in one question.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contribution {
    /// Most K.
    pub groups: u8,
    /// Most c.
    pub stays: u8,
    /// Most M of a series.
    pub series_months: u8,
}

/// When a cell is shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Display {
    /// Least noisy count for members and administrators, 5 to 30.
    pub threshold: u32,
    /// Least noisy count for the insurer.
    pub insurer_threshold: u32,
    /// Least number of hospitals that reach the threshold in a figure across hospitals.
    pub hospitals: u32,
}

/// Largest question.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Cells in all blocks, at most 100,000.
    pub cells: u32,
    /// Dimensions of one table, at most 4.
    pub dimensions: u8,
}

/// How often the alliance may ask.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Rounds in a minute; more are told to come later.
    pub per_minute: u32,
    /// Rounds in a week; more are refused.
    pub per_week: u32,
    /// Refused or near-duplicate free questions in a week after which the node locks itself.
    pub lock_after: u32,
}

/// What may be asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// Purposes.
    pub purposes: BTreeSet<Purpose>,
    /// Ways of release.
    pub releases: BTreeSet<Release>,
    /// Dimensions for tables and filters.
    pub dimensions: BTreeSet<Slug>,
    /// Templates answered without asking the officer, as `name@version`, and the quota that pays:
    /// the node's own word, whatever purpose an asker names.
    pub templates: BTreeMap<String, Purpose>,
}

/// Why rules are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// Not TOML of the known keys.
    #[error("privacy rules: {0}")]
    Form(String),
    /// A value outside its range.
    #[error("privacy rules: {place}: {rule}")]
    Range {
        /// The key.
        place: &'static str,
        /// What must hold.
        rule: &'static str,
    },
    /// Looser than the alliance's floors.
    #[error("privacy rules: {place} is looser than the alliance's floors; it may only be stricter")]
    Looser {
        /// The key.
        place: &'static str,
    },
}

impl Privacy {
    /// Reads and checks a rule file.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        let rules: Self = toml::from_str(text).map_err(|error| {
            let at = error.span().map(|span| span.start);
            RulesError::Form(written::fault(text, error.message(), at))
        })?;
        rules.check()?;
        Ok(rules)
    }

    /// The digest that answers and questions cite: over the values, not over spelling or comments.
    pub fn digest(&self) -> Result<Digest, canonical::Error> {
        canonical::digest("consilium-privacy-rules-v1", self)
    }

    /// The quota of a purpose.
    pub fn quota(&self, purpose: Purpose) -> Rho {
        match purpose {
            Purpose::Benchmark => self.allowance.benchmark,
            Purpose::Budget => self.allowance.budget,
            Purpose::Audit => self.allowance.audit,
            Purpose::Free => self.allowance.free,
        }
    }

    fn check(&self) -> Result<(), RulesError> {
        let ranges = [
            (self.version == 1, "version", "1 is the only known form"),
            (
                self.allowance.total.nano() <= 20_000_000_000,
                "allowance.total",
                "at most 20",
            ),
            (
                (1..=50).contains(&self.contribution.groups),
                "contribution.groups",
                "from 1 to 50",
            ),
            (
                (1..=50).contains(&self.contribution.stays),
                "contribution.stays",
                "from 1 to 50",
            ),
            (
                (1..=12).contains(&self.contribution.series_months),
                "contribution.series_months",
                "from 1 to 12",
            ),
            (
                (5..=30).contains(&self.display.threshold),
                "display.threshold",
                "from 5 to 30",
            ),
            (
                self.display.insurer_threshold >= self.display.threshold,
                "display.insurer_threshold",
                "not below display.threshold",
            ),
            (
                self.display.hospitals >= 3,
                "display.hospitals",
                "at least 3",
            ),
            (
                (1..=100_000).contains(&self.size.cells),
                "size.cells",
                "from 1 to 100,000",
            ),
            (
                (1..=4).contains(&self.size.dimensions),
                "size.dimensions",
                "from 1 to 4",
            ),
            (
                (1..=10_000).contains(&self.quota.per_minute),
                "quota.per_minute",
                "from 1 to 10,000",
            ),
            (
                (1..=100_000).contains(&self.quota.per_week),
                "quota.per_week",
                "from 1 to 100,000",
            ),
            (
                (1..=100_000).contains(&self.quota.lock_after),
                "quota.lock_after",
                "from 1 to 100,000",
            ),
        ];
        for (holds, place, rule) in ranges {
            if !holds {
                return Err(RulesError::Range { place, rule });
            }
        }
        match self.pooled.out_of_range() {
            Some((place, rule)) => Err(RulesError::Range { place, rule }),
            None => Ok(()),
        }
    }

    /// Refuses rules that are looser than `floors` anywhere (rule NODE-1 from the other side: the
    /// alliance's floors cannot be removed by a member).
    pub fn no_looser_than(&self, floors: &Self) -> Result<(), RulesError> {
        let (a, f) = (&self.allowance, &floors.allowance);
        let lines = [
            (a.total <= f.total, "allowance.total"),
            (a.benchmark <= f.benchmark, "allowance.benchmark"),
            (a.budget <= f.budget, "allowance.budget"),
            (a.audit <= f.audit, "allowance.audit"),
            (a.free <= f.free, "allowance.free"),
            (
                a.free_question <= f.free_question,
                "allowance.free_question",
            ),
            (
                self.contribution.groups <= floors.contribution.groups,
                "contribution.groups",
            ),
            (
                self.contribution.stays <= floors.contribution.stays,
                "contribution.stays",
            ),
            (
                self.contribution.series_months <= floors.contribution.series_months,
                "contribution.series_months",
            ),
            (
                self.display.threshold >= floors.display.threshold,
                "display.threshold",
            ),
            (
                self.display.insurer_threshold >= floors.display.insurer_threshold,
                "display.insurer_threshold",
            ),
            (
                self.display.hospitals >= floors.display.hospitals,
                "display.hospitals",
            ),
            (self.size.cells <= floors.size.cells, "size.cells"),
            (
                self.size.dimensions <= floors.size.dimensions,
                "size.dimensions",
            ),
            (
                self.quota.per_minute <= floors.quota.per_minute,
                "quota.per_minute",
            ),
            (
                self.quota.per_week <= floors.quota.per_week,
                "quota.per_week",
            ),
            (
                self.quota.lock_after <= floors.quota.lock_after,
                "quota.lock_after",
            ),
            (
                self.allow.purposes.is_subset(&floors.allow.purposes),
                "allow.purposes",
            ),
            (
                self.allow.releases.is_subset(&floors.allow.releases),
                "allow.releases",
            ),
            (
                self.allow.dimensions.is_subset(&floors.allow.dimensions),
                "allow.dimensions",
            ),
        ];
        let looser = lines.into_iter().find(|(holds, _)| !holds);
        let looser = looser.map(|(_, place)| place);
        match looser.or_else(|| self.pooled.looser_than(&floors.pooled)) {
            Some(place) => Err(RulesError::Looser { place }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_rules_hold() {
        let rules = Privacy::parse(DEFAULT).unwrap();
        assert_eq!(rules.allowance.total.nano(), 1_000_000_000);
        let quotas = [
            Purpose::Benchmark,
            Purpose::Budget,
            Purpose::Audit,
            Purpose::Free,
        ];
        assert_eq!(
            Rho::sum(quotas.map(|p| rules.quota(p))),
            Ok(rules.allowance.total)
        );
        assert_eq!(rules.no_looser_than(&rules), Ok(()));
    }

    #[test]
    fn unknown_keys_and_wild_values_are_refused() {
        assert!(matches!(
            Privacy::parse("surprise = 1"),
            Err(RulesError::Form(_))
        ));
        let wild = DEFAULT.replace("threshold = 11", "threshold = 2");
        assert!(matches!(
            Privacy::parse(&wild),
            Err(RulesError::Range { .. })
        ));
    }

    #[test]
    fn every_line_may_only_be_stricter() {
        let floors = Privacy::parse(DEFAULT).unwrap();
        for (from, to, place) in [
            ("total = \"1\"", "total = \"1.1\"", "allowance.total"),
            (
                "free_question = \"0.04\"",
                "free_question = \"0.05\"",
                "allowance.free_question",
            ),
            ("groups = 3", "groups = 4", "contribution.groups"),
            ("\nthreshold = 11", "\nthreshold = 10", "display.threshold"),
            ("open_rounds = 2", "open_rounds = 3", "pooled.open_rounds"),
            ("worst = \"4\"", "worst = \"5\"", "pooled.worst"),
        ] {
            let looser = Privacy::parse(&DEFAULT.replace(from, to)).unwrap();
            assert_eq!(
                looser.no_looser_than(&floors),
                Err(RulesError::Looser { place })
            );
        }
        let both = "releases = [\"attributed\", \"pooled\"]";
        let attributed = DEFAULT.replace(both, "releases = [\"attributed\"]");
        let attributed = Privacy::parse(&attributed).unwrap();
        let place = "allow.releases";
        assert_eq!(
            floors.no_looser_than(&attributed),
            Err(RulesError::Looser { place })
        );
        assert_eq!(attributed.no_looser_than(&floors), Ok(()));
        let stricter =
            Privacy::parse(&DEFAULT.replace("total = \"1\"", "total = \"0.5\"")).unwrap();
        assert_eq!(stricter.no_looser_than(&floors), Ok(()));
    }
}
