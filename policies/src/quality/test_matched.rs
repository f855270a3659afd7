use super::*;
use crate::figures::Exact;

fn line(case: &str, item: &str, quantity: i64) -> Line {
    Line {
        case: case.to_owned(),
        item: item.to_owned(),
        department: "d1".to_owned(),
        quantity,
    }
}

fn least() -> Exact {
    "0.99".parse().unwrap()
}

#[test]
fn ninety_nine_of_a_hundred_is_enough_and_less_is_not() {
    let all: Vec<Line> = (0..200)
        .map(|n| line(&format!("c{n}"), "stent", 1_000))
        .collect();
    let two_short = &all[2..];
    let found = matched(&all, &all, two_short);
    assert_eq!((found.uses, found.agree), (200, 198));
    assert!(found.reaches(&least()));
    let found = matched(&all, &all[1..], &all[..198]);
    assert_eq!((found.uses, found.agree), (200, 197));
    assert!(!found.reaches(&least()));
    assert!(Matched::default().reaches(&least()));
}

#[test]
fn lines_are_added_up_returns_count_and_the_department_is_surgerys() {
    let elsewhere = |line: Line| Line {
        department: "store".to_owned(),
        ..line
    };
    let surgery = [line("c1", "stent", 2_000), line("c2", "wire", 1_000)];
    let stock = [
        elsewhere(line("c1", "stent", 3_000)),
        elsewhere(line("c1", "stent", -1_000)),
        elsewhere(line("c2", "wire", 2_000)),
        elsewhere(line("c3", "wire", 1_000)),
        // Out and back again: no use.
        elsewhere(line("c4", "wire", 1_000)),
        elsewhere(line("c4", "wire", -1_000)),
    ];
    let charges = [line("c1", "stent", 2_000), line("c2", "wire", 1_000)];
    let found = matched(&surgery, &stock, &charges);
    assert_eq!((found.uses, found.agree), (3, 1));
    let of = |department: &str, item: &str| found.by[&(department.to_owned(), item.to_owned())];
    assert_eq!(of("d1", "stent"), (0, 0, 1));
    assert_eq!(of("d1", "wire"), (0, 1, 1));
    assert_eq!(of("store", "wire"), (1, 0, 1));
}
