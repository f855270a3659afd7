use std::collections::BTreeMap;

use schemas::id::Slug;
use schemas::money::Fen;

use super::*;
use crate::figures::Exact;
use crate::figures::settings::RulesError;

pub(super) fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

pub(super) fn exact(text: &str) -> Exact {
    text.parse().unwrap()
}

pub(super) fn rules() -> BudgetRules {
    BudgetRules::parse(DEFAULT).unwrap()
}

pub(super) fn member(id: &str, tier: Tier, before: i64, factors: [&str; 4]) -> Member {
    let names = [
        "case-weighted-volume",
        "served-population",
        "capability-score",
        "chronic-managed",
    ];
    let factors = names.iter().zip(factors).map(|(name, value)| {
        let measured = Measured {
            value: exact(value),
            variance: None,
            source: None,
        };
        (slug(name), measured)
    });
    Member {
        id: slug(id),
        tier,
        before: vec![Fen(before)],
        deduction: Fen(0),
        factors: factors.collect(),
        services: None,
        scores: BTreeMap::new(),
        serves: BTreeMap::new(),
    }
}

/// The inputs of oracle O6.
pub(super) fn oracle() -> BudgetInput {
    let tiers = [
        Tier::Tertiary,
        Tier::Secondary,
        Tier::Grassroots,
        Tier::Grassroots,
    ];
    let rows = [
        ("a", 62_000_000_000, ["52000", "180000", "88", "4000"]),
        ("b", 21_000_000_000, ["21000", "150000", "76", "9000"]),
        ("c", 9_000_000_000, ["6500", "240000", "71", "26000"]),
        ("d", 4_000_000_000, ["3100", "130000", "64", "15000"]),
    ];
    let members = rows.iter().zip(tiers);
    let members = members.map(|((id, before, factors), tier)| member(id, tier, *before, *factors));
    BudgetInput {
        year: 2026,
        total: Fen(100_000_000_000),
        members: members.collect(),
        demand: BTreeMap::new(),
        groups: Vec::new(),
        revision: None,
    }
}

/// Oracle O6: a base and four factors, two members at their ceilings, one at its floor.
#[test]
fn o6_base_and_factors_between_floors_and_ceilings() {
    let plan = plan(&rules(), &oracle()).unwrap();
    assert_eq!(plan.reserve, Fen(5_000_000_000));
    assert_eq!(plan.distributable, Fen(95_000_000_000));
    let expected = [
        (
            "0.645833",
            "0.358302",
            "0.530821",
            50_427_990_759,
            55_218_750_000,
            79_760_416_667,
            55_218_750_000,
            "-0.100000",
            Pinned::Floor,
        ),
        (
            "0.218750",
            "0.226724",
            "0.221940",
            21_084_259_460,
            18_703_125_000,
            27_015_625_000,
            23_057_291_667,
            "0.109524",
            Pinned::Free,
        ),
        (
            "0.093750",
            "0.257045",
            "0.159068",
            15_111_444_560,
            8_015_625_000,
            11_578_125_000,
            11_578_125_000,
            "0.300000",
            Pinned::Ceiling,
        ),
        (
            "0.041667",
            "0.157929",
            "0.088172",
            8_376_305_221,
            3_562_500_000,
            5_145_833_333,
            5_145_833_333,
            "0.300000",
            Pinned::Ceiling,
        ),
    ];
    for (part, (base, factor, share, unclipped, floor, ceiling, amount, change, pinned)) in
        plan.members.iter().zip(expected)
    {
        assert_eq!(part.base_share, base);
        assert_eq!(part.factor_share, factor);
        assert_eq!(part.share, share);
        assert_eq!(part.unclipped, Fen(unclipped));
        assert_eq!((part.floor, part.ceiling), (Fen(floor), Fen(ceiling)));
        assert_eq!((part.amount, part.pinned), (Fen(amount), pinned));
        assert_eq!(part.change, change);
        assert_eq!(part.noise, None);
    }
    let first = &plan.members[0];
    assert_eq!(first.monthly, vec![Fen(4_601_562_500); 12]);
    // Diabetes for the community hospital: 22 %, and 15 % under other rules.
    assert_eq!(
        plan.members[2].earmarks[&slug("diabetes")],
        Fen(2_547_187_500)
    );
    assert!(first.earmarks.is_empty());
    let mut fewer = rules();
    fewer.earmarks[0].share = exact("0.15");
    let plan = super::plan(&fewer, &oracle()).unwrap();
    assert_eq!(
        plan.members[2].earmarks[&slug("diabetes")],
        Fen(1_736_718_750)
    );
}

#[test]
fn o6_capability_ratings() {
    let rules = rules();
    let of = |tier, scores: &[(&str, &str)]| {
        let scores = scores
            .iter()
            .map(|(name, score)| (slug(name), exact(score)));
        rating(&rules, tier, &scores.collect())
    };
    let tertiary = [
        ("technology", "92"),
        ("efficiency", "81"),
        ("quality", "88"),
    ];
    assert_eq!(of(Tier::Tertiary, &tertiary), Ok(exact("87.5")));
    let grassroots = [
        ("accessibility", "86"),
        ("efficiency", "70"),
        ("quality", "78"),
    ];
    assert_eq!(of(Tier::Grassroots, &grassroots), Ok(exact("80")));
    assert_eq!(
        of(Tier::Grassroots, &tertiary),
        Err(RatingError::Unknown(slug("technology")))
    );
    assert_eq!(
        of(Tier::Grassroots, &grassroots[..2]),
        Err(RatingError::Missing(slug("quality")))
    );
    let far = [
        ("technology", "101"),
        ("efficiency", "81"),
        ("quality", "88"),
    ];
    assert_eq!(
        of(Tier::Tertiary, &far),
        Err(RatingError::Scale(slug("technology")))
    );
}

/// Three years weigh 1, 2 and 7; a member with two of them 2 and 7, with one 7.
#[test]
fn years_before_are_weighed_and_missing_ones_left_out() {
    let mut input = oracle();
    for (member, before) in input.members.iter_mut().zip([
        &[100, 200, 300][..],
        &[200, 300],
        &[300],
        &[9, 100, 200, 300],
    ]) {
        member.before = before.iter().map(|fen| Fen(*fen)).collect();
    }
    let plan = plan(&rules(), &input).unwrap();
    // 260, 2500/9, 300 and, of the last three years, 260.
    let bases: Vec<&str> = plan
        .members
        .iter()
        .map(|part| part.base_share.as_str())
        .collect();
    assert_eq!(bases, ["0.236842", "0.253036", "0.273279", "0.236842"]);
}

#[test]
fn a_deduction_is_taken_from_the_months_and_kept_in_the_reserve() {
    let mut input = oracle();
    input.members[0].deduction = Fen(300_000_001);
    let found = plan(&rules(), &input).unwrap();
    assert_eq!(found.deducted, Fen(300_000_001));
    assert_eq!(found.members[0].amount, Fen(55_218_750_000));
    let paid: i64 = found.members[0].monthly.iter().map(|fen| fen.0).sum();
    assert_eq!(paid, 55_218_750_000 - 300_000_001);
    input.members[3].deduction = Fen(5_145_833_334);
    assert_eq!(
        plan(&rules(), &input),
        Err(BudgetError::Deduction(slug("d")))
    );
}

#[test]
fn tiers_whose_money_and_services_lie_apart_are_pointed_out() {
    let mut input = oracle();
    for (member, services) in input.members.iter_mut().zip(["30", "15", "30", "25"]) {
        member.services = Some(exact(services));
    }
    let plan = plan(&rules(), &input).unwrap();
    let grassroots = plan
        .structure
        .iter()
        .find(|gap| gap.tier == Tier::Grassroots)
        .unwrap();
    assert_eq!(
        (grassroots.money.as_str(), grassroots.services.as_str()),
        ("0.1760", "0.5500")
    );
    assert!(grassroots.wide);
    let secondary = plan
        .structure
        .iter()
        .find(|gap| gap.tier == Tier::Secondary)
        .unwrap();
    assert!(!secondary.wide);
}

#[test]
fn bad_rules_are_refused_with_every_fault() {
    for (from, to, fault) in [
        ("weight = \"0.35\"", "weight = \"0.36\"", "add up to 1"),
        ("alpha = \"0.60\"", "alpha = \"1.60\"", "`alpha`"),
        ("reserve = \"0.05\"", "reserve = \"-0.05\"", "`reserve`"),
        ("floor = \"0.90\"", "floor = \"1.90\"", "`floor`"),
        ("ceiling = \"1.30\"", "ceiling = \"0.30\"", "`ceiling`"),
        (
            "technology = \"0.40\"",
            "technology = \"0.50\"",
            "`capability`",
        ),
        (
            "id = \"chronic-managed\"",
            "id = \"served-population\"",
            "stands twice",
        ),
        ("past = false", "past = true", "more than the past"),
        ("alpha = \"0.60\"", "alpha = 0.60", "shape"),
        ("alpha = \"0.60\"", "alfa = \"0.60\"", "shape"),
    ] {
        let error = BudgetRules::parse(&DEFAULT.replace(from, to))
            .unwrap_err()
            .to_string();
        assert!(error.contains(fault), "{to}: {error}");
    }
    let two = DEFAULT
        .replace("alpha = \"0.60\"", "alpha = \"2\"")
        .replace("reserve = \"0.05\"", "reserve = \"2\"");
    let Err(RulesError::Values(faults)) = BudgetRules::parse(&two) else {
        panic!("accepted");
    };
    assert_eq!(faults.len(), 2);
}

#[test]
fn bad_inputs_are_refused() {
    let refused = |change: fn(&mut BudgetInput)| {
        let mut input = oracle();
        change(&mut input);
        plan(&rules(), &input).unwrap_err()
    };
    assert_eq!(refused(|input| input.members.clear()), BudgetError::Empty);
    assert_eq!(
        refused(|input| input.members[1].id = slug("a")),
        BudgetError::Twice(slug("a"))
    );
    assert_eq!(
        refused(|input| input.total = Fen(-1)),
        BudgetError::OutOfRange
    );
    assert_eq!(
        refused(|input| input.members[2].before.clear()),
        BudgetError::Before(slug("c"))
    );
    assert_eq!(
        refused(|input| drop(input.members[0].factors.remove(&slug("capability-score")))),
        BudgetError::Missing(slug("a"), slug("capability-score"))
    );
    assert!(matches!(
        refused(|input| {
            let one = input.members[0].factors[&slug("capability-score")].clone();
            input.members[0].factors.insert(slug("luck"), one);
        }),
        BudgetError::Unknown(..)
    ));
    assert_eq!(
        refused(|input| for member in &mut input.members {
            member
                .factors
                .get_mut(&slug("served-population"))
                .unwrap()
                .value = exact("-3");
        }),
        BudgetError::Nothing("served-population".to_owned())
    );
    let mut narrow = rules();
    narrow.floor = exact("1");
    narrow.reserve = exact("0");
    // Every floor is the whole base: there is exactly one split.
    assert!(plan(&narrow, &oracle()).is_ok());
}

/// Two members far apart are told apart, two alike are not.
#[test]
fn ranks_are_only_claimed_where_noise_settles_them() {
    let mut input = oracle();
    input.members[0].before = vec![Fen(30_000_000_000)];
    input.members[1].before = vec![Fen(30_000_000_000)];
    input.members[0].factors = input.members[1].factors.clone();
    for member in &mut input.members {
        let one = member
            .factors
            .get_mut(&slug("case-weighted-volume"))
            .unwrap();
        one.variance = Some(exact("250000"));
    }
    let plan = plan(&rules(), &input).unwrap();
    assert_eq!(plan.not_separable, [(slug("a"), slug("b"))]);
    let names: BTreeMap<_, _> = plan
        .members
        .iter()
        .map(|part| (&part.id, &part.noise))
        .collect();
    assert!(matches!(names[&slug("a")], Some(Noise::Interval { .. })));
}
