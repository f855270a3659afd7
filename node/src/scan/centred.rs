//! Centred sums, from plain ones: Σ (v − c) = Σ v − c·N and Σ (v − c)² = Σ v² − 2c·Σ v + c²·N, exact in
//! whole numbers.

use policies::plan::{BlockLayout, Layout};
use schemas::question::Measure;

type Blocks = Vec<Option<Vec<i64>>>;

/// Takes the centre off every block that has one. The count of the same cells, and of squares the
/// sum, stand in the same table. `None` where the layout does not say so, or a number leaves 64 bits,
/// which no layout that compiles can reach.
pub(super) fn centred(layout: &Layout, plain: &Blocks) -> Option<Blocks> {
    let blocks = layout.blocks.iter().zip(plain);
    let one = |(spec, block): (&BlockLayout, &Option<Vec<i64>>)| match block {
        Some(block) if spec.centre > 0 => Some(Some(shifted(layout, plain, spec, block)?)),
        same => Some(same.clone()),
    };
    blocks.map(one).collect()
}

fn shifted(layout: &Layout, plain: &Blocks, spec: &BlockLayout, block: &[i64]) -> Option<Vec<i64>> {
    let centre = i64::from(spec.centre);
    let beside = |measure: &Measure| {
        let table = usize::try_from(spec.table).ok()?;
        let found = plain.get(layout.find(table, measure)?)?.as_ref()?;
        (found.len() == block.len()).then_some(found)
    };
    let counts = beside(&Measure::Count)?;
    if let Measure::Squares { field } = &spec.measure {
        let sums = beside(&Measure::Sum {
            field: field.clone(),
        })?;
        let (twice, square) = (centre.checked_mul(2)?, centre.checked_mul(centre)?);
        let cells = block.iter().zip(sums.iter().zip(counts));
        return cells
            .map(|(of_squares, (sum, count))| {
                let less = of_squares.checked_sub(twice.checked_mul(*sum)?)?;
                less.checked_add(square.checked_mul(*count)?)
            })
            .collect();
    }
    let cells = block.iter().zip(counts);
    cells
        .map(|(sum, count)| sum.checked_sub(centre.checked_mul(*count)?))
        .collect()
}
