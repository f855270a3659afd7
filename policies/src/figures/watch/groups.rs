//! Case groups whose mean cost lies outside the band around the alliance's.

use dashu::rational::RBig;
use schemas::id::Slug;
use schemas::time::Month;

use super::{Kind, Warning, beyond};
use crate::figures::alerts::AlertRules;
use crate::figures::benchmark::Benchmark;
use crate::figures::decimal::float;
use crate::figures::decompose::{NotComparable, pairs};
use crate::figures::half_up;

/// The case groups of a hospital outside the alliance's mean ± the rules' deviation: decided where the
/// noise of both means cannot have made it. The alliance's mean holds the hospital's own stays.
pub fn deviating(
    rules: &AlertRules,
    of: &Benchmark,
    hospital: &Slug,
    month: Month,
) -> Result<Vec<Warning>, NotComparable> {
    let mut found = Vec::new();
    for (code, alliance, own) in pairs(of, Some(hospital), None)? {
        let mean = &alliance.mean.value;
        let band = &rules.deviation.0;
        let (high, low) = (mean * (RBig::ONE + band), mean * (RBig::ONE - band));
        for (line, distance, part) in [
            (&high, &own.mean.value - &high, RBig::ONE + band),
            (&low, &low - &own.mean.value, RBig::ONE - band),
        ] {
            // More months would tell more of both.
            let sd = libm::hypot(own.mean.sd, float(&part) * alliance.mean.sd);
            if let Some(certainty) = beyond(&distance, (sd, 0.0)) {
                found.push(Warning {
                    member: hospital.clone(),
                    month,
                    kind: Kind::CaseGroup,
                    group: Some(code.clone()),
                    level: None,
                    found: half_up(&own.mean.value, 2),
                    against: half_up(line, 2),
                    certainty,
                });
            }
        }
    }
    Ok(found)
}
