#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "simulated values are small"
)]

use std::collections::BTreeMap;

use dashu::rational::RBig;
use schemas::id::Slug;
use schemas::money::Fen;

use super::*;
use crate::figures::apportion::apportion;
use crate::figures::budget::{Measured, Tier};
use crate::figures::simulation::Source;
use crate::figures::{Exact, half_up};

const DIMENSIONS: [&str; 3] = ["referral-share", "chronic-control", "grassroots-growth"];

pub(super) fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

pub(super) fn measured(value: &str, variance: Option<&str>) -> Measured {
    Measured {
        value: value.parse().unwrap(),
        variance: variance.map(|text| text.parse().unwrap()),
        source: None,
    }
}

pub(super) fn member(id: &str, tier: Tier, values: [&str; 3]) -> Contributor {
    let dimensions = DIMENSIONS.iter().zip(values);
    Contributor {
        id: slug(id),
        tier,
        dimensions: dimensions
            .map(|(name, value)| (slug(name), measured(value, None)))
            .collect(),
        quality_held: true,
        gaming: BTreeMap::new(),
    }
}

pub(super) fn rules() -> BonusRules {
    BonusRules::parse(DEFAULT).unwrap()
}

pub(super) fn fen<const N: usize>(amounts: [(&str, i64); N]) -> BTreeMap<Slug, Fen> {
    amounts.map(|(name, fen)| (slug(name), Fen(fen))).into()
}

/// The inputs of oracle O7; `e` takes part in the pool only.
pub(super) fn oracle() -> BonusInput {
    BonusInput {
        year: 2025,
        basic: Fen(100_000_000),
        performance: Fen(60_000_000),
        strategic: Fen(25_000_000),
        lead: slug("a"),
        members: vec![
            member("a", Tier::Tertiary, ["0.09", "0.54", "-0.03"]),
            member("b", Tier::Secondary, ["0.21", "0.60", "0.05"]),
            member("c", Tier::Grassroots, ["0.32", "0.71", "0.12"]),
            member("d", Tier::Grassroots, ["0.28", "0.66", "0.18"]),
        ],
        own: BTreeMap::new(),
        referrals: BTreeMap::new(),
        upward: BTreeMap::new(),
        downward: BTreeMap::new(),
        teams: BTreeMap::new(),
    }
}

#[test]
fn o7_scores_and_three_classes_of_surplus() {
    let bonus = bonus(&rules(), &oracle()).unwrap();
    let scores: Vec<&str> = bonus
        .scores
        .iter()
        .map(|score| score.counts.as_str())
        .collect();
    assert_eq!(scores, ["0.115299", "0.212713", "0.326940", "0.345048"]);
    let basic = [
        ("a", 6_917_928),
        ("b", 12_762_777),
        ("c", 19_616_430),
        ("d", 20_702_865),
    ];
    assert_eq!(bonus.basic, fen(basic));
    let performance = [("a", 12_000_000), ("c", 23_353_301), ("d", 24_646_699)];
    assert_eq!(bonus.performance, fen(performance));
    assert_eq!(bonus.retained, Fen(40_000_000 + 25_000_000));
    // What each input moved adds up to the score's distance from an equal one.
    let first = &bonus.scores[2];
    let moved: f64 = first
        .moved
        .values()
        .map(|text| text.parse::<f64>().unwrap())
        .sum();
    assert!((moved - (0.326_940 - 0.25)).abs() < 3e-6);
    assert_eq!(first.interval, None);
}

#[test]
fn a_hundredth_more_of_a_dimension_moves_the_score_as_told() {
    let name = slug("referral-share");
    let given = oracle();
    let before = bonus(&rules(), &given).unwrap();
    let mut more = given.clone();
    let value = &mut more.members[2].dimensions.get_mut(&name).unwrap().value;
    *value = "0.3232".parse().unwrap();
    let after = bonus(&rules(), &more).unwrap();
    let score = |of: &Bonus| of.scores[2].counts.parse::<f64>().unwrap();
    let told: f64 = before.scores[2].gains[&name].parse().unwrap();
    assert!(told > 0.0 && (score(&after) - score(&before) - told).abs() < 2e-6);
    // Nothing of nothing.
    assert_eq!(
        before.scores[0].gains[&slug("grassroots-growth")],
        "0.000000"
    );
    assert_eq!(before.siphon, None);
    more.upward = [(slug("c"), 300), (slug("d"), 150)].into();
    more.downward = [(slug("a"), 180)].into();
    assert_eq!(
        bonus(&rules(), &more).unwrap().siphon.as_deref(),
        Some("2.50")
    );
    more.downward = [(slug("x"), 1)].into();
    assert_eq!(bonus(&rules(), &more), Err(BonusError::Stranger(slug("x"))));
}

#[test]
fn o7_the_pool_and_its_prizes() {
    let mut input = oracle();
    let own = [
        ("a", 120_000_000),
        ("b", 40_000_000),
        ("c", 18_000_000),
        ("d", 9_000_000),
        ("e", 5_000_001),
    ];
    input
        .members
        .push(member("e", Tier::Grassroots, ["0", "0", "0"]));
    input.own = fen(own);
    input.referrals = [("b", 2_000), ("c", 1_450), ("d", 1_120), ("e", 640)]
        .map(|(name, count)| (slug(name), count))
        .into();
    input.teams = [
        ("d-hypertension", 140),
        ("c-diabetes", 90),
        ("b-diabetes", 40),
    ]
    .map(|(name, rise)| (slug(name), rise))
    .into();
    let pool = bonus(&rules(), &input).unwrap().pool;
    let put_in = [
        ("a", 36_000_000),
        ("b", 12_000_000),
        ("c", 5_400_000),
        ("d", 2_700_000),
        ("e", 1_500_000),
    ];
    assert_eq!(pool.put_in, fen(put_in));
    let kept = [
        ("a", 84_000_000),
        ("b", 28_000_000),
        ("c", 12_600_000),
        ("d", 6_300_000),
        ("e", 3_500_001),
    ];
    assert_eq!(pool.kept, fen(kept));
    assert_eq!(pool.total, Fen(57_600_000));
    let prizes = [("c", 13_009_346), ("d", 10_048_598), ("e", 5_742_056)];
    assert_eq!(pool.referrals, fen(prizes));
    assert_eq!(pool.team, Some((slug("d-hypertension"), Fen(28_800_000))));
    assert_eq!(pool.left, Fen(0));
    input.teams.clear();
    input.referrals.retain(|id, _| *id == slug("b"));
    let pool = bonus(&rules(), &input).unwrap().pool;
    assert_eq!((pool.team, pool.left), (None, Fen(57_600_000)));
}

/// Oracle O7: Shapley values of three members, and the fen split by them.
#[test]
fn o7_shapley_values() {
    // By bits: A = 1, B = 2, C = 4.
    let values = [0, 60, 20, 100, 10, 90, 40, 150].map(RBig::from);
    let phi = shapley::exact(3, &values).unwrap();
    let texts: Vec<String> = phi
        .iter()
        .map(|value| Exact(value.clone()).to_string())
        .collect();
    assert_eq!(texts, ["250/3", "115/3", "85/3"]);
    let parts = apportion(Fen(100_000_001), &phi).unwrap();
    assert_eq!(parts, [Fen(55_555_556), Fen(25_555_556), Fen(18_888_889)]);
    let of = |coalition: &[usize]| {
        let place = coalition.iter().fold(0, |bits, member| bits | 1 << member);
        values[place].clone()
    };
    let one = shapley::sampled(3, 6_000, 7, of).unwrap();
    assert_eq!(one, shapley::sampled(3, 6_000, 7, of).unwrap());
    let whole = one.iter().fold(RBig::ZERO, |sum, value| sum + value);
    assert_eq!(whole, RBig::from(150));
    for (near, exact) in one.iter().zip(&phi) {
        let apart = near - exact;
        assert!(apart < RBig::from(2) && apart > RBig::from(-2));
    }
    assert_eq!(
        shapley::exact(3, &values[..7]),
        Err(shapley::ShapleyError::Values(8))
    );
    assert_eq!(shapley::exact(13, &[]), Err(shapley::ShapleyError::Members));
}

#[test]
fn a_dimension_without_anything_gives_its_weight_to_the_others() {
    let members: Vec<Contributor> = [["0", "1", "1"], ["-5", "3", "1"]]
        .iter()
        .enumerate()
        .map(|(n, values)| member(&format!("m{n}"), Tier::Secondary, *values))
        .collect();
    let scores = scores(&rules(), &members).unwrap();
    // 0.35/0.60 · 1/4 + 0.25/0.60 · 1/2.
    assert_eq!(scores.exact[0], RBig::from_parts(17.into(), 48_u8.into()));
    assert_eq!(half_up(&scores.exact[1], 6), "0.645833");
    let nothing = vec![member("m", Tier::Secondary, ["0", "0", "-1"])];
    let scores = super::scores(&rules(), &nothing).unwrap();
    assert_eq!(scores.exact[0], RBig::ZERO);
}

#[test]
fn bad_inputs_and_rules_are_refused() {
    let refused = |change: fn(&mut BonusInput)| {
        let mut input = oracle();
        change(&mut input);
        bonus(&rules(), &input).unwrap_err()
    };
    assert_eq!(
        refused(|input| input.lead = slug("z")),
        BonusError::Lead(slug("z"))
    );
    assert_eq!(
        refused(|input| input.members[0].tier = Tier::Grassroots),
        BonusError::LeadTier(slug("a"))
    );
    assert_eq!(refused(|input| input.basic = Fen(-1)), BonusError::Below);
    assert_eq!(
        refused(|input| input.own = fen([("z", 1)])),
        BonusError::Stranger(slug("z"))
    );
    assert_eq!(
        refused(|input| input.members[0].id = slug("b")),
        BonusError::Lead(slug("a"))
    );
    assert_eq!(
        refused(|input| input.members[1].id = slug("a")),
        BonusError::Score(ScoreError::Twice(slug("a")))
    );
    assert!(matches!(
        refused(|input| drop(input.members[0].dimensions.remove(&slug(DIMENSIONS[0])))),
        BonusError::Score(ScoreError::Missing(..))
    ));
    for (from, to) in [
        ("weight = \"0.40\"", "weight = \"0.41\""),
        ("gate = \"0\"", "gate = \"2\""),
        ("top = 3", "top = 0"),
        ("keeps = \"0.80\"", "keeps = \"1.80\""),
        ("share = \"0.30\"", "share = 0.30"),
    ] {
        assert!(
            BonusRules::parse(&DEFAULT.replacen(from, to, 1)).is_err(),
            "{to}"
        );
    }
}

/// design.md §11, issue 4: 3,000 simulated alliances, one random member of each.
#[test]
fn stat_intervals_of_scores_hold_the_score_without_noise() {
    let rules = rules();
    let mut source = Source::new(29);
    let (mut held, runs) = (0_u32, 3_000_u32);
    for _ in 0..runs {
        let size = 3 + (source.uniform() * 10.0) as usize;
        let (mut sound, mut noisy) = (Vec::new(), Vec::new());
        for n in 0..size {
            let id = format!("m{n}");
            let values = [0.0; 3].map(|_| 300 + (source.uniform() * 600.0) as i64);
            let texts = values.map(|value| value.to_string());
            let one = member(
                &id,
                Tier::Secondary,
                [0, 1, 2].map(|at: usize| texts[at].as_str()),
            );
            let mut other = one.clone();
            for (name, value) in DIMENSIONS.iter().zip(values) {
                let drawn = value + (20.0 * source.normal()).round() as i64;
                let drawn = measured(&drawn.to_string(), Some("400"));
                other.dimensions.insert(slug(name), drawn);
            }
            sound.push(one);
            noisy.push(other);
        }
        let at = (source.uniform() * size as f64) as usize % size;
        let truth: f64 = scores(&rules, &sound).unwrap().shown[at]
            .counts
            .parse()
            .unwrap();
        let shown = scores(&rules, &noisy).unwrap();
        let (low, high) = shown.shown[at].interval.clone().unwrap();
        let inside = low.parse::<f64>().unwrap() <= truth && truth <= high.parse::<f64>().unwrap();
        held += u32::from(inside);
    }
    let coverage = f64::from(held) / f64::from(runs);
    println!("coverage of scores {coverage:.4}");
    assert!((0.93..=0.97).contains(&coverage), "{coverage}");
}
