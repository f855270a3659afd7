//! How a register of persons is kept: step by step, each with the signatures that allow it.

use schemas::id::Slug;
use schemas::officer::{Departure, Officer};
use schemas::seal::{Message, Sealed, Signer};
use serde::{Deserialize, Serialize};

use super::{Officers, OfficersError};

/// One step: somebody joins or leaves.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// A person joins.
    Joins {
        /// Who.
        officer: Officer,
        /// The same, sealed by two who are registered; by nobody for the first two.
        signed: Vec<Sealed<Officer>>,
    },
    /// A person leaves.
    Leaves {
        /// Who, and when.
        departure: Departure,
        /// The same, sealed by two who are registered.
        signed: Vec<Sealed<Departure>>,
    },
}

impl Step {
    /// A person joins, signed for with these keys.
    pub fn joins(officer: Officer, by: &[Signer]) -> Result<Self, OfficersError> {
        let signed = sealed(&officer, by)?;
        Ok(Self::Joins { officer, signed })
    }

    /// A person leaves, signed for with these keys.
    pub fn leaves(departure: Departure, by: &[Signer]) -> Result<Self, OfficersError> {
        let signed = sealed(&departure, by)?;
        Ok(Self::Leaves { departure, signed })
    }

    /// Whose step.
    pub fn name(&self) -> &Slug {
        match self {
            Self::Joins { officer, .. } => &officer.name,
            Self::Leaves { departure, .. } => &departure.name,
        }
    }
}

fn sealed<M: Message>(message: &M, by: &[Signer]) -> Result<Vec<Sealed<M>>, OfficersError> {
    let sealed: Result<Vec<_>, _> = by.iter().map(|key| Sealed::seal(key, message)).collect();
    Ok(sealed?)
}

impl Officers {
    /// Takes the next step, if its signatures allow it.
    pub fn take(&mut self, step: &Step) -> Result<(), OfficersError> {
        match step {
            Step::Joins { officer, signed } => self.add(officer.clone(), signed),
            Step::Leaves { departure, signed } => self.remove(departure, signed),
        }
    }
}

#[cfg(test)]
mod tests {
    use schemas::digest::Digest;
    use schemas::officer::{PolicyApproval, Role};
    use schemas::time::Timestamp;

    use super::*;

    fn slug(text: &str) -> Slug {
        text.parse().unwrap()
    }

    #[test]
    fn two_let_a_person_leave_whose_signatures_count_for_what_was_before() {
        let keys: Vec<Signer> = (0..4).map(|_| Signer::generate().unwrap().0).collect();
        let names = ["a", "b", "c", "d"];
        let person = |n: usize| Officer {
            organisation: slug("h1"),
            name: slug(names[n]),
            role: Role::Steward,
            key: keys[n].public(),
        };
        let mut officers = Officers::none(slug("h1"), &[Role::Steward]);
        officers.add(person(0), &[]).unwrap();
        officers.add(person(1), &[]).unwrap();
        let leaves = |n: usize, organisation: &str| Departure {
            organisation: slug(organisation),
            name: slug(names[n]),
            at: Timestamp(100),
        };
        let by = |n: usize, what: &Departure| Sealed::seal(&keys[n], what).unwrap();
        let both = |what: &Departure| vec![by(0, what), by(1, what)];
        let first = leaves(0, "h1");
        assert!(matches!(
            officers.remove(&first, &both(&first)),
            Err(OfficersError::Remain(_))
        ));
        let third = person(2);
        let signed = [0, 1].map(|n| Sealed::seal(&keys[n], &third).unwrap());
        officers.add(third, &signed).unwrap();
        let elsewhere = leaves(0, "h2");
        let other = leaves(1, "h1");
        for signed in [
            vec![],
            vec![by(1, &first)],
            vec![by(1, &first), by(1, &first)],
            vec![by(1, &first), by(3, &first)],
            vec![by(1, &first), by(2, &other)],
        ] {
            let refused = officers.remove(&first, &signed);
            assert!(matches!(refused, Err(OfficersError::Unagreed(_))));
        }
        assert!(officers.remove(&elsewhere, &both(&elsewhere)).is_err());
        let nobody = leaves(3, "h1");
        assert!(matches!(
            officers.remove(&nobody, &both(&nobody)),
            Err(OfficersError::Unknown(_))
        ));
        // Those who remain need no word of the one who goes.
        let signed = [by(1, &first), by(2, &first)];
        officers.remove(&first, &signed).unwrap();
        assert_eq!(officers.changes(), 4);
        assert!(matches!(
            officers.remove(&first, &signed),
            Err(OfficersError::Unknown(_))
        ));
        // Name and key are taken for ever.
        assert!(matches!(
            officers.add(person(0), &[]),
            Err(OfficersError::Known(_))
        ));
        assert!(officers.acting(&slug("a"), &keys[0]).is_err());

        let policy = Digest::of("p", &[]);
        let yes = |n: usize, at: i64| {
            let approval = PolicyApproval {
                organisation: slug("h1"),
                policy,
                officer: slug(names[n]),
                at: Timestamp(at),
            };
            Sealed::seal(&keys[n], &approval).unwrap()
        };
        let old = [yes(0, 99), yes(1, 99)];
        assert!(officers.approved(policy, &old).is_ok());
        assert!(officers.approved_now(policy, &old).is_err());
        assert!(
            officers
                .approved(policy, &[yes(0, 101), yes(1, 99)])
                .is_err()
        );
        assert!(
            officers
                .approved_now(policy, &[yes(2, 101), yes(1, 99)])
                .is_ok()
        );
    }
}
