//! Two persons' rule: who may sign for an organisation, and whether two of them signed a policy.

use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::officer::{Departure, Officer, PolicyApproval, Role};
use schemas::seal::{Message, SealError, Sealed, Signer};
use schemas::time::Timestamp;

/// How many persons a policy, and every person after the first ones, needs.
pub(super) const PERSONS: usize = 2;

/// Why persons or signatures are refused.
#[derive(Debug, thiserror::Error)]
pub enum OfficersError {
    /// Fewer than two valid signatures.
    #[error("{have} of {PERSONS} needed signatures over policy {policy} fit")]
    TooFew {
        /// How many fit.
        have: usize,
        /// The policy.
        policy: Digest,
    },
    /// A name or key that is registered already.
    #[error("`{0}`, or the key, is registered already")]
    Known(Slug),
    /// Nobody of that name.
    #[error("`{0}` is not registered")]
    Unknown(Slug),
    /// A role that decides nothing here.
    #[error("`{0}` cannot be registered for this: its role decides nothing here")]
    Role(Slug),
    /// A later person whom not enough of the earlier ones signed for.
    #[error("`{0}` needs the signatures of {PERSONS} persons who are registered already")]
    Unsigned(Slug),
    /// Somebody leaves without the word of enough persons.
    #[error("that `{0}` leaves needs the signatures of {PERSONS} registered persons")]
    Unagreed(Slug),
    /// Too few would remain to decide anything.
    #[error("{PERSONS} persons have to remain when `{0}` leaves; register another one first")]
    Remain(Slug),
    /// A signature could not be made or does not fit.
    #[error("a signature is refused")]
    Seal(#[from] SealError),
}

/// A policy that two persons signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Approved {
    /// Its digest.
    pub policy: Digest,
    /// Who signed, by name.
    pub by: Vec<Slug>,
    /// When the second of them signed, by their own words.
    pub at: Timestamp,
}

/// The registered persons of one organisation, in the order in which they came.
#[derive(Clone, Debug)]
pub struct Officers {
    organisation: Slug,
    deciding: &'static [Role],
    persons: Vec<Officer>,
    former: Vec<(Officer, Timestamp)>,
}

impl Officers {
    /// Nobody yet; `deciding` are the roles whose signatures count.
    pub fn none(organisation: Slug, deciding: &'static [Role]) -> Self {
        Self {
            organisation,
            deciding,
            persons: Vec::new(),
            former: Vec::new(),
        }
    }

    /// Adds a person. The first two found the register; every later one is signed for by two.
    pub fn add(
        &mut self,
        officer: Officer,
        signed: &[Sealed<Officer>],
    ) -> Result<(), OfficersError> {
        let name = &officer.name;
        if officer.organisation != self.organisation || !self.deciding.contains(&officer.role) {
            return Err(OfficersError::Role(name.clone()));
        }
        let known = |other: &Officer| other.name == *name || other.key == officer.key;
        let mut former = self.former.iter().map(|(person, _)| person);
        if self.persons.iter().any(known) || former.any(known) {
            return Err(OfficersError::Known(name.clone()));
        }
        let by = self.signed(signed, |_, signed| *signed == officer).len();
        if self.persons.len() >= PERSONS && by < PERSONS {
            return Err(OfficersError::Unsigned(name.clone()));
        }
        self.persons.push(officer);
        Ok(())
    }

    /// Lets a person leave, signed for by two who are registered, that person among them or not.
    /// Name and key stay taken, and what the person signed into force before stays so.
    pub fn remove(
        &mut self,
        departure: &Departure,
        signed: &[Sealed<Departure>],
    ) -> Result<(), OfficersError> {
        let name = &departure.name;
        let place = self.persons.iter().position(|person| person.name == *name);
        let place = place.ok_or_else(|| OfficersError::Unknown(name.clone()))?;
        let by = self.signed(signed, |_, signed| signed == departure).len();
        if departure.organisation != self.organisation || by < PERSONS {
            return Err(OfficersError::Unagreed(name.clone()));
        }
        if self.persons.len() <= PERSONS {
            return Err(OfficersError::Remain(name.clone()));
        }
        let person = self.persons.remove(place);
        self.former.push((person, departure.at));
        Ok(())
    }

    /// How often somebody was added or left.
    pub fn changes(&self) -> usize {
        self.persons.len() + 2 * self.former.len()
    }

    /// Who left, and when.
    pub fn former(&self) -> &[(Officer, Timestamp)] {
        &self.former
    }

    /// Those who are registered now.
    pub fn all(&self) -> &[Officer] {
        &self.persons
    }

    /// The person of that name.
    pub fn named(&self, name: &Slug) -> Result<&Officer, OfficersError> {
        let officer = self.persons.iter().find(|officer| officer.name == *name);
        officer.ok_or_else(|| OfficersError::Unknown(name.clone()))
    }

    /// The person of that name, if the key is that person's.
    pub fn acting(&self, name: &Slug, signer: &Signer) -> Result<&Officer, OfficersError> {
        let officer = self.named(name)?;
        if officer.key == signer.public() {
            Ok(officer)
        } else {
            Err(OfficersError::Seal(SealError::OtherKey))
        }
    }

    /// Who signed a message that fits: each person once, however often one signed.
    pub fn signed<M: Message>(
        &self,
        sealed: &[Sealed<M>],
        fits: impl Fn(&Officer, &M) -> bool,
    ) -> Vec<&Officer> {
        let has = |officer: &&Officer| {
            let opened = |one: &Sealed<M>| one.open(&officer.key);
            let mut signed = sealed.iter();
            signed.any(|one| opened(one).is_ok_and(|message| fits(officer, &message)))
        };
        self.persons.iter().filter(has).collect()
    }

    /// Whether two different persons signed exactly this policy of this organisation. One who left
    /// counts for what was signed before that, by the signature's own time: what keeps a thief from
    /// dating a signature back is that a policy is taken by [`Self::approved_now`] only.
    pub fn approved(
        &self,
        policy: Digest,
        approvals: &[Sealed<PolicyApproval>],
    ) -> Result<Approved, OfficersError> {
        let before = |(person, left): &(Officer, Timestamp)| {
            let first = self.first(person, policy, approvals)?;
            (first <= *left).then(|| (first, person.name.clone()))
        };
        let former = self.former.iter().filter_map(before);
        two(policy, self.present(policy, approvals).chain(former))
    }

    /// The same of those who are registered now alone.
    pub fn approved_now(
        &self,
        policy: Digest,
        approvals: &[Sealed<PolicyApproval>],
    ) -> Result<Approved, OfficersError> {
        two(policy, self.present(policy, approvals))
    }

    fn present<'a>(
        &'a self,
        policy: Digest,
        approvals: &'a [Sealed<PolicyApproval>],
    ) -> impl Iterator<Item = (Timestamp, Slug)> + 'a {
        self.persons.iter().filter_map(move |person| {
            let first = self.first(person, policy, approvals)?;
            Some((first, person.name.clone()))
        })
    }

    /// When a person first signed it.
    fn first(
        &self,
        person: &Officer,
        policy: Digest,
        approvals: &[Sealed<PolicyApproval>],
    ) -> Option<Timestamp> {
        let fits = |sealed: &Sealed<PolicyApproval>| {
            let approval = sealed.open(&person.key).ok()?;
            let fits = approval.officer == person.name
                && approval.organisation == self.organisation
                && approval.policy == policy;
            fits.then_some(approval.at)
        };
        approvals.iter().filter_map(fits).min()
    }
}

fn two(
    policy: Digest,
    signed: impl Iterator<Item = (Timestamp, Slug)>,
) -> Result<Approved, OfficersError> {
    let signed: Vec<(Timestamp, Slug)> = signed.collect();
    let mut times: Vec<Timestamp> = signed.iter().map(|(at, _)| *at).collect();
    times.sort_unstable();
    let Some(at) = times.get(PERSONS - 1).copied() else {
        return Err(OfficersError::TooFew {
            have: signed.len(),
            policy,
        });
    };
    let by = signed.into_iter().map(|(_, name)| name).collect();
    Ok(Approved { policy, by, at })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug(text: &str) -> Slug {
        text.parse().unwrap()
    }

    #[test]
    fn a_policy_needs_two_different_persons_and_a_register_needs_two_to_grow() {
        let keys: Vec<Signer> = (0..4).map(|_| Signer::generate().unwrap().0).collect();
        let person = |n: usize, role| Officer {
            organisation: slug("h1"),
            name: slug(["a", "b", "c", "d"][n]),
            role,
            key: keys[n].public(),
        };
        let deciding = &[Role::Steward, Role::SecurityOfficer];
        let mut officers = Officers::none(slug("h1"), deciding);
        assert!(matches!(
            officers.add(person(0, Role::It), &[]),
            Err(OfficersError::Role(_))
        ));
        officers.add(person(0, Role::Steward), &[]).unwrap();
        assert!(matches!(
            officers.add(person(0, Role::Steward), &[]),
            Err(OfficersError::Known(_))
        ));
        officers.add(person(1, Role::SecurityOfficer), &[]).unwrap();

        let third = person(2, Role::Steward);
        let by = |n: usize, what: &Officer| Sealed::seal(&keys[n], what).unwrap();
        for signed in [
            vec![],
            vec![by(0, &third)],
            vec![by(0, &third), by(0, &third)],
            vec![by(0, &third), by(3, &third)],
        ] {
            assert!(matches!(
                officers.add(third.clone(), &signed),
                Err(OfficersError::Unsigned(_))
            ));
        }
        let other = person(3, Role::Steward);
        assert!(
            officers
                .add(third.clone(), &[by(0, &third), by(1, &other)])
                .is_err()
        );
        officers
            .add(third.clone(), &[by(0, &third), by(1, &third)])
            .unwrap();

        let policy = Digest::of("p", &[]);
        let yes = |n: usize, organisation: &str, policy| {
            let approval = PolicyApproval {
                organisation: slug(organisation),
                policy,
                officer: slug(["a", "b", "c", "d"][n]),
                at: Timestamp(0),
            };
            Sealed::seal(&keys[n], &approval).unwrap()
        };
        let few = |approvals: &[Sealed<PolicyApproval>]| match officers.approved(policy, approvals)
        {
            Err(OfficersError::TooFew { have, .. }) => have,
            other => panic!("{other:?}"),
        };
        assert_eq!(few(&[]), 0);
        assert_eq!(few(&[yes(0, "h1", policy), yes(0, "h1", policy)]), 1);
        assert_eq!(few(&[yes(0, "h1", policy), yes(1, "h1", Digest::ZERO)]), 1);
        assert_eq!(few(&[yes(0, "h1", policy), yes(1, "h2", policy)]), 1);
        assert_eq!(few(&[yes(0, "h1", policy), yes(3, "h1", policy)]), 1);
        let approved = officers
            .approved(policy, &[yes(0, "h1", policy), yes(2, "h1", policy)])
            .unwrap();
        assert_eq!(approved.by, [slug("a"), slug("c")]);
        assert_eq!(approved.at, Timestamp(0));
    }
}
