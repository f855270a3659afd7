use std::collections::BTreeMap;

use schemas::answer::Grade;
use schemas::dictionary::{
    Dictionary, Dimension, Field, Group, Key, KeySource, Label, Reference, References, Scheme, Unit,
};

use super::*;

fn label(text: &str) -> Label {
    Label {
        zh: text.to_owned(),
        en: text.to_owned(),
    }
}

fn dictionary() -> Dictionary {
    let group = |code: &str| Group {
        code: code.to_owned(),
        name: label(code),
        mdc: "A".to_owned(),
        weight_micro: 1_000_000,
        references: References {
            cost: 1_000,
            charge: 1_000,
            stay: 7_000,
            score: None,
        },
    };
    let field = |id: &str, unit, part_of: Option<&str>| Field {
        id: id.parse().unwrap(),
        label: label(id),
        unit,
        reference: match unit {
            Unit::Fen => Reference::Cost,
            Unit::MilliDay => Reference::Stay,
            Unit::CentiPoint => Reference::Score,
        },
        most: u32::MAX,
        required: false,
        part_of: part_of.map(|whole| whole.parse().unwrap()),
    };
    Dictionary {
        alliance: "trial".parse().unwrap(),
        version: 1,
        currency: "CNY".to_owned(),
        scheme: Scheme {
            id: "local".parse().unwrap(),
            version: "1".to_owned(),
        },
        cap: 3,
        max_rows: 1_000_000,
        groups: vec![group("G1"), group("G2"), group("other")],
        dimensions: vec![Dimension {
            id: "department".parse().unwrap(),
            label: label("department"),
            source: KeySource::Exact,
            keys: ["d1", "d2", "other"]
                .map(|code| Key {
                    code: code.to_owned(),
                    label: label(code),
                })
                .into(),
        }],
        fields: vec![
            field("cost", Unit::Fen, None),
            field("los", Unit::MilliDay, None),
            field("drugs", Unit::Fen, Some("cost")),
            field("staff", Unit::Fen, Some("cost")),
        ],
        further: Vec::new(),
        bin_edges: vec![0, 1_000, 3_000],
    }
}

/// Stays of (department, group, drugs, staff, los): each patient its own, cost is the sum.
fn table(rows: &[(u16, u16, u32, u32, u32)]) -> Table {
    let mut table = Table::default();
    for (number, (department, group, drugs, staff, los)) in (0_u8..).zip(rows) {
        table.patients.push([number; 16]);
        table.groups.push(*group);
        let mut field = |name: &str, value: u32| {
            table.fields.entry(name.to_owned()).or_default().push(value);
        };
        field("cost", drugs + staff);
        field("drugs", *drugs);
        field("staff", *staff);
        field("los", *los);
        let departments = table.dimensions.entry("department".to_owned());
        departments.or_default().push(*department);
    }
    table
}

fn found(table: &Table, refused: &[(&str, u64)], age: Option<u64>) -> Vec<Finding> {
    let rules = QualityRules::parse(DEFAULT).unwrap();
    let refused = refused.iter().map(|(id, rows)| ((*id).to_owned(), *rows));
    let refused: BTreeMap<String, u64> = refused.collect();
    let dictionary = dictionary();
    let of = Examined {
        dataset: STAYS,
        month: "2026-01".parse().unwrap(),
        dictionary: &dictionary,
        table,
        refused: &refused,
        earlier: &Coverage::default(),
        age,
        matched: None,
    };
    examine(&rules, &of)
}

/// Rule, department, group, field, rows, of how many.
fn told(found: &[Finding]) -> Vec<(&str, &str, &str, &str, u64, u64)> {
    found
        .iter()
        .map(|one| {
            let (department, group) = (one.department.as_str(), one.group.as_str());
            (
                one.rule.as_str(),
                department,
                group,
                one.field.as_str(),
                one.rows,
                one.of,
            )
        })
        .collect()
}

const SOUND: (u16, u16, u32, u32, u32) = (0, 0, 400, 600, 5_000);

#[test]
fn a_sound_month_has_no_findings() {
    assert_eq!(found(&table(&[SOUND; 30]), &[], Some(35)), []);
}

#[test]
fn each_rule_finds_its_rows_by_department_and_group() {
    let mut rows = vec![SOUND; 20];
    // No cost at all; beyond 50 × the reference of 10.00, which itself is inside; no days.
    rows.extend([
        (1, 0, 0, 0, 5_000),
        (1, 1, 0, 50_001, 5_000),
        (1, 1, 0, 50_000, 0),
    ]);
    // Neither department nor group is listed.
    rows.push((2, 2, 400, 600, 5_000));
    let mut table = table(&rows);
    // One that does not add up, one that is the first again.
    table.fields.get_mut("cost").unwrap()[3] = 1_001;
    table.patients[5] = table.patients[4];
    let found = found(&table, &[("date-order", 2), ("required", 1)], Some(36));
    assert_eq!(
        told(&found),
        [
            ("refused-empty", "", "", "required", 1, 27),
            ("refused-order", "", "", "date-order", 2, 27),
            ("case-group-listed", "other", "other", "case_group", 1, 1),
            ("department-listed", "other", "other", "department", 1, 1),
            ("cost-range", "d2", "G1", "cost", 1, 1),
            ("cost-range", "d2", "G2", "cost", 1, 2),
            ("stay-range", "d2", "G2", "los", 1, 2),
            ("cost-parts", "d1", "G1", "cost", 1, 20),
            ("repeated", "d1", "G1", "", 1, 20),
            ("cost-outlier", "d1", "G1", "cost", 1, 20),
            ("cost-outlier", "d2", "G1", "cost", 1, 1),
            ("fresh", "", "", "", 24, 24),
        ]
    );
}

#[test]
fn what_a_group_usually_has_is_asked_of_a_department_that_lacks_it() {
    // 40 stays of one department with drugs, 11 of another of which 5 have them: 5/11 < 1/2.
    let mut rows = vec![SOUND; 40];
    rows.extend([(1, 0, 1, 999, 5_000); 5]);
    rows.extend([(1, 0, 0, 1_000, 5_000); 6]);
    let scope = |rows: &[_], earlier: &Coverage| -> Vec<(String, String, u64)> {
        let rules = QualityRules::parse(DEFAULT).unwrap();
        let (dictionary, month) = (dictionary(), table(rows));
        let of = Examined {
            dataset: STAYS,
            month: "2026-01".parse().unwrap(),
            dictionary: &dictionary,
            table: &month,
            refused: &BTreeMap::new(),
            earlier,
            age: None,
            matched: None,
        };
        let found = examine(&rules, &of).into_iter();
        let scope = found.filter(|one| one.rule.as_str() == "scope");
        scope
            .map(|one| (one.department, one.field, one.rows))
            .collect()
    };
    let none = Coverage::default();
    let expected = [("d2".to_owned(), "drugs".to_owned(), 6)];
    assert_eq!(scope(&rows, &none), expected);
    // 6 of 12 is no less than a half; of ten stays nothing is said.
    let mut half = rows.clone();
    half.push((1, 0, 1, 999, 5_000));
    assert_eq!(scope(&half, &none), []);
    assert_eq!(scope(&rows[..50], &none), []);
    // A past in which the group had no drugs asks nobody for them.
    let mut past = Coverage::default();
    past.add(&table(&[(0, 0, 0, 1_000, 5_000); 11]));
    assert_eq!(scope(&rows, &past), []);
}

#[test]
fn scores_grades_waivers_and_what_is_fixed() {
    let rules = QualityRules::parse(DEFAULT).unwrap();
    let month = "2026-01".parse().unwrap();
    let finding = |rule: &str, aspect, rows| Finding {
        dataset: STAYS.to_owned(),
        month,
        rule: rule.parse().unwrap(),
        aspect,
        counts: true,
        department: "d1".to_owned(),
        field: String::new(),
        group: String::new(),
        rows,
        of: 1_000,
    };
    let first = vec![
        finding("a", Aspect::Accuracy, 51),
        finding("b", Aspect::Completeness, 1),
        Finding {
            counts: false,
            ..finding("c", Aspect::Consistency, 900)
        },
    ];
    let known = settle(Vec::new(), first.clone());
    let graded = |known: &[Known]| report(&rules, (STAYS, month), (1_000, 100, false), known);
    let of = graded(&known);
    let scores = (
        of.scores.accuracy,
        of.scores.completeness,
        of.scores.consistency,
    );
    assert_eq!((scores, of.grade, of.open), ((94, 99, 100), Grade::B, 3));
    // A waiver lifts the grade that counts; what was found stays beside it.
    let mut waived = known;
    let a = waived
        .iter_mut()
        .find(|one| one.finding.rule.as_str() == "a")
        .unwrap();
    a.state = State::Waived {
        by: "Li Hua".to_owned(),
        reason: "new theatre".to_owned(),
        rows: 51,
    };
    let of = graded(&waived);
    assert_eq!(
        (of.grade, of.found_grade, of.waived),
        (Grade::A, Grade::B, 1)
    );
    // The same or fewer rows keep it, more open it again; what is gone is fixed.
    let state = |known: &[Known], rule: &str| {
        let one = known.iter().find(|one| one.finding.rule.as_str() == rule);
        one.unwrap().state.clone()
    };
    let again = settle(waived.clone(), vec![finding("a", Aspect::Accuracy, 51)]);
    assert!(matches!(state(&again, "a"), State::Waived { .. }));
    assert_eq!(state(&again, "b"), State::Fixed);
    assert_eq!(graded(&again).open, 0);
    let more = settle(waived, vec![finding("a", Aspect::Accuracy, 52)]);
    assert_eq!(state(&more, "a"), State::Open);
    assert_eq!(state(&settle(again, first), "b"), State::Open);
    assert_eq!(
        report(&rules, (STAYS, month), (0, 100, false), &[]).grade,
        Grade::D
    );
}

#[test]
fn rules_are_refused_whole_with_every_fault() {
    for (from, to) in [
        ("[95, 85, 70]", "[95, 85, 85]"),
        ("id = \"repeated\"", "id = \"scope\""),
        ("times = \"3\", stays = 11", "times = \"3\", stays = 3"),
        ("usual = \"0.80\"", "usual = \"1.01\""),
        ("days = 35", "days = 35, hours = 1"),
        ("kind = \"repeated\"", "kind = \"guess\""),
        (
            "aspect = \"timeliness\"\ncounts = false",
            "aspect = \"timeliness\"\ncounts = true",
        ),
    ] {
        assert!(DEFAULT.contains(from), "{from}");
        let rules = DEFAULT.replacen(from, to, 1);
        assert!(QualityRules::parse(&rules).is_err(), "{to}");
    }
    let grades = QualityRules::parse(DEFAULT).unwrap();
    for (score, grade) in [
        (95, Grade::A),
        (94, Grade::B),
        (84, Grade::C),
        (69, Grade::D),
    ] {
        assert_eq!(grades.grade(score), grade);
    }
}
