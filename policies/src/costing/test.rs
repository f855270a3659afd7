use schemas::id::Slug;
use schemas::money::Fen;

use super::*;

pub(super) fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

pub(super) fn rules() -> CostRules {
    CostRules::parse(DEFAULT).unwrap()
}

fn department(id: &str, class: Class, headcount: u64) -> Department {
    Department {
        id: slug(id),
        class,
        headcount,
        area: 0,
    }
}

fn used(source: &str, driver: Driver, targets: &[(&str, u64)]) -> Vec<Use> {
    let of = |(target, weight): &(&str, u64)| Use {
        source: slug(source),
        target: slug(target),
        driver,
        weight: *weight,
    };
    targets.iter().map(of).collect()
}

/// The ledgers of oracle O1.
fn oracle() -> Ledgers {
    use Class::{Administrative, Auxiliary, Clinical, Technical};
    let rows = [
        ("adm1", Administrative, 7, 60_000_000),
        ("adm2", Administrative, 5, 40_000_000),
        ("aux1", Auxiliary, 15, 30_000_000),
        ("aux2", Auxiliary, 10, 20_000_000),
        ("mt1", Technical, 30, 90_000_000),
        ("mt2", Technical, 25, 70_000_000),
        ("cl1", Clinical, 80, 200_000_000),
        ("cl2", Clinical, 95, 260_000_000),
        ("cl3", Clinical, 45, 90_000_000),
    ];
    let direct = rows.iter().map(|(id, _, _, fen)| Direct {
        department: slug(id),
        item: slug("personnel"),
        amount: Fen(*fen),
    });
    let packs = [
        ("mt1", 400),
        ("mt2", 100),
        ("cl1", 1_500),
        ("cl2", 6_000),
        ("cl3", 1_000),
    ];
    let settled = [("cl1", 4_200), ("cl2", 3_900), ("cl3", 2_100)];
    let first = [
        ("cl1", 52_000_000),
        ("cl2", 61_000_000),
        ("cl3", 13_000_000),
    ];
    let second = [
        ("cl1", 48_000_000),
        ("cl2", 33_000_000),
        ("cl3", 21_000_000),
    ];
    let uses = [
        used("aux1", Driver::Workload, &packs),
        used("aux2", Driver::Workload, &settled),
        used("mt1", Driver::Income, &first),
        used("mt2", Driver::Income, &second),
    ];
    Ledgers {
        month: "2026-01".parse().unwrap(),
        departments: rows
            .iter()
            .map(|(id, class, heads, _)| department(id, *class, *heads))
            .collect(),
        direct: direct.collect(),
        shared: Vec::new(),
        uses: uses.concat(),
    }
}

/// Oracle O1: three levels, largest remainder at each source.
#[test]
fn o1_three_levels_and_four_classes() {
    let closed = close(&rules(), &oracle()).unwrap();
    for (id, fen) in [
        ("cl1", 321_065_412),
        ("cl2", 398_556_308),
        ("cl3", 140_378_280),
    ] {
        assert_eq!(closed.of(&slug(id)), Some(Fen(fen)), "{id}");
    }
    assert_eq!(closed.total, Fen(860_000_000));
    let handed = |level, from: &str| -> Vec<(String, i64)> {
        let all = closed.transfers.iter();
        let own = all.filter(|one| one.level == level && one.from == slug(from));
        own.map(|one| (one.to.to_string(), one.amounts[0].0))
            .collect()
    };
    let of = |rows: &[(&str, i64)]| -> Vec<(String, i64)> {
        rows.iter()
            .map(|(to, fen)| ((*to).to_owned(), *fen))
            .collect()
    };
    assert_eq!(
        handed(1, "adm2"),
        of(&[
            ("aux1", 2_000_000),
            ("aux2", 1_333_333),
            ("mt1", 4_000_000),
            ("mt2", 3_333_333),
            ("cl1", 10_666_667),
            ("cl2", 12_666_667),
            ("cl3", 6_000_000),
        ])
    );
    assert_eq!(
        handed(2, "aux2"),
        of(&[("cl1", 9_607_843), ("cl2", 8_921_569), ("cl3", 4_803_921)])
    );
    assert_eq!(
        handed(3, "mt1"),
        of(&[
            ("cl1", 41_911_817),
            ("cl2", 49_165_785),
            ("cl3", 10_477_954)
        ])
    );
    // Cost of a bed day.
    for (id, days, fen) in [
        ("cl1", 26_000_i64, 12_349),
        ("cl2", 21_500, 18_538),
        ("cl3", 9_800, 14_324),
    ] {
        let cost = closed.of(&slug(id)).unwrap().0;
        assert_eq!((cost * 2 / days + 1) / 2, fen, "{id}");
    }
}

#[test]
fn a_cost_is_explained_back_to_its_ledgers() {
    let (ledgers, closed) = (oracle(), close(&rules(), &oracle()).unwrap());
    let origin = explain(&ledgers, &closed, &slug("cl1"), &slug("personnel"));
    assert_eq!(origin.amount, Fen(321_065_412));
    assert_eq!(origin.direct, Fen(200_000_000));
    let names: Vec<&str> = origin
        .received
        .iter()
        .map(|one| one.from.as_str())
        .collect();
    assert_eq!(names, ["adm1", "adm2", "aux1", "aux2", "mt1", "mt2"]);
    let parts: i64 = origin.received.iter().map(|one| one.amount.0).sum();
    assert_eq!(parts + origin.direct.0, origin.amount.0);
    let imaging = &origin.received[4];
    assert_eq!(
        (imaging.amount, imaging.held),
        (Fen(41_911_817), Fen(101_555_556))
    );
    assert_eq!(imaging.received.len(), 3);
    // Nobody is named who gave nothing.
    assert!(
        explain(&ledgers, &closed, &slug("cl1"), &slug("drugs"))
            .received
            .is_empty()
    );
}

#[test]
fn shared_costs_and_corrections_are_handed_on_too() {
    let mut ledgers = oracle();
    ledgers.shared.push(Shared {
        name: slug("water"),
        item: slug("other"),
        amount: Fen(31_200_001),
        driver: Driver::Headcount,
    });
    ledgers.direct.push(Direct {
        department: slug("mt1"),
        item: slug("consumables"),
        amount: Fen(-1_000),
    });
    let closed = close(&rules(), &ledgers).unwrap();
    let all: i64 = closed
        .full
        .values()
        .flat_map(|items| items.values())
        .map(|fen| fen.0)
        .sum();
    assert_eq!(all, 860_000_000 + 31_200_001 - 1_000);
    assert_eq!(closed.total.0, all);
    let first = closed.transfers.first().unwrap();
    assert_eq!(
        (first.level, first.from.as_str(), first.to.as_str()),
        (0, "water", "adm1")
    );
    let origin = explain(&ledgers, &closed, &slug("cl2"), &slug("consumables"));
    assert_eq!((origin.direct, origin.received.len()), (Fen(0), 1));
    assert!(origin.amount < Fen(0));
}

#[test]
fn what_cannot_be_handed_on_is_named() {
    let refused = |change: fn(&mut Ledgers)| {
        let mut ledgers = oracle();
        change(&mut ledgers);
        close(&rules(), &ledgers).unwrap_err()
    };
    let of = |text| slug(text);
    for (found, expected) in [
        (
            refused(|month| month.uses.retain(|one| one.source != slug("mt2"))),
            LedgerError::NoDriver(of("mt2"), Driver::Income),
        ),
        (
            refused(|month| month.departments.retain(|one| one.id != slug("cl1"))),
            LedgerError::Unknown(of("cl1")),
        ),
        (
            refused(|month| month.departments.retain(|one| one.class != Class::Clinical)),
            LedgerError::NoClinical,
        ),
        (
            refused(|month| month.departments.extend(oracle().departments)),
            LedgerError::Twice(of("adm1")),
        ),
        (
            refused(|month| {
                month
                    .uses
                    .extend(used("cl1", Driver::Income, &[("mt1", 1)]));
            }),
            LedgerError::Upwards(of("cl1"), of("mt1")),
        ),
        (
            refused(|month| {
                month
                    .uses
                    .extend(used("mt1", Driver::Income, &[("mt2", 1)]));
            }),
            LedgerError::Upwards(of("mt1"), of("mt2")),
        ),
        (
            refused(|month| {
                month
                    .uses
                    .extend(used("mt1", Driver::Income, &[("cl1", 1)]));
            }),
            LedgerError::UseTwice(of("mt1"), of("cl1")),
        ),
        (
            refused(|month| month.direct[0].item = slug("coffee")),
            LedgerError::Item(of("coffee")),
        ),
        (
            refused(|month| month.month = "2014-12".parse().unwrap()),
            LedgerError::Effective("2015-01".parse().unwrap()),
        ),
        (
            refused(|month| {
                month.direct[6].amount = Fen(i64::MAX);
                month.direct[7].amount = Fen(i64::MAX);
            }),
            LedgerError::Total,
        ),
    ] {
        assert_eq!(found, expected);
    }
    for (from, to, fault) in [
        ("administrative = \"headcount\"", "", "Administrative"),
        (
            "technical = \"income\"",
            "technical = \"income\"\nclinical = \"area\"",
            "clinical",
        ),
        ("\"drugs\"", "\"personnel\"", "twice"),
    ] {
        let error = CostRules::parse(&DEFAULT.replacen(from, to, 1)).unwrap_err();
        assert!(error.to_string().contains(fault), "{error}");
    }
}
