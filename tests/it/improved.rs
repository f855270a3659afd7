//! Improved figures beside raw ones: what is told before a question, and what files hold.

use policies::figures::benchmark;
use policies::figures::benchmark::Interval;
use policies::plan::explain;

use crate::benchmark::number;
use crate::simulated::{Source, answer, dictionary, exact, layout, rules, slug, stays};

/// What `ask --dry-run` prints: improvement never makes an error larger, and the split of least
/// error costs what the blocks cost.
#[test]
fn expected_errors_are_told_without_and_with_improvement() {
    let (dictionary, rules) = (dictionary(), rules());
    let explained = explain(&layout(&dictionary, &rules, false));
    let (mut shrunken, mut agreed, mut prices) = (0, 0, [0_u64; 2]);
    for block in &explained.blocks {
        let pairs = block
            .mean_error_percent
            .iter()
            .zip(&block.shrunken_error_percent);
        for (raw, better) in pairs {
            shrunken += 1;
            assert!(raw.0 == better.0 && number(&better.1) <= number(&raw.1));
            // Peers tell a mean to within 15 %, so no interval is wider than 1.96 × 15 %.
            assert!(number(&better.1) <= 29.4);
        }
        if let Some(error) = &block.agreed_error {
            agreed += 1;
            assert!(number(error) < number(&block.error));
        }
        if let Some(least) = block.least.as_ref().filter(|_| block.by == ["case_group"]) {
            prices[0] += block.rho.nano();
            prices[1] += least.rho.nano();
        }
    }
    assert!(shrunken >= 10 && agreed >= 2, "{shrunken} {agreed}");
    assert!(prices[0] > 0 && prices[0] == prices[1], "{prices:?}");
}

/// Centred sums: half the noise at the same price, and less than half the expected error of a mean
/// near its reference; what a block counts less is told.
#[test]
fn the_plan_tells_what_centring_gains() {
    let (dictionary, rules) = (dictionary(), rules());
    let centred = layout(&dictionary, &rules, false);
    let mut plain = centred.clone();
    for block in &mut plain.blocks {
        let factor = match (block.centre, &block.measure) {
            (0, _) => 1,
            (_, schemas::question::Measure::Squares { .. }) => 4,
            _ => 2,
        };
        block.sigma.0 *= factor;
        block.centre = 0;
    }
    let mut means = 0;
    let (before, after) = (explain(&plain), explain(&centred));
    assert_eq!(before.charge, after.charge);
    for (before, after) in before.blocks.iter().zip(&after.blocks) {
        let pairs = before
            .mean_error_percent
            .iter()
            .zip(&after.mean_error_percent);
        for (before, after) in pairs {
            means += 1;
            assert!(number(&after.1) <= 0.51 * number(&before.1) + 0.1);
        }
        assert!([0, 1500].contains(&after.centre));
        assert_eq!(
            after.mean_error_percent.is_empty(),
            before.mean_error_percent.is_empty()
        );
        assert!(after.mean_error_percent.is_empty() || after.centre == 1500);
    }
    assert!(means >= 20, "{means}");
}

/// 20 alliances from fixed seeds: mean costs of hospitals' case groups, raw and improved, against
/// the truth. The improved ones err less (median, in parts of the truth), their intervals hold on
/// average: over tables and truths, which is why each alliance has hospitals of its own.
#[test]
fn improved_means_stand_beside_raw_ones_and_err_less() {
    let (dictionary, rules) = (dictionary(), rules());
    let layout = layout(&dictionary, &rules, false);
    let mut source = Source(101);
    let sizes = [4000, 3000, 2500, 1500, 900];
    let ids = ["a", "b", "c", "d", "e"];
    let (mut raw, mut better, mut held) = (Vec::new(), Vec::new(), 0_u32);
    for _ in 0..20 {
        let truth: Vec<Vec<_>> = sizes
            .iter()
            .map(|n| stays(&dictionary, *n, 0.8 + *n as f64 / 1e4, &mut source))
            .collect();
        let exact: Vec<_> = truth
            .iter()
            .map(|t| exact(&layout, &dictionary, t))
            .collect();
        let said: Vec<_> = ids
            .iter()
            .zip(&exact)
            .map(|(id, cells)| (slug(id), Ok(answer(&layout, id, cells, &mut source))))
            .collect();
        let found = benchmark(&layout, &dictionary, &rules, &said).unwrap();
        for (group, row) in found.splits[0].rows.iter().enumerate() {
            let reference = dictionary.groups[group].references.cost as f64;
            for (cell, stays) in row.hospitals.iter().zip(&truth) {
                let own = stays.iter().filter(|s| s.0 == group).map(|s| s.1);
                let own: Vec<f64> = own.map(|cost| cost.min(3.0 * reference)).collect();
                let Some(figure) = cell.mean_cost.value() else {
                    continue;
                };
                let Some(improved) = &figure.improved else {
                    continue;
                };
                assert_eq!(improved.method.name(), "empirical_bayes");
                let mean = own.iter().sum::<f64>() / own.len().max(1) as f64 / 100.0;
                let high = improved
                    .interval
                    .high
                    .as_deref()
                    .map_or(f64::INFINITY, number);
                if own.len() >= 11 {
                    raw.push((number(&figure.value) / mean - 1.0).abs());
                    better.push((number(&improved.value) / mean - 1.0).abs());
                    held += u32::from(number(&improved.interval.low) <= mean && mean <= high);
                }
            }
        }
        for hospital in &found.hospitals {
            let stays = hospital.totals.all.stays.value().unwrap();
            let agreed = stays.improved.as_ref().unwrap();
            assert_eq!(agreed.method.name(), "least_squares");
            let width = |interval: &Interval| {
                number(interval.high.as_ref().unwrap()) - number(&interval.low)
            };
            assert!(width(&agreed.interval) < width(&stays.noise));
        }
    }
    let covered = f64::from(held) / raw.len() as f64;
    raw.sort_by(f64::total_cmp);
    better.sort_by(f64::total_cmp);
    let (raw, better) = (raw[raw.len() / 2], better[better.len() / 2]);
    println!("mean cost: median error {raw:.4} raw, {better:.4} improved, {covered:.4} covered");
    assert!(better < 0.8 * raw, "{better} of {raw}");
    assert!(covered >= 0.93, "{covered}");
}
