//! Totals, margins and cells that were released apart, made to agree by weighted least squares.
//!
//! A table of R × C cells, its row sums, its column sums and its total are four measurements of one
//! truth. The noise inside a part is independent and of one variance, so the spaces of the total,
//! of row effects, of column effects and of interactions are orthogonal for every part, and the
//! weighted least squares problem (Aitken 1936; for noisy tables Barak et al. 2007, for trees Hay et
//! al. 2010) falls into four independent weighted means: each effect is the mean of what the parts
//! say of it, weighted by inverse variances. No normal equations are solved, and two margins that
//! cross need no iteration. A tree of cells and total is a table of one column.
//!
//! By the theorem of Gauss and Markov no linear unbiased estimate has less variance; above all none
//! of the results has more than the raw number had.

/// One part of a table: numbers and the variance of the noise on each.
#[derive(Clone, PartialEq, Debug)]
pub struct Part {
    /// The numbers.
    pub values: Vec<f64>,
    /// Variance of the noise of each, zero or more.
    pub variance: f64,
}

/// What was released of a table.
#[derive(Clone, PartialEq, Debug)]
pub struct Table {
    /// Number of columns, at least one.
    pub columns: usize,
    /// The cells, row by row.
    pub cells: Part,
    /// Sum of each row, if released.
    pub rows: Option<Part>,
    /// Sum of each column, if released.
    pub sums: Option<Part>,
    /// The total, one number, if released.
    pub total: Option<Part>,
}

/// The same table, consistent: cells add up to rows, columns and total.
#[derive(Clone, PartialEq, Debug)]
pub struct Consistent {
    /// The cells, row by row.
    pub cells: Part,
    /// Sum of each row.
    pub rows: Part,
    /// Sum of each column.
    pub sums: Part,
    /// The total.
    pub total: (f64, f64),
}

/// Weighted least squares over all parts; `None` where the parts have not the table's shape. Where
/// a part is exact (variance zero) the others follow it.
pub fn consistent(table: &Table) -> Option<Consistent> {
    let (columns, cells) = (table.columns, &table.cells);
    let rows = cells.values.len().checked_div(columns)?;
    let shaped = |part: &Option<Part>, length: usize| {
        let fits = |part: &Part| part.values.len() == length && part.variance >= 0.0;
        part.as_ref().is_none_or(fits)
    };
    let whole = rows.checked_mul(columns)? == cells.values.len() && rows > 0;
    let fits = shaped(&table.rows, rows)
        && shaped(&table.sums, columns)
        && shaped(&table.total, 1)
        && cells.variance >= 0.0;
    if !(whole && fits) {
        return None;
    }
    let (height, width) = (number(rows)?, number(columns)?);
    let by_row: Vec<f64> = cells.values.chunks(columns).map(sum).collect();
    let by_column: Vec<f64> = (0..columns)
        .map(|column| cells.values.iter().skip(column).step_by(columns).sum())
        .collect();
    let of_rows = Part {
        values: by_row,
        variance: cells.variance * width,
    };
    let of_columns = Part {
        values: by_column,
        variance: cells.variance * height,
    };
    let row_effects = effects(&of_rows, table.rows.as_ref());
    let column_effects = effects(&of_columns, table.sums.as_ref());
    let all = |part: &Option<Part>, count: f64| {
        let part = part.as_ref()?;
        Some((sum(&part.values), part.variance * count))
    };
    let cells_total = (sum(&cells.values), cells.variance * height * width);
    let said = [
        Some(cells_total),
        all(&table.rows, height),
        all(&table.sums, width),
        all(&table.total, 1.0),
    ];
    let total = weighted_mean(said.into_iter().flatten());
    let (level, rest) = (total.0 / (height * width), cells_total.0 / (height * width));
    let mut values = Vec::with_capacity(cells.values.len());
    let rows_of_cells = cells.values.chunks(columns);
    for ((row, raw), effect) in rows_of_cells.zip(&of_rows.values).zip(&row_effects.values) {
        let across = of_columns.values.iter().zip(&column_effects.values);
        for (cell, (raw_column, column)) in row.iter().zip(across) {
            let interaction = cell - raw / width - raw_column / height + rest;
            values.push(level + effect / width + column / height + interaction);
        }
    }
    let (left_rows, left_columns) = (1.0 - 1.0 / height, 1.0 - 1.0 / width);
    let variance = total.1 / (height * width * height * width)
        + row_effects.variance * left_rows / (width * width)
        + column_effects.variance * left_columns / (height * height)
        + cells.variance * left_rows * left_columns;
    let margin = |effects: &Part, count: f64, left: f64| Part {
        values: effects.values.iter().map(|e| total.0 / count + e).collect(),
        variance: total.1 / (count * count) + effects.variance * left,
    };
    Some(Consistent {
        rows: margin(&row_effects, height, left_rows),
        sums: margin(&column_effects, width, left_columns),
        cells: Part { values, variance },
        total,
    })
}

/// Deviations from their mean, by what the cells add to and by what was released of the margin.
/// The variance is that of a deviation before the mean is taken off.
fn effects(of_cells: &Part, released: Option<&Part>) -> Part {
    let centred = |part: &Part| -> Vec<f64> {
        let count = number(part.values.len()).unwrap_or(f64::INFINITY);
        let mean = sum(&part.values) / count;
        part.values.iter().map(|value| value - mean).collect()
    };
    let own = centred(of_cells);
    let Some(released) = released else {
        return Part {
            values: own,
            variance: of_cells.variance,
        };
    };
    let pairs = own.into_iter().zip(centred(released));
    let both = |(a, b)| weighted_mean([(a, of_cells.variance), (b, released.variance)]);
    let found: Vec<(f64, f64)> = pairs.map(both).collect();
    Part {
        variance: found.first().map_or(of_cells.variance, |first| first.1),
        values: found.into_iter().map(|(value, _)| value).collect(),
    }
}

/// The mean by inverse variances and its variance; what is exact outweighs all else.
pub(super) fn weighted_mean(said: impl IntoIterator<Item = (f64, f64)>) -> (f64, f64) {
    let (mut top, mut weight) = (0.0, 0.0);
    let (mut exact, mut count) = (0.0, 0.0);
    for (value, variance) in said {
        if variance > 0.0 {
            top += value / variance;
            weight += 1.0 / variance;
        } else {
            exact += value;
            count += 1.0;
        }
    }
    if count > 0.0 {
        (exact / count, 0.0)
    } else {
        (top / weight, 1.0 / weight)
    }
}

fn sum(values: &[f64]) -> f64 {
    values.iter().sum()
}

/// A small count as a float.
pub(super) fn number(count: usize) -> Option<f64> {
    u32::try_from(count).ok().map(f64::from)
}

#[cfg(test)]
mod tests {
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
}
