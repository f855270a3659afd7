//! What was paid under one number against what the hospital committed to under it.

use proofs::leaf::Match;
use serde::{Deserialize, Serialize};

use super::paid::Paid;

/// What is wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Paid, not committed to.
    Missing,
    /// Committed to with another amount.
    Amount,
    /// Committed to with another case group.
    Group,
    /// Committed to more often than paid.
    Duplicated,
    /// The leaf does not open although it bears the claim's tag.
    Unreadable,
    /// Committed to, claimed by nobody.
    Invented,
}

/// One finding.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// What is wrong.
    pub fault: Fault,
    /// The settlement number; absent for an invented one.
    pub settlement: Option<String>,
    /// As paid.
    pub paid: Option<Paid>,
    /// As committed to.
    pub listed: Option<Paid>,
    /// Place of the leaf.
    pub place: Option<u32>,
}

impl std::fmt::Debug for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Finding({:?})", self.fault)
    }
}

/// Compares. Equal pairs go first, then those of equal amount, then what is left in order.
pub(super) fn compare(number: &str, paid: &[Paid], found: &[Match]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut listed: Vec<(u32, Paid)> = Vec::new();
    let finding = |fault, paid: Option<Paid>, listed: Option<(u32, Paid)>| {
        let (place, listed) = listed.unzip();
        Finding {
            fault,
            settlement: Some(number.to_owned()),
            paid,
            listed,
            place,
        }
    };
    for one in found {
        let place = u32::try_from(one.place).unwrap_or(u32::MAX);
        match &one.label {
            Ok(label) => listed.push((
                place,
                Paid {
                    fen: label.amount,
                    group: label.group.clone(),
                },
            )),
            Err(_) => findings.push(Finding {
                place: Some(place),
                ..finding(Fault::Unreadable, None, None)
            }),
        }
    }
    let mut paid = paid.to_vec();
    paid.sort();
    listed.sort_by(|one, other| one.1.cmp(&other.1).then(one.0.cmp(&other.0)));
    let mut pair = |paid: &mut Vec<Paid>, same: fn(&Paid, &Paid) -> bool, fault: Option<Fault>| {
        paid.retain(|payment| {
            let place = listed.iter().position(|(_, other)| same(payment, other));
            let Some(place) = place else { return true };
            let other = listed.remove(place);
            if let Some(fault) = fault {
                findings.push(finding(fault, Some(payment.clone()), Some(other)));
            }
            false
        });
    };
    pair(&mut paid, |one, other| one == other, None);
    pair(
        &mut paid,
        |one, other| one.fen == other.fen,
        Some(Fault::Group),
    );
    pair(&mut paid, |_, _| true, Some(Fault::Amount));
    let missing = paid.into_iter();
    findings.extend(missing.map(|paid| finding(Fault::Missing, Some(paid), None)));
    let more = listed.into_iter();
    findings.extend(more.map(|one| finding(Fault::Duplicated, None, Some(one))));
    findings.sort();
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use proofs::commit::Blinding;
    use proofs::leaf::{Label, LeafError};

    fn paid(fen: i64, group: &str) -> Paid {
        let group = group.to_owned();
        Paid { fen, group }
    }

    fn found(place: usize, fen: i64, group: &str) -> Match {
        let label = Label {
            amount: fen,
            group: group.to_owned(),
            blinding: Blinding::from_uniform(&[1; 64]),
        };
        let label = Ok(label);
        Match { place, label }
    }

    fn faults(paid: &[Paid], found: &[Match]) -> Vec<Fault> {
        let findings = compare("S1", paid, found);
        findings.iter().map(|finding| finding.fault).collect()
    }

    #[test]
    fn each_fault_is_named_and_equal_lists_have_none() {
        let (a, b) = (paid(100, "AA1"), paid(-40, "AA1"));
        assert!(faults(std::slice::from_ref(&a), &[found(0, 100, "AA1")]).is_empty());
        let both = [found(7, -40, "AA1"), found(3, 100, "AA1")];
        assert!(faults(&[a.clone(), b.clone()], &both).is_empty());
        assert_eq!(faults(std::slice::from_ref(&a), &[]), [Fault::Missing]);
        assert_eq!(
            faults(std::slice::from_ref(&a), &[found(0, 101, "AA1")]),
            [Fault::Amount]
        );
        assert_eq!(
            faults(std::slice::from_ref(&a), &[found(0, 100, "AB1")]),
            [Fault::Group]
        );
        let twice = [found(0, 100, "AA1"), found(1, 100, "AA1")];
        assert_eq!(
            faults(std::slice::from_ref(&a), &twice),
            [Fault::Duplicated]
        );
        // One repeated and changed: the equal one is not taken for the changed one.
        let mixed = [found(0, 99, "AA1"), found(1, 100, "AA1")];
        let findings = compare("S1", std::slice::from_ref(&a), &mixed);
        assert_eq!(findings[0].place, Some(0));
        assert_eq!(
            faults(&[a.clone(), b], &[found(0, 100, "AA1")]),
            [Fault::Missing]
        );
        let label = Err(LeafError::Label);
        let unreadable = [Match { place: 5, label }];
        let expected = [Fault::Missing, Fault::Unreadable];
        assert_eq!(faults(&[a], &unreadable), expected);
    }
}
