//! Tests of the module above, by simulation from fixed seeds.

use super::*;
use crate::figures::simulation::Source;

/// Six hospitals of different level and forty groups of different level and size: raw and
/// shrunken mean squared error of relative means, coverage, and the spread found for a cell of 100
/// stays. Truths scatter alike, or means of few stays more, as chance makes them.
fn simulate(seed: u64, between: f64, groups_apart: f64, cost: f64, by_size: bool) -> [f64; 4] {
    let noise = Noise {
        count: 25.0 * cost,
        sum: 1e8 * cost,
        centre: 0.0,
    };
    let mut source = Source::new(seed);
    let (mut raw, mut better, mut held, mut count) = (0.0, 0.0, 0_u32, 0.0);
    let (mut spreads, runs) = (0.0, 60_u32);
    for _ in 0..runs {
        let levels: Vec<f64> = (0..6).map(|h| 0.7 + 0.12 * f64::from(h)).collect();
        let of_group: Vec<f64> = (0..40)
            .map(|_| 1.0 + groups_apart * source.normal())
            .collect();
        let mut truths = Vec::new();
        let mut table = Vec::new();
        let mut sums = vec![(0.0, 0.0); 40];
        for level in &levels {
            let (mut own, mut row) = (Vec::new(), Vec::new());
            for (group, sum) in of_group.iter().zip(&mut sums) {
                let n = (20.0 + 400.0 * source.uniform() * source.uniform()).floor();
                let wider = if by_size {
                    libm::sqrt(scale(n) / scale(100.0))
                } else {
                    1.0
                };
                let truth = level * group * (1.0 + between * wider * source.normal());
                let mean = Mean {
                    count: n + libm::sqrt(noise.count) * source.normal(),
                    sum: 1000.0 * n * truth + libm::sqrt(noise.sum) * source.normal(),
                };
                sum.0 += mean.count;
                sum.1 += mean.sum;
                own.push(truth);
                let shown = mean.count >= 11.0 && mean.count > 2.0 * libm::sqrt(noise.count);
                row.push(shown.then_some(mean));
            }
            truths.push(own);
            table.push(row);
        }
        let alliance = |sum: &(f64, f64)| {
            Some(Mean {
                count: sum.0,
                sum: sum.1,
            })
        };
        let alliance: Vec<Option<Mean>> = sums.iter().map(alliance).collect();
        let of_alliance = Noise {
            count: 6.0 * noise.count,
            sum: 6.0 * noise.sum,
            centre: 0.0,
        };
        let groups = among_groups(&alliance, &of_alliance);
        let found = among_peers(&table, &noise, &groups);
        spreads += found.spread.unwrap() * scale(100.0) / f64::from(runs);
        for (row, (own, means)) in found.cells.iter().zip(truths.iter().zip(&table)) {
            for (cell, (truth, mean)) in row.iter().zip(own.iter().zip(means)) {
                let (Some(cell), Some(mean)) = (cell, mean) else {
                    continue;
                };
                let released = mean.sum / mean.count / 1000.0;
                raw += (released - truth) * (released - truth) / (truth * truth);
                better += (cell.value - truth) * (cell.value - truth) / (truth * truth);
                held += u32::from(cell.bounds().holds(*truth));
                count += 1.0;
            }
        }
    }
    [
        raw / count,
        better / count,
        f64::from(held) / count,
        spreads,
    ]
}

#[test]
fn peers_lower_the_error_and_intervals_hold_on_average() {
    for (seed, between, apart, cost, by_size, factor) in [
        (71, 0.10, 0.10, 1.0, false, 0.5),
        (72, 0.10, 0.10, 4.0, false, 0.25),
        (73, 0.02, 0.0, 1.0, true, 0.15),
        (74, 0.40, 0.30, 1.0, false, 1.0),
        (75, 0.08, 0.10, 1.0, true, 0.4),
    ] {
        let [raw, better, covered, spread] = simulate(seed, between, apart, cost, by_size);
        println!(
            "spread {between}: error² {raw:.4} → {better:.4}, covered {covered:.4}, found {:.3}",
            spread.sqrt()
        );
        assert!(better < factor * raw, "{between}: {better} of {raw}");
        assert!(covered > 0.93, "{between}: {covered}");
        // Of a spread far below the noise only an upper bound is known.
        if by_size && between > 0.05 {
            assert!((spread.sqrt() - between).abs() < 0.2 * between.max(0.05));
        }
    }
}

/// Two hospitals, or a group at one hospital only, have no peers: nothing is said of them.
#[test]
fn without_peers_the_raw_mean_stands_alone() {
    let noise = Noise {
        count: 25.0,
        sum: 1e8,
        centre: 0.0,
    };
    let mean = |n: f64| {
        Some(Mean {
            count: n,
            sum: 1000.0 * n,
        })
    };
    let row: Vec<Option<Mean>> = (1..12).map(|k| mean(50.0 * f64::from(k))).collect();
    let groups = among_groups(&row, &noise);
    assert!(groups.cells[0].iter().all(Option::is_some));
    let two = among_peers(&[row.clone(), row.clone()], &noise, &groups);
    assert!(two.cells.iter().flatten().all(Option::is_none));
    assert_eq!(two.spread, None);
    let mut table = vec![row.clone(), row.clone(), row];
    table[1][4] = None;
    let three = among_peers(&table, &noise, &groups);
    assert!(three.cells[0][3].is_some() && three.cells[0][4].is_none());
    assert!(three.cells[1][4].is_none());
    let empty = among_peers(&[], &noise, &groups);
    assert!(empty.cells.is_empty());
}
