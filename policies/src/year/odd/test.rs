use super::super::Rules;

/// A file, a change of it, and the field that is named then.
const CASES: [(&str, &str, &str, &str); 17] = [
    (
        "year.toml",
        "objection_days = 30",
        "objection_days = 3",
        "matters.settlement.objection_days",
    ),
    ("budget.toml", "alpha = \"0.60\"", "alpha = \"1\"", "alpha"),
    ("budget.toml", "alpha = \"0.60\"", "alpha = \"0\"", "alpha"),
    (
        "budget.toml",
        "reserve = \"0.05\"",
        "reserve = \"0\"",
        "reserve",
    ),
    (
        "budget.toml",
        "[\"1\", \"2\", \"7\"]",
        "[\"7\", \"2\", \"1\"]",
        "history",
    ),
    ("budget.toml", "floor = \"0.90\"", "floor = \"0\"", "floor"),
    (
        "budget.toml",
        "share = \"0.22\"",
        "share = \"0.70\"",
        "earmarks",
    ),
    (
        "bonus.toml",
        "share = \"0.30\"",
        "share = \"0\"",
        "pool.share",
    ),
    ("bonus.toml", "gate = \"0\"", "gate = \"0.5\"", "gate"),
    (
        "bonus.toml",
        "gate_covers_prizes = true",
        "gate_covers_prizes = false",
        "gate_covers_prizes",
    ),
    (
        "bonus.toml",
        "referrals = \"0.50\"",
        "referrals = \"1\"",
        "pool.referrals",
    ),
    (
        "bonus.toml",
        "keeps = \"0.80\"",
        "keeps = \"1\"",
        "gaming.same-group-readmission-15.keeps",
    ),
    (
        "overspend.toml",
        "next_year = \"1\"",
        "next_year = \"1.5\"",
        "next_year",
    ),
    (
        "overspend.toml",
        "insurer = \"0.30\"",
        "insurer = \"0\"",
        "insurer",
    ),
    (
        "overspend.toml",
        "covers = \"0.50\"",
        "covers = \"0.90\"",
        "corridor.slices",
    ),
    (
        "appraisal.toml",
        "payment = \"1.05\"",
        "payment = \"0.95\"",
        "grades.excellent.payment",
    ),
    ("appraisal.toml", "improve_days = 60", "", "grades"),
];

fn changed(change: impl Fn(&str, String) -> String) -> Vec<String> {
    let text = |file: &str| {
        let (_, shipped) = Rules::SHIPPED.iter().find(|(name, _)| *name == file)?;
        Some(change(file, (*shipped).to_owned()))
    };
    let rules = Rules::read(text).unwrap();
    rules.odd().iter().map(ToString::to_string).collect()
}

#[test]
fn the_shipped_rules_are_not_odd() {
    assert_eq!(changed(|_, text| text), Vec::<String>::new());
}

#[test]
fn what_a_reviewer_would_ask_about_is_named_with_file_and_field() {
    for (file, from, to, field) in CASES {
        let odd = changed(|name, text| {
            assert!(name != file || text.contains(from), "{from}");
            if name == file {
                text.replacen(from, to, 1)
            } else {
                text
            }
        });
        assert_eq!(odd.len(), 1, "{to}: {odd:?}");
        let head = format!("`{file}`: `{field}` ");
        assert!(
            odd[0].starts_with(&head) && odd[0].contains("; expected: "),
            "{odd:?}"
        );
    }
}

#[test]
fn every_fault_of_every_file_is_named() {
    let text = |file: &str| match file {
        "budget.toml" => Some(
            crate::figures::budget::DEFAULT
                .replacen("alpha = \"0.60\"", "alpha = \"2\"", 1)
                .replacen("floor = \"0.90\"", "floor = \"1.50\"", 1),
        ),
        "bonus.toml" => Some("version = ".to_owned()),
        "overspend.toml" => Some(crate::figures::overspend::DEFAULT.replacen(
            "insurer = \"0.30\"",
            "insurer = \"3\"",
            1,
        )),
        _ => None,
    };
    let broken = Rules::read(text).unwrap_err();
    let files: Vec<&str> = broken.0.iter().map(|(file, _)| *file).collect();
    assert_eq!(files, ["budget.toml", "bonus.toml", "overspend.toml"]);
    let told = broken.to_string();
    for one in [
        "`alpha` is from 0 to 1",
        "`floor` is from 0 to 1",
        "`insurer` is from 0 to 1",
    ] {
        assert!(told.contains(one), "{told}");
    }
}
