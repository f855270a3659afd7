//! Tests of the module above, by simulation from fixed seeds.

use proptest::prelude::*;

use super::*;
use crate::figures::simulation::Source;

fn part(values: &[f64], variance: f64) -> Part {
    Part {
        values: values.to_vec(),
        variance,
    }
}

/// The table with noise of these variances on cells, rows, columns and total.
fn noised(truth: &Table, source: &mut Source) -> Table {
    let mut draw = |part: &Part| {
        let scale = part.variance.sqrt();
        let mut noise = |value: &f64| value + scale * source.normal();
        Part {
            values: part.values.iter().map(&mut noise).collect(),
            variance: part.variance,
        }
    };
    Table {
        columns: truth.columns,
        cells: draw(&truth.cells),
        rows: truth.rows.as_ref().map(&mut draw),
        sums: truth.sums.as_ref().map(&mut draw),
        total: truth.total.as_ref().map(&mut draw),
    }
}

/// A consistent table from its cells.
fn truth(cells: &[f64], columns: usize, variances: [f64; 4]) -> Table {
    let rows: Vec<f64> = cells.chunks(columns).map(sum).collect();
    let column = |k: usize| cells.iter().skip(k).step_by(columns).sum();
    let sums: Vec<f64> = (0..columns).map(column).collect();
    Table {
        columns,
        cells: part(cells, variances[0]),
        rows: Some(part(&rows, variances[1])),
        sums: Some(part(&sums, variances[2])),
        total: Some(part(&[sum(cells)], variances[3])),
    }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * (1.0 + a.abs() + b.abs())
}

fn adds_up(found: &Consistent, columns: usize) -> bool {
    let cells = &found.cells.values;
    let by_row = cells.chunks(columns).map(sum);
    let by_column = (0..columns).map(|k| cells.iter().skip(k).step_by(columns).sum::<f64>());
    by_row.zip(&found.rows.values).all(|(a, b)| near(a, *b))
        && by_column.zip(&found.sums.values).all(|(a, b)| near(a, *b))
        && near(sum(cells), found.total.0)
}

/// 20,000 draws: the mean error of every number is zero and its mean square the variance that
/// is claimed, which is no more than the raw one and for totals much less. Fixed seed; a mean
/// of squares has a relative standard error of 1 %, and five of them are allowed.
#[test]
fn unbiased_with_the_claimed_variance() {
    let cells: Vec<f64> = (0..12).map(|k| 20.0 + 7.0 * f64::from(k)).collect();
    let truth = truth(&cells, 4, [9.0, 16.0, 25.0, 100.0]);
    let mut source = Source::new(51);
    let runs = 20_000;
    let mut errors = [[0.0_f64; 2]; 4];
    let mut claimed = [0.0; 4];
    for _ in 0..runs {
        let found = consistent(&noised(&truth, &mut source)).unwrap();
        let rows = truth.rows.as_ref().unwrap();
        let sums = truth.sums.as_ref().unwrap();
        let all = [
            found.cells.values[5] - cells[5],
            found.rows.values[1] - rows.values[1],
            found.sums.values[2] - sums.values[2],
            found.total.0 - sum(&cells),
        ];
        claimed = [
            found.cells.variance,
            found.rows.variance,
            found.sums.variance,
            found.total.1,
        ];
        for (tally, error) in errors.iter_mut().zip(all) {
            tally[0] += error / f64::from(runs);
            tally[1] += error * error / f64::from(runs);
        }
    }
    for ((tally, claimed), raw) in errors.iter().zip(claimed).zip([9.0, 16.0, 25.0, 100.0]) {
        assert!(tally[0].abs() < 5.0 * (claimed / f64::from(runs)).sqrt());
        assert!(
            (tally[1] / claimed - 1.0).abs() < 0.05,
            "{tally:?} {claimed}"
        );
        assert!(claimed < raw, "{claimed} of {raw}");
    }
    // 1/108 + 1/48 + 1/100 + 1/100
    assert!(claimed[3] < 20.0, "{}", claimed[3]);
}

/// The normal equations of a tree, solved by hand: a total between its cells.
#[test]
fn a_tree_is_a_table_of_one_column() {
    let table = Table {
        columns: 1,
        cells: part(&[10.0, 20.0, 30.0], 4.0),
        rows: None,
        sums: None,
        total: Some(part(&[72.0], 6.0)),
    };
    let found = consistent(&table).unwrap();
    // Cells say 60 ± √12, the total 72 ± √6: 68 with variance 4; each cell moves by 8/3.
    assert!(near(found.total.0, 68.0) && near(found.total.1, 4.0));
    let moved = [38.0 / 3.0, 68.0 / 3.0, 98.0 / 3.0];
    assert!(
        found
            .cells
            .values
            .iter()
            .zip(moved)
            .all(|(a, b)| near(*a, b))
    );
    assert!(near(found.cells.variance, 4.0 / 9.0 + 4.0 * 2.0 / 3.0));
}

#[test]
fn other_shapes_are_refused_and_exact_totals_followed() {
    let mut table = truth(&[1.0, 2.0, 3.0, 4.0], 2, [1.0, 1.0, 1.0, 0.0]);
    table.cells.values[0] = 9.0;
    assert!(near(consistent(&table).unwrap().total.0, 10.0));
    table.cells.values.pop();
    assert_eq!(consistent(&table), None);
    table.columns = 0;
    assert_eq!(consistent(&table), None);
}

proptest! {
    #[test]
    fn consistent_afterwards_and_never_less_certain(
        cells in prop::collection::vec(-1e4_f64..1e4, 12),
        columns in prop::sample::select(vec![1_usize, 2, 3, 4, 6, 12]),
        variances in prop::array::uniform4(0.1_f64..1e4),
        parts in prop::array::uniform3(any::<bool>()),
        seed in any::<u64>(),
    ) {
        let mut truth = truth(&cells, columns, variances);
        let keep = |kept: bool, part: &mut Option<Part>| if !kept { *part = None };
        keep(parts[0], &mut truth.rows);
        keep(parts[1], &mut truth.sums);
        keep(parts[2], &mut truth.total);
        let raw = noised(&truth, &mut Source::new(seed));
        let found = consistent(&raw).unwrap();
        prop_assert!(adds_up(&found, columns));
        let less = |found: f64, raw: &Option<Part>| {
            raw.as_ref().is_none_or(|raw| found <= raw.variance * (1.0 + 1e-9))
        };
        prop_assert!(found.cells.variance <= raw.cells.variance * (1.0 + 1e-9));
        prop_assert!(less(found.rows.variance, &raw.rows));
        prop_assert!(less(found.sums.variance, &raw.sums));
        prop_assert!(less(found.total.1, &raw.total));
        // What is consistent already stays, the second time too.
        let same = consistent(&truth).unwrap();
        prop_assert!(same.cells.values.iter().zip(&cells).all(|(a, b)| near(*a, *b)));
        let again = consistent(&Table {
            columns,
            cells: found.cells.clone(),
            rows: Some(found.rows.clone()),
            sums: Some(found.sums.clone()),
            total: Some(part(&[found.total.0], found.total.1)),
        });
        let pairs = again.unwrap().cells.values.into_iter().zip(&found.cells.values);
        prop_assert!(pairs.into_iter().all(|(a, b)| near(a, *b)));
    }
}
