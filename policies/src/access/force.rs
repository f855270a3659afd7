//! When a policy that two persons signed comes into force. One that protects patients nowhere less
//! than the policy before it does at once; any other waits a day, so that whoever sees it in the
//! log can object.

use schemas::digest::Digest;
use schemas::officer::PolicyApproval;
use schemas::seal::Sealed;
use schemas::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Access, Officers, OfficersError, policy_digest};
use crate::rules::Privacy;

/// How long a policy waits that protects less: seconds after the second signature.
pub const DELAY: i64 = 24 * 3600;

/// A policy with the signatures under it, as an organisation keeps each that two persons signed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// What was signed.
    pub policy: Digest,
    /// The privacy rules.
    pub rules: Privacy,
    /// The organisation's own access policies.
    pub own: String,
    /// The signatures.
    pub approvals: Vec<Sealed<PolicyApproval>>,
    /// When two signatures were there, by the clock of who took them: the signatures' own times are
    /// their writers' and decide nothing.
    pub taken: Timestamp,
    /// How many steps the register of persons had taken then.
    pub steps: usize,
}

/// What holds at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Force<'a> {
    /// The policy in force; none before the first is signed.
    pub current: Option<&'a Signed>,
    /// The last one signed, where it still waits, and from when it counts.
    pub next: Option<(&'a Signed, Timestamp)>,
}

impl Signed {
    /// A policy as its persons signed it; [`signed`] says when it was taken.
    pub fn new(
        rules: &Privacy,
        access: &Access,
        approvals: Vec<Sealed<PolicyApproval>>,
    ) -> Result<Self, schemas::canonical::Error> {
        Ok(Self {
            policy: policy_digest(rules, access)?,
            rules: rules.clone(),
            own: access.own().to_owned(),
            approvals,
            taken: Timestamp(0),
            steps: 0,
        })
    }

    /// The access policies, where rules and policies are still those that were signed. They are
    /// not once the software ships other policies, or if somebody changed what was kept.
    pub fn access(&self) -> Option<Access> {
        let access = Access::open(&self.own).ok()?;
        let digest = policy_digest(&self.rules, &access).ok()?;
        (digest == self.policy).then_some(access)
    }

    /// Whether this protects less than `before` in any line, or may: what cannot be compared does.
    fn protects_less_than(&self, before: &Self) -> bool {
        let (Some(new), Some(old)) = (self.access(), before.access()) else {
            return true;
        };
        let templates = &before.rules.allow.templates;
        let mut unasked = self.rules.allow.templates.iter();
        self.rules.no_looser_than(&before.rules).is_err()
            || unasked.any(|(name, pays)| templates.get(name) != Some(pays))
            || !new.holds_all_of(&old)
    }
}

/// Which of an organisation's signed policies, in the order in which they were signed, is in force
/// at a moment. The last word counts: a later policy voids one that still waits. Every signature
/// is checked again; the first policy of all has nothing before it and does not wait.
pub fn in_force<'a>(
    officers: &Officers,
    signed: &'a [Signed],
    now: Timestamp,
) -> Result<Force<'a>, OfficersError> {
    let at_once = Timestamp(i64::MIN);
    let mut known: Vec<(Timestamp, &Signed)> = Vec::new();
    let mut last = at_once;
    for policy in signed {
        officers.approved_then(policy.steps, policy.policy, &policy.approvals)?;
        last = last.max(policy.taken);
        let from = match newest(&known, last) {
            Some(before) if policy.protects_less_than(before) => {
                Timestamp(policy.taken.0.saturating_add(DELAY))
            }
            _ => at_once,
        };
        known.push((from, policy));
    }
    let waits = known.last().filter(|(from, _)| *from > now);
    Ok(Force {
        current: newest(&known, now),
        next: waits.map(|(from, policy)| (*policy, *from)),
    })
}

/// How far the signing of a policy is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signatures {
    /// How many persons have signed it.
    pub have: usize,
    /// From when it counts, where two have and it protects less than the policy before.
    pub waits_until: Option<Timestamp>,
}

/// What signing comes to: with two signatures of persons registered now the policy becomes the last
/// of those signed, unless it is that already. `history` grows by at most one.
pub fn signed(
    officers: &Officers,
    history: &mut Vec<Signed>,
    policy: Signed,
    now: Timestamp,
) -> Result<Signatures, OfficersError> {
    let have = match officers.approved(policy.policy, &policy.approvals) {
        Ok(approved) => approved.by.len(),
        Err(OfficersError::TooFew { have, .. }) => {
            return Ok(Signatures {
                have,
                waits_until: None,
            });
        }
        Err(error) => return Err(error),
    };
    if history
        .last()
        .is_none_or(|last| last.policy != policy.policy)
    {
        history.push(Signed {
            taken: now,
            steps: officers.changes(),
            ..policy
        });
    }
    let next = in_force(officers, history, now)?.next;
    Ok(Signatures {
        have,
        waits_until: next.map(|(_, from)| from),
    })
}

fn newest<'a>(known: &[(Timestamp, &'a Signed)], now: Timestamp) -> Option<&'a Signed> {
    let mut newest_first = known.iter().rev();
    let found = newest_first.find(|(from, _)| *from <= now);
    found.map(|(_, policy)| *policy)
}

#[cfg(test)]
mod tests {
    use schemas::id::Slug;
    use schemas::officer::{Officer, Role};
    use schemas::seal::Signer;
    use serde_json::Value;

    use super::*;
    use crate::rules::DEFAULT;

    const NO_SEX: &str = "@id(\"no-sex\")\nforbid (principal, action == Alliance::Action::\"askStatistic\", \
                          resource)\nwhen { context.dimensions.contains(\"sex\") };\n";

    struct House {
        officers: Officers,
        keys: Vec<Signer>,
    }

    fn slug(text: &str) -> Slug {
        text.parse().unwrap()
    }

    impl House {
        fn new() -> Self {
            let keys: Vec<Signer> = (0..2).map(|_| Signer::generate().unwrap().0).collect();
            let mut officers = Officers::none(slug("h1"), &[Role::Steward]);
            for (name, key) in ["a", "b"].into_iter().zip(&keys) {
                let officer = Officer {
                    organisation: slug("h1"),
                    name: slug(name),
                    role: Role::Steward,
                    key: key.public(),
                };
                officers.add(officer, &[]).unwrap();
            }
            Self { officers, keys }
        }

        /// Signed by `a` at the first and by `b` at the second moment.
        fn sign(&self, rules: &Privacy, own: &str, at: [i64; 2]) -> Signed {
            let access = Access::open(own).unwrap();
            let mut signed = Signed::new(rules, &access, Vec::new()).unwrap();
            for ((name, key), at) in ["a", "b"].into_iter().zip(&self.keys).zip(at) {
                let approval = PolicyApproval {
                    organisation: slug("h1"),
                    policy: signed.policy,
                    officer: slug(name),
                    at: Timestamp(at),
                };
                signed.approvals.push(Sealed::seal(key, &approval).unwrap());
            }
            signed.taken = Timestamp(at[0].max(at[1]));
            signed.steps = 2;
            signed
        }

        /// The digest in force and, where one waits, from when.
        fn at(&self, signed: &[Signed], now: i64) -> (Digest, Option<i64>) {
            let force = in_force(&self.officers, signed, Timestamp(now)).unwrap();
            let next = force.next.map(|(_, from)| from.0);
            (force.current.unwrap().policy, next)
        }
    }

    fn rules(from: &str, to: &str) -> Privacy {
        assert!(DEFAULT.contains(from));
        Privacy::parse(&DEFAULT.replace(from, to)).unwrap()
    }

    #[test]
    fn a_raised_allowance_waits_a_day_after_the_second_signature() {
        let house = House::new();
        let low = house.sign(&rules("total = \"1\"", "total = \"0.5\""), "", [10, 20]);
        // The second signature counts, whoever gives it.
        for times in [[1000, 5000], [5000, 1000]] {
            let high = house.sign(&rules("total = \"1\"", "total = \"0.6\""), "", times);
            let both = [low.clone(), high.clone()];
            let from = 5000 + DELAY;
            assert_eq!(house.at(&both, 5000), (low.policy, Some(from)));
            assert_eq!(house.at(&both, from - 1), (low.policy, Some(from)));
            assert_eq!(house.at(&both, from), (high.policy, None));
            // Lowered: at once, and again a raise afterwards waits anew.
            let lowered = house.sign(&low.rules, "", [from + 5, from + 6]);
            let raised = house.sign(&high.rules, "", [from + 7, from + 8]);
            let all = [low.clone(), high, lowered.clone(), raised];
            assert_eq!(house.at(&all[..3], from + 6), (lowered.policy, None));
            let next = Some(from + 8 + DELAY);
            assert_eq!(house.at(&all, from + 9), (lowered.policy, next));
        }
    }

    #[test]
    fn the_last_word_voids_what_waits_and_a_signature_is_not_dated_back() {
        let house = House::new();
        let low = house.sign(&rules("total = \"1\"", "total = \"0.5\""), "", [10, 20]);
        let high = house.sign(&Privacy::parse(DEFAULT).unwrap(), "", [30, 40]);
        let kept = house.sign(&low.rules, "", [50, 60]);
        let late = 1_000_000;
        assert_eq!(
            house.at(&[low.clone(), high.clone(), kept.clone()], late),
            (low.policy, None)
        );
        // `high` says it was signed at 40, but was taken at 61; what its writers say of tomorrow
        // holds nobody up either.
        let mut dated = high;
        dated.taken = Timestamp(61);
        let order = [low.clone(), kept.clone(), dated];
        assert_eq!(house.at(&order, 61).1, Some(61 + DELAY));
        let mut ahead = house.sign(&kept.rules, "", [50, 1 << 40]);
        ahead.taken = Timestamp(60);
        let again = house.sign(&Privacy::parse(DEFAULT).unwrap(), "", [70, 71]);
        assert_eq!(house.at(&[low, ahead, again], 72).1, Some(71 + DELAY));
        // A policy that fewer than two signed is in no history.
        let mut one = order;
        one[2].approvals.pop();
        assert!(in_force(&house.officers, &one, Timestamp(0)).is_err());
    }

    #[test]
    fn access_policies_that_forbid_less_wait_and_what_cannot_be_compared_does() {
        let house = House::new();
        let rules = Privacy::parse(DEFAULT).unwrap();
        let waits = |before: &Signed, after: &Signed| {
            house.at(&[before.clone(), after.clone()], 50).1.is_some()
        };
        let free = house.sign(&rules, "", [10, 20]);
        let strict = house.sign(&rules, NO_SEX, [30, 40]);
        let other = house.sign(&rules, &NO_SEX.replace("sex", "month"), [30, 40]);
        let both = format!("{NO_SEX}{}", NO_SEX.replace("sex", "month"));
        let both = house.sign(&rules, &both, [30, 40]);
        assert!(!waits(&free, &strict) && !waits(&strict, &both));
        assert!(waits(&strict, &free) && waits(&strict, &other) && waits(&both, &other));
        let mut changed = free;
        changed.rules.version = 2;
        assert!(waits(&changed, &strict), "not what was signed");
    }

    /// Every number of the rules, up and down: exactly one direction waits. Every list, longer and
    /// shorter: longer waits.
    #[test]
    fn every_line_of_the_rules_is_compared() {
        let house = House::new();
        // Away from the ends of every range.
        let middle = rules("total = \"1\"", "total = \"2\"");
        let before = house.sign(&middle, "", [10, 20]);
        let whole = serde_json::to_value(&middle).unwrap();
        let waits = |changed: &Value| {
            let changed: Privacy = serde_json::from_value(changed.clone()).unwrap();
            let after = house.sign(&changed, "", [30, 40]);
            house.at(&[before.clone(), after], 50).1.is_some()
        };
        let more_protects = [
            "threshold",
            "insurer_threshold",
            "hospitals",
            "colluding",
            "percent",
            "countersigned",
        ];
        let mut seen = 0;
        for (part, lines) in whole.as_object().unwrap() {
            let Some(lines) = lines.as_object() else {
                assert_eq!(part, "version");
                continue;
            };
            for (line, value) in lines {
                let with = |value: Value| {
                    let mut changed = whole.clone();
                    changed[part][line] = value;
                    waits(&changed)
                };
                seen += 1;
                if let Some(number) = value.as_u64() {
                    let protects = more_protects.contains(&line.as_str());
                    assert_eq!(with((number + 1).into()), !protects, "{part}.{line} more");
                    assert_eq!(with((number - 1).into()), protects, "{part}.{line} less");
                } else if let Some(list) = value.as_array() {
                    assert!(!with(list[1..].to_vec().into()), "{part}.{line} shorter");
                    let other = match line.as_str() {
                        // All there are stand there already.
                        "purposes" | "releases" => continue,
                        _ => "blood_group",
                    };
                    let longer: Vec<Value> = list.iter().cloned().chain([other.into()]).collect();
                    assert!(with(longer.into()), "{part}.{line} longer");
                } else {
                    let name = value.as_object().unwrap().keys().next().unwrap();
                    let mut fewer = value.clone();
                    fewer.as_object_mut().unwrap().remove(name);
                    assert!(!with(fewer), "{part}.{line} fewer");
                    let mut other = value.clone();
                    other["mine@1"] = "benchmark".into();
                    assert!(with(other), "{part}.{line} more");
                    let mut other = value.clone();
                    other[name] = "free".into();
                    assert!(with(other), "{part}.{line} other");
                }
            }
        }
        assert_eq!(seen, 6 + 3 + 3 + 2 + 3 + 6 + 4);
    }
}
