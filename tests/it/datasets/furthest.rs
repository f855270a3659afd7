//! How far one patient can move an answer, by trying: every set of at most three rows (four in the long tier) of one patient
//! over a small domain goes through the loader and the scan. No set moves a block further than the
//! l2 bound that its noise is scaled to, and some set moves it exactly as far.

use arrow_buffer::ScalarBuffer;
use node::scan::{self, Codes, Rows};
use node::store::columns::{self, MonthColumns};
use policies::plan::{BlockLayout, Layout, compile};
use schemas::dictionary::Dictionary;
use schemas::question::{Dataset, Measure};

use super::{Row, SETS, Set};
use crate::hospital::Hospital;

/// Patients of one file are told apart by sex and age band.
const BANDS: usize = 19;
const PATIENTS: usize = 2 * BANDS;

/// Most rows of a patient.
fn most() -> usize {
    if tests::fixture::long() { 4 } else { 3 }
}

/// Every multiset of 1 to so many of these points.
fn multisets(points: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = Vec::new();
    let mut longest: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..most() {
        let longer = longest.iter().flat_map(|set| {
            let from = set.last().copied().unwrap_or(0);
            (from..points).map(move |point| [set.as_slice(), &[point]].concat())
        });
        longest = longer.collect();
        all.extend(longest.iter().cloned());
    }
    all
}

/// Three groups, two keys, and nothing or more than the cap.
fn point(set: &Set, number: usize) -> (usize, usize, bool, u64) {
    let most = set.field.map_or(1, |(_, _, most)| most);
    let high = number / 6 % 2 == 1;
    (
        number % 3,
        number / 3 % 2,
        high,
        if high { most } else { 0 },
    )
}

fn file(set: &Set, patients: &[Vec<usize>]) -> Vec<u8> {
    let mut text = format!("{}\n", set.header);
    for (patient, points) in patients.iter().enumerate() {
        for (nth, of) in points.iter().enumerate() {
            let (group, by, flag, amount) = point(set, *of);
            let row = Row {
                number: format!("N{nth}"),
                patient: format!("p{patient}"),
                // Rows of a patient lie in one month, two or all apart.
                month: u8::try_from(1 + nth % (1 + patient % 3)).unwrap(),
                group,
                by,
                flag,
                amount,
            };
            let values = set.values(&row).into_iter();
            let values = values.map(|(column, value)| match column {
                "sex" => ["m", "f"][patient / BANDS].to_owned(),
                "birth_date" => format!("{}-01-01", 2025 - 5 * (patient % BANDS) - 2),
                _ => value,
            });
            text += &(values.collect::<Vec<_>>().join(",") + "\n");
        }
    }
    text.into_bytes()
}

/// The rows of one patient.
fn of_patient(all: &[Rows], patient: usize, of: &Dictionary) -> Vec<Rows> {
    let key = |rows: &Rows, name: &str, at: usize| match &rows.keys[name] {
        Codes::Narrow(codes) => usize::from(codes[at]),
        Codes::Wide(codes) => usize::from(codes[at]),
    };
    let sexes = &of.dimension("sex").unwrap().keys;
    let sex = ["m", "f"][patient / BANDS];
    let sex = sexes.iter().position(|key| key.code == sex).unwrap();
    let pick = |rows: &Rows| {
        let places: Vec<usize> = (0..rows.len())
            .filter(|at| {
                key(rows, "sex", *at) == sex && key(rows, "age_band", *at) == patient % BANDS
            })
            .collect();
        let mut picked = rows.clone();
        let bytes = |of: &ScalarBuffer<u8>| places.iter().map(|at| of[*at]).collect();
        picked.group = places.iter().map(|at| rows.group[*at]).collect();
        for codes in picked.keys.values_mut() {
            *codes = match codes {
                Codes::Narrow(codes) => Codes::Narrow(bytes(codes)),
                Codes::Wide(codes) => Codes::Wide(places.iter().map(|at| codes[*at]).collect()),
            };
        }
        for values in picked.fields.values_mut() {
            *values = places.iter().map(|at| values[*at]).collect();
        }
        picked.group_rank = bytes(&rows.group_rank);
        picked.stay_rank = bytes(&rows.stay_rank);
        picked.series_rank = bytes(&rows.series_rank);
        picked.made_ready(of)
    };
    let picked = all.iter().map(pick);
    picked.filter(|rows| !rows.is_empty()).collect()
}

/// Loads a file, takes its columns and forgets it again.
async fn columns_of(hospital: &Hospital, set: &Set, patients: &[Vec<usize>]) -> Vec<Rows> {
    let bytes = file(set, patients);
    let summary = hospital.load_file("rows.csv", &bytes, set.mapping).await;
    let summary = summary.unwrap();
    assert_eq!(summary.refused, 0);
    let load = summary.load.unwrap();
    let folder = columns::folder(&hospital.config.data).join(&load);
    let mut rows = Vec::new();
    for quality in &summary.quality {
        let month = MonthColumns::open(&folder, quality.month).unwrap();
        for batch in month.batches() {
            let (columns, ranks) = batch.parts();
            rows.push(Rows::from_batches(quality.month, columns, ranks).unwrap());
        }
    }
    let (state, data) = (&hospital.state, &hospital.config.data);
    let gone = node::release::discard(state, data, &load, crate::hospital::NOW).await;
    gone.unwrap();
    rows
}

fn body(set: &Set, (groups, stays): (u8, u8)) -> String {
    let mut measures = vec![
        "{ kind = \"count\" }".to_owned(),
        format!(
            "{{ kind = \"count_where\", filter = {{ {} }} }}",
            set.flag.2
        ),
    ];
    if let Some((field, ..)) = set.field {
        for kind in ["sum", "relative", "squares", "histogram"] {
            measures.push(format!("{{ kind = \"{kind}\", field = \"{field}\" }}"));
        }
    }
    let blocks: String = measures
        .iter()
        .map(|measure| format!("  {{ measure = {measure}, rho = \"0.001\" }},\n"))
        .collect();
    let by = set.by.0;
    let tables = [
        "".to_owned(),
        format!("\"{by}\""),
        "\"case_group\"".to_owned(),
    ];
    let tables = tables.map(|by| format!("[[tables]]\nby = [{by}]\nblocks = [\n{blocks}]\n"));
    format!(
        "bounds = {{ groups = {groups}, stays = {stays} }}\n{}",
        tables.concat()
    )
}

/// Whether some patient reaches the bound: not where rows of several groups share a cell whose
/// reference is the greatest of theirs, so that only those of one group reach the cap.
fn reached(set: &Set, layout: &Layout, block: &BlockLayout) -> bool {
    let table = layout.table_of(block).unwrap();
    let by_group = table
        .axes
        .iter()
        .any(|a| a.dimension.as_str() == "case_group");
    let plain = matches!(
        block.measure,
        Measure::Count
            | Measure::CountWhere { .. }
            | Measure::Histogram { .. }
            | Measure::Relative { .. }
    );
    plain || by_group || set.dataset == Dataset::Surveys
}

#[tokio::test]
async fn no_set_of_rows_of_a_patient_moves_a_block_further_than_its_noise_is_scaled_to() {
    let bounds = [(1, 1), (2, 1), (3, 1), (1, 2), (1, 3)];
    for set in &SETS {
        let hospital = Hospital::new("h1").await;
        let app = hospital.app().await;
        let of = app.dictionary.of(set.dataset).unwrap();
        let mut rules = app.policy.clone();
        rules.contribution.stays = 3;
        let mut layouts: Vec<((u8, u8), Layout)> = Vec::new();
        for bound in bounds {
            for centred in [false, true] {
                let mut asked = set.ask(&app, "2025", &body(set, bound));
                asked.centred = centred;
                layouts.push((
                    bound,
                    compile(&asked.canonical(), &app.dictionary, &rules).unwrap(),
                ));
            }
        }
        let mut furthest: Vec<Vec<u128>> = layouts
            .iter()
            .map(|(_, layout)| vec![0; layout.blocks.len()])
            .collect();
        let sets = multisets(12);
        assert_eq!(sets.len(), if most() == 4 { 1819 } else { 454 });
        for patients in sets.chunks(PATIENTS) {
            let all = columns_of(&hospital, set, patients).await;
            for (patient, points) in patients.iter().enumerate() {
                let rows = of_patient(&all, patient, &of);
                let counted: usize = rows.iter().map(Rows::len).sum();
                assert_eq!(counted, points.len());
                for ((_, layout), furthest) in layouts.iter().zip(&mut furthest) {
                    let cells = scan::run(layout, &app.dictionary, &rows, 1).unwrap();
                    let cells = node::noise::add(layout, cells, &tests::noise::Zero, 1).unwrap();
                    for (block, furthest) in cells.into_blocks().into_iter().zip(furthest) {
                        let squares = block.unwrap_or_default().into_iter();
                        let squares = squares.map(|cell| u128::from(cell.unsigned_abs()).pow(2));
                        *furthest = squares.sum::<u128>().max(*furthest);
                    }
                }
            }
        }
        for (((groups, stays), layout), furthest) in layouts.iter().zip(&furthest) {
            for (block, furthest) in layout.blocks.iter().zip(furthest) {
                let told = format!(
                    "{} K = {groups}, c = {stays}: {:?} of table {}",
                    set.dataset.as_str(),
                    block.measure,
                    block.table
                );
                assert!(*furthest <= block.l2_squared, "{told}: {furthest}");
                if reached(set, layout, block) {
                    assert_eq!(*furthest, block.l2_squared, "{told}");
                }
            }
        }
    }
}
