use std::collections::BTreeMap;

use schemas::id::Slug;
use schemas::money::Fen;

use super::test::slug;
use super::*;

/// Oracle O2: three resources, four activities, two case groups.
#[test]
fn o2_activities_and_unused_capacity() {
    let resource = |id: &str, fen, drivers: &[(&str, u64)]| Resource {
        id: slug(id),
        amount: Fen(fen),
        drivers: drivers
            .iter()
            .map(|(name, weight)| (slug(name), *weight))
            .collect(),
    };
    let resources = [
        resource(
            "staff",
            48_000_000,
            &[
                ("head-ct", 15),
                ("thrombolysis", 25),
                ("rehabilitation", 50),
                ("follow-up", 10),
            ],
        ),
        resource(
            "equipment",
            30_000_000,
            &[
                ("head-ct", 70),
                ("thrombolysis", 10),
                ("rehabilitation", 20),
            ],
        ),
        resource(
            "material",
            12_000_000,
            &[
                ("head-ct", 10),
                ("thrombolysis", 75),
                ("rehabilitation", 15),
            ],
        ),
    ];
    let of = |rows: [(&str, u64); 4]| -> BTreeMap<Slug, u64> {
        rows.into_iter().map(|(name, n)| (slug(name), n)).collect()
    };
    let names = ["head-ct", "thrombolysis", "rehabilitation", "follow-up"];
    let four = |n: [u64; 4]| of([0, 1, 2, 3].map(|at: usize| (names[at], n[at])));
    let volumes = four([3_000, 120, 9_600, 2_400]);
    let group = |group: &str, cases, fen, uses| GroupUse {
        group: group.to_owned(),
        cases,
        direct: Fen(fen),
        uses: four(uses),
    };
    let groups = [
        group("BR23", 300, 36_000_000, [600, 80, 4_200, 900]),
        group("BR25", 500, 31_500_000, [750, 25, 3_000, 1_000]),
    ];
    let found = activities(&resources, &volumes, &groups).unwrap();
    for (name, pool, rate, unused) in [
        ("head-ct", 29_400_000, "9800.0000", 16_170_000),
        ("thrombolysis", 24_000_000, "200000.0000", 3_000_000),
        ("rehabilitation", 31_800_000, "3312.5000", 7_950_000),
        ("follow-up", 4_800_000, "2000.0000", 1_000_000),
    ] {
        let activity = &found.activities[&slug(name)];
        assert_eq!(
            (activity.pool, activity.rate.as_str(), activity.unused),
            (Fen(pool), rate, Fen(unused))
        );
    }
    for (group, total, unit) in [(0, 73_592_500, 245_308), (1, 55_787_500, 111_575)] {
        let of: &Used = &found.groups[group];
        assert_eq!((of.total, of.unit), (Fen(total), Some(Fen(unit))));
    }
    assert_eq!(
        found.groups[0].by_activity[&slug("rehabilitation")],
        Fen(13_912_500)
    );
    let mut too_much = groups.clone();
    too_much[0].uses.insert(slug("thrombolysis"), 96);
    let beyond = ActivityError::Beyond(slug("thrombolysis"));
    assert_eq!(activities(&resources, &volumes, &too_much), Err(beyond));
    let mut fewer = volumes.clone();
    fewer.remove(&slug("follow-up"));
    let missing = ActivityError::Volume(slug("follow-up"));
    assert_eq!(activities(&resources, &fewer, &groups), Err(missing));
    let idle = [resource("idle", 5, &[])];
    let unused = ActivityError::NoDriver(slug("idle"));
    assert_eq!(activities(&idle, &volumes, &groups), Err(unused));
}

/// The cases of oracle O3.
fn cases() -> Vec<Case> {
    let rows = [
        (
            "X",
            10,
            2_400_000,
            [1_500_000, 400_000, 500_000],
            [10, 4, 0],
        ),
        ("X", 6, 1_500_000, [900_000, 300_000, 300_000], [6, 2, 0]),
        (
            "Y",
            14,
            2_400_000,
            [2_300_000, 700_000, 1_400_000],
            [14, 7, 1],
        ),
    ];
    let case = |(group, days, fen, charges, items): (&str, u64, i64, [i64; 3], [u64; 3])| Case {
        group: group.to_owned(),
        weight: days,
        direct: Fen(fen),
        charges: ["ward", "lab", "drug"]
            .iter()
            .map(|unit| slug(unit))
            .zip(charges.map(Fen))
            .collect(),
        items: ["s101", "s202", "s303"]
            .iter()
            .map(|item| slug(item))
            .zip(items)
            .collect(),
    };
    rows.into_iter().map(case).collect()
}

/// Oracle O3: the same three cases by three methods.
#[test]
fn o3_three_methods_side_by_side() {
    let cases = cases();
    let fen = |amounts: [i64; 3]| amounts.map(Fen).to_vec();
    let down = top_down(Fen(15_000_000), &cases).unwrap();
    assert_eq!(down, fen([5_300_000, 3_240_000, 6_460_000]));
    let units = [("s101", 48_000), ("s202", 21_000), ("s303", 265_000)];
    let units = units.map(|(item, fen)| (slug(item), Fen(fen))).into();
    let up = bottom_up(&units, &cases).unwrap();
    assert_eq!(up, fen([2_964_000, 1_830_000, 3_484_000]));
    let of = |(id, cost): (&str, i64)| Unit {
        id: slug(id),
        cost: Fen(cost),
    };
    let wards = [("ward", 6_110_000), ("lab", 1_190_000), ("drug", 2_200_000)].map(of);
    let (ratios, charged) = cost_to_charge(&wards, &cases).unwrap();
    assert_eq!(charged, fen([2_790_000, 1_725_000, 4_985_000]));
    let shown: Vec<&str> = ratios.iter().map(|one| one.of_charges.as_str()).collect();
    assert_eq!(shown, ["1.3000", "0.8500", "1.0000"]);
    for (costs, total, unit) in [
        (&down, 8_540_000, 4_270_000),
        (&up, 4_794_000, 2_397_000),
        (&charged, 4_515_000, 2_257_500),
    ] {
        let groups = by_group(&cases, costs).unwrap();
        let x = &groups["X"];
        assert_eq!((x.cases, x.total, x.unit), (2, Fen(total), Fen(unit)));
    }
    assert_eq!(top_down(Fen(6_299_999), &cases), Err(CaseError::Below));
    let missing = bottom_up(&BTreeMap::new(), &cases);
    assert_eq!(missing, Err(CaseError::Item(slug("s101"))));
    let unknown = cost_to_charge(&wards[..2], &cases);
    assert_eq!(unknown, Err(CaseError::Unit(slug("drug"))));
    let idle = [wards.to_vec(), vec![of(("theatre", 5))]].concat();
    let uncharged = cost_to_charge(&idle, &cases);
    assert_eq!(uncharged, Err(CaseError::Uncharged(slug("theatre"))));
}

/// Oracle O17: an imported plate goes with 70 % of the excess.
#[test]
fn o17_a_property_and_the_excess_that_goes_with_it() {
    let cases = [
        (true, 5_200_000),
        (true, 5_600_000),
        (true, 5_000_000),
        (false, 3_900_000),
        (false, 4_100_000),
        (false, 4_000_000),
        (false, 4_200_000),
        (false, 3_800_000),
    ]
    .map(|(with, fen)| (with, Fen(fen)));
    let found = attributed(&cases, Fen(3_800_000)).unwrap();
    assert_eq!(
        (found.with.as_str(), found.without.as_str()),
        ("5266666.67", "4000000.00")
    );
    assert_eq!(found.excess, Fen(5_400_000));
    assert_eq!(found.attributable, "3800000.00");
    assert_eq!(found.share.as_deref(), Some("70.3704"));
    assert_eq!(attributed(&cases[..3], Fen(1)), Err(DriverError::OneSided));
    assert_eq!(attributed(&cases, Fen(9_000_000)).unwrap().share, None);
}
