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
mod test;
