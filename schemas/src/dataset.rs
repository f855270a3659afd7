//! The datasets of a hospital: what one row is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is asked about: what one row is.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Dataset {
    /// Settled inpatient stays.
    #[default]
    Stays,
    /// Outpatient visits.
    Visits,
    /// Referrals up or down.
    Referrals,
    /// Managed chronic patients, one row a patient and month.
    Followups,
    /// Satisfaction answers.
    Surveys,
}

impl Dataset {
    /// All, stays first.
    pub const ALL: [Self; 5] = [
        Self::Stays,
        Self::Visits,
        Self::Referrals,
        Self::Followups,
        Self::Surveys,
    ];

    /// Its name in questions, mappings, agreements and the node's tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stays => "stays",
            Self::Visits => "visits",
            Self::Referrals => "referrals",
            Self::Followups => "followups",
            Self::Surveys => "surveys",
        }
    }

    /// The dataset of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.as_str() == name)
    }
}
