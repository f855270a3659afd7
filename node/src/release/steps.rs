//! The steps before a release, one by one: quality, then de-identification.

use std::path::Path;

use schemas::answer::Grade;
use schemas::question::Dataset;
use schemas::time::Month;

use super::{ReleaseError, SignOff, named, unchanged};
use crate::lifecycle::{self, Step};
use crate::load::{Lock, reports, subject};
use crate::quality::graded;
use crate::store::loads::{self, LoadedMonth};
use crate::store::state::{Change, State, StateError, append};

/// Of the datasets of a month the first that waits for this step, stays before the others; where none
/// does, the one that was loaded last, so that the refusal says where it stands.
async fn next_for(
    change: &mut Change,
    mut of_month: Vec<LoadedMonth>,
    to: Step,
) -> Result<Option<LoadedMonth>, ReleaseError> {
    for (at, held) in of_month.iter().enumerate() {
        let waits = held.release.is_none();
        if waits && lifecycle::stage(&mut **change, held).await?.next() == Some(to) {
            return Ok(Some(of_month.swap_remove(at)));
        }
    }
    let stays = |held: &LoadedMonth| held.dataset == Dataset::Stays;
    let last = of_month.iter().rposition(stays);
    Ok(match last {
        Some(at) => Some(of_month.swap_remove(at)),
        None => of_month.pop(),
    })
}

/// Takes the next step of the month that waits: `Validated` or `Deidentified`; any other is refused.
pub async fn step(
    state: &State,
    data: &Path,
    month: Month,
    to: Step,
    by: &SignOff<'_>,
) -> Result<(), ReleaseError> {
    named(by)?;
    let _lock = Lock::take(data)?;
    let mut change = state.begin().await?;
    let months = loads::months(&mut *change).await?;
    let of_month = months.into_iter().filter(|held| held.month == month);
    let held = next_for(&mut change, of_month.collect(), to).await?;
    let held = held.ok_or_else(|| ReleaseError::Nothing {
        month: month.to_string(),
    })?;
    to.after(month, lifecycle::stage(&mut *change, &held).await?)?;
    match to {
        Step::Validated => {
            let grade = graded(&mut change, by.gate.as_ref(), &held).await?;
            if grade == Grade::D && !by.accept_grade_d {
                return Err(ReleaseError::GradeD { month });
            }
        }
        Step::Deidentified => {
            let load = held.load.clone();
            if held.findings > 0 {
                return Err(ReleaseError::Identifiers { load });
            }
            let read = reports(&data.join(&held.folder)).unwrap_or_default();
            if !read.iter().any(|report| report.month == month) {
                return Err(ReleaseError::Report { load });
            }
        }
        // A release is `release`, a retirement `retention::retire`: here they are out of order.
        other => other.after(month, other)?,
    }
    unchanged(data, &held)?;
    let of = (held.load.as_str(), month);
    lifecycle::record(&mut change, of, to, (by.officer, "routine"), by.at).await?;
    let detail = [
        ("month", month.to_string()),
        ("step", to.as_str().to_owned()),
        ("officer", by.officer.to_owned()),
        ("why", "routine".to_owned()),
    ];
    append(&mut change, by.at, "dataset", subject(&held.load), &detail).await?;
    change.commit().await.map_err(StateError::from)?;
    Ok(())
}
