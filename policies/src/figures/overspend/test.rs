use proptest::prelude::*;

use super::*;

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

fn rules() -> OverspendRules {
    OverspendRules::parse(DEFAULT).unwrap()
}

fn one(member: &str, cause: Cause, amount: i64) -> Classified {
    Classified {
        member: slug(member),
        cause,
        amount: Fen(amount),
        evidence: vec![Digest::of("evidence", &[])],
    }
}

fn input(classified: Vec<Classified>, reserve: i64) -> OverspendInput {
    let mut overspend = BTreeMap::new();
    for one in &classified {
        let sum = overspend.entry(one.member.clone()).or_insert(Fen(0));
        *sum = sum.checked_add(one.amount).unwrap();
    }
    OverspendInput {
        year: 2025,
        overspend,
        classified,
        reserve: Fen(reserve),
    }
}

/// Oracle O8, both rows.
#[test]
fn o8_every_fen_has_a_bearer() {
    let classified = |odd: i64| {
        vec![
            one("a", Cause::NewTechnology, 500_000_000),
            one("b", Cause::PriceSwing, 300_000_000),
            one("a", Cause::OverTreatment, 300_000_000 + odd),
            one("b", Cause::ManagementGap, 100_000_000),
        ]
    };
    let first = settle(&rules(), &input(classified(0), 5_000_000_000)).unwrap();
    assert_eq!(
        (first.reasonable, first.unreasonable),
        (Fen(800_000_000), Fen(400_000_000))
    );
    assert_eq!(
        (first.insurer, first.from_reserve),
        (Fen(240_000_000), Fen(560_000_000))
    );
    assert_eq!(
        (first.reserve_after, first.uncovered),
        (Fen(4_440_000_000), Fen(0))
    );
    let borne: BTreeMap<Slug, Fen> =
        [(slug("a"), Fen(300_000_000)), (slug("b"), Fen(100_000_000))].into();
    assert_eq!((&first.responsible, &first.next_year), (&borne, &borne));

    let second = settle(&rules(), &input(classified(1), 500_000_000)).unwrap();
    assert_eq!(second.unreasonable, Fen(400_000_001));
    assert_eq!(
        (second.insurer, second.from_reserve),
        (Fen(240_000_000), Fen(500_000_000))
    );
    assert_eq!(
        (second.reserve_after, second.uncovered),
        (Fen(0), Fen(60_000_000))
    );
    assert_eq!(second.responsible[&slug("a")], Fen(300_000_001));
}

/// Oracle O8b.
#[test]
fn o8b_the_corridor() {
    for (actual, expected) in [
        (800_000_000, 800_000_000),
        (850_000_000, 1_000_000_000),
        (960_000_000, 1_000_000_000),
        (1_000_000_000, 1_000_000_000),
        (1_040_000_000, 1_028_000_000),
        (1_100_000_000, 1_060_000_000),
        (1_200_000_000, 1_085_000_000),
    ] {
        let found = paid(&rules().corridor, Fen(1_000_000_000), Fen(actual));
        assert_eq!(found, Some(Fen(expected)), "{actual}");
    }
    assert_eq!(paid(&rules().corridor, Fen(-1), Fen(0)), None);
}

#[test]
fn what_does_not_add_up_or_proves_nothing_is_refused() {
    let sound = || input(vec![one("a", Cause::PriceSwing, 10)], 0);
    assert!(settle(&rules(), &sound()).is_ok());
    let mut more = sound();
    more.overspend.insert(slug("a"), Fen(11));
    assert!(matches!(
        settle(&rules(), &more),
        Err(OverspendError::Sum { .. })
    ));
    let mut bare = sound();
    bare.classified[0].evidence.clear();
    assert_eq!(
        settle(&rules(), &bare),
        Err(OverspendError::Evidence(slug("a")))
    );
    let mut other = sound();
    other.classified[0].member = slug("z");
    assert_eq!(
        settle(&rules(), &other),
        Err(OverspendError::Stranger(slug("z")))
    );
    let mut below = sound();
    below.classified[0].amount = Fen(0);
    assert_eq!(settle(&rules(), &below), Err(OverspendError::Amount));
    for (from, to) in [
        ("insurer = \"0.30\"", "insurer = \"1.30\""),
        ("to = \"1.05\"", "to = \"0.95\""),
        ("to = \"1.15\"", "to = \"1.05\""),
    ] {
        assert!(
            OverspendRules::parse(&DEFAULT.replacen(from, to, 1)).is_err(),
            "{to}"
        );
    }
}

const CAUSES: [Cause; 6] = [
    Cause::PublicHealthEmergency,
    Cause::NewTechnology,
    Cause::PriceSwing,
    Cause::OverTreatment,
    Cause::ManagementGap,
    Cause::InflatedVolume,
];

proptest! {
    #[test]
    fn bearers_add_up(amounts in prop::collection::vec((0_usize..6, 1_i64..10_i64.pow(12)), 1..30), reserve in 0_i64..10_i64.pow(12)) {
        let classified = amounts.iter().enumerate();
        let classified = classified.map(|(n, (cause, fen))| one(&format!("m{}", n % 4), CAUSES[*cause], *fen));
        let input = input(classified.collect(), reserve);
        let found = settle(&rules(), &input).unwrap();
        let members: i64 = found.responsible.values().map(|fen| fen.0).sum();
        let whole: i64 = input.overspend.values().map(|fen| fen.0).sum();
        prop_assert_eq!(found.insurer.0 + found.from_reserve.0 + found.uncovered.0 + members, whole);
        prop_assert_eq!(found.reserve_after.0 + found.from_reserve.0, reserve);
        prop_assert!(found.uncovered.0 == 0 || found.reserve_after.0 == 0);
    }

    /// The order of what was classified does not matter; all money times k is every part times k, but for
    /// the insurer's one rounding.
    #[test]
    fn bearers_do_not_depend_on_order_or_unit(amounts in prop::collection::vec((0_usize..6, 1_i64..10_i64.pow(12)), 1..30), reserve in 0_i64..10_i64.pow(12), k in 2_i64..50, turn in 0_usize..30) {
        let line = |(n, (cause, fen)): (usize, &(usize, i64))| one(&format!("m{}", n % 4), CAUSES[*cause], *fen);
        let classified: Vec<Classified> = amounts.iter().enumerate().map(line).collect();
        let found = settle(&rules(), &input(classified.clone(), reserve)).unwrap();
        let mut turned = classified.clone();
        turned.rotate_left(turn % classified.len());
        turned.reverse();
        let other = settle(&rules(), &input(turned, reserve)).unwrap();
        prop_assert_eq!(Settlement { inputs: found.inputs, ..other }, found.clone());
        let mut more = classified;
        for one in &mut more {
            one.amount = Fen(one.amount.0 * k);
        }
        let many = settle(&rules(), &input(more, reserve * k)).unwrap();
        for (one, many) in [
            (found.insurer, many.insurer),
            (found.from_reserve, many.from_reserve),
            (found.uncovered, many.uncovered),
        ] {
            prop_assert!((many.0 - one.0 * k).abs() <= k);
        }
        for (member, fen) in &found.responsible {
            prop_assert_eq!(many.responsible[member].0, fen.0 * k);
            prop_assert!((many.next_year[member].0 - found.next_year[member].0 * k).abs() <= k);
        }
    }

    /// More overspend is never borne less by anybody; more reserve never leaves more uncovered.
    #[test]
    fn more_overspend_is_never_borne_less(amounts in prop::collection::vec((0_usize..6, 1_i64..10_i64.pow(12)), 1..30), reserve in 0_i64..10_i64.pow(12), by in 1_i64..10_i64.pow(9), at in 0_usize..30) {
        let line = |(n, (cause, fen)): (usize, &(usize, i64))| one(&format!("m{}", n % 4), CAUSES[*cause], *fen);
        let classified: Vec<Classified> = amounts.iter().enumerate().map(line).collect();
        let found = settle(&rules(), &input(classified.clone(), reserve)).unwrap();
        let mut more = classified.clone();
        let at = at % more.len();
        more[at].amount = Fen(more[at].amount.0 + by);
        let after = settle(&rules(), &input(more, reserve)).unwrap();
        prop_assert!(after.insurer >= found.insurer && after.uncovered >= found.uncovered);
        prop_assert!(after.from_reserve >= found.from_reserve);
        for (member, fen) in &found.responsible {
            prop_assert!(after.responsible[member] >= *fen && after.next_year[member] >= found.next_year[member]);
        }
        let richer = settle(&rules(), &input(classified, reserve + by)).unwrap();
        prop_assert!(richer.uncovered <= found.uncovered && richer.insurer == found.insurer);
    }

    #[test]
    fn the_corridor_never_pays_less_for_more(standard in 0_i64..10_i64.pow(12), actual in 0_i64..10_i64.pow(12), more in 0_i64..10_i64.pow(10)) {
        let corridor = rules().corridor;
        let one = paid(&corridor, Fen(standard), Fen(actual)).unwrap();
        let other = paid(&corridor, Fen(standard), Fen(actual + more)).unwrap();
        prop_assert!(one <= other && one.0 <= standard.max(actual).max(one.0));
    }
}
