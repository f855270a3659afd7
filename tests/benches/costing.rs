//! The step-down of a large hospital: departments × cost items × months, every fen checked.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::ensure;
use policies::costing::{
    Class, CostRules, DEFAULT, Department, Direct, Driver, Ledgers, Use, close,
};
use schemas::money::Fen;

const DEPARTMENTS: u64 = 300;
const MONTHS: u8 = 12;

/// Numbers that look spread and are the same in every run.
fn spread(n: u64, k: u64) -> u64 {
    n.wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(k.wrapping_mul(1_442_695_040_888_963_407))
        >> 33
}

pub(super) fn run() -> anyhow::Result<()> {
    let rules = CostRules::parse(DEFAULT)?;
    let mut departments = Vec::new();
    for n in 0..DEPARTMENTS {
        departments.push(Department {
            id: format!("d{n}").parse()?,
            class: match n {
                0..40 => Class::Administrative,
                40..90 => Class::Auxiliary,
                90..150 => Class::Technical,
                _ => Class::Clinical,
            },
            headcount: 1_000 + spread(n, 1) % 90_000,
            area: 100 + spread(n, 2) % 9_000,
        });
    }
    let mut months = Vec::new();
    for number in 1..=MONTHS {
        let mut direct = Vec::new();
        for (n, of) in (0..).zip(&departments) {
            for (k, item) in (0..).zip(&rules.items) {
                direct.push(Direct {
                    department: of.id.clone(),
                    item: item.clone(),
                    amount: Fen(i64::try_from(
                        spread(n * 7 + k, u64::from(number)) % 900_000_000,
                    )?),
                });
            }
        }
        months.push(Ledgers {
            month: schemas::time::Month::new(2026, number)?,
            direct,
            shared: Vec::new(),
            uses: uses(&departments, u64::from(number)),
            departments: departments.clone(),
        });
    }
    let given = months.iter().flat_map(|month| &month.direct);
    let given: i64 = given.map(|line| line.amount.0).sum();
    let start = Instant::now();
    let (mut arrived, mut transfers) = (0_i64, 0_usize);
    for month in &months {
        let closed = close(&rules, month)?;
        transfers += closed.transfers.len();
        let all = closed.full.values().flat_map(BTreeMap::values);
        arrived += all.map(|fen| fen.0).sum::<i64>();
    }
    let time = start.elapsed();
    ensure!(arrived == given, "{given} fen went in, {arrived} came out");
    println!(
        "step-down   {time:>10.3?}  {DEPARTMENTS} departments × {} items × {MONTHS} months, {transfers} transfers, {given} fen in and out",
        rules.items.len()
    );
    Ok(())
}

fn uses(departments: &[Department], month: u64) -> Vec<Use> {
    let mut uses = Vec::new();
    for (n, source) in (0..).zip(departments) {
        let driver = match source.class {
            Class::Auxiliary => Driver::Workload,
            Class::Technical => Driver::Income,
            Class::Administrative | Class::Clinical => continue,
        };
        for (k, target) in (0..).zip(departments) {
            if target.class > source.class {
                uses.push(Use {
                    source: source.id.clone(),
                    target: target.id.clone(),
                    driver,
                    weight: spread(n * DEPARTMENTS + k, month) % 9_000_000,
                });
            }
        }
    }
    uses
}
