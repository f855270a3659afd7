use std::io::Write as _;

use proptest::prelude::*;

use super::*;
use crate::ingest::IngestError;
use crate::ingest::encoding::Encoding;
use crate::ingest::mapping::Mapping;
use crate::ingest::source::Source;
use crate::load::fixture::{HEADER, MAPPING, dictionary, row};

/// Month, age, group, amounts.
type Typed = (Month, Option<u16>, u16, Vec<u32>);

/// Checks one line; gives the rule and field that it breaks.
fn check(line: &[u8]) -> Result<Typed, (Rule, String)> {
    check_by(MAPPING, line)
}

fn check_by(mapping: &str, line: &[u8]) -> Result<Typed, (Rule, String)> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(format!("{HEADER}\n").as_bytes()).unwrap();
    file.write_all(line).unwrap();
    // Such a file is refused whole, at its head or further on, before any of its rows is checked.
    let refused = || Err((Rule::Width, String::new()));
    let mut source = match Source::open(file.path(), Encoding::Utf8) {
        Err(IngestError::Quotes { .. }) => return refused(),
        source => source.unwrap(),
    };
    let mapping = Mapping::parse(mapping).unwrap();
    let dictionary = dictionary();
    let bound = Bound::new(&mapping, &[], &dictionary, source.header()).unwrap();
    let mut rules = Checker::new(&bound, &dictionary, "2025-07".parse().unwrap());
    let mut row = Row::new();
    match source.read(&mut row) {
        Err(IngestError::Quotes { .. }) => return refused(),
        read => assert!(read.unwrap()),
    }
    let checked = rules
        .check(&row)
        .map_err(|fault| (fault.rule, fault.field))?;
    let amounts = checked.amounts().to_vec();
    Ok((checked.month(), checked.age(), checked.group(), amounts))
}

fn sound() -> String {
    row("s1", "p1", "2025-03", "GD15")
}

#[test]
fn a_sound_row_is_typed() {
    let (month, age, group, amounts) = check(sound().as_bytes()).unwrap();
    assert_eq!(month.to_string(), "2025-03");
    assert_eq!((age, group), (Some(64), 1));
    // cost, los, cost_staff, cost_drugs in dictionary order.
    assert_eq!(amounts, [10_050, 3000, 6025, 4025]);
}

/// attacks.md T13 and every rule: refused, never silently clipped.
#[test]
fn each_broken_rule_is_named_with_its_field() {
    for (from, to, rule, field) in [
        ("100.50", "1000000000000000", Rule::Range, "cost"),
        ("100.50", "99999999999999999999", Rule::Range, "cost"),
        ("100.50", "1000000.01", Rule::Range, "cost"),
        ("100.50", "-100.50", Rule::Negative, "cost"),
        ("100.50", "NaN", Rule::Amount, "cost"),
        ("100.50", "1e2", Rule::Amount, "cost"),
        ("100.50", "", Rule::Required, "cost"),
        ("100.50", "100.51", Rule::TotalParts, "cost"),
        ("p1", "", Rule::Required, "patient"),
        ("s1", " ", Rule::Required, "settlement"),
        ("2025-03-04", "2025-02-30", Rule::Date, "discharge"),
        ("2025-03-04", "", Rule::Required, "discharge"),
        ("2025-03-04", "2025-08-04", Rule::DateRange, "discharge"),
        ("2025-03-04", "1950-08-04", Rule::DateRange, "discharge"),
        ("2025-03-01", "2025-03-05", Rule::DateOrder, "admission"),
        ("1960-05-05", "2025-05-05", Rule::DateOrder, "birth_date"),
        ("1960-05-05", "1860-05-05", Rule::Range, "birth_date"),
        ("GD15", "gd15", Rule::CodeShape, "case_group"),
        ("GD15", "张三", Rule::CodeShape, "case_group"),
        (",330102", "", Rule::Width, ""),
    ] {
        let line = sound().replacen(from, to, 1);
        let broken = check(line.as_bytes()).unwrap_err();
        assert_eq!(broken, (rule, field.to_owned()), "{from} -> {to}");
    }
}

/// The first of January of the oldest year is believed, the day before is not.
#[test]
fn the_mapping_says_how_old_a_stay_may_be() {
    let on = |day: &str| {
        let line = sound().replacen("2025-03-01", day, 1);
        line.replacen("2025-03-04", day, 1)
            .replacen("1960-05-05", "1895-05-05", 1)
    };
    for (setting, oldest, before) in [
        ("", "1990-01-01", "1989-12-31"),
        ("oldest_year = 1935\n", "1935-01-01", "1934-12-31"),
        ("oldest_year = 1900\n", "1900-01-01", "1899-12-31"),
    ] {
        let mapping = MAPPING.replace("[time]\n", &format!("[time]\n{setting}"));
        let (month, ..) = check_by(&mapping, on(oldest).as_bytes()).unwrap();
        assert!(oldest.starts_with(&month.to_string()));
        let refused = check_by(&mapping, on(before).as_bytes()).unwrap_err();
        assert_eq!(refused, (Rule::DateRange, "discharge".to_owned()));
    }
}

#[test]
fn an_oldest_year_that_believes_nothing_is_refused() {
    let bound = |year: &str| {
        let text = MAPPING.replace("[time]\n", &format!("[time]\noldest_year = {year}\n"));
        let header: Vec<String> = HEADER.split(',').map(str::to_owned).collect();
        Bound::new(&Mapping::parse(&text).unwrap(), &[], &dictionary(), &header)
            .and_then(|bound| bound.believes_until("2025-07".parse().unwrap()))
    };
    assert!(bound("1900").is_ok() && bound("2025").is_ok());
    for year in ["0", "1899", "2026", "2200"] {
        let error = bound(year).unwrap_err().to_string();
        assert!(error.contains("time.oldest_year"), "{error}");
    }
}

/// A file of another encoding is refused field by field, not taken for unknown codes.
#[test]
fn bytes_that_are_not_utf8_are_refused_in_mapped_columns_only() {
    let gbk = b"\xd6\xb0\xb9\xa4"; // 职工
    let put = |name: &str| {
        let column = HEADER.split(',').position(|column| column == name).unwrap();
        let line = sound();
        let mut values: Vec<&[u8]> = line.split(',').map(str::as_bytes).collect();
        values[column] = gbk;
        check(&values.join(&b','))
    };
    for (column, field) in [
        ("insurance", "insurance"),
        ("district", "district"),
        ("patient_id", "patient"),
        ("settlement_no", "settlement"),
        ("drg", "case_group"),
        ("discharge_date", "discharge"),
        ("total_cost", "cost"),
    ] {
        assert_eq!(put(column).unwrap_err(), (Rule::Encoding, field.to_owned()));
    }
    assert!(put("name").is_ok(), "not mapped, never read");
}

#[test]
fn well_shaped_unknown_and_missing_groups_are_other() {
    for code in ["FZ19", "0000", ""] {
        let line = sound().replacen("GD15", code, 1);
        assert_eq!(check(line.as_bytes()).unwrap().2, 3, "{code}");
    }
}

#[test]
fn a_stay_within_one_day_counts_one() {
    let line = sound().replacen("2025-03-04", "2025-03-01", 1);
    assert_eq!(check(line.as_bytes()).unwrap().3[1], 1000);
}

#[test]
fn the_table_of_rules_has_every_rule_once() {
    let ids: std::collections::BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.id()).collect();
    assert_eq!(ids.len(), Rule::ALL.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    /// Any bytes in a row are a checked row or a named fault, never a panic.
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut line = b"x".to_vec();
        line.extend(bytes);
        let _outcome = check(&line);
    }

    /// Any text in any one column.
    #[test]
    fn any_value(column in 0_usize..13, value in "\\PC{0,20}") {
        let line = sound();
        let mut values: Vec<&str> = line.split(',').collect();
        values[column] = &value;
        let _outcome = check(values.join(",").as_bytes());
    }
}
