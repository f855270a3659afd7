//! Black-box audit of the path plan → scan → noise on neighbouring data (privacy.md §5).
//!
//! For a mechanism that is ρ-zCDP by Gaussian noise, the best test statistic (the output projected
//! on the difference of the two worlds) has means `μ` apart in units of its deviation with
//! `μ² / 2 ≤ ρ`. A lower bound on μ at confidence 1 − 1e-6 therefore bounds ρ, and through the
//! Gaussian trade-off ε, from below: it must stay under the claim, and mutants must not.

use node::noise::{Gaussian, Source, add};
use policies::plan::{Layout, compile};
use schemas::question::Measure;
use tests::fixture::{self, Stay, dictionary, rules, slug};
use tests::noise::Half;

/// Runs a world: 50,000, or 200,000 with `CONSILIUM_LONG=1`.
fn runs() -> usize {
    if tests::fixture::long() {
        200_000
    } else {
        50_000
    }
}

fn victim(n: u8) -> Stay {
    Stay {
        patient: 99,
        month: n,
        group: u16::from(n % 4),
        sex: 0,
        severity: 0,
        drugs: 1_999_999_999,
        staff: 1_999_999_999,
        los: 1000,
    }
}

fn crowd() -> Vec<Stay> {
    (0..40)
        .map(|n| Stay {
            patient: n,
            month: u8::try_from(n % 12).unwrap(),
            group: u16::try_from(n % 4).unwrap(),
            sex: u8::try_from(n % 3).unwrap(),
            severity: 1,
            drugs: 300_000,
            staff: 250_000,
            los: 4_000,
        })
        .collect()
}

/// Projects noisy outputs of a block on the unit vector of the worlds' difference.
fn project(
    layout: &Layout,
    stays: &[Stay],
    direction: &[f64],
    source: &dyn Source,
    n: usize,
) -> Vec<f64> {
    let dictionary = dictionary();
    let rows = fixture::rows(stays);
    (0..n)
        .map(|_| {
            let exact = node::scan::run(layout, &dictionary, &rows, 1).unwrap();
            let noisy = add(layout, exact, source, 1).unwrap().into_blocks();
            let cells = noisy[0].as_ref().unwrap();
            cells
                .iter()
                .zip(direction)
                .map(|(cell, d)| *cell as f64 * d)
                .sum()
        })
        .collect()
}

/// Lower bound on ρ at confidence 1 − 1e-6 from two samples: both means and the pooled deviation
/// are taken at their unfavourable ends (z = 5.2 each, three estimates, 6e-7 together).
fn rho_at_least(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let mean = |x: &[f64]| x.iter().sum::<f64>() / n;
    let (ma, mb) = (mean(a), mean(b));
    let square = |x: &[f64], m: f64| x.iter().map(|v| (v - m).powi(2)).sum::<f64>();
    let variance = (square(a, ma) + square(b, mb)) / (2.0 * n - 2.0);
    let z = 5.2;
    let largest_deviation = (variance * (1.0 + z / n.sqrt())).sqrt();
    let gap = (ma - mb).abs() - z * (2.0 * variance / n).sqrt();
    let mu = (gap / largest_deviation).max(0.0);
    mu * mu / 2.0
}

fn audit(measure: Measure, source: &dyn Source, mutate: fn(&mut Layout), n: usize) -> (f64, f64) {
    let dictionary = dictionary();
    let question = fixture::question(&[(&["case_group"], vec![fixture::block(measure, "0.5")])]);
    let mut layout = compile(&question, &dictionary, &rules()).unwrap();
    let claimed = 0.5;
    mutate(&mut layout);
    let without = crowd();
    let mut with = crowd();
    with.extend((0..9).map(victim));
    let cells = |stays: &[Stay]| {
        let exact = node::scan::run(&layout, &dictionary, &fixture::rows(stays), 1).unwrap();
        exact.into_blocks().remove(0).unwrap()
    };
    let difference: Vec<f64> = cells(&with)
        .iter()
        .zip(cells(&without))
        .map(|(a, b)| (a - b) as f64)
        .collect();
    let length = difference.iter().map(|d| d * d).sum::<f64>().sqrt();
    let direction: Vec<f64> = difference.iter().map(|d| d / length).collect();
    let a = project(&layout, &with, &direction, source, n);
    let b = project(&layout, &without, &direction, source, n);
    (rho_at_least(&a, &b), claimed)
}

fn measures() -> [Measure; 3] {
    let cost = || slug("cost");
    [
        Measure::Count,
        Measure::Sum { field: cost() },
        Measure::Histogram { field: cost() },
    ]
}

#[test]
fn stat_the_real_path_stays_below_its_claim() {
    for measure in measures() {
        let (bound, claimed) = audit(measure.clone(), &Gaussian, |_| {}, runs());
        let epsilon = node::noise::epsilon("0.5".parse().unwrap(), 1e-6).unwrap();
        println!(
            "audit {measure:?}: rho at least {bound:.4}, claimed {claimed} (epsilon {epsilon:.3} at 1e-6)"
        );
        assert!(bound <= claimed, "{measure:?}: {bound} > {claimed}");
        assert!(
            bound > 0.8 * claimed,
            "{measure:?}: the audit sees only {bound}; it would miss faults"
        );
    }
}

#[test]
fn stat_mutants_are_caught() {
    let half: [(&str, &dyn Source, fn(&mut Layout)); 3] = [
        ("half noise", &Half, |_| {}),
        ("double K", &Gaussian, |layout| {
            layout.bound = policies::plan::Bound::Year {
                groups: 4,
                stays: 2,
            };
        }),
        ("no cap", &Gaussian, |layout| {
            for references in &mut layout.tables[0].cell_references {
                references
                    .iter_mut()
                    .for_each(|reference| *reference = (*reference / 8).max(1));
            }
        }),
    ];
    for (name, source, mutate) in half {
        let (bound, claimed) = audit(
            Measure::Sum {
                field: slug("cost"),
            },
            source,
            mutate,
            10_000,
        );
        println!("mutant {name}: rho at least {bound:.4}, claimed {claimed}");
        assert!(
            bound > claimed,
            "{name} was not caught: {bound} <= {claimed}"
        );
    }
}
