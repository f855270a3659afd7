//! What a single question may cost, whatever its quota has left.

use schemas::question::Purpose;

use super::{Layout, Refusal};
use crate::rules::Privacy;

/// Refuses a free question that costs more than `allowance.free_question`: a dear one, and a second
/// that leaves one patient out, would tell much about that patient.
pub fn check_price(layout: &Layout, purpose: Purpose, rules: &Privacy) -> Result<(), Refusal> {
    let most = rules.allowance.free_question;
    if purpose == Purpose::Free && layout.charge > most {
        return Err(Refusal::FreePrice {
            price: layout.charge,
            most,
        });
    }
    Ok(())
}
