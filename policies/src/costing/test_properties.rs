use proptest::prelude::*;
use schemas::money::Fen;

use super::test::{rules, slug};
use super::*;

/// Hospitals of 1 to 40 departments with random ledgers; every source has something to hand on by.
fn hospitals() -> impl Strategy<Value = Ledgers> {
    let department = (0_u8..4, 0_u64..5_000, 1_u64..900);
    let departments = prop::collection::vec(department, 1..40);
    let amounts = prop::collection::vec(
        (any::<u16>(), any::<u8>(), -10_000_i64..10_i64.pow(11)),
        0..80,
    );
    let weights = prop::collection::vec(1_u64..10_i64.pow(9) as u64, 64);
    (departments, amounts, weights).prop_map(|(departments, amounts, weights)| {
        let class = |n: u8| match n {
            0 => Class::Administrative,
            1 => Class::Auxiliary,
            2 => Class::Technical,
            _ => Class::Clinical,
        };
        let mut departments: Vec<Department> = departments
            .iter()
            .enumerate()
            .map(|(n, (of, headcount, area))| Department {
                id: slug(&format!("d{n}")),
                class: class(*of),
                headcount: *headcount,
                area: *area,
            })
            .collect();
        departments.push(Department {
            id: slug("ward"),
            class: Class::Clinical,
            headcount: 1,
            area: 1,
        });
        let items = rules().items;
        let direct = amounts.iter().map(|(at, item, fen)| Direct {
            department: departments[usize::from(*at) % departments.len()].id.clone(),
            item: items[usize::from(*item) % items.len()].clone(),
            amount: Fen(*fen),
        });
        let mut uses = Vec::new();
        let mut weights = weights.iter().cycle();
        for source in &departments {
            let driver = match source.class {
                Class::Auxiliary => Driver::Workload,
                Class::Technical => Driver::Income,
                _ => continue,
            };
            for target in departments.iter().filter(|one| one.class > source.class) {
                uses.push(Use {
                    source: source.id.clone(),
                    target: target.id.clone(),
                    driver,
                    weight: *weights.next().unwrap(),
                });
            }
        }
        Ledgers {
            month: "2026-01".parse().unwrap(),
            direct: direct.collect(),
            shared: vec![Shared {
                name: slug("water"),
                item: slug("other"),
                amount: Fen(1_234_567),
                driver: Driver::Area,
            }],
            departments,
            uses,
        }
    })
}

fn adds_up(origin: &Origin) -> bool {
    let parts: i64 = origin.received.iter().map(|one| one.amount.0).sum();
    origin.held.0 == origin.direct.0 + parts && origin.received.iter().all(adds_up)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_fen_arrives_in_a_clinical_department(month in hospitals()) {
        let closed = close(&rules(), &month).unwrap();
        for item in &rules().items {
            let own = month.direct.iter().filter(|line| line.item == *item);
            let shared = month.shared.iter().filter(|line| line.item == *item);
            let given: i64 = own.map(|line| line.amount.0).chain(shared.map(|line| line.amount.0)).sum();
            let found = closed.full.values().filter_map(|items| items.get(item));
            prop_assert_eq!(found.map(|fen| fen.0).sum::<i64>(), given);
        }
        // What a department hands on is what it had.
        for of in month.departments.iter().filter(|of| of.class != Class::Clinical) {
            let sum = |own: &dyn Fn(&&Transfer) -> bool| -> i64 {
                closed.transfers.iter().filter(own).flat_map(|one| &one.amounts).map(|fen| fen.0).sum()
            };
            let out = sum(&|one| one.level > 0 && one.from == of.id);
            let came = sum(&|one| one.to == of.id);
            let own = month.direct.iter().filter(|line| line.department == of.id);
            prop_assert_eq!(out, came + own.map(|line| line.amount.0).sum::<i64>());
        }
        prop_assert_eq!(close(&rules(), &month).unwrap(), closed);
    }

    #[test]
    fn each_figure_is_explained_to_the_fen(month in hospitals()) {
        let closed = close(&rules(), &month).unwrap();
        for (department, items) in &closed.full {
            for (item, fen) in items {
                let origin = explain(&month, &closed, department, item);
                prop_assert_eq!(origin.amount, *fen);
                prop_assert!(adds_up(&origin));
            }
        }
    }

    #[test]
    fn cases_cost_what_their_units_did(
        rows in prop::collection::vec((1_u64..60, 0_i64..10_i64.pow(7), 1_i64..10_i64.pow(7)), 1..60),
        extra in 0_i64..10_i64.pow(10),
    ) {
        let cases: Vec<Case> = rows
            .iter()
            .map(|(days, direct, charge)| Case {
                group: "X".to_owned(),
                weight: *days,
                direct: Fen(*direct),
                charges: [(slug("ward"), Fen(*charge))].into(),
                items: [].into(),
            })
            .collect();
        let unit = Fen(cases.iter().map(|case| case.direct.0).sum::<i64>() + extra);
        let sum = |costs: &[Fen]| costs.iter().map(|fen| fen.0).sum::<i64>();
        prop_assert_eq!(sum(&top_down(unit, &cases).unwrap()), unit.0);
        let units = [Unit { id: slug("ward"), cost: unit }];
        prop_assert_eq!(sum(&cost_to_charge(&units, &cases).unwrap().1), unit.0);
    }
}
