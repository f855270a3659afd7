//! The sides of a comparison out of benchmarks: what both show of the same case groups.

use dashu::rational::RBig;
use schemas::id::Slug;
use serde::{Deserialize, Serialize};

use super::{Decomposition, Group, Known, decompose};
use crate::figures::benchmark::{Benchmark, Cell, Figure, Row, Split};
use crate::figures::decimal::float;
use crate::figures::exact::sum;
use crate::figures::{Exact, half_up};

/// A hospital (or the alliance) explained against the alliance or an earlier benchmark.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Compared {
    /// The case groups that both sides show.
    pub groups: Vec<String>,
    /// Which part of the explained side's stays they hold, three decimals.
    pub covered: String,
    /// The cost items, in the order of the effects.
    pub items: Vec<Slug>,
    /// The parts of the difference.
    pub parts: Decomposition,
}

/// Why two sides are not compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotComparable {
    /// The benchmark asked for none.
    #[error("a benchmark without costs by case group; ask a template that has them")]
    NoGroups,
    /// Not in the benchmark.
    #[error("`{0}` is not in the benchmark")]
    Hospital(Slug),
    /// Other groups, money or items.
    #[error("the benchmarks differ in case groups, currency or cost items")]
    Unlike,
    /// Something with itself.
    #[error("nothing is compared with itself: name a hospital, or an earlier benchmark")]
    Itself,
    /// No group has a count and a mean on both sides.
    #[error("no case group is shown on both sides: too few stays, or nobody asked")]
    Nothing,
}

/// Explains a hospital's mean cost (or, without a name, the alliance's) against that of an earlier
/// benchmark, or against the alliance's own of the same one. The alliance holds the hospital too; that
/// makes the intervals wider than they need be, never narrower.
pub fn compare(
    of: &Benchmark,
    hospital: Option<&Slug>,
    earlier: Option<&Benchmark>,
) -> Result<Compared, NotComparable> {
    let (mut codes, mut groups) = (Vec::new(), Vec::new());
    for (code, before, after) in pairs(of, hospital, earlier)? {
        codes.push(code);
        groups.push((before, after));
    }
    let parts = decompose(&groups).ok_or(NotComparable::Nothing)?;
    let totals = match hospital {
        None => Some(&of.total),
        Some(name) => {
            let found = of.hospitals.iter().find(|one| one.id == *name);
            found.map(|one| &one.totals)
        }
    };
    let counted = sum(groups.iter().map(|(_, after)| &after.stays.value));
    let all = totals.and_then(|totals| known(totals.all.stays.value()?));
    let covered = all.filter(|all| all.value > RBig::ZERO);
    let covered = covered.map_or(RBig::ONE, |all| counted / all.value);
    Ok(Compared {
        groups: codes,
        // Noise may let the parts outgrow the whole.
        covered: half_up(&covered.min(RBig::ONE), 3),
        items: of.items.iter().map(|item| item.id.clone()).collect(),
        parts,
    })
}

/// The case groups that both sides show, `(code, before, after)`; sides as in [`compare`].
pub(in crate::figures) fn pairs(
    of: &Benchmark,
    hospital: Option<&Slug>,
    earlier: Option<&Benchmark>,
) -> Result<Vec<(String, Group, Group)>, NotComparable> {
    let same = earlier.is_some_and(|earlier| earlier.inputs == of.inputs);
    if same || (hospital.is_none() && earlier.is_none()) {
        return Err(NotComparable::Itself);
    }
    let before = earlier.unwrap_or(of);
    let like = of.scheme == before.scheme
        && of.currency == before.currency
        && of
            .items
            .iter()
            .map(|item| &item.id)
            .eq(before.items.iter().map(|item| &item.id));
    if !like {
        return Err(NotComparable::Unlike);
    }
    let place = |benchmark: &Benchmark| match hospital {
        None => Ok(None),
        Some(name) => {
            let found = benchmark.hospitals.iter().position(|one| one.id == *name);
            found
                .map(Some)
                .ok_or_else(|| NotComparable::Hospital(name.clone()))
        }
    };
    let after_at = place(of)?;
    let before_at = match earlier {
        Some(earlier) => place(earlier)?,
        None => None,
    };
    let (new, old) = (by_group(of)?, by_group(before)?);
    let mut pairs = Vec::new();
    for row in &new.rows {
        let earlier = old.rows.iter().find(|other| other.code == row.code);
        let earlier = earlier.and_then(|row| group(cell(row, before_at)?));
        if let (Some(before), Some(after)) = (earlier, cell(row, after_at).and_then(group)) {
            pairs.push((row.code.clone(), before, after));
        }
    }
    Ok(pairs)
}

fn by_group(of: &Benchmark) -> Result<&Split, NotComparable> {
    let mut splits = of.splits.iter();
    let found = splits.find(|split| split.dimension.as_str() == "case_group");
    found.ok_or(NotComparable::NoGroups)
}

fn cell(row: &Row, hospital: Option<usize>) -> Option<&Cell> {
    match hospital {
        None => Some(&row.alliance),
        Some(at) => row.hospitals.get(at),
    }
}

/// What a cell shows, if it shows a count and a mean above zero.
fn group(cell: &Cell) -> Option<Group> {
    let shown = |figure: Option<&Figure>| known(figure?).filter(|known| known.value > RBig::ZERO);
    let items: Option<Vec<Known>> = cell
        .structure
        .iter()
        .map(|part| known(part.value()?))
        .collect();
    Some(Group {
        stays: shown(cell.stays.value())?,
        mean: shown(cell.mean_cost.value())?,
        days: shown(cell.mean_stay.value()),
        items: items.unwrap_or_default(),
    })
}

/// A hospital's released number of stays; `None` where it is not shown.
pub fn stays(of: &Benchmark, hospital: &Slug) -> Option<Known> {
    let hospital = of.hospitals.iter().find(|one| one.id == *hospital)?;
    known(hospital.totals.all.stays.value()?)
}

/// A figure and the standard deviation of its noise.
fn known(figure: &Figure) -> Option<Known> {
    Some(Known {
        value: figure.value.parse::<Exact>().ok()?.0,
        sd: float(&figure.deviation()?),
    })
}
