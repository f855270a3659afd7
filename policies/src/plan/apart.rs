//! A measure of a month is attributed or pooled, never both. Here stands what an attributed answer
//! tells, what a pooled round must not have been told beside, and what it must.
//!
//! Pooled sums say more than they are asked for: cost items add up to the cost, bins to the stays,
//! and the bins' middles to about the cost. Where such a whole is not pooled in the same table
//! itself, each hospital of the sum must have told it attributed, by the same dimensions, filters
//! and bounds, over the same months, under the same dictionary and from the same releases. Of a
//! hospital that has not, the parts' sum less what the others told would be its whole; of one that
//! has, nothing follows that it did not say by itself.

use std::collections::{BTreeMap, BTreeSet};

use schemas::canonical;
use schemas::dictionary::Dictionary;
use schemas::id::Slug;
use schemas::question::{Dataset, Measure};
use serde::Serialize;

use super::layout::{BlockLayout, Bound, KeySet, Layout};

/// What a pooled round tells about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Apart {
    /// Told pooled from now on; none of it may have been told attributed in these months, by
    /// whatever dimensions.
    pub subjects: BTreeSet<String>,
    /// Must have been told attributed over these months: as [`told`] names it, and in words.
    pub wholes: BTreeMap<String, String>,
}

/// What an attributed answer tells.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Told {
    /// The subject of each block.
    pub subjects: BTreeSet<String>,
    /// Each count and sum by exactly its dimensions, filters and bounds. Which months, release
    /// numbers and dictionary they are of is the teller's to keep beside them.
    pub wholes: BTreeSet<String>,
}

/// What an attributed answer to this question tells.
pub fn told(layout: &Layout) -> Result<Told, canonical::Error> {
    let mut told = Told::default();
    for block in &layout.blocks {
        told.subjects
            .insert(of_dataset(layout, subject(&block.measure)));
        if matches!(block.measure, Measure::Count | Measure::Sum { .. }) {
            told.wholes.insert(whole(layout, block, &block.measure)?);
        }
    }
    Ok(told)
}

/// What a pooled question tells about, and beside what it may.
pub fn apart(layout: &Layout, dictionary: &Dictionary) -> Result<Apart, canonical::Error> {
    let (mut subjects, mut wholes) = (BTreeSet::new(), BTreeMap::new());
    for block in &layout.blocks {
        let (tells, parts_of) = derived(&block.measure, dictionary);
        subjects.extend(tells.into_iter().map(|told| of_dataset(layout, told)));
        for measure in parts_of {
            let beside =
                |other: &BlockLayout| other.table == block.table && other.measure == measure;
            if !layout.blocks.iter().any(beside) {
                wholes.insert(whole(layout, block, &measure)?, words(&measure));
            }
        }
    }
    Ok(Apart { subjects, wholes })
}

/// Datasets share names of fields and hold other rows: a subject of one says nothing about the
/// same word of another. Those of stays bear no prefix.
fn of_dataset(layout: &Layout, subject: String) -> String {
    match layout.dataset {
        Dataset::Stays => subject,
        other => format!("{}.{subject}", other.as_str()),
    }
}

/// The subject of a measure, in one word: stays, or a field and which side of it.
fn subject(measure: &Measure) -> String {
    match measure {
        Measure::Count | Measure::CountWhere { .. } => "stays".to_owned(),
        Measure::Sum { field } | Measure::Relative { field } | Measure::Squares { field } => {
            level(field)
        }
        Measure::Histogram { field } => bins(field),
        Measure::Structure { field } => items(field),
    }
}

fn level(field: &Slug) -> String {
    format!("field.{field}")
}

fn bins(field: &Slug) -> String {
    format!("bins.{field}")
}

fn items(field: &Slug) -> String {
    format!("items.{field}")
}

/// The subjects that a pooled measure tells about and from which it could be computed, and the
/// wholes whose parts it is.
fn derived(measure: &Measure, dictionary: &Dictionary) -> (Vec<String>, Vec<Measure>) {
    let field = match measure {
        Measure::Count | Measure::CountWhere { .. } => {
            let fields = dictionary.fields.iter().map(|field| bins(&field.id));
            return (fields.chain(["stays".to_owned()]).collect(), Vec::new());
        }
        Measure::Sum { field }
        | Measure::Relative { field }
        | Measure::Squares { field }
        | Measure::Histogram { field }
        | Measure::Structure { field } => field,
    };
    // Fields that are parts of one whole tell about each other.
    let root_of = |id: &Slug| {
        let known = dictionary.field(id.as_str());
        known
            .and_then(|field| field.part_of.clone())
            .unwrap_or_else(|| id.clone())
    };
    let root = root_of(field);
    let of_root = || {
        dictionary
            .fields
            .iter()
            .map(|field| &field.id)
            .filter(|id| root_of(id) == root)
    };
    let all = || of_root().flat_map(|id| [level(id), bins(id), items(id)]);
    let sum = || Measure::Sum {
        field: root.clone(),
    };
    match measure {
        // The items say nothing that the whole does, but for their sum.
        Measure::Structure { .. } if *field == root => {
            let own = [level(&root), bins(&root)];
            (
                all().filter(|subject| !own.contains(subject)).collect(),
                vec![sum()],
            )
        }
        Measure::Histogram { .. } if *field == root => {
            (vec![bins(&root)], vec![Measure::Count, sum()])
        }
        _ => (all().collect(), Vec::new()),
    }
}

/// A measure by exactly the dimensions, filters and bounds of a block, in one word.
fn whole(
    layout: &Layout,
    block: &BlockLayout,
    measure: &Measure,
) -> Result<String, canonical::Error> {
    #[derive(Serialize)]
    struct Whole<'l> {
        measure: &'l Measure,
        by: Vec<&'l Slug>,
        filter: &'l [KeySet],
        bound: Bound,
    }
    let axes = layout.table_of(block).map_or(&[][..], |table| &table.axes);
    let whole = Whole {
        measure,
        by: axes.iter().map(|axis| &axis.dimension).collect(),
        filter: &layout.filter,
        bound: layout.bound,
    };
    let digest = canonical::digest("consilium-whole-v1", &whole)?;
    Ok(of_dataset(layout, format!("whole.{digest}")))
}

fn words(measure: &Measure) -> String {
    match measure {
        Measure::Sum { field } => format!("sums of `{field}`"),
        _ => "number of stays".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::compile;
    use crate::rules::{DEFAULT, Privacy};
    use crate::template;
    use schemas::time::{DataYear, Period};

    fn dictionary() -> Dictionary {
        let plan = include_str!("../../dictionaries/chs.toml");
        let mut table: toml::Table = plan.parse().unwrap();
        let group = "[[groups]]\ncode = \"other\"\nname = { zh = \"甲\", en = \"a\" }\nmdc = \"other\"\nweight_micro = 1000000\nreferences = { cost = 1, charge = 1, stay = 1 }";
        let groups: toml::Table = group.parse().unwrap();
        table.extend(groups);
        table.insert("alliance".to_owned(), "a".into());
        table.insert("version".to_owned(), 1.into());
        table.insert(
            "bin_edges".to_owned(),
            toml::Value::Array(vec![0.into(), 3000.into()]),
        );
        table.try_into().unwrap()
    }

    fn layout(name: &str) -> Layout {
        let (dictionary, rules) = (dictionary(), Privacy::parse(DEFAULT).unwrap());
        let shipped = template::shipped();
        let template = shipped.iter().find(|t| t.id.as_str() == name).unwrap();
        let period = Period::year(DataYear(2025)).unwrap();
        let draft = template.draft(&dictionary, rules.digest().unwrap(), period);
        compile(&draft.unwrap().question, &dictionary, &rules).unwrap()
    }

    fn apart_of(name: &str) -> Apart {
        apart(&layout(name), &dictionary()).unwrap()
    }

    /// The pair stands together; what tells the same measure does not.
    #[test]
    fn the_shipped_pair_stands_together_and_nothing_else_does() {
        let pooled = apart_of("yearly-alliance");
        let meets = |name: &str| {
            let told = told(&layout(name)).unwrap();
            let apart = told.subjects.is_disjoint(&pooled.subjects);
            let whole = pooled.wholes.keys().all(|one| told.wholes.contains(one));
            (apart, whole)
        };
        assert_eq!(meets("yearly-hospitals"), (true, true));
        assert_eq!(pooled.wholes.len(), 2);
        // Its histogram and structure are told by hospital.
        assert_eq!(meets("yearly-benchmark"), (false, true));
        assert_eq!(meets("audit-signals"), (false, false));
        // A pooled table that has its wholes needs none told, and goes beside nothing of them.
        let alone = apart_of("yearly-pooled");
        assert!(alone.wholes.is_empty());
        let hospitals = told(&layout("yearly-hospitals")).unwrap();
        assert!(!hospitals.subjects.is_disjoint(&alone.subjects));
    }

    /// A whole by other dimensions, filters or bounds is not the same whole.
    #[test]
    fn a_whole_is_by_exactly_its_dimensions_filters_and_bounds() {
        let of = |change: &dyn Fn(&mut Layout)| {
            let mut layout = layout("yearly-hospitals");
            change(&mut layout);
            let told = told(&layout).unwrap();
            apart_of("yearly-alliance")
                .wholes
                .keys()
                .all(|whole| told.wholes.contains(whole))
        };
        assert!(of(&|_| {}));
        assert!(!of(&|layout| layout.bound = Bound::Year {
            groups: 2,
            stays: 1
        }));
        assert!(!of(&|layout| {
            layout
                .blocks
                .retain(|block| !matches!(block.measure, Measure::Sum { .. }));
        }));
        assert!(!of(&|layout| {
            let axis = layout
                .tables
                .iter()
                .find_map(|table| table.axes.first())
                .unwrap();
            let allowed = vec![true; axis.keys.len()];
            layout.filter = vec![KeySet {
                axis: axis.clone(),
                allowed,
            }];
        }));
        assert!(!of(&|layout| layout
            .tables
            .iter_mut()
            .for_each(|table| table.axes.clear())));
    }

    /// Items, their whole and its bins, each asked one way and then the other.
    #[test]
    fn what_can_be_computed_from_each_other_is_told_one_way() {
        let field: Slug = "cost".parse().unwrap();
        let items_of: Vec<Slug> = dictionary()
            .items_of(&field)
            .map(|item| item.id.clone())
            .collect();
        let item = items_of.first().unwrap().clone();
        let told_by = |measure: &Measure| subject(measure);
        let pooled = |measure: &Measure| derived(measure, &dictionary()).0;
        let (sum, bins, structure, part) = (
            Measure::Sum {
                field: field.clone(),
            },
            Measure::Histogram {
                field: field.clone(),
            },
            Measure::Structure { field },
            Measure::Sum { field: item },
        );
        for (first, second, both) in [
            (&sum, &structure, true),
            (&sum, &bins, true),
            (&bins, &structure, true),
            (&structure, &bins, true),
            (&Measure::Count, &bins, true),
            (&sum, &sum, false),
            (&structure, &sum, false),
            (&structure, &structure, false),
            (&part, &structure, false),
            (&part, &sum, false),
            (&sum, &part, false),
            (&structure, &part, false),
            (&bins, &sum, false),
            (&bins, &bins, false),
            (&bins, &Measure::Count, false),
        ] {
            let clash = pooled(second).contains(&told_by(first));
            assert_eq!(!clash, both, "{first:?} attributed, {second:?} pooled");
        }
    }
}
