//! Row 37: no patient's data, no settlement number, no amount of one stay and no secret key stand in
//! anything that the programs print, log or refuse with.

use super::canaries::{AMOUNTS, NAME, PATIENT, SETTLEMENT, search};
use super::{COORDINATOR, NODE, Place};
use crate::hospital::{MAPPING, bytes_below, file};

/// Rows of planted people: sound, refused for each of several reasons, and put wrongly.
fn planted() -> Vec<u8> {
    let line = |n: usize| {
        let amount = AMOUNTS[n % AMOUNTS.len()];
        let settlement = format!("{SETTLEMENT}{n}");
        let mut line = crate::hospital::Line::new(PATIENT, &settlement, 3, "JR19", 1)
            .with("name", NAME)
            .with("insurance", "employee")
            .with("cost_drugs", "0.00");
        for column in ["total_cost", "cost_staff", "total_charges", "fund_paid"] {
            line.set(column, amount);
        }
        line
    };
    let lines = [
        line(0),
        line(1).with("discharge_date", "2025-02-30"),
        line(2).with("total_cost", "-7654321.09"),
        line(3).with("drg", PATIENT),
        line(4).with("cost_drugs", "6543210.98"),
        line(5).with("department", "110101199003074514"),
        line(6).with("patient_id", ""),
        line(7).with("birth_date", PATIENT),
        line(8).with("fund_paid", "7654321.09x"),
        line(0),
    ];
    let bytes = file(&lines);
    let header = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    bytes[header + 1..].to_vec()
}

/// Everything that a hospital, the alliance and an insurer do with these data, and everything that
/// goes wrong with a file: 60 commands and four services, at the most verbose.
#[test]
fn nothing_told_holds_a_patient_or_a_secret() {
    let mut place = Place::new();
    let files = place.word("files");
    let words =
        "synth --seed 37 --year 2025 --hospitals 3 --stays 600 --planted --defects 0.02 --out";
    let words: Vec<&str> = words.split(' ').chain([files.as_str()]).collect();
    place.done(NODE, "none", &words);
    let mut source = std::fs::read(place.at("files/h01.csv")).unwrap();
    source.extend(planted());
    let csv = place.put("files/h01.csv", &source);
    let mapping = place.put("mapping.toml", MAPPING);
    place.found("files");
    let mut codes = Vec::new();
    for name in ["h01", "h02", "h03"] {
        codes.push(place.join(name));
        let file = place.word(&format!("files/{name}.csv"));
        let words = ["load", &file, "--history", "--mapping", &mapping];
        if name == "h01" {
            wrong_files(&mut place, &csv, &mapping);
            let with = |first: &'static str| [&[first], &words[1..]].concat();
            place.tell(NODE, name, &with("check"));
            place.done(
                NODE,
                name,
                &[&["map", "test"], &words[1..2], &words[3..]].concat(),
            );
        }
        place.done(NODE, name, &words);
        place.done(NODE, name, &["months"]);
        let words = "release all --officer li-hua --accept-grade-d";
        place.done(NODE, name, &words.split(' ').collect::<Vec<_>>());
        place.seat(name);
        place.start(NODE, name);
    }
    round(&mut place);
    audit(&mut place, &source);
    for name in ["h01", "h02"] {
        let to = place.word(&format!("export-{name}"));
        for words in [
            "log show",
            "log fsck",
            "ledger",
            "months --json",
            "policy show",
        ] {
            place.done(NODE, name, &words.split(' ').collect::<Vec<_>>());
        }
        place.tell(NODE, name, &["log", "export", &to]);
        place.tell(NODE, name, &["log", "verify", &to]);
    }
    place.done(COORDINATOR, "hub", &["log", "show"]);
    place.stop();
    search(&place, &codes);
}

/// A round of all, the steward's and the officer's own view of it.
fn round(place: &mut Place) {
    let words = "round open yearly-benchmark --period 2025 --deadline 10m --json";
    let opened = place.done(COORDINATOR, "hub", &words.split(' ').collect::<Vec<_>>());
    let opened: serde_json::Value = serde_json::from_str(&opened).unwrap();
    let id = opened["id"].as_str().unwrap().to_owned();
    place.done(
        COORDINATOR,
        "hub",
        &["round", "wait", &id, "--timeout", "60s"],
    );
    let report = place.word("report");
    place.done(COORDINATOR, "hub", &["benchmark", &id, "--out", &report]);
    for words in [
        "ask yearly-benchmark --period 2025 --dry-run",
        "ask yearly-benchmark --period 2025 --spend",
        "steward inbox",
        "steward standing list",
    ] {
        place.tell(NODE, "h01", &words.split(' ').collect::<Vec<_>>());
    }
    place.tell(COORDINATOR, "hub", &["round", "show", &id]);
    place.tell(COORDINATOR, "hub", &["members"]);
}

/// Files where they do not belong, damaged, without header or end; a data folder that others enter.
fn wrong_files(place: &mut Place, csv: &str, mapping: &str) {
    let whole = std::fs::read(csv).unwrap();
    let header = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let rows = String::from_utf8(planted()).unwrap();
    let headless = place.put("headless.csv", &rows);
    let twice = place.put(
        "twice.csv",
        [&whole[..header - 1], b",name\n", rows.as_bytes()].concat(),
    );
    let open = place.put(
        "open.csv",
        [&whole[..header], b"\"", rows.as_bytes()].concat(),
    );
    let latin = place.put(
        "latin.csv",
        [&whole[..header], b"\xff\xfe,", rows.as_bytes()].concat(),
    );
    let first = rows.lines().next().unwrap();
    let torn = place.mapping(
        "torn.toml",
        "format = \"YYYY-MM-DD\"",
        &format!("format = {first}"),
    );
    let value = place.mapping(
        "value.toml",
        "unit = \"yuan\"",
        &format!("unit = \"{PATIENT}\""),
    );
    let column = place.mapping("column.toml", "sex = {", "sex = [\"no such column\"] # {");
    let gone = place.word("gone.csv");
    for words in [
        vec!["load", &headless, "--mapping", mapping],
        vec!["load", csv, "--mapping", csv],
        vec!["load", mapping, "--mapping", csv],
        vec!["load", csv, "--mapping", &torn],
        vec!["load", csv, "--mapping", &value],
        vec!["check", csv, "--mapping", &column],
        vec!["load", &gone, "--mapping", mapping],
        vec!["dictionary", "accept", csv],
        vec!["ask", csv, "--period", "2025", "--dry-run"],
        vec!["log", "verify", csv],
        vec!["log", "burn", "--as", "li-hua", "--yes", "--entries", csv],
        vec!["audit", "serve-batch", csv, csv],
        vec![
            "close",
            "2025-03",
            "--settlements",
            &headless,
            "--mapping",
            mapping,
        ],
        vec!["close", "2025-03", "--settlements", csv, "--mapping", csv],
    ] {
        place.refused(NODE, "h01", &words);
    }
    for file in [&twice, &open, &latin] {
        place.tell(NODE, "h01", &["check", file, "--mapping", mapping]);
        place.tell(NODE, "h01", &["map", "test", file, "--mapping", mapping]);
    }
    for words in [
        vec!["dictionary", "publish", csv],
        vec![
            "dictionary",
            "build",
            "--plan",
            "chs",
            "--table",
            csv,
            "--out",
            &gone,
        ],
        vec![
            "dictionary",
            "build",
            "--plan",
            csv,
            "--table",
            csv,
            "--out",
            &gone,
        ],
        vec!["insurer", "admit", "i01", csv],
        vec!["log", "verify", csv],
        vec!["audit", "verify", csv],
    ] {
        place.refused(COORDINATOR, "hub", &words);
    }
    // Settings, keys and state that are somebody's data.
    place.done(NODE, "spoilt", &["init", "--hospital", "spoilt"]);
    let key = bytes_below(&place.at("spoilt/keys")).remove(0).0;
    for path in [
        key,
        place.at("spoilt/policy.toml"),
        place.at("spoilt/node.toml"),
    ] {
        std::fs::write(&path, rows.as_bytes()).unwrap();
        for words in ["policy show", "run", "log show"] {
            place.tell(NODE, "spoilt", &words.split(' ').collect::<Vec<_>>());
        }
    }
}

/// A month is closed and audited; the two lists differ in the planted people's settlements.
fn audit(place: &mut Place, source: &[u8]) {
    let mapping = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../deploy/mappings/settlements.toml"
    );
    let source = String::from_utf8(source.to_vec()).unwrap();
    let mut paid = vec!["settlement,fen,group".to_owned()];
    for line in source.lines().skip(1) {
        let values: Vec<&str> = line.split(',').collect();
        let own =
            values.len() == 29 && values[11] == "employee" && values[9].starts_with("2025-03");
        if !own {
            continue;
        }
        if let Ok(fen) = values[27].replace('.', "").parse::<i64>() {
            let other = i64::from(values[1] == PATIENT);
            paid.push(format!("{},{},{}", values[0], fen + other, values[14]));
        }
    }
    paid.dedup();
    paid.push(format!("{SETTLEMENT}99,765432109,JR19"));
    let list = place.put("paid.csv", paid.join("\n"));
    let torn = place.put(
        "torn.csv",
        format!("{}\n{SETTLEMENT}98,{NAME},{PATIENT}\n", paid.join("\n")),
    );
    let csv = place.word("files/h01.csv");
    let folder = place.word("audit");
    let key = place.done(NODE, "h01", &["audit", "key"]);
    let words = "--alliance river --hospital h01 --payer i01 --month 2025-03 --log-key";
    let words: Vec<&str> = words.split(' ').chain([key.trim()]).collect();
    let begun = place.done(
        COORDINATOR,
        "hub",
        &[&["audit", "begin", &folder], &words[..]].concat(),
    );
    let after = |mark: &str| {
        begun
            .split(mark)
            .nth(1)
            .unwrap()
            .lines()
            .next()
            .unwrap()
            .to_owned()
    };
    place.done(
        NODE,
        "h01",
        &[
            "audit",
            "payer",
            "i01",
            &after("audit payer i01 "),
            "--as",
            "li-hua",
        ],
    );
    let nonce = after("--nonce ");
    let words = [
        "close",
        "2025-03",
        "--settlements",
        &csv,
        "--mapping",
        mapping,
    ];
    place.done(NODE, "h01", &[&words[..], &["--nonce", &nonce]].concat());
    let book = place.word("book");
    place.done(
        NODE,
        "h01",
        &["audit", "book", "i01", "2025-03", "--out", &book],
    );
    let step = |place: &mut Place, words: &[&str]| {
        let words = [&["audit", words[0], &folder], &words[1..]].concat();
        place.tell(COORDINATOR, "hub", &words);
    };
    step(place, &["prepare", "--paid", &torn, "--book", &book]);
    step(place, &["prepare", "--paid", &csv, "--book", &book]);
    step(place, &["prepare", "--paid", &list, "--book", &list]);
    step(place, &["prepare", "--paid", &list, "--book", &book]);
    let (requests, replies) = (place.word("audit/requests"), place.word("audit/replies"));
    let serve = ["audit", "serve-batch", &requests, &replies];
    place.done(NODE, "h01", &serve);
    step(place, &["match"]);
    step(place, &["totals"]);
    step(place, &["sample"]);
    // Leaves that no claim names are opened once two officers have signed.
    place.tell(NODE, "h01", &serve);
    let listed = place.done(NODE, "h01", &["audit", "list", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let digest = listed[0]["request"].as_str().unwrap().to_owned();
    for officer in ["li-hua", "zhao-min"] {
        place.done(NODE, "h01", &["audit", "approve", &digest, "--as", officer]);
    }
    place.done(NODE, "h01", &serve);
    step(place, &["sample"]);
    step(place, &["report"]);
    let report = place.told.last().unwrap();
    assert!(report.success, "{report:?}");
    let pack = place.word("audit/pack");
    place.done(COORDINATOR, "hub", &["audit", "verify", &pack]);
}
