//! The scan against a plain reading of the definitions, and the claimed sensitivities against
//! every patient's removal.

use policies::plan::{Bound, Layout, compile};
use proptest::prelude::*;
use schemas::dictionary::Dictionary;
use schemas::question::{Filter, Measure, Question, Series};
use tests::fixture::{self, Stay, dictionary, rules, slug};

/// Cells of every block as the definitions say, stay by stay, in rationals' whole-number form.
fn plainly(
    layout: &Layout,
    question: &Question,
    dictionary: &Dictionary,
    stays: &[Stay],
) -> Vec<Vec<i64>> {
    let mdcs = dictionary.mdcs();
    let mut blocks: Vec<Vec<i64>> = layout
        .blocks
        .iter()
        .map(|block| vec![0; layout.numbers(block)])
        .collect();
    for (stay, [group_rank, stay_rank, series_rank]) in fixture::ranked(stays) {
        let counts = match layout.bound {
            Bound::Year { groups, stays } => group_rank < groups && stay_rank < stays,
            Bound::Series { months } => series_rank < months,
        };
        let group = &dictionary.groups[usize::from(stay.group)];
        let month = question.period.from.index() % 12;
        let key_of = |dimension: &str| -> String {
            match dimension {
                "case_group" => group.code.clone(),
                "mdc" => group.mdc.clone(),
                "sex" => ["f", "m", "other"][usize::from(stay.sex)].to_owned(),
                "severity" => ["1", "3", "5", "other"][usize::from(stay.severity)].to_owned(),
                "month" => format!("2025-{:02}", stay.month + 1),
                other => panic!("{other}"),
            }
        };
        let passes = |filter: &Filter| {
            filter
                .iter()
                .all(|(dimension, keys)| keys.contains(&key_of(dimension.as_str())))
        };
        let in_period = question
            .period
            .months()
            .iter()
            .any(|m| m.number() == stay.month + 1);
        let _ = month;
        if !counts || !in_period || !passes(&question.filter) {
            continue;
        }
        let cost = u128::from(stay.drugs) + u128::from(stay.staff);
        for (spec, cells) in layout.blocks.iter().zip(&mut blocks) {
            let table = layout.table_of(spec).unwrap();
            let mut cell = 0;
            for axis in &table.axes {
                let key = key_of(axis.dimension.as_str());
                cell = cell * axis.keys.len() + axis.keys.iter().position(|k| *k == key).unwrap();
            }
            // The reference of the cell: the largest among the groups that can fall in it.
            let shares = |other: &&schemas::dictionary::Group| {
                let same = |dimension: &str, a: &str, b: &str| {
                    !table
                        .axes
                        .iter()
                        .any(|axis| axis.dimension.as_str() == dimension)
                        || a == b
                };
                let in_scope = question.filter.iter().all(|(d, keys)| match d.as_str() {
                    "case_group" => keys.contains(&other.code),
                    "mdc" => keys.contains(&other.mdc),
                    _ => true,
                });
                in_scope
                    && same("case_group", &other.code, &group.code)
                    && same("mdc", &other.mdc, &group.mdc)
            };
            let cell_cost = dictionary
                .groups
                .iter()
                .filter(shares)
                .map(|g| g.references.cost)
                .max();
            let cell_stay = dictionary
                .groups
                .iter()
                .filter(shares)
                .map(|g| g.references.stay)
                .max();
            let scaled = |x: u128, cap_of: u64, against: u64| {
                let clamped = x.min(u128::from(cap_of) * u128::from(dictionary.cap));
                (2000 * clamped + u128::from(against)) / (2 * u128::from(against))
            };
            let own_cost = group.references.cost;
            let value = |field: &str| match field {
                "cost" => scaled(cost, own_cost, cell_cost.unwrap()),
                _ => scaled(
                    u128::from(stay.los),
                    group.references.stay,
                    cell_stay.unwrap(),
                ),
            };
            let add =
                |cells: &mut Vec<i64>, at: usize, by: u128| cells[at] += i64::try_from(by).unwrap();
            // What a stay counts less: every table here counts its stays and sums what it squares.
            let less = if question.centred {
                i64::from(dictionary.cap) * 500
            } else {
                0
            };
            let off = |value: u128| i64::try_from(value).unwrap() - less;
            match &spec.measure {
                Measure::Count => add(cells, cell, 1),
                Measure::CountWhere { filter } => add(cells, cell, u128::from(passes(filter))),
                Measure::Sum { field } => cells[cell] += off(value(field.as_str())),
                Measure::Relative { .. } => cells[cell] += off(scaled(cost, own_cost, own_cost)),
                Measure::Squares { field } => cells[cell] += off(value(field.as_str())).pow(2),
                Measure::Histogram { .. } => {
                    let raw = (2000 * cost + u128::from(own_cost)) / (2 * u128::from(own_cost));
                    let bin = fixture::EDGES
                        .iter()
                        .filter(|e| u128::from(**e) <= raw)
                        .count()
                        - 1;
                    add(cells, cell * fixture::EDGES.len() + bin, 1);
                }
                Measure::Structure { .. } => {
                    for (at, item) in [stay.drugs, stay.staff].into_iter().enumerate() {
                        let share = (u128::from(item) * value("cost"))
                            .checked_div(cost)
                            .unwrap_or(0);
                        add(cells, cell * 2 + at, share);
                    }
                }
            }
        }
        let _ = &mdcs;
    }
    blocks
}

fn stay() -> impl Strategy<Value = Stay> {
    let amount = prop_oneof![
        0_u32..4_000_000,
        Just(0),
        Just(1_999_999_999),
        Just(500_000),
        Just(1_500_000)
    ];
    (
        0_u32..12,
        0_u8..12,
        0_u16..4,
        0_u8..3,
        0_u8..4,
        amount.clone(),
        amount,
        0_u32..60_000,
    )
        .prop_map(
            |(patient, month, group, sex, severity, drugs, staff, los)| Stay {
                patient,
                month,
                group,
                sex,
                severity,
                drugs,
                staff,
                los,
            },
        )
}

fn questions() -> impl Strategy<Value = Question> {
    let by =
        prop::sample::subsequence(vec!["case_group", "mdc", "month", "sex", "severity"], 0..=3);
    let bounds = (1_u8..4, 1_u8..2);
    (by, 0_u8..4, bounds, any::<bool>(), any::<bool>()).prop_map(
        |(by, filter, (groups, stays), series, centred)| {
            let mut question = fixture::question(&[(&by, fixture::all_measures("0.01"))]);
            question.centred = centred;
            question.bounds.groups = groups;
            question.bounds.stays = stays;
            match filter {
                1 => drop(question.filter.insert(slug("mdc"), vec!["MDCA".to_owned()])),
                2 => drop(
                    question
                        .filter
                        .insert(slug("sex"), vec!["f".to_owned(), "other".to_owned()]),
                ),
                3 => {
                    question
                        .filter
                        .insert(slug("case_group"), vec!["AB1".to_owned(), "BA1".to_owned()]);
                    question
                        .filter
                        .insert(slug("severity"), vec!["1".to_owned()]);
                }
                _ => {}
            }
            if series {
                question.period.to = question.period.from;
                question.series = Some(Series { months: 3 });
            }
            question.canonical()
        },
    )
}

fn scanned(
    layout: &Layout,
    dictionary: &Dictionary,
    stays: &[Stay],
    threads: usize,
) -> Vec<Vec<i64>> {
    let rows = fixture::rows(stays);
    let exact = node::scan::run(layout, dictionary, &rows, threads).unwrap();
    exact
        .into_blocks()
        .into_iter()
        .map(Option::unwrap)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn equals_the_definitions(stays in prop::collection::vec(stay(), 1..120), question in questions()) {
        let dictionary = dictionary();
        let layout = compile(&question, &dictionary, &rules()).unwrap();
        let plain = plainly(&layout, &question, &dictionary, &stays);
        prop_assert_eq!(&scanned(&layout, &dictionary, &stays, 1), &plain);
        prop_assert_eq!(&scanned(&layout, &dictionary, &stays, 2), &plain);
    }

    /// Stored batches are ordered by case group: long runs take the other way through the kernel.
    #[test]
    fn equals_the_definitions_run_by_run(
        mut stays in prop::collection::vec(stay(), 80..300),
        question in questions(),
    ) {
        for stay in &mut stays {
            stay.month %= 2;
        }
        stays.sort_by_key(|stay| stay.group);
        let dictionary = dictionary();
        let layout = compile(&question, &dictionary, &rules()).unwrap();
        let plain = plainly(&layout, &question, &dictionary, &stays);
        prop_assert_eq!(&scanned(&layout, &dictionary, &stays, 1), &plain);
        prop_assert_eq!(&scanned(&layout, &dictionary, &stays, 2), &plain);
    }

    /// privacy.md, trap 1: removing any patient moves no block beyond its claim.
    #[test]
    fn no_patient_moves_a_block_beyond_its_claim(
        stays in prop::collection::vec(stay(), 1..80),
        question in questions(),
    ) {
        let dictionary = dictionary();
        let layout = compile(&question, &dictionary, &rules()).unwrap();
        let all = scanned(&layout, &dictionary, &stays, 1);
        for patient in 0..12 {
            let without: Vec<Stay> = stays.iter().filter(|s| s.patient != patient).cloned().collect();
            let rest = if without.is_empty() {
                all.iter().map(|block| vec![0; block.len()]).collect()
            } else {
                scanned(&layout, &dictionary, &without, 1)
            };
            for ((a, b), spec) in all.iter().zip(&rest).zip(&layout.blocks) {
                let squared: u128 = a.iter().zip(b).map(|(a, b)| u128::from(a.abs_diff(*b)).pow(2)).sum();
                prop_assert!(squared <= spec.l2_squared, "{:?} {} > {}", spec.measure, squared, spec.l2_squared);
            }
        }
    }
}

/// The claim is tight: an adversarial patient reaches it, in centred sums as in plain ones.
#[test]
fn an_extreme_patient_reaches_the_claim() {
    for centred in [false, true] {
        reaches_the_claim(centred);
    }
}

fn reaches_the_claim(centred: bool) {
    let dictionary = dictionary();
    let mut question = fixture::question(&[(&["case_group"], fixture::all_measures("0.01"))]);
    question.centred = centred;
    let layout = compile(&question, &dictionary, &rules()).unwrap();
    let stays: Vec<Stay> = (0..50)
        .map(|n| Stay {
            patient: 1,
            month: n % 12,
            group: u16::from(n % 4),
            sex: 0,
            severity: 0,
            drugs: 1_999_999_999,
            staff: 1_999_999_999,
            los: 4_000_000_000,
        })
        .collect();
    let all = scanned(&layout, &dictionary, &stays, 1);
    for (block, spec) in all.iter().zip(&layout.blocks) {
        let squared: u128 = block
            .iter()
            .map(|v| u128::from(v.unsigned_abs()).pow(2))
            .sum();
        let tight = !matches!(spec.measure, Measure::Structure { .. });
        assert!(squared <= spec.l2_squared, "{:?}", spec.measure);
        assert!(
            !tight || squared == spec.l2_squared,
            "{:?}: {squared}",
            spec.measure
        );
    }
}

/// Without noise a centred sum + centre × the count is the plain sum, for any stays; the sensitivity
/// of sums is half that of plain ones and of squares a quarter; counts, bins and items do not change.
#[test]
fn centred_sums_and_counts_give_the_plain_sums() {
    let dictionary = dictionary();
    let mut runner = proptest::test_runner::TestRunner::default();
    let stays = prop::collection::vec(stay(), 1..120);
    let checked = runner.run(&(stays, questions()), |(stays, question)| {
        let ask = |centred| Question {
            centred,
            ..question.clone()
        };
        let [plain, centred] = [false, true].map(|centred| {
            let layout = compile(&ask(centred), &dictionary, &rules()).unwrap();
            let cells = scanned(&layout, &dictionary, &stays, 1);
            (layout, cells)
        });
        prop_assert_ne!(plain.0.digest().unwrap(), centred.0.digest().unwrap());
        let count = plain.0.find(0, &Measure::Count).unwrap();
        for (at, spec) in centred.0.blocks.iter().enumerate() {
            let (half, before) = (i64::from(spec.centre), &plain.0.blocks[at]);
            let linear = matches!(spec.measure, Measure::Sum { .. } | Measure::Relative { .. });
            let squares = matches!(spec.measure, Measure::Squares { .. });
            prop_assert_eq!(before.centre, 0);
            let centre = if linear || squares { 1500 } else { 0 };
            prop_assert_eq!(half, centre);
            let factor = match () {
                () if linear => 4,
                () if squares => 16,
                () => 1,
            };
            prop_assert_eq!(spec.l2_squared * factor, before.l2_squared);
            if linear || !squares {
                let rebuilt: Vec<i64> = if linear {
                    let pairs = centred.1[at].iter().zip(&centred.1[count]);
                    pairs.map(|(sum, count)| sum + half * count).collect()
                } else {
                    centred.1[at].clone()
                };
                prop_assert_eq!(&rebuilt, &plain.1[at]);
            }
        }
        Ok(())
    });
    checked.unwrap();
}
