//! Questions in other words are of one family: no set but the same is certified for any of them.

use std::collections::BTreeSet;

use policies::plan::{compile, pooled_blocks};
use policies::template::Template;
use schemas::digest::Digest;
use tests::fixture::rules;

use crate::hospital::dictionary;

/// The families of a pooled question about 2025, after its compiling.
fn families(body: &str) -> BTreeSet<Digest> {
    let (dictionary, rules) = (dictionary(), rules());
    let head = "id = \"own\"\nversion = 1\nlabel = { zh = \"问\", en = \"q\" }\n\
                purpose = \"benchmark\"\nrelease = \"pooled\"\n\
                bounds = { groups = 3, stays = 1 }\n";
    let template = Template::parse(&format!("{head}{body}")).unwrap();
    let period = coordinator::ask::period("2025").unwrap();
    let draft = template.draft(&dictionary, rules.digest().unwrap(), period);
    let question = draft.unwrap().question;
    let layout = compile(&question, &dictionary, &rules).unwrap();
    let blocks = pooled_blocks(&question, &layout, &dictionary, (4, 1)).unwrap();
    assert!(!blocks.is_empty());
    blocks.into_iter().map(|block| block.family).collect()
}

fn table(by: &str, measure: &str) -> String {
    format!("[[tables]]\nby = [{by}]\nblocks = [{{ measure = {{ {measure} }}, rho = \"0.05\" }}]\n")
}

/// Row 9: filters that name all keys, coarser and finer tables, shares' numerators, and measures
/// from which each other follow.
#[test]
fn other_words_are_no_other_family() {
    let (group, cost) = ("\"case_group\"", "kind = \"sum\", field = \"cost\"");
    let plain = families(&table(group, cost));
    assert_eq!(plain.len(), 1);
    let all = "filter = { sex = [\"f\", \"m\", \"other\"] }\n";
    for body in [
        format!("{all}{}", table(group, cost)),
        format!("filter = {{ sex = [\"f\"] }}\n{}", table(group, cost)),
        table("", cost),
        table("\"case_group\", \"sex\"", cost),
        table("\"mdc\"", cost),
        table(group, "kind = \"relative\", field = \"cost\""),
        table(group, "kind = \"squares\", field = \"cost\""),
        table(group, "kind = \"structure\", field = \"cost\""),
        table(group, "kind = \"histogram\", field = \"cost\""),
        table(group, "kind = \"count\""),
        table(
            group,
            "kind = \"count_where\", filter = { sex = [\"f\", \"m\", \"other\"] }",
        ),
        table(group, "kind = \"count_where\", filter = { sex = [\"f\"] }"),
    ] {
        assert_eq!(families(&body), plain, "{body}");
    }
}
