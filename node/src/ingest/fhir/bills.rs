//! Claims and benefits: the money of a stay, and what they say of its diagnosis, group and payer.

use super::FhirRule;
use super::files::Kind;
use super::ids::{Key, Target, key};
use super::join::{Join, hospital};
use super::resource::{Benefit, Bill, Claim, Item, Money};
use super::stay::{Main, Place, Stay, held};
use crate::ingest::amount::NotAnAmount;
use crate::ingest::row::BrokenFault;

impl Join {
    /// Makes stays useless that something names which cannot be shared out.
    fn fail_all(&mut self, items: &[Item], element: &'static str, place: Place) {
        for reference in items.iter().flat_map(|item| &item.encounter) {
            let stay = self.ids.stay(reference);
            if let Some(stay) = stay.and_then(|stay| self.stays.get_mut(stay)) {
                stay.fail(BrokenFault::Reference, element, place);
            }
        }
    }

    pub(super) fn claim(&mut self, own: Key, claim: &Claim, place: Place) -> Result<(), FhirRule> {
        const ITEMS: &str = "Claim.item.encounter";
        if !claim.counts() {
            return self.ids.add_claim(own, None);
        }
        let encounters = claim.item.iter().flat_map(|item| &item.encounter);
        let target = self.ids.of_encounters(encounters);
        let at = match target {
            Target::Stay(at) => Some(at),
            Target::Elsewhere | Target::Nowhere => None,
        };
        self.ids.add_claim(own, at)?;
        if matches!(target, Target::Nowhere) {
            self.fail_all(&claim.item, ITEMS, place);
            self.loose(ITEMS, hospital(&claim.provider), place);
        }
        self.same_currency(claim.total.as_ref())?;
        let Some((at, stay)) = at.and_then(|at| Some((at, self.stays.get_mut(at)?))) else {
            return Ok(());
        };
        let kind = claim.r#type.code();
        let charged = stay.charge(kind, amount(claim.total.as_ref()));
        if let Err(fault) = charged {
            stay.fail(fault_of(fault), "Claim.total", place);
        }
        // A pharmacy's claim knows neither the stay's group nor its principal diagnosis.
        if kind == "institutional" || stay.claims.count == 1 {
            describe(stay, claim)?;
            if let Some(of) = claim.principal() {
                if let Some(condition) = of.condition.id("Condition").map(key) {
                    stay.main = Main::Condition(condition, place);
                    self.wanted.entry(condition).or_default().push(at);
                } else if !of.concept.code().is_empty() {
                    stay.main = Main::Code(held(of.concept.code())?);
                }
            }
        }
        Ok(())
    }

    pub(super) fn benefit(&mut self, benefit: &Benefit, place: Place) -> Result<(), FhirRule> {
        const CLAIM: &str = "ExplanationOfBenefit.claim";
        if !benefit.counts() {
            return Ok(());
        }
        let by_claim = benefit.claim.is_given() && self.has.contains(&Kind::Claim);
        let target = if by_claim {
            self.ids.of_claim(&benefit.claim)
        } else {
            let encounters = benefit.item.iter().flat_map(|item| &item.encounter);
            self.ids.of_encounters(encounters)
        };
        if matches!(target, Target::Nowhere) {
            self.fail_all(&benefit.item, CLAIM, place);
            self.loose(CLAIM, hospital(&benefit.provider), place);
        }
        let payment = benefit.payment.as_ref().map(|payment| &payment.amount);
        self.same_currency(payment)?;
        let Target::Stay(at) = target else {
            return Ok(());
        };
        let Some(stay) = self.stays.get_mut(at) else {
            return Ok(());
        };
        stay.benefits = stay.benefits.saturating_add(1);
        // A benefit without a payment paid nothing that is known.
        if let Some(payment) = payment
            && let Err(fault) = stay.payments.add(amount(Some(payment)))
        {
            stay.fail(fault_of(fault), "ExplanationOfBenefit.payment", place);
        }
        describe(stay, benefit)
    }

    /// One folder is one currency: an amount without one is of the folder's.
    fn same_currency(&mut self, money: Option<&Money>) -> Result<(), FhirRule> {
        let Some(currency) = money.and_then(|money| money.currency.as_deref()) else {
            return Ok(());
        };
        match &self.currency {
            Some(known) if known != currency => Err(FhirRule::Currency),
            Some(_) => Ok(()),
            None => {
                self.currency = Some(held(currency)?.into());
                Ok(())
            }
        }
    }
}

/// Takes over what a claim or benefit says of the stay; what it does not say stays as it is.
fn describe<T>(stay: &mut Stay, bill: &Bill<T>) -> Result<(), FhirRule> {
    for (slot, said) in [
        (&mut stay.group, bill.group()),
        (&mut stay.payer, bill.payer()),
    ] {
        if !said.is_empty() {
            *slot = held(said)?;
        }
    }
    Ok(())
}

/// An amount as it stands; empty where there is none.
fn amount(money: Option<&Money>) -> &str {
    let value = money.and_then(|money| money.value.as_deref());
    value.map_or("", |value| value.get())
}

fn fault_of(fault: NotAnAmount) -> BrokenFault {
    match fault {
        NotAnAmount::Negative => BrokenFault::Negative,
        NotAnAmount::Shape | NotAnAmount::TooLarge => BrokenFault::Amount,
    }
}
