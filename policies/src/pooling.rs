//! What an organisation asks of pooled rounds, as uploader and as committee member.

use pooled::shape::Shape;
use pooled::threshold::{LEAST_PERCENT, Policy};
use schemas::loss::Rho;
use serde::{Deserialize, Serialize};

/// Pooled rounds that are refused: those below these numbers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pooling {
    /// Least number of hospitals whose collusion must not help.
    pub colluding: u32,
    /// Least number of hospitals in a sum.
    pub hospitals: u32,
    /// Least share of the hospitals asked that must be in the sum, in percent.
    pub percent: u32,
    /// A key list needs more countersignatures than this.
    pub countersigned: u32,
    /// Uploads at a time whose round is neither certified nor over.
    pub open_rounds: u32,
    /// The most that a data year may lose if the whole committee colludes.
    pub worst: Rho,
}

impl Default for Pooling {
    fn default() -> Self {
        Self {
            colluding: 1,
            hospitals: 3,
            percent: LEAST_PERCENT,
            countersigned: 1,
            open_rounds: 2,
            // ρ 4; in range by construction.
            worst: Rho::from_nano(4_000_000_000).unwrap_or_default(),
        }
    }
}

impl Pooling {
    /// As the checks of manifests and key lists take it.
    pub fn policy(&self) -> Policy {
        Policy {
            t: self.colluding,
            n_min: self.hospitals,
            percent: self.percent,
            shapes: Shape::ALLOWED.to_vec(),
            t_max: self.countersigned,
        }
    }

    /// A number out of its range, if any: its place and what must hold.
    pub(crate) fn out_of_range(&self) -> Option<(&'static str, &'static str)> {
        let ranges = [
            (
                (1..=100).contains(&self.colluding),
                "pooled.colluding",
                "from 1 to 100",
            ),
            (
                (3..=1024).contains(&self.hospitals),
                "pooled.hospitals",
                "from 3 to 1,024",
            ),
            (
                (LEAST_PERCENT..=100).contains(&self.percent),
                "pooled.percent",
                "from 80 to 100",
            ),
            (
                (1..=100).contains(&self.countersigned),
                "pooled.countersigned",
                "from 1 to 100",
            ),
            (
                (1..=10).contains(&self.open_rounds),
                "pooled.open_rounds",
                "from 1 to 10",
            ),
        ];
        let broken = ranges.into_iter().find(|(holds, _, _)| !holds);
        broken.map(|(_, place, rule)| (place, rule))
    }

    /// Where these are looser than the floors, if anywhere.
    pub(crate) fn looser_than(&self, floors: &Self) -> Option<&'static str> {
        let lines = [
            (self.colluding >= floors.colluding, "pooled.colluding"),
            (self.hospitals >= floors.hospitals, "pooled.hospitals"),
            (self.percent >= floors.percent, "pooled.percent"),
            (
                self.countersigned >= floors.countersigned,
                "pooled.countersigned",
            ),
            (self.open_rounds <= floors.open_rounds, "pooled.open_rounds"),
            (self.worst <= floors.worst, "pooled.worst"),
        ];
        lines
            .into_iter()
            .find(|(holds, _)| !holds)
            .map(|(_, place)| place)
    }
}
