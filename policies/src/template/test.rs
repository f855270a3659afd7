//! Templates and the questions drafted from them.

use super::*;
use crate::rules::{DEFAULT, Privacy};
use schemas::dictionary::{
    Dimension, Field, Group, KeySource, Reference, References, Scheme, Unit,
};
use schemas::time::DataYear;

const YEARLY: &str = include_str!("../../rules/templates/yearly-benchmark.toml");
const MONTHLY: &str = include_str!("../../rules/templates/monthly-benchmark.toml");

fn label() -> Label {
    Label {
        zh: "甲".to_owned(),
        en: "a".to_owned(),
    }
}

fn field(id: &str, part_of: Option<&str>) -> Field {
    Field {
        id: id.parse().unwrap(),
        label: label(),
        unit: Unit::Fen,
        reference: Reference::Cost,
        most: 1000,
        required: false,
        part_of: part_of.map(|whole| whole.parse().unwrap()),
    }
}

fn dictionary(fields: Vec<Field>) -> Dictionary {
    let derived = |id: &str, source| Dimension {
        id: id.parse().unwrap(),
        label: label(),
        source,
        keys: Vec::new(),
    };
    let dictionary = Dictionary {
        alliance: "a".parse().unwrap(),
        version: 1,
        currency: "CNY".to_owned(),
        scheme: Scheme {
            id: "local".parse().unwrap(),
            version: "1".to_owned(),
        },
        cap: 3,
        max_rows: 1000,
        groups: vec![Group {
            code: "other".to_owned(),
            name: label(),
            mdc: "other".to_owned(),
            weight_micro: 1_000_000,
            references: References {
                cost: 1,
                charge: 1,
                stay: 1,
                score: None,
            },
        }],
        dimensions: vec![
            derived("case_group", KeySource::CaseGroup),
            derived("mdc", KeySource::Mdc),
            derived("month", KeySource::Month),
        ],
        fields,
        further: Vec::new(),
        bin_edges: vec![0, 3000],
    };
    dictionary.check().unwrap();
    dictionary
}

fn year() -> Period {
    Period::year(DataYear(2025)).unwrap()
}

#[test]
fn the_shipped_templates_stay_within_their_price() {
    for text in SHIPPED {
        Template::parse(text).unwrap();
    }
    let signals = Template::parse(SHIPPED[0]).unwrap();
    assert_eq!(signals.price().unwrap().to_string(), "0.05");
    let yearly = Template::parse(YEARLY).unwrap();
    assert_eq!(yearly.price().unwrap().to_string(), "0.25");
    assert_eq!(yearly.reference().to_string(), "yearly-benchmark@2");
    let monthly = Template::parse(MONTHLY).unwrap();
    assert_eq!(monthly.price().unwrap().to_string(), "0.15");
    let of = |id: &str| shipped().into_iter().find(|t| t.id.as_str() == id).unwrap();
    let pair = ["yearly-hospitals", "yearly-alliance"].map(|id| of(id).price().unwrap());
    assert_eq!(pair.map(|price| price.to_string()), ["0.19", "0.05"]);
    // With the monthly series and the billionth of a pooled upload the pair is within the quota.
    let all = Rho::sum([
        pair[0],
        pair[1],
        monthly.price().unwrap(),
        Rho::from_nano(1).unwrap(),
    ]);
    assert!(all.unwrap() <= Privacy::parse(DEFAULT).unwrap().allowance.benchmark);
    assert!(monthly.series.is_some());
}

#[test]
fn a_draft_leaves_out_what_the_dictionary_lacks_and_says_so() {
    let template = Template::parse(YEARLY).unwrap();
    let full = dictionary(vec![
        field("cost", None),
        field("los", None),
        field("drugs", Some("cost")),
    ]);
    let draft = template.draft(&full, Digest::ZERO, year()).unwrap();
    assert!(draft.left_out.is_empty(), "{:?}", draft.left_out);
    assert_eq!(draft.question.rho().unwrap(), template.price().unwrap());
    assert_eq!(draft.question.clone().canonical(), draft.question);

    let bare = dictionary(vec![field("cost", None)]);
    let draft = template.draft(&bare, Digest::ZERO, year()).unwrap();
    assert_eq!(draft.left_out.len(), 3, "{:?}", draft.left_out);
    assert!(draft.question.rho().unwrap() < template.price().unwrap());
}

#[test]
fn a_series_asks_one_month() {
    let template = Template::parse(MONTHLY).unwrap();
    let full = dictionary(vec![field("cost", None)]);
    assert!(matches!(
        template.draft(&full, Digest::ZERO, year()),
        Err(DraftError::SeriesMonth)
    ));
    let march: schemas::time::Month = "2025-03".parse().unwrap();
    let one = Period {
        from: march,
        to: march,
    };
    assert!(template.draft(&full, Digest::ZERO, one).is_ok());
}

#[test]
fn a_filter_is_never_left_out() {
    let text = format!("{YEARLY}\n").replace(
        "min_answers = 3",
        "min_answers = 3\nfilter = { sex = [\"f\"] }",
    );
    let template = Template::parse(&text).unwrap();
    let full = dictionary(vec![field("cost", None)]);
    assert!(matches!(
        template.draft(&full, Digest::ZERO, year()),
        Err(DraftError::Filter(_))
    ));
}

#[test]
fn broken_templates_are_refused() {
    for (from, to) in [
        ("version = 2", "version = 0"),
        ("rho = \"0.05\"", "rho = \"0\""),
        ("rho = \"0.05\"", "rho = 0.05"),
        ("groups = 3", "groups = 51"),
        ("kind = \"squares\"", "kind = \"sum\""),
        ("kind = \"squares\"", "kind = \"median\""),
        ("purpose", "sql = \"drop\"\npurpose"),
        ("[\"case_group\"]", "[\"mdc\", \"case_group\"]"),
    ] {
        let text = YEARLY.replacen(from, to, 1);
        assert_ne!(text, YEARLY, "{from}");
        assert!(Template::parse(&text).is_err(), "{to}");
    }
}

/// Every shipped template that counts and sums the same cells asks centred sums; a free one may not.
#[test]
fn shipped_templates_centre_their_sums() {
    for template in shipped() {
        let can = template.tables.iter().any(Table::can_centre);
        assert_eq!(template.centred, can, "{}", template.id);
    }
    let free = YEARLY.replace("purpose = \"benchmark\"", "purpose = \"free\"");
    let refused = Template::parse(&free).unwrap_err().to_string();
    assert!(refused.contains("centred"), "{refused}");
    assert!(Template::parse(&free.replace("centred = true", "")).is_ok());
}
