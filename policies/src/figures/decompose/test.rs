use super::*;
use crate::figures::Exact;

fn exact(text: &str) -> RBig {
    text.parse::<Exact>().unwrap().0
}

fn known(text: &str, sd: f64) -> Known {
    Known {
        value: exact(text),
        sd,
    }
}

fn group(stays: &str, mean: &str) -> Group {
    Group {
        stays: known(stays, 0.0),
        mean: known(mean, 0.0),
        days: None,
        items: Vec::new(),
    }
}

/// Oracle O17, second part (yuan here, fen there).
#[test]
fn o17_mix_and_what_groups_cost() {
    let groups = [
        (group("60", "5000"), group("50", "5200")),
        (group("40", "15000"), group("50", "14500")),
    ];
    let found = decompose(&groups).unwrap();
    assert_eq!(
        (found.before.as_str(), found.after.as_str()),
        ("9000.00", "9850.00")
    );
    let values = [&found.change, &found.mix, &found.within].map(|one| one.value.as_str());
    assert_eq!(values, ["850.00", "1000.00", "-150.00"]);
    // Without noise nothing is open; what is not shown of stays and items stands as such.
    assert_eq!(
        (found.mix.low.as_str(), found.mix.high.as_str()),
        ("1000.00", "1000.00")
    );
    assert_eq!(found.stay_unknown.value, "-150.00");
    assert_eq!(
        (found.items_unknown.value.as_str(), found.items.len()),
        ("-150.00", 0)
    );
    let own: Vec<_> = found
        .groups
        .iter()
        .map(|(mix, _)| mix.value.as_str())
        .collect();
    assert_eq!(own, ["400.00", "600.00"]);
}

fn rich(stays: i64, mean: i64, days: i64, first: i64) -> Group {
    let share = RBig::from_parts(first.into(), 1000_u32.into());
    Group {
        stays: known(&stays.to_string(), 2.0),
        mean: known(&mean.to_string(), 30.0),
        days: Some(known(&days.to_string(), 0.2)),
        items: vec![
            Known {
                value: share.clone(),
                sd: 0.01,
            },
            Known {
                value: RBig::ONE - share,
                sd: 0.01,
            },
        ],
    }
}

#[test]
fn longer_stays_dearer_days_and_items_add_up() {
    let groups = [(rich(10, 8000, 8, 250), rich(30, 9900, 9, 300))];
    let found = decompose(&groups).unwrap();
    let value = |effect: &Effect| exact(&effect.value);
    assert_eq!(found.stay.value, "1000.00");
    assert_eq!(found.daily.value, "900.00");
    assert_eq!(found.items[0].value, "970.00");
    assert_eq!(
        value(&found.items[0]) + value(&found.items[1]),
        exact("1900")
    );
    assert_eq!(found.items_unknown.value, "0.00");
    // A group without days is said to be without.
    let mut without = groups.to_vec();
    without.push((group("1", "100"), group("2", "160")));
    let found = decompose(&without).unwrap();
    assert_eq!(
        value(&found.stay) + value(&found.daily) + value(&found.stay_unknown),
        value(&found.within)
    );
    assert_ne!(found.stay_unknown.value, "0.00");
    assert_ne!(found.items_unknown.value, "0.00");
}

#[test]
fn what_is_nothing_is_not_compared() {
    assert!(decompose(&[]).is_none());
    for wrong in [group("0", "1"), group("1", "-1")] {
        assert!(decompose(&[(group("1", "1"), wrong.clone())]).is_none());
        assert!(decompose(&[(wrong, group("1", "1"))]).is_none());
    }
}

/// Released numbers with independent noise, 2,000 draws: at least 95 % of intervals hold what the exact
/// numbers give (binomial: fewer than 0.93 in fewer than 1e-4 of runs; the seed is fixed).
#[test]
fn intervals_hold_what_the_exact_numbers_give() {
    use crate::figures::simulation::Source;
    let truth = [
        (rich(120, 8000, 8, 250), rich(180, 9900, 9, 300)),
        (rich(200, 15_000, 12, 400), rich(150, 14_000, 11, 380)),
        (rich(90, 4000, 5, 300), rich(110, 4400, 5, 320)),
    ];
    let exact_parts = decompose(&truth).unwrap();
    let mut source = Source::new(7);
    let mut noised = |known: &Known| {
        let drawn = source.normal() * known.sd;
        Known {
            value: &known.value + RBig::try_from(drawn).unwrap(),
            sd: known.sd,
        }
    };
    let mut of = |group: &Group| Group {
        stays: noised(&group.stays),
        mean: noised(&group.mean),
        days: group.days.as_ref().map(&mut noised),
        items: group.items.iter().map(&mut noised).collect(),
    };
    let (draws, mut held) = (2000, [0_u32; 8]);
    for _ in 0..draws {
        let groups: Vec<_> = truth.iter().map(|(b, a)| (of(b), of(a))).collect();
        let found = decompose(&groups).unwrap();
        let pairs = [
            (&found.mix, &exact_parts.mix),
            (&found.within, &exact_parts.within),
            (&found.stay, &exact_parts.stay),
            (&found.daily, &exact_parts.daily),
            (&found.items[0], &exact_parts.items[0]),
            (&found.change, &exact_parts.change),
            (&found.groups[0].0, &exact_parts.groups[0].0),
            (&found.groups[1].1, &exact_parts.groups[1].1),
        ];
        for (place, (found, truth)) in pairs.into_iter().enumerate() {
            let truth = exact(&truth.value);
            if exact(&found.low) <= truth && truth <= exact(&found.high) {
                held[place] += 1;
            }
        }
    }
    for (place, held) in held.into_iter().enumerate() {
        assert!(held >= draws * 93 / 100, "{place}: {held} of {draws}");
    }
}

/// One side's noisy cost is in both parts of the change, and in every group's part of the mix.
#[test]
fn noise_of_before_is_in_every_part_that_it_touches() {
    let noisy = |stays: &str, mean: &str, sd: f64| Group {
        mean: known(mean, sd),
        ..group(stays, mean)
    };
    // Shares .8 to .4: (p₁ − p₀) − p₁ = −.8 of an error of 100.
    let groups = [
        (noisy("80", "1000", 100.0), group("40", "1000")),
        (group("20", "1000"), group("60", "1000")),
    ];
    let found = decompose(&groups).unwrap();
    let half = |effect: &Effect| (exact(&effect.high) - exact(&effect.low)).to_f64().value() / 2.0;
    assert!(
        half(&found.change) >= 1.9599 * 80.0,
        "{}",
        half(&found.change)
    );
    // The other group's part of the mix: moved .4 against a mean with .8 of that error.
    assert!(half(&found.groups[1].0) >= 1.9599 * 0.4 * 80.0);
}
