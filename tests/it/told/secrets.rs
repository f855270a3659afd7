//! Row 37: no patient's data, no settlement number, no amount of one stay and no secret key stand in
//! anything that the programs print, log or refuse with.

use std::path::Path;

use super::{COORDINATOR, NODE, Place};
use crate::hospital::{MAPPING, bytes_below, file};

const PATIENT: &str = "CANARYPATIENT71";
const NAME: &str = "甘纳瑞";
const SETTLEMENT: &str = "CANARYSETTLE";
/// Sound, and refused for the next ones' reasons.
const AMOUNTS: [&str; 3] = ["7654321.09", "6543210.98", "5432109.87"];

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

/// Ways in which bytes could be written.
fn encodings(secret: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let list: Vec<String> = secret.iter().map(ToString::to_string).collect();
    let mut all = vec![
        secret.to_vec(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
        list.join(", ").into_bytes(),
        list.join(",").into_bytes(),
    ];
    // At each of the three places of a byte in base64, in both alphabets.
    for shift in 0..3 {
        let mut padded = vec![0; shift];
        padded.extend(secret);
        let text = base64(&padded);
        let whole = &text[4 * shift.min(1)..text.len() - 4];
        all.push(whole.as_bytes().to_vec());
        all.push(whole.replace('+', "-").replace('/', "_").into_bytes());
    }
    all
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = bytes.chunks(3).map(|chunk| {
        let mut word = [0; 3];
        word[..chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes([0, word[0], word[1], word[2]]);
        let digit = |n: u32| char::from(ALPHABET[(bits >> (18 - 6 * n)) as usize & 63]);
        (0..4).map(digit).collect::<String>()
    });
    groups.collect()
}

/// The secret part of every key below a folder, by file.
fn keys(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for (path, bytes) in bytes_below(folder) {
        let name = path.display().to_string();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        // PKCS#8 of Ed25519 and of P-256 hold the private number at fixed places.
        let of_pkcs8 = |der: &[u8]| match der.len() {
            ..=90 => der[16..48].to_vec(),
            _ => der[36..68].to_vec(),
        };
        if text.contains("PRIVATE KEY") {
            let body: String = text.lines().filter(|line| !line.contains("KEY")).collect();
            found.push((name, of_pkcs8(&decoded(&body))));
        } else if name.ends_with(".pk8") {
            found.push((name, of_pkcs8(&bytes)));
        } else if name.ends_with(".key") && !name.ends_with("alliance.key") {
            found.push((name, bytes[..bytes.len().min(32)].to_vec()));
        }
    }
    found
}

fn decoded(text: &str) -> Vec<u8> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u32> = text
        .bytes()
        .filter(|c| *c != b'=')
        .map(|c| u32::from(digit(c)))
        .collect();
    let groups = digits.chunks(4).flat_map(|group| {
        let bits = group.iter().zip([18, 12, 6, 0]).map(|(d, s)| d << s);
        let bytes = bits.sum::<u32>().to_be_bytes();
        bytes[1..group.len()].to_vec()
    });
    groups.collect()
}

fn stands_in(bytes: &[u8], needle: &[u8]) -> bool {
    // A search over text is much faster, and all but raw keys is text.
    match (std::str::from_utf8(bytes), std::str::from_utf8(needle)) {
        (Ok(text), Ok(needle)) => text.contains(needle),
        (Ok(_), Err(_)) => false,
        _ => bytes.windows(needle.len()).any(|window| window == needle),
    }
}

#[test]
fn the_search_finds_what_it_looks_for() {
    let secret: Vec<u8> = (0..32).map(|n| n * 7 + 3).collect();
    assert_eq!(decoded(&base64(&secret[..30])), &secret[..30]);
    let hex: String = secret.iter().map(|byte| format!("{byte:02X}")).collect();
    let mut spoken = vec![
        format!("{secret:?}").into_bytes(),
        hex.into_bytes(),
        secret.clone(),
    ];
    for before in 0..4 {
        let text: Vec<u8> = std::iter::repeat_n(9, before)
            .chain(secret.clone())
            .collect();
        spoken.push(base64(&text).into_bytes());
    }
    for text in spoken {
        let found = encodings(&secret).iter().any(|way| stands_in(&text, way));
        assert!(found, "{}", String::from_utf8_lossy(&text));
    }
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
        vec!["log", "burn", "--steward", "li-hua", "--entries", csv],
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
        &["audit", "payer", "i01", &after("audit payer i01 ")],
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

/// Looks for all canaries in all that was told.
fn search(place: &Place, codes: &[String]) {
    let list = std::fs::read_to_string(place.at("files/planted.txt")).unwrap();
    let mut needles: Vec<(String, Vec<u8>)> = Vec::new();
    let mut needle = |what: &str, value: &str| {
        needles.push((format!("{what} {value}"), value.as_bytes().to_vec()));
    };
    for value in list
        .lines()
        .skip(1)
        .filter_map(|line| line.split('\t').nth(3))
    {
        if value.len() >= 6 {
            needle("planted", value);
        }
    }
    for value in [PATIENT, NAME, SETTLEMENT, "110101199003074514"] {
        needle("planted", value);
    }
    for amount in AMOUNTS {
        needle("amount", amount);
        needle("amount", &amount.replace('.', ""));
    }
    // Settlement numbers of other rows too.
    let source = std::fs::read_to_string(place.at("files/h01.csv")).unwrap();
    for line in source.lines().skip(1).step_by(4) {
        let number = line.split(',').next().unwrap();
        if number.len() >= 8 {
            needle("settlement", number);
        }
    }
    let mut found_keys = 0;
    for data in ["hub", "h01", "h02", "h03", "audit"] {
        for (file, secret) in keys(&place.at(data)) {
            found_keys += 1;
            for way in encodings(&secret) {
                needles.push((format!("key {file}"), way));
            }
        }
    }
    assert!(found_keys >= 20, "{found_keys} keys");
    let mut bytes = 0;
    for told in &place.told {
        for (stream, text) in [("out", &told.out), ("err", &told.err)] {
            bytes += text.len();
            // A trial shows ten rows as they would be kept, amounts too: to the hospital itself.
            let trial = stream == "out" && told.what.contains("\"map\", \"test\"");
            for (what, value) in &needles {
                if trial && what.starts_with("amount") {
                    continue;
                }
                assert!(
                    !stands_in(text, value),
                    "{what} in standard {stream} of {}:\n{}",
                    told.what,
                    String::from_utf8_lossy(text)
                );
            }
            let shown = stream == "out" && told.what.contains("\"invite\"");
            for code in codes.iter().filter(|_| !shown) {
                assert!(
                    !stands_in(text, code.as_bytes()),
                    "a join code in {}",
                    told.what
                );
            }
            let text = String::from_utf8_lossy(text);
            assert!(!text.contains("panicked"), "{}: {text}", told.what);
        }
    }
    // That the search would find something: the logs are as long as they should be.
    assert!(
        bytes > 100_000 && place.told.len() >= 90,
        "{bytes} {}",
        place.told.len()
    );
    println!(
        "row 37: {} values in none of {} outputs, {bytes} bytes",
        needles.len(),
        place.told.len()
    );
}
