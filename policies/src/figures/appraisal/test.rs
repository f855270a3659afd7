use super::*;
use crate::figures::settings::Faults;

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

fn exact(text: &str) -> Exact {
    text.parse().unwrap()
}

fn rules() -> AppraisalRules {
    AppraisalRules::parse(DEFAULT).unwrap()
}

fn measured(value: Exact) -> Measured {
    Measured {
        value,
        variance: None,
        source: None,
    }
}

fn told(stage: &Slug, member: &Appraised) -> Result<Appraisal, AppraisalError> {
    appraise(&rules(), (stage, Digest::of("inputs", &[])), member)
}

/// Values, scores and points of oracle O9 in its order.
const ROWS: [(&str, &str, &str, &str); 10] = [
    ("low-risk-mortality", "1/50", "60.0000", "6.0000"),
    ("complications", "3", "75.0000", "6.0000"),
    ("satisfaction", "91", "73.3333", "0.0000"),
    ("length-of-stay", "8", "66.6667", "5.3333"),
    ("bed-turnover", "37", "58.3333", "4.0833"),
    ("grassroots-visits", "55", "60.0000", "15.0000"),
    ("cost-growth", "5", "60.0000", "4.2000"),
    ("budget-deviation", "4", "75.0000", "3.7500"),
    ("chronic-control", "66", "80.0000", "8.0000"),
    ("two-way-referral", "14", "60.0000", "12.0000"),
];

fn oracle() -> Appraised {
    let values = ROWS
        .iter()
        .map(|(name, value, _, _)| (slug(name), measured(exact(value))));
    Appraised {
        id: slug("a"),
        values: values.collect(),
        scores: [
            (Source::Patients, exact("91")),
            (Source::Social, exact("88")),
        ]
        .into(),
        shortcomings: BTreeMap::new(),
    }
}

/// What was left undone the year before takes points, at most so many, and never below zero.
#[test]
fn shortcomings_of_the_year_before_take_points() {
    let stage = slug("strong-grassroots");
    let sound = told(&stage, &oracle()).unwrap();
    assert_eq!(sound.less, None);
    let with = |late: u32, gaps: u32| {
        let mut member = oracle();
        member.shortcomings = [
            (Shortcoming::LateTask, late),
            (Shortcoming::ManagementGap, gaps),
        ]
        .into();
        told(&stage, &member).unwrap()
    };
    let points = |of: &Appraisal| exact(&of.composite).0;
    let off = |of: &Appraisal| points(&sound) - points(of);
    assert_eq!(off(&with(1, 0)), RBig::from(2));
    assert_eq!(off(&with(1, 2)), RBig::from(8));
    assert_eq!(with(1, 2).less.as_deref(), Some("8.00"));
    assert_eq!(off(&with(4, 4)), RBig::from(10));
    assert_eq!(with(0, 0).less, None);
    let mut none = rules();
    none.shortcomings = None;
    let mut member = oracle();
    member.shortcomings = [(Shortcoming::LateTask, 3)].into();
    let told = appraise(&none, (&stage, Digest::of("inputs", &[])), &member).unwrap();
    assert_eq!((told.composite, told.less), (sound.composite, None));
}

#[test]
fn o9_two_stages() {
    let first = told(&slug("strong-grassroots"), &oracle()).unwrap();
    for (name, _, score, points) in ROWS {
        assert_eq!(
            first.indicators[&slug(name)],
            (score.to_owned(), points.to_owned())
        );
    }
    assert_eq!(
        (first.points.as_str(), first.composite.as_str()),
        ("64.3667", "72.06")
    );
    assert_eq!(first.grade, slug("pass"));
    let second = told(&slug("quality"), &oracle()).unwrap();
    assert_eq!(
        (second.points.as_str(), second.composite.as_str()),
        ("66.9500", "73.87")
    );
}

#[test]
fn o9_an_excellent_members_payment_and_a_failed_ones_plan() {
    let mut best = oracle();
    for indicator in &rules().indicators {
        best.values
            .insert(indicator.id.clone(), measured(indicator.best.clone()));
    }
    let stage = slug("quality");
    let excellent = told(&stage, &best).unwrap();
    assert_eq!(excellent.grade, slug("excellent"));
    assert_eq!(
        payment(&excellent, Fen(123_456_789)),
        Some(Fen(129_629_628))
    );
    let mut worst = oracle();
    for indicator in &rules().indicators {
        // Beyond the worst counts as the worst.
        let beyond = Exact(&indicator.worst.0 * RBig::from(2) - &indicator.best.0);
        worst.values.insert(indicator.id.clone(), measured(beyond));
    }
    let failed = told(&stage, &worst).unwrap();
    assert_eq!(
        (failed.points.as_str(), failed.improve_days),
        ("0.0000", Some(60))
    );
    assert_eq!(payment(&failed, Fen(7)), Some(Fen(7)));
}

#[test]
fn what_is_missing_is_named() {
    let stage = slug("quality");
    let mut member = oracle();
    member.values.remove(&slug("bed-turnover"));
    let missing = AppraisalError::Missing(slug("a"), slug("bed-turnover"));
    assert_eq!(told(&stage, &member), Err(missing));
    let mut member = oracle();
    // It weighs nothing in either stage.
    member.values.remove(&slug("satisfaction"));
    assert!(told(&stage, &member).is_ok());
    member.scores.insert(Source::Social, exact("101"));
    assert_eq!(told(&stage, &member), Err(AppraisalError::Score(slug("a"))));
    assert!(told(&slug("none"), &oracle()).is_err());
}

#[test]
fn bad_rules_are_refused_and_unwise_ones_pointed_out() {
    for (from, to, fault) in [
        (
            "patients = \"0.20\"",
            "patients = \"0.10\"",
            "at least 0.20",
        ),
        (
            "two-way-referral = 20",
            "two-way-referral = 19",
            "add up to 100",
        ),
        ("worst = \"6\"", "worst = \"2\"", "differ"),
        ("from = \"80\"", "from = \"95\"", "grades fall"),
    ] {
        let error = AppraisalRules::parse(&DEFAULT.replacen(from, to, 1)).unwrap_err();
        assert!(error.to_string().contains(fault), "{to}: {error}");
    }
    // Economy above all: quality and outcome below 40.
    let mut poor = rules();
    let stage = poor.stages.get_mut(&slug("quality")).unwrap();
    for (name, weight) in [
        ("low-risk-mortality", 5),
        ("complications", 0),
        ("chronic-control", 5),
    ] {
        stage.insert(slug(name), weight);
    }
    let mut faults = Faults::default();
    poor.check(&mut faults);
    assert!(faults.0.iter().any(|fault| fault.contains("at least 40")));
}

#[test]
fn noise_leaves_a_grade_open_only_near_its_limit() {
    let stage = slug("strong-grassroots");
    let noisy = |variance: &str, name: &str| {
        let mut member = oracle();
        let value = member.values.get_mut(&slug(name)).unwrap();
        value.variance = Some(exact(variance));
        told(&stage, &member).unwrap()
    };
    let exactly = told(&stage, &oracle()).unwrap();
    assert!(exactly.settled && exactly.interval.is_none());
    // Visits: 25 points over a scale of 25, so that an sd of 1 moves the whole by 1.96 · 0.7.
    let near = noisy("1", "grassroots-visits");
    assert_eq!(near.interval, Some(("70.68".into(), "73.43".into())));
    assert!(near.settled && near.grade == exactly.grade && near.composite == exactly.composite);
    // Good begins at 80: (80 − 72.06) / (1.96 · 0.7) = 5.79.
    assert!(noisy("33", "grassroots-visits").settled);
    assert!(!noisy("34", "grassroots-visits").settled);
    // Far beyond an end of the scale noise changes nothing.
    let mut member = oracle();
    let far = Measured {
        value: exact("30"),
        variance: Some(exact("1")),
        source: None,
    };
    member.values.insert(slug("length-of-stay"), far);
    assert!(told(&stage, &member).unwrap().interval.is_none());
}

#[test]
fn numbers_and_names_that_the_rules_do_not_have_are_refused() {
    let stage = slug("strong-grassroots");
    let refused = |change: fn(&mut Appraised)| {
        let mut member = oracle();
        change(&mut member);
        told(&stage, &member).unwrap_err()
    };
    let id = oracle().id;
    let number = AppraisalError::Number(id.clone(), slug("complications"));
    let below = refused(|member| {
        let of = member.values.get_mut(&slug("complications")).unwrap();
        of.variance = Some(exact("-0.000001"));
    });
    assert_eq!(below, number);
    let long = refused(|member| {
        let of = member.values.get_mut(&slug("complications")).unwrap();
        of.value = exact("1/3");
    });
    assert_eq!(long, number);
    let unknown = refused(|member| {
        member.values.insert(slug("beauty"), measured(exact("1")));
    });
    assert_eq!(unknown, AppraisalError::Unknown(id.clone(), slug("beauty")));
    let score = refused(|member| {
        member.scores.insert(Source::Patients, exact("101"));
    });
    assert_eq!(score, AppraisalError::Score(id));
}
