//! One claim of an answered batch, shown to a third party without the batch's other claims.

use rand_core::{CryptoRng, RngCore};
use voprf::{Ristretto255, VoprfClient};

use super::{Element, Evaluated, OprfError, Output, PublicKey, check_input, scalar, unblind};

/// A claim and the blind under which it was asked. Showing it gives away this claim only.
#[derive(Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its place in the batch.
    pub place: usize,
    /// The input.
    pub input: Vec<u8>,
    /// The scalar that blinded it.
    pub blind: [u8; 32],
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Shown({})", self.place)
    }
}

/// Checks the batch's proof against the announced key and that each shown claim is the one that
/// was asked at its place; gives their outputs, which anyone may then look up in the leaves.
pub fn verify_shown(
    question: &[Element],
    answer: &Evaluated,
    key: &PublicKey,
    shown: &[Shown],
) -> Result<Vec<Output>, OprfError> {
    let evaluated = answer.verified(question, key)?;
    let mut outputs = Vec::with_capacity(shown.len());
    for claim in shown {
        check_input(&claim.input)?;
        let asked = question.get(claim.place).ok_or(OprfError::Batch)?;
        if blinded_with(&claim.input, &claim.blind)? != *asked {
            return Err(OprfError::Element(claim.place));
        }
        let evaluated = evaluated.get(claim.place).ok_or(OprfError::Batch)?;
        outputs.push(unblind(&claim.input, &claim.blind, evaluated)?);
    }
    Ok(outputs)
}

/// The blinded element of an input under a given blind.
fn blinded_with(input: &[u8], blind: &[u8; 32]) -> Result<Element, OprfError> {
    scalar(blind).ok_or(OprfError::Bytes)?;
    // The library takes its blind from 64 random bytes, reduced: a canonical scalar stays itself.
    let blinded = VoprfClient::<Ristretto255>::blind(input, &mut Given { blind, at: 0 });
    let blinded = blinded.map_err(|_| OprfError::Input)?;
    Ok(blinded.message.serialize().into())
}

/// Gives the blind, then zeros; asked for more than 64 bytes it starts again.
struct Given<'a> {
    blind: &'a [u8; 32],
    at: usize,
}

impl RngCore for Given<'_> {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.blind.get(self.at % 64).copied().unwrap_or(0);
            self.at += 1;
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Given<'_> {}

#[cfg(test)]
mod tests {
    use super::super::{Blinded, ServerKey};
    use super::*;

    #[test]
    fn one_claim_is_shown_and_no_other_passes_for_it() {
        let key = |payer: &str| {
            let payer = payer.parse().unwrap();
            ServerKey::derive(&[7; 32], &payer, "2025-03".parse().unwrap()).unwrap()
        };
        let (key, other) = (key("I01"), key("I02"));
        let inputs = ["a", "b", "c"];
        let blinded = Blinded::blind(&inputs).unwrap();
        let question = blinded.elements();
        let answer = key.evaluate_batch(question).unwrap();
        let all = blinded.finalize(&inputs, &answer, &key.public()).unwrap();
        let mut shown = blinded.shown(1, b"b").unwrap();
        let verify = |shown: &Shown| {
            verify_shown(
                question,
                &answer,
                &key.public(),
                std::slice::from_ref(shown),
            )
        };
        assert_eq!(verify(&shown).unwrap(), [all[1].clone()]);
        let refused = verify_shown(question, &answer, &other.public(), &[shown.clone()]);
        assert_eq!(refused, Err(OprfError::Proof));
        shown.input = b"d".to_vec();
        assert_eq!(verify(&shown), Err(OprfError::Element(1)));
        shown.input = b"b".to_vec();
        shown.place = 2;
        assert_eq!(verify(&shown), Err(OprfError::Element(2)));
        shown.place = 9;
        assert_eq!(verify(&shown), Err(OprfError::Batch));
        // Zero, the group's order (zero again, reduced), and more than the order.
        let mut order = [0; 32];
        let low = 0x14de_f9de_a2f7_9cd6_5812_631a_5cf5_d3ed_u128;
        order[..16].copy_from_slice(&low.to_le_bytes());
        order[31] = 0x10;
        for junk in [[0; 32], order, [0xff; 32]] {
            (shown.place, shown.blind) = (1, junk);
            assert_eq!(verify(&shown), Err(OprfError::Bytes));
        }
    }
}
