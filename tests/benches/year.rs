//! `bench year`: the yearly computation of 50 hospitals × 800 case groups × 36 months.

use std::collections::BTreeMap;
use std::time::Instant;

use policies::figures::appraisal::{Appraised, Source, appraise};
use policies::figures::bonus::{BonusInput, Contributor, bonus};
use policies::figures::budget::{BudgetInput, GroupLevel, Measured, Member, Tier, plan};
use policies::figures::forecast::{Observed, forecast};
use policies::figures::overspend::{Cause, Classified, OverspendInput, paid, settle};
use policies::year::Rules;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::money::Fen;

use crate::rounds::peak;

const HOSPITALS: u32 = 50;
const GROUPS: u32 = 800;
const MONTHS: u32 = 36;

const CAUSES: [Cause; 6] = [
    Cause::PublicHealthEmergency,
    Cause::NewTechnology,
    Cause::PriceSwing,
    Cause::OverTreatment,
    Cause::ManagementGap,
    Cause::InflatedVolume,
];

/// A number that looks like chance and is the same everywhere.
fn spread(a: u32, b: u32) -> u32 {
    let mixed = a
        .wrapping_mul(2_654_435_761)
        .wrapping_add(b.wrapping_mul(40_503));
    (mixed ^ (mixed >> 15)) % 1_000
}

fn measured(value: u32, variance: u32) -> anyhow::Result<Measured> {
    Ok(Measured {
        value: value.to_string().parse()?,
        variance: (variance > 0)
            .then(|| variance.to_string().parse())
            .transpose()?,
        source: None,
    })
}

/// Times the parts and prints them.
pub(crate) fn run() -> anyhow::Result<()> {
    let rules = Rules::read(|_| None)?;
    let start = Instant::now();
    let ids: Result<Vec<Slug>, _> = (0..HOSPITALS).map(|n| format!("h{n}").parse()).collect();
    let ids = ids?;

    // A forecast of every group, and of ten service lines of every hospital: 1,300 series.
    let mut foretold = 0;
    for series in 0..GROUPS + 10 * HOSPITALS {
        let y: Vec<Observed> = (0..MONTHS)
            .map(|t| Observed {
                value: f64::from(1_000 + 5 * t + 40 * (t % 12) + spread(series, t) / 4),
                variance: 400.0,
            })
            .collect();
        foretold += forecast(&y, 12, 12, 2)?.months.len();
    }
    let forecasts = start.elapsed();

    let mut members = Vec::new();
    for (n, id) in (0..HOSPITALS).zip(&ids) {
        let factors: anyhow::Result<BTreeMap<Slug, Measured>> = rules
            .budget
            .factors
            .iter()
            .zip(0..)
            .map(|(factor, k)| Ok((factor.id.clone(), measured(2_000 + spread(n, k), 900)?)))
            .collect();
        members.push(Member {
            id: id.clone(),
            tier: if n < 10 {
                Tier::Tertiary
            } else {
                Tier::Grassroots
            },
            before: vec![Fen(i64::from(1_000_000_000 + 900_000 * spread(n, 77))); 3],
            deduction: Fen(0),
            factors: factors?,
            services: None,
            scores: BTreeMap::new(),
            serves: BTreeMap::new(),
        });
    }
    // Control figures of every group.
    let groups: anyhow::Result<Vec<GroupLevel>> = (0..GROUPS)
        .map(|group| {
            Ok(GroupLevel {
                group: format!("G{group}"),
                cost: Fen(i64::from(100_000 + 1_000 * spread(group, 5))),
                days: "7.3".parse()?,
            })
        })
        .collect();
    let input = BudgetInput {
        year: 2026,
        total: Fen(6_000_000_000_000),
        members,
        demand: BTreeMap::new(),
        groups: groups?,
        revision: None,
    };
    let split = plan(&rules.budget, &input)?;
    let budget = start.elapsed();

    // What the insurer pays for each group of each hospital, by the corridor.
    let mut payments = 0_i64;
    for n in 0..HOSPITALS {
        for group in 0..GROUPS {
            let standard = Fen(i64::from(100_000 + 1_000 * spread(group, 5)));
            let actual = Fen(i64::from(70_000 + 1_300 * spread(n * GROUPS + group, 1)));
            let fen = paid(&rules.overspend.corridor, standard, actual);
            payments = payments.saturating_add(fen.map_or(0, |fen| fen.0));
        }
    }
    let corridor = start.elapsed();

    // Every hospital overspent for six causes.
    let mut classified = Vec::new();
    let mut overspend = BTreeMap::new();
    for (n, id) in (0..HOSPITALS).zip(&ids) {
        let mut whole = 0;
        for (cause, k) in CAUSES.into_iter().zip(0..) {
            let fen = i64::from(1 + spread(n, 90 + k));
            whole += fen;
            classified.push(Classified {
                member: id.clone(),
                cause,
                amount: Fen(fen),
                evidence: vec![Digest::of("evidence", &[])],
            });
        }
        overspend.insert(id.clone(), Fen(whole));
    }
    let given = OverspendInput {
        year: 2026,
        overspend,
        classified,
        reserve: split.reserve,
    };
    let bearers = settle(&rules.overspend, &given)?.responsible.len();
    let settled = start.elapsed();

    let mut contributors = Vec::new();
    for (n, id) in (0..HOSPITALS).zip(&ids) {
        let dimensions = rules.bonus.dimensions.iter().zip(0..);
        let dimensions: anyhow::Result<BTreeMap<Slug, Measured>> = dimensions
            .map(|(one, k)| Ok((one.id.clone(), measured(100 + spread(n, k), 100)?)))
            .collect();
        contributors.push(Contributor {
            id: id.clone(),
            tier: if n < 10 {
                Tier::Tertiary
            } else {
                Tier::Grassroots
            },
            dimensions: dimensions?,
            quality_held: n % 7 > 0,
            gaming: [("volume-jump".parse()?, measured(n % 2, 0)?)].into(),
        });
    }
    let given = BonusInput {
        year: 2026,
        basic: Fen(1_000_000_000),
        performance: Fen(500_000_000),
        strategic: Fen(0),
        lead: "h0".parse()?,
        members: contributors,
        own: BTreeMap::new(),
        referrals: BTreeMap::new(),
        upward: BTreeMap::new(),
        downward: BTreeMap::new(),
        teams: BTreeMap::new(),
    };
    let scores = bonus(&rules.bonus, &given)?.scores.len();
    let mut grades = 0;
    for id in &ids {
        let values = rules.appraisal.indicators.iter();
        let values = values
            .map(|one| {
                let best = Measured {
                    value: one.best.clone(),
                    variance: None,
                    source: None,
                };
                (one.id.clone(), best)
            })
            .collect();
        let scores = [
            (Source::Patients, "91".parse()?),
            (Source::Social, "88".parse()?),
        ]
        .into();
        let member = Appraised {
            id: id.clone(),
            values,
            scores,
            shortcomings: BTreeMap::new(),
        };
        let about = (&"quality".parse()?, rules.appraisal.digest()?);
        appraise(&rules.appraisal, about, &member)?;
        grades += 1;
    }
    let all = start.elapsed();
    println!("{HOSPITALS} hospitals × {GROUPS} groups × {MONTHS} months");
    println!("forecasts   {forecasts:>10.3?}  {foretold} months");
    println!(
        "plan        {:>10.3?}  {} members",
        budget - forecasts,
        split.members.len()
    );
    println!("corridor    {:>10.3?}  {payments} fen", corridor - budget);
    println!(
        "overspend   {:>10.3?}  {bearers} who bear some",
        settled - corridor
    );
    println!(
        "bonus, appraisal {:>5.3?}  {scores} scores, {grades} grades",
        all - settled
    );
    let memory = peak();
    let held = |yes: bool| if yes { "held" } else { "not held" };
    println!(
        "all         {all:>10.3?} (2 s: {}), at most {memory} MB (500: {})",
        held(all.as_secs() < 2),
        held(memory < 500)
    );
    Ok(())
}
