use std::collections::BTreeMap;

use schemas::digest::Digest;
use schemas::money::Fen;

use super::test::{exact, oracle, rules, slug};
use super::*;

/// Whole fen far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn float(fen: i64) -> f64 {
    fen as f64
}

fn measured(value: &str, variance: Option<&str>) -> Measured {
    Measured {
        value: exact(value),
        variance: variance.map(exact),
        source: None,
    }
}

#[test]
fn a_rating_from_scores_counts_like_the_rating_given() {
    let mut by_value = oracle();
    // 0.40 · 72 + 0.30 · 81 + 0.30 · 88
    let rated = measured("79.5", None);
    by_value.members[0].factors.insert(slug(RATED), rated);
    let mut by_score = by_value.clone();
    let first = &mut by_score.members[0];
    first.factors.remove(&slug(RATED));
    first.scores = [
        (slug("technology"), measured("1.32", None)),
        (slug("efficiency"), measured("81", None)),
        (slug("quality"), measured("88", None)),
    ]
    .into();
    let (one, other) = (plan(&rules(), &by_value), plan(&rules(), &by_score));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.members, other.members);
    assert_ne!(one.inputs, other.inputs);
    // A noised index: its variance in points is 100² of it, weighed by 0.4².
    let noisy = |index: &str| {
        let mut input = by_score.clone();
        let score = measured(index, Some("0.0001"));
        input.members[0].scores.insert(slug("technology"), score);
        let mut given = by_value.clone();
        let rated = given.members[0].factors.get_mut(&slug(RATED)).unwrap();
        rated.variance = Some(exact("0.16"));
        let told = |input| plan(&rules(), input).unwrap().members;
        (told(&input), told(&given))
    };
    let (by_score, by_value) = noisy("1.32");
    assert_eq!(by_score, by_value);
    assert!(by_score[1].noise.is_some());
    // Far above the scale the noise moves nothing.
    assert!(noisy("1.65").0[1].noise.is_none());
}

/// A rating of figures out of two benchmarks: the error of a volume out of either of them is added to its
/// part as it is, whichever digest comes first.
#[test]
fn a_rating_out_of_two_benchmarks_counts_both() {
    let (mut rules, of) = (rules(), |name: &str| Some(Digest::of(name, &[])));
    (rules.floor, rules.ceiling) = (exact("0"), exact("100"));
    let width = |volume: Option<Digest>| {
        let mut input = oracle();
        let first = &mut input.members[0];
        first.factors.remove(&slug(RATED));
        let score = |value: &str, source| Measured {
            source,
            ..measured(value, Some("9"))
        };
        first.scores = [
            (slug("technology"), measured("1.32", None)),
            (slug("efficiency"), score("81", of("one"))),
            (slug("quality"), score("88", of("other"))),
        ]
        .into();
        let own = first
            .factors
            .get_mut(&slug("case-weighted-volume"))
            .unwrap();
        (own.variance, own.source) = (Some(exact("9000000")), volume);
        match &plan(&rules, &input).unwrap().members[0].noise {
            Some(Noise::Interval { low, high }) => high.0 - low.0,
            other => panic!("{other:?}"),
        }
    };
    let (one, other, third) = (width(of("one")), width(of("other")), width(of("third")));
    assert_eq!(one, other);
    assert!(one > third, "{one} {third}");
}

#[test]
fn scores_that_do_not_fit_are_refused() {
    let refused = |change: fn(&mut Member)| {
        let mut input = oracle();
        change(&mut input.members[0]);
        plan(&rules(), &input).unwrap_err()
    };
    let (a, rated) = (slug("a"), slug(RATED));
    let full = |member: &mut Member| {
        member.scores = [
            (slug("technology"), measured("1", None)),
            (slug("efficiency"), measured("81", None)),
            (slug("quality"), measured("88", None)),
        ]
        .into();
    };
    let _: fn(&mut Member) = full;
    assert_eq!(
        refused(|member| {
            member.scores = [(slug("technology"), measured("1", None))].into();
        }),
        BudgetError::Rating(a.clone(), RatingError::Missing(slug("efficiency")))
    );
    let mut both = oracle();
    full(&mut both.members[0]);
    assert_eq!(
        plan(&rules(), &both),
        Err(BudgetError::Both(a.clone(), rated.clone()))
    );
    assert_eq!(
        refused(|member| {
            member.scores = [(slug("technology"), measured("1/3", None))].into();
        }),
        BudgetError::Decimals(a.clone(), slug("technology"))
    );
    let mut other = rules();
    other.factors.retain(|factor| factor.id != rated);
    other.factors[0].weight = exact("0.55");
    full(&mut both.members[0]);
    assert!(matches!(plan(&other, &both), Err(BudgetError::Unknown(_, name)) if name == rated));
}

/// Two lines: 600 of dialysis, for a and b as 2 to 1; 300 of rehabilitation, for b, c and d alike.
fn served() -> (BudgetRules, BudgetInput) {
    let mut rules = rules();
    rules.factors[3].id = slug(DEMAND);
    let mut input = oracle();
    for member in &mut input.members {
        member.factors.remove(&slug("chronic-managed"));
    }
    input.demand = [
        (slug("dialysis"), measured("600", None)),
        (slug("rehabilitation"), measured("300", None)),
    ]
    .into();
    for (place, line, part) in [
        (0, "dialysis", "1"),
        (1, "dialysis", "0.5"),
        (1, "rehabilitation", "1"),
        (2, "rehabilitation", "1"),
        (3, "rehabilitation", "1"),
    ] {
        let serves = &mut input.members[place].serves;
        serves.insert(slug(line), exact(part));
    }
    (rules, input)
}

#[test]
fn demand_is_shared_by_those_who_are_there_for_it() {
    let (rules, input) = served();
    let found = plan(&rules, &input).unwrap();
    let mut given = input.clone();
    given.demand = BTreeMap::new();
    for (member, value) in given.members.iter_mut().zip(["400", "300", "100", "100"]) {
        member.serves = BTreeMap::new();
        member.factors.insert(slug(DEMAND), measured(value, None));
    }
    assert_eq!(plan(&rules, &given).unwrap().members, found.members);
    let refused = |change: fn(&mut BudgetInput)| {
        let (rules, mut input) = served();
        change(&mut input);
        plan(&rules, &input).unwrap_err()
    };
    assert_eq!(
        refused(|input| {
            input.demand.insert(slug("burns"), measured("1", None));
        }),
        BudgetError::Unserved(slug("burns"))
    );
    assert_eq!(
        refused(|input| {
            input.members[0].serves.insert(slug("burns"), exact("1"));
        }),
        BudgetError::Unknown(slug("a"), slug("burns"))
    );
    assert_eq!(
        refused(|input| {
            input.members[0].serves.insert(slug("dialysis"), exact("2"));
        }),
        BudgetError::Serves(slug("a"), slug("dialysis"))
    );
    assert_eq!(
        refused(|input| {
            input.demand.insert(slug("dialysis"), measured("-1", None));
        }),
        BudgetError::Demand(slug("dialysis"))
    );
    assert_eq!(plan(&self::rules(), &input), Err(BudgetError::NoDemand));
}

/// What a forecast leaves open moves several members at once: against a hundred thousand draws' width
/// computed by hand: only the mix between the lines counts.
#[test]
fn noise_of_a_demand_moves_its_members_together() {
    let (mut rules, mut input) = served();
    // No bounds in the way.
    (rules.floor, rules.ceiling) = (exact("0"), exact("100"));
    let demand = measured("600", Some("3600"));
    input.demand.insert(slug("dialysis"), demand);
    let found = plan(&rules, &input).unwrap();
    // Share of a: 0.4 · 0.2 · D·(2/3)/(D + 300); its derivative at 600 is 0.08 · (2/3) · 300/900².
    let money = 95_000_000_000.0;
    let sd = money * 0.08 * (2.0 / 3.0) * 300.0 / (900.0 * 900.0) * 60.0;
    let Some(Noise::Interval { low, high }) = &found.members[0].noise else {
        panic!("an interval");
    };
    let half = float(high.0 - low.0) / 2.0;
    assert!((half / (1.959_964 * sd) - 1.0).abs() < 1e-4, "{half} {sd}");
    // c and d have the same of it, in the other direction.
    let width = |place: usize| match &found.members[place].noise {
        Some(Noise::Interval { low, high }) => high.0 - low.0,
        other => panic!("{other:?}"),
    };
    assert!((width(2) - width(3)).abs() <= 2 && width(2) > 0);
}

/// Where the noise may lift a bound, the order of its member is not said to be settled.
#[test]
fn held_neighbours_are_settled_only_where_the_bound_surely_decides() {
    let with = |variance: &str| {
        let mut input = oracle();
        // Nearly as much before as c, whose bound is its ceiling too.
        input.members[3].before = vec![Fen(8_800_000_000)];
        for member in &mut input.members {
            let volume = member.factors.get_mut(&slug("case-weighted-volume"));
            volume.unwrap().variance = Some(exact(variance));
        }
        plan(&rules(), &input).unwrap()
    };
    assert!(with("100").not_separable.is_empty());
    let wide = with("1000000000");
    for place in [2, 3] {
        let part: &Part = &wide.members[place];
        assert!(matches!(part.noise, Some(Noise::Held { .. })), "{part:?}");
    }
    assert_eq!(wide.not_separable, [(slug("c"), slug("d"))]);
}

#[test]
fn control_figures_follow_from_the_level_of_their_group() {
    let mut input = oracle();
    let group = |group: &str, cost: i64, days: &str| GroupLevel {
        group: group.to_owned(),
        cost: Fen(cost),
        days: exact(days),
    };
    input.groups = vec![group("BR21", 1_234_567, "7.25"), group("FM19", 1, "0.5")];
    let found = plan(&rules(), &input).unwrap().controls;
    assert_eq!(
        (found[0].fee, found[0].day, found[0].days.as_str()),
        (Fen(1_234_567), Fen(170_285), "7.3")
    );
    let mut lower = rules();
    lower.control_level = exact("0.95");
    let found = plan(&lower, &input).unwrap().controls;
    // 1,172,838.65 and, of that fee, 161,770.9 a day.
    assert_eq!((found[0].fee, found[0].day), (Fen(1_172_839), Fen(161_771)));
    assert_eq!(found[1].fee, Fen(1));
    for bad in [
        group("BR21", 5, "1"),
        group("", 5, "1"),
        group("A\nB", 5, "1"),
        group("X", 0, "1"),
        group("X", 5, "0"),
    ] {
        let mut input = input.clone();
        input.groups.push(bad);
        let error = plan(&rules(), &input).unwrap_err();
        assert!(matches!(error, BudgetError::Groups | BudgetError::Group(_)));
    }
}
