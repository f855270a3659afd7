//! What a single question may cost and ask, whatever its quota has left.

use schemas::question::Purpose;

use super::{Layout, Refusal};
use crate::rules::Privacy;

/// Refuses a free question that costs more than `allowance.free_question`: a dear one, and a second
/// that leaves one patient out, would tell much about that patient. Of centred sums such a pair
/// tells twice as much, so that a free question asks plain ones.
pub fn check_price(layout: &Layout, purpose: Purpose, rules: &Privacy) -> Result<(), Refusal> {
    let most = rules.allowance.free_question;
    if purpose == Purpose::Free && layout.charge > most {
        return Err(Refusal::FreePrice {
            price: layout.charge,
            most,
        });
    }
    let centred = layout.blocks.iter().any(|block| block.centre > 0);
    if purpose == Purpose::Free && centred {
        return Err(Refusal::FreeCentred);
    }
    Ok(())
}
