use std::collections::BTreeMap;

use proptest::prelude::*;
use schemas::id::Slug;
use schemas::money::Fen;
use schemas::time::Month;

use super::test::{member, oracle, rules, slug};
use super::*;

fn month(number: u8) -> Month {
    Month::new(2026, number).unwrap()
}

/// The oracle's alliance with deductions, in force.
fn in_force() -> (BudgetInput, Plan) {
    let mut input = oracle();
    input.members[1].deduction = Fen(1_200_000_001);
    let plan = plan(&rules(), &input).unwrap();
    (input, plan)
}

/// The same with `d` gone and `e` come from a month on.
fn changed(input: &BudgetInput, before: &Plan, from: u8) -> BudgetInput {
    let mut input = input.clone();
    input.members.retain(|one| one.id != slug("d"));
    let values = ["3100", "130000", "64", "15000"];
    let joined = member("e", Tier::Grassroots, 4_000_000_000, values);
    input.members.push(joined);
    input.revision = Some(Revision {
        from: month(from),
        given: before.given(month(from)),
    });
    input
}

fn part<'a>(plan: &'a Plan, id: &str) -> &'a Part {
    let mut parts = plan.members.iter();
    parts.find(|part| part.id == slug(id)).unwrap()
}

fn net(part: &Part) -> i64 {
    part.amount.0 - part.deduction.0
}

fn sound(plan: &Plan) {
    let amounts: i64 = plan.members.iter().map(|part| part.amount.0).sum();
    assert_eq!(amounts, plan.distributable.0);
    assert_eq!(plan.distributable.0 + plan.reserve.0, plan.total.0);
    let deducted: i64 = plan.members.iter().map(|part| part.deduction.0).sum();
    assert_eq!(deducted, plan.deducted.0);
    for part in &plan.members {
        assert_eq!(part.monthly.len(), 12);
        assert_eq!(part.monthly.iter().map(|fen| fen.0).sum::<i64>(), net(part));
        assert!(part.floor.0 - 1 <= part.amount.0 && part.amount.0 <= part.ceiling.0 + 1);
    }
}

/// Who comes with the same history and factors as who leaves gets what that one would have got from then
/// on, and nothing moves for the others.
#[test]
fn a_member_in_anothers_place_gets_its_rest() {
    let (input, before) = in_force();
    let after = plan(&rules(), &changed(&input, &before, 7)).unwrap();
    sound(&after);
    for id in ["a", "b", "c"] {
        let (old, new) = (part(&before, id), part(&after, id));
        assert!((old.amount.0 - new.amount.0).abs() <= 6, "{id}");
        assert_eq!(old.monthly[..6], new.monthly[..6]);
        assert_eq!(old.deduction, new.deduction);
    }
    let (old, left, came) = (part(&before, "d"), part(&after, "d"), part(&after, "e"));
    assert_eq!(left.monthly[..6], old.monthly[..6]);
    assert_eq!(left.monthly[6..], [Fen(0); 6]);
    assert_eq!(came.monthly[..6], [Fen(0); 6]);
    assert!((left.amount.0 + came.amount.0 - old.amount.0).abs() <= 6);
    assert_eq!(after.revised.as_ref().unwrap().from, month(7));
}

/// A deduction is taken evenly over the year, whatever joins or leaves; who leaves has borne its months.
#[test]
fn deductions_go_on_and_end_with_who_leaves() {
    let (input, before) = in_force();
    let b = before.given(month(7));
    assert_eq!(b[1].taken, Fen(600_000_001));
    let mut gone = input.clone();
    gone.members.retain(|one| one.id != slug("b"));
    gone.revision = Some(Revision {
        from: month(7),
        given: b,
    });
    let after = plan(&rules(), &gone).unwrap();
    sound(&after);
    assert_eq!(part(&after, "b").deduction, Fen(600_000_001));
    assert_eq!(after.deducted, Fen(600_000_001));

    // A second change keeps what the first one gave, and takes no deduction twice.
    let first = plan(&rules(), &changed(&input, &before, 4)).unwrap();
    let given = first.given(month(10));
    let taken = |id: &str| given.iter().find(|one| one.id == slug(id)).unwrap().taken;
    // A quarter in the first months; then two thirds of the rest.
    assert_eq!(taken("b"), Fen(300_000_001 + 600_000_000));
    let mut second = changed(&input, &before, 4);
    second.members.retain(|one| one.id != slug("c"));
    second.revision = Some(Revision {
        from: month(10),
        given,
    });
    let second = plan(&rules(), &second).unwrap();
    sound(&second);
    assert_eq!(part(&second, "d").amount, part(&first, "d").amount);
    assert_eq!(
        part(&second, "e").monthly[..9],
        part(&first, "e").monthly[..9]
    );
}

#[test]
fn what_is_no_change_of_a_plan_is_refused() {
    let (input, before) = in_force();
    let good = changed(&input, &before, 7);
    let wrong = |change: &dyn Fn(&mut BudgetInput)| {
        let mut bad = good.clone();
        change(&mut bad);
        plan(&rules(), &bad).unwrap_err()
    };
    let of = |input: &mut BudgetInput, change: &dyn Fn(&mut Revision)| {
        change(input.revision.as_mut().unwrap());
    };
    let january = wrong(&|input| of(input, &|one| one.from = month(1)));
    assert_eq!(january, BudgetError::From(month(1)));
    let other = Month::new(2025, 7).unwrap();
    let found = wrong(&|input| of(input, &|one| one.from = other));
    assert_eq!(found, BudgetError::From(other));
    let found = wrong(&|input| of(input, &|one| one.given.clear()));
    assert_eq!(found, BudgetError::From(month(7)));
    let found = wrong(&|input| of(input, &|one| one.given[0].monthly.truncate(5)));
    assert_eq!(found, BudgetError::Given(slug("a")));
    let found = wrong(&|input| of(input, &|one| one.given[0].monthly[2] = Fen(-1)));
    assert_eq!(found, BudgetError::Given(slug("a")));
    let found = wrong(&|input| of(input, &|one| one.given[0].taken = Fen(1)));
    assert_eq!(found, BudgetError::Given(slug("a")));
    let found = wrong(&|input| of(input, &|one| one.given[0].monthly[0] = Fen(i64::MAX)));
    assert!(matches!(
        found,
        BudgetError::Given(_) | BudgetError::OutOfRange
    ));
    let found = wrong(&|input| of(input, &|one| one.given.push(one.given[0].clone())));
    assert_eq!(found, BudgetError::Twice(slug("a")));
    // Deductions do not change in mid-year, and who joins has none.
    for (place, id) in [(0, "a"), (1, "b"), (3, "e")] {
        let found = wrong(&|input| input.members[place].deduction.0 += 1);
        assert_eq!(found, BudgetError::Taken(slug(id)));
    }
    // More was given than there is.
    let found = wrong(&|input| of(input, &|one| one.given[0].monthly[0].0 += 95_000_000_000));
    assert_eq!(found, BudgetError::OutOfRange);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whoever comes or goes when: every fen has one place, and nothing that was given changes.
    #[test]
    fn every_fen_has_one_place_in_a_changed_year(
        rows in prop::collection::vec((1_i64..10_i64.pow(11), prop::array::uniform4(1_u32..1_000_000)), 2..9),
        owing in prop::collection::vec(0_i64..50, 9),
        steps in prop::collection::btree_map(2_u8..13, (0_usize..9, any::<bool>()), 0..4),
    ) {
        let one = |n: usize, before: i64, values: [u32; 4]| {
            let values = values.map(|value| value.to_string());
            let values = [0, 1, 2, 3].map(|at: usize| values[at].as_str());
            member(&format!("m{n}"), Tier::Secondary, before, values)
        };
        let all = rows.iter().enumerate().map(|(n, (before, values))| one(n, *before, *values));
        let mut input = BudgetInput {
            members: all.collect(),
            ..oracle()
        };
        let mut standing = plan(&rules(), &input).unwrap();
        // A hundredth of an amount at most, so that no rest is too small to bear it.
        for (at, part) in standing.members.iter().enumerate() {
            input.members[at].deduction = Fen(part.amount.0 * owing[at] / 10_000);
        }
        standing = plan(&rules(), &input).unwrap();
        let mut known = rows.len();
        for (from, (who, joins)) in steps {
            let given = standing.given(month(from));
            if joins {
                let (before, values) = rows[who % rows.len()];
                input.members.push(one(known, before, values));
                known += 1;
            } else if input.members.len() > 1 {
                let at = who % input.members.len();
                input.members.remove(at);
            }
            input.revision = Some(Revision { from: month(from), given });
            let next = plan(&rules(), &input);
            // Bounds of the rest may ask for less than a member still owes.
            prop_assume!(!matches!(next, Err(BudgetError::Deduction(_))));
            let next = next.unwrap();
            sound(&next);
            let months = usize::from(from) - 1;
            let kept: BTreeMap<Slug, &[Fen]> =
                next.members.iter().map(|part| (part.id.clone(), &part.monthly[..months])).collect();
            for part in &standing.members {
                prop_assert_eq!(kept[&part.id], &part.monthly[..months]);
            }
            standing = next;
        }
    }
}
