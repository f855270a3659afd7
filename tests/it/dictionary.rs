//! Dictionaries from the real public tables, where they are at hand.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use coordinator::dictionary::{CHS, Discharges, Plan, SPARCS, Weights};
use serde_json::Value;

/// The folder of real data: `CONSILIUM_DATA`, or `../shared/data` beside the project.
#[expect(
    clippy::disallowed_methods,
    reason = "tests choose their data by the environment"
)]
fn data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var("CONSILIUM_DATA").map_or(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("NOT RUN: no real data; set CONSILIUM_DATA");
    None
}

/// `top / bottom` rounded half up.
fn half_up(top: u64, bottom: u64) -> u64 {
    (2 * top + bottom) / (2 * bottom)
}

#[test]
fn sparcs_references_are_the_exact_means_of_the_file() {
    let Some(data) = data() else { return };
    let packed = data.join("sparcs/sparcs_2020_msk_unified.csv.gz");
    let expected = data.join("../oracles/sparcs_alliance6_expected.json");
    let expected: Value = serde_json::from_slice(&std::fs::read(expected).unwrap()).unwrap();
    let mut unpack = Command::new("gzip")
        .args(["-dc".as_ref(), packed.as_os_str()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let columns = Discharges {
        group: "apr_drg".to_owned(),
        name: Some("apr_drg_desc".to_owned()),
        cost: "total_costs".to_owned(),
        charge: Some("total_charges".to_owned()),
        stay: "los".to_owned(),
        mdc_column: None,
        mdc: "08".to_owned(),
    };
    let source = unpack.stdout.take().unwrap();
    let (groups, rows) = columns.read(source, b',').unwrap();
    assert!(unpack.wait().unwrap().success());
    assert_eq!(rows, expected["statewide"]["n"].as_u64().unwrap());
    let all_cost = expected["statewide"]["total_cost_cents"].as_u64().unwrap();
    assert_eq!(
        groups.last().unwrap().references.cost,
        half_up(all_cost, rows)
    );
    let drg = expected["drg"].as_object().unwrap();
    assert_eq!(groups.len(), drg.len() + 1);
    for group in &groups[..drg.len()] {
        let oracle = |name: &str| drg[&group.code][name].as_u64().unwrap();
        let (n, cost, days) = (oracle("n"), oracle("cost_cents"), oracle("los_days"));
        assert_eq!(group.references.cost, half_up(cost, n), "{}", group.code);
        assert_eq!(
            group.references.stay,
            half_up(days * 1000, n),
            "{}",
            group.code
        );
        let weight = drg[&group.code]["rw"].as_f64().unwrap();
        let own = format!(
            "{}.{:06}",
            group.weight_micro / 1_000_000,
            group.weight_micro % 1_000_000
        );
        assert_eq!(own, format!("{weight:.6}"), "{}", group.code);
    }
    let plan = Plan::parse(SPARCS).unwrap();
    plan.build(&"river".parse().unwrap(), groups).unwrap();
}

#[test]
fn a_dictionary_follows_from_published_weights() {
    let Some(data) = data() else { return };
    let open = |name: &str| std::fs::File::open(data.join("chs_drg").join(name)).unwrap();
    let columns = Weights {
        code: "drg_code".to_owned(),
        name: "drg_name".to_owned(),
        weight: "rw_2024".to_owned(),
        local_name: Some("drg_name_2024".to_owned()),
        charge: None,
        stay: None,
        default_stay: 8000,
        missing_weight: None,
        rate: 1_225_270,
    };
    let (groups, left_out) = columns
        .read(
            (open("chs_drg_1_1_groups.tsv"), b'\t'),
            (open("harbin_drg_weights_2022_2024.tsv"), b'\t'),
        )
        .unwrap();
    // 703 weights of 2024 and `other`.
    assert_eq!(groups.len(), 704);
    assert!(left_out > 0);
    // Oracle O5.
    for (code, cost) in [("GD15", 1_512_596), ("ES35", 468_666), ("FM11", 4_640_955)] {
        let group = groups.iter().find(|group| group.code == code).unwrap();
        assert_eq!(group.references.cost, cost, "{code}");
    }
    let plan = Plan::parse(CHS).unwrap();
    plan.build(&"river".parse().unwrap(), groups).unwrap();
}
