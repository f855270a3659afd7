//! The gate before a release: a month below the grade that the node's settings ask for waits until finance
//! signs. It looks at release alone: what is released stays answered, so that no later run tells an asker
//! anything by a refusal.

use schemas::answer::Grade;
use schemas::officer::Officer;

use super::QualityError;
use super::finance::signed;
use super::store::standing;
use crate::store::loads::LoadedMonth;
use crate::store::state::Change;

/// What a release is held to.
#[derive(Clone, Debug)]
pub struct Gate {
    /// The least grade that needs no signature.
    pub least: Grade,
    /// The persons of finance.
    pub finance: Vec<Officer>,
}

/// The grade with which a month would be released: the worse of the load's own and the last run's. Refused
/// where the gate does not let it through.
pub async fn graded(
    change: &mut Change,
    gate: Option<&Gate>,
    held: &LoadedMonth,
) -> Result<Grade, QualityError> {
    let standing = standing(change, held.dataset.as_str(), held.month).await?;
    let standing = standing.filter(|standing| standing.load == held.load);
    let Some(standing) = standing else {
        return match gate {
            None => Ok(held.grade),
            Some(_) => Err(QualityError::NotRun(held.month)),
        };
    };
    // Grades rise from A to D.
    let grade = held.grade.max(standing.report.grade);
    if let Some(gate) = gate
        && grade > gate.least
        && !signed(change, &gate.finance, &standing).await?
    {
        return Err(QualityError::Below {
            month: held.month,
            grade,
            least: gate.least,
        });
    }
    Ok(grade)
}
