//! Numbers that a result is computed from and that look like a slip: a percentage where a fraction is
//! meant, a factor of ten, another year's line. They are said before they move money; they decide nothing.

use std::collections::BTreeMap;

use dashu::rational::RBig;
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::time::Month;
use schemas::year::Matter;

use super::{AppraisalInput, Rules};
use crate::figures::appraisal::AppraisalRules;
use crate::figures::bonus::{BonusInput, BonusRules};
use crate::figures::budget::{BudgetInput, Measured, Plan};

/// How many times the middle of all members a figure of one may be: hospitals differ in size.
const APART: u8 = 50;
/// How many times the year before, or the month's advance, an amount may be.
const TIMES: u8 = 3;

/// What is unusual about the inputs of a result, a sentence each.
pub fn unusual(rules: &Rules, matter: Matter, inputs: &str) -> Vec<String> {
    match matter {
        Matter::Plan => serde_json::from_str(inputs).map_or_else(|_| Vec::new(), |of| plan(&of)),
        Matter::Bonus => {
            serde_json::from_str(inputs).map_or_else(|_| Vec::new(), |of| bonus(&rules.bonus, &of))
        }
        Matter::Appraisal => serde_json::from_str(inputs)
            .map_or_else(|_| Vec::new(), |of| appraisal(&rules.appraisal, &of)),
        // Its amounts add up to the overspend, or it is refused.
        Matter::Settlement => Vec::new(),
    }
}

/// Whether a month's payment is far from the member's advance of the month.
pub fn unusual_payment(plan: &Plan, member: &Slug, month: Month, paid: Fen) -> Option<String> {
    let part = plan.members.iter().find(|part| part.id == *member)?;
    let place = usize::from(month.number()).checked_sub(1)?;
    let advance = *part.monthly.get(place)?;
    far(paid, advance, TIMES).then(|| {
        format!(
            "{member} {month}: {paid} is far from the month's advance of {advance}; if it is a slip, \
             say it again with `--restates`"
        )
    })
}

/// Whether an amount is more than so many times another, or less than its part.
fn far(one: Fen, other: Fen, times: u8) -> bool {
    let (one, other, times) = (i128::from(one.0), i128::from(other.0), i128::from(times));
    other > 0 && (one > other * times || one * times < other)
}

fn plan(input: &BudgetInput) -> Vec<String> {
    let mut found = Vec::new();
    for member in &input.members {
        if let [.., before, last] = member.before.as_slice()
            && far(*last, *before, TIMES)
        {
            found.push(format!(
                "{}: the last of `before`, {last}, is far from {before} the year before",
                member.id
            ));
        }
    }
    let factors = input.members.iter().map(|one| (&one.id, &one.factors));
    found.extend(beside_others(&factors.collect::<Vec<_>>()));
    found
}

fn bonus(rules: &BonusRules, input: &BonusInput) -> Vec<String> {
    let mut found = Vec::new();
    for (member, gaming) in input.members.iter().map(|one| (&one.id, &one.gaming)) {
        for rule in &rules.gaming {
            let Some(seen) = gaming.get(&rule.id) else {
                continue;
            };
            if rule.limit.0 < RBig::ONE && seen.value.0 > RBig::ONE {
                found.push(format!(
                    "{member}: `gaming:{}` is {}, its limit {}: fractions are meant, not percentages",
                    rule.id, seen.value, rule.limit
                ));
            }
        }
    }
    let known = |id: &Slug| input.members.iter().any(|one| one.gaming.contains_key(id));
    for rule in rules.gaming.iter().filter(|rule| !known(&rule.id)) {
        found.push(format!(
            "`gaming:{}` is known of no member: it flags nobody",
            rule.id
        ));
    }
    let dimensions = input.members.iter().map(|one| (&one.id, &one.dimensions));
    found.extend(beside_others(&dimensions.collect::<Vec<_>>()));
    found
}

fn appraisal(rules: &AppraisalRules, input: &AppraisalInput) -> Vec<String> {
    let mut found = Vec::new();
    for member in &input.members {
        for rule in &rules.indicators {
            let Some(value) = member.values.get(&rule.id) else {
                continue;
            };
            let (worst, best) = (&rule.worst.0, &rule.best.0);
            let part = (&value.value.0 - worst) / (best - worst);
            if part < RBig::from(-3) || part > RBig::from(4) {
                found.push(format!(
                    "{}: `{}` is {}, far off its scale from {} to {}: is it in the same unit?",
                    member.id, rule.id, value.value, rule.worst, rule.best
                ));
            }
        }
    }
    found
}

/// Figures far above the middle of all members' that have one.
fn beside_others(members: &[(&Slug, &BTreeMap<Slug, Measured>)]) -> Vec<String> {
    let mut of: BTreeMap<&Slug, Vec<(&RBig, &Slug)>> = BTreeMap::new();
    for (member, figures) in members {
        for (name, figure) in *figures {
            if figure.value.0 > RBig::ZERO {
                of.entry(name).or_default().push((&figure.value.0, member));
            }
        }
    }
    let mut found = Vec::new();
    for (name, mut values) in of {
        values.sort();
        let Some((middle, _)) = values.get(values.len().saturating_sub(1) / 2) else {
            continue;
        };
        let line = *middle * RBig::from(APART);
        let far = values.iter().filter(|(value, _)| **value > line);
        found.extend(far.map(|(_, member)| {
            format!(
                "{member}: `{name}` is more than {APART} times the middle of all members: is it in the \
                 same unit?"
            )
        }));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        Rules::read(|_| None).unwrap()
    }

    #[test]
    fn a_percentage_for_a_fraction_and_a_factor_of_ten_are_named() {
        let member = |id: &str, growth: &str, jump: &str| {
            format!(
                r#"{{"id": "{id}", "tier": "secondary", "quality_held": true,
                "gaming": {{"volume-jump": {{"value": "{jump}"}}}}, "dimensions": {{
                "referral-share": {{"value": "0.2"}}, "chronic-control": {{"value": "0.5"}},
                "grassroots-growth": {{"value": "{growth}"}}}}}}"#
            )
        };
        let inputs = |growth: &str, jump: &str| {
            format!(
                r#"{{"year": 2026, "basic": 100, "performance": 0, "strategic": 0, "lead": "a",
                "members": [{}, {}, {}]}}"#,
                member("a", "0.1", "0.1"),
                member("b", "0.11", "0.2"),
                member("c", growth, jump)
            )
        };
        let of = |growth, jump| unusual(&rules(), Matter::Bonus, &inputs(growth, jump));
        // Two indicators of gaming are known of nobody.
        assert_eq!(of("0.2", "0.3").len(), 2);
        let told = of("11", "31").join("\n");
        assert!(told.contains("c: `gaming:volume-jump` is 31"), "{told}");
        assert!(
            told.contains("c: `grassroots-growth` is more than 50 times"),
            "{told}"
        );
    }

    #[test]
    fn an_indicator_in_another_unit_is_named() {
        let inputs = |mortality: &str| {
            format!(
                r#"{{"year": 2026, "stage": "quality", "members": [{{"id": "a", "scores": {{}},
                "values": {{"low-risk-mortality": {{"value": "{mortality}"}}}}}}]}}"#
            )
        };
        assert!(unusual(&rules(), Matter::Appraisal, &inputs("0.03")).is_empty());
        let told = unusual(&rules(), Matter::Appraisal, &inputs("3")).join("\n");
        assert!(
            told.contains("a: `low-risk-mortality` is 3, far off"),
            "{told}"
        );
        assert!(unusual(&rules(), Matter::Plan, "no inputs").is_empty());
    }

    #[test]
    fn amounts_are_held_against_what_was_before() {
        assert!(far(Fen(1_000), Fen(100), TIMES) && far(Fen(0), Fen(100), TIMES));
        assert!(!far(Fen(300), Fen(100), TIMES) && !far(Fen(5), Fen(0), TIMES));
    }
}
