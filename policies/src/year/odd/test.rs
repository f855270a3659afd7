use super::super::Rules;

/// A file, a change of it, and the field that is named then.
const CASES: [(&str, &str, &str, &str); 28] = [
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
    // The example of a bad weighing: referrals 5, control of costs 22.
    (
        "appraisal.toml",
        "cost-growth = 7\nbudget-deviation = 5\nchronic-control = 10\ntwo-way-referral = 20",
        "cost-growth = 22\nbudget-deviation = 5\nchronic-control = 10\ntwo-way-referral = 5",
        "stages.strong-grassroots",
    ),
    (
        "appraisal.toml",
        "payment = \"1.05\"",
        "payment = \"1.5\"",
        "grades.excellent.payment",
    ),
    (
        "appraisal.toml",
        "aspect = \"efficiency\"",
        "aspect = \"outcome\"",
        "indicators.length-of-stay.aspect",
    ),
    (
        "appraisal.toml",
        "worst = \"10\"\nbest = \"2\"",
        "worst = \"10\"\nbest = \"2\"\nabout = \"cost_control\"",
        "indicators.budget-deviation.about",
    ),
    (
        "appraisal.toml",
        "worst = \"50\"\nbest = \"70\"",
        "worst = \"70\"\nbest = \"50\"",
        "indicators.chronic-control.worst",
    ),
    (
        "appraisal.toml",
        "indicators = \"0.70\"\npatients = \"0.20\"",
        "indicators = \"0.57\"\npatients = \"0.33\"",
        "stages.quality",
    ),
    (
        "year.toml",
        "deciders = [\"insurer\", \"committee\"]",
        "deciders = [\"committee\"]",
        "matters.settlement.deciders",
    ),
    (
        "budget.toml",
        "floor = \"0.90\"",
        "floor = \"0.99\"",
        "floor",
    ),
    ("alerts.toml", "red = \"1\"", "red = \"1.2\"", "red"),
    (
        "alerts.toml",
        "anomaly = \"0.20\"",
        "anomaly = \"2\"",
        "anomaly",
    ),
    (
        "alerts.toml",
        "volume = \"0.15\"",
        "volume = \"0.60\"",
        "volume",
    ),
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

/// Rules under which a result would not be what an alliance means by it do not pass.
#[test]
fn rules_that_take_the_sense_from_a_result_are_refused() {
    for (file, from, to, fault) in [
        (
            "year.toml",
            "signers = [\"insurer\", \"committee\"]",
            "signers = [\"insurer\", \"patients\"]",
            "`matters.settlement.signers` leaves out `committee`",
        ),
        (
            "year.toml",
            "\"lead-hospital\", \"members\", ",
            "\"lead-hospital\", ",
            "`matters.plan.signers` leaves out `members`",
        ),
        (
            "year.toml",
            "signers = [\"insurer\", \"patients\"]",
            "signers = [\"members\", \"patients\"]",
            "`matters.appraisal.signers` leaves out `insurer`",
        ),
        (
            "year.toml",
            "committee = \"committee\"",
            "committee = \"insurer\"",
            "are three parties",
        ),
        (
            "budget.toml",
            "floor = \"0.90\"",
            "floor = \"1\"",
            "`floor` is below 1",
        ),
        (
            "budget.toml",
            "ceiling = \"1.30\"",
            "ceiling = \"1\"",
            "`ceiling` above it",
        ),
        (
            "budget.toml",
            "version = 1",
            "version = 0",
            "`version` is at least 1",
        ),
        (
            "alerts.toml",
            "version = 1",
            "version = 0",
            "`version` is at least 1",
        ),
        (
            "appraisal.toml",
            "indicators = \"0.70\"\npatients = \"0.20\"\nsocial = \"0.10\"",
            "indicators = \"0.01\"\npatients = \"0.98\"\nsocial = \"0.01\"",
            "`sources.indicators` is at least 0.50",
        ),
        (
            "appraisal.toml",
            "payment = \"1.05\"",
            "payment = \"105\"",
            "at most 2",
        ),
        (
            "appraisal.toml",
            "from = \"90\"",
            "from = \"900\"",
            "0 to 100 points",
        ),
        (
            "appraisal.toml",
            "improve_days = 60",
            "improve_days = 0",
            "from 1 to 365",
        ),
        (
            "overspend.toml",
            "next_year = \"1\"",
            "next_year = \"100\"",
            "from 0 to 2",
        ),
    ] {
        let text = |name: &str| {
            let (_, shipped) = Rules::SHIPPED.iter().find(|(known, _)| *known == name)?;
            assert!(name != file || shipped.contains(from), "{from}");
            (name == file).then(|| shipped.replacen(from, to, 1))
        };
        let told = Rules::read(text).unwrap_err().to_string();
        assert!(told.contains(fault) && told.contains(file), "{told}");
    }
}
