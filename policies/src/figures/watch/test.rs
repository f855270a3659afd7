use super::*;
use crate::figures::alerts::DEFAULT;

fn rules() -> AlertRules {
    AlertRules::parse(DEFAULT).unwrap()
}

fn month(number: u8) -> Month {
    format!("2026-{number:02}").parse().unwrap()
}

fn watched(paid: &[i64]) -> Watched {
    let months = (1..).zip(paid);
    Watched {
        id: "h1".parse().unwrap(),
        budget: Fen(1_200),
        targets: vec![Fen(100); 12],
        paid: months.map(|(at, fen)| (month(at), Fen(*fen))).collect(),
        usual: None,
        stays: BTreeMap::new(),
    }
}

fn kinds(found: &[Warning]) -> Vec<(u8, Kind)> {
    found
        .iter()
        .map(|one| (one.month.number(), one.kind))
        .collect()
}

#[test]
fn an_even_year_reaches_its_levels_at_its_end() {
    let found = watch(&rules(), &watched(&[100; 12]), month(12));
    assert_eq!(kinds(&found), [(11, Kind::Budget), (12, Kind::Budget)]);
    assert_eq!(found[0].level, Some(Level::Blue));
    assert_eq!(found[1].level, Some(Level::Yellow));
    // What has not happened yet is not told.
    assert!(watch(&rules(), &watched(&[100; 12]), month(10)).is_empty());
}

#[test]
fn months_far_from_their_mean_over_target_and_a_splurge() {
    let paid = [90, 90, 90, 101, 109, 130, 60, 90, 90, 150, 150, 150];
    let found = watch(&rules(), &watched(&paid), month(12));
    let of = |kind| {
        let months = found.iter().filter(|one| one.kind == kind);
        months.map(|one| one.month.number()).collect::<Vec<_>>()
    };
    // 101 against 90: 12 % above; 109 against 92.75: 17.5 %; 130 against 96: 35 %.
    assert_eq!(of(Kind::Deviation), [4, 5, 7]);
    assert_eq!(of(Kind::Anomaly), [6, 10, 11, 12]);
    // Three months over 100 each: April to June, October to December.
    assert_eq!(of(Kind::OverTarget), [6, 12]);
    assert_eq!(of(Kind::Splurge), [12]);
    // A year whose last quarter is always like that is no splurge.
    let mut winter = watched(&paid);
    winter.usual = Some(std::array::from_fn(|at| {
        Exact(RBig::from(if at < 9 { 10 } else { 16 }))
    }));
    let found = watch(&rules(), &winter, month(12));
    assert!(found.iter().all(|one| one.kind != Kind::Splurge));
}

#[test]
fn services_that_fall_are_told_as_far_as_noise_lets() {
    let mut of = watched(&[300, 300, 300, 400]);
    let stays = |sd: f64, last: i64| {
        let months = [1000, 1000, 1000, last].into_iter().zip(1..);
        let known = |value: i64| Known {
            value: RBig::from(value),
            sd,
        };
        months
            .map(|(value, at)| (month(at), known(value)))
            .collect()
    };
    let fell = |of: &Watched| {
        let found = watch(&rules(), of, month(4));
        found.into_iter().find(|one| one.kind == Kind::ServicesFell)
    };
    of.stays = stays(10.0, 700);
    let clear = fell(&of).unwrap();
    assert_eq!(
        (
            clear.certainty,
            clear.found.as_str(),
            clear.against.as_str()
        ),
        (Certainty::Decided, "700", "850")
    );
    // 850 − 800 = 50; the line's own noise of 9.8 leaves 25.5² − 9.8² for 20²/n: none more is needed. Of
    // 30 and 14.7 it leaves 25.5² − 14.7² = 434, and 900/n is below it from the third month on.
    of.stays = stays(20.0, 800);
    assert_eq!(fell(&of).unwrap().certainty, Certainty::Decided);
    of.stays = stays(30.0, 800);
    assert_eq!(
        fell(&of).unwrap().certainty,
        Certainty::Open { months: Some(2) }
    );
    of.stays = stays(100.0, 800);
    assert_eq!(
        fell(&of).unwrap().certainty,
        Certainty::Open { months: None }
    );
    of.stays = stays(1000.0, 800);
    assert_eq!(
        fell(&of).unwrap().certainty,
        Certainty::Open { months: None }
    );
    of.stays = stays(10.0, 900);
    assert_eq!(fell(&of), None);
    // Without a red warning it is nobody's emergency.
    of.budget = Fen(100_000);
    of.stays = stays(10.0, 100);
    assert_eq!(fell(&of), None);
}

#[test]
fn a_warning_reads_as_it_was_written() {
    let open = |months| Certainty::Open { months };
    for certainty in [Certainty::Decided, open(None), open(Some(3))] {
        let mut one = watch(&rules(), &watched(&[1300]), month(1)).remove(0);
        one.certainty = certainty;
        let text = serde_json::to_string(&one).unwrap();
        assert_eq!(
            serde_json::from_str::<Warning>(&text).unwrap(),
            one,
            "{text}"
        );
    }
}

#[test]
fn months_in_a_row_have_no_gap() {
    let mut of = watched(&[110, 110, 90, 110, 110, 110, 110]);
    let found = watch(&rules(), &of, month(12));
    let row = |found: &[Warning]| {
        let all = found.iter().filter(|one| one.kind == Kind::OverTarget);
        all.map(|one| one.month.number()).collect::<Vec<_>>()
    };
    assert_eq!(row(&found), [6]);
    of.paid.remove(&month(5));
    assert_eq!(row(&watch(&rules(), &of, month(12))), [] as [u8; 0]);
}
