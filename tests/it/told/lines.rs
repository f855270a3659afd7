//! Row 38: text from files and from others forges no line and commands no terminal.

use std::collections::BTreeMap;

use node::answer::Spoken;
use schemas::dictionary::Dictionary;
use schemas::problem::Problem;
use schemas::shown;

use super::{COORDINATOR, NODE, Place, Told};
use crate::hospital::{Hospital, MAPPING, file, question};
use crate::hub::{Hub, Running, round, until};

/// A line end of every kind, colours, a title of the window, a turned direction; after each line
/// end a line that nobody wrote.
const EVIL: &str = "x\nFORGED a\r\nFORGED b\rFORGED c\u{2028}FORGED d\u{85}FORGED e\u{1b}[31m\u{1b}]0;t\u{7}\u{9b}2J\u{202e}y\u{2066}\u{200f}";

fn sound(what: &str, text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    for line in text.split('\n') {
        assert!(!line.starts_with("FORGED"), "{what} forged a line: {text}");
        let plain = shown::is_plain(&line.replace('\t', " "));
        assert!(plain, "{what} commands the terminal: {text:?}");
    }
}

fn both_sound(told: &Told) {
    sound(&told.what, &told.out);
    sound(&told.what, &told.err);
}

#[test]
fn text_of_files_and_names_stays_on_its_line() {
    let mut place = Place::new();
    let files = place.word("files");
    let words = "synth --seed 38 --year 2025 --hospitals 1 --stays 200 --out";
    let words: Vec<&str> = words.split(' ').chain([files.as_str()]).collect();
    place.done(NODE, "none", &words);
    place.found("files");
    place.join("h01");
    place.seat("h01");

    // A file's header, its values, its mapping's names.
    let whole = std::fs::read_to_string(place.at("files/h01.csv")).unwrap();
    let (head, rows) = whole.split_once('\n').unwrap();
    let header = place.put("header.csv", format!("{head},\"{EVIL}\"\n{rows}"));
    let twice = place.put("twice.csv", format!("{head},\"{EVIL}\",\"{EVIL}\"\n{rows}"));
    let spoilt: Vec<Vec<u8>> = [
        "department",
        "drg",
        "insurance",
        "discharge_date",
        "total_cost",
    ]
    .into_iter()
    .map(|column| {
        let line = |n: u32| {
            let (patient, settlement) = (format!("P{n}"), format!("S{n}"));
            let line = crate::hospital::Line::new(&patient, &settlement, 3, "JR19", 9000);
            // Without the line ends that the reader of codes passes over by itself.
            let quiet: String = EVIL.chars().filter(|c| !c.is_ascii_control()).collect();
            let text = if n.is_multiple_of(2) { EVIL } else { &quiet };
            line.with(column, &format!("\"{text}\""))
        };
        file(&(0..12).map(line).collect::<Vec<_>>())
    })
    .collect();
    let mapping = place.put("mapping.toml", MAPPING);
    let escaped = serde_json::to_string(EVIL).unwrap();
    let column = place.mapping("column.toml", "\"drg\"", &escaped);
    let value = place.mapping("value.toml", "\"mcc\"", &escaped);
    let unit = place.mapping("unit.toml", "\"yuan\"", &escaped);
    let key = place.mapping("key.toml", "sex =", &format!("{escaped} ="));
    let evil_file = place.at(&format!("files/{}.csv", EVIL.replace('/', "")));
    std::fs::write(&evil_file, rows).unwrap();
    let evil_name = evil_file.to_str().unwrap().to_owned();
    let mut tries = vec![
        vec!["load", &evil_name, "--mapping", &mapping],
        vec!["release", "all", "--officer", EVIL],
        vec!["init", "--hospital", EVIL],
        vec!["discard", EVIL],
        vec![
            "steward", "refuse", "r1", "--as", "li-hua", "--reason", EVIL,
        ],
        vec!["check", &header, "--mapping", &mapping],
        vec!["check", &twice, "--mapping", &column],
    ];
    for mapping in [&column, &value, &unit, &key] {
        tries.push(vec!["map", "test", &header, "--mapping", mapping]);
    }
    let spoilt: Vec<String> = (0..)
        .zip(&spoilt)
        .map(|(n, bytes)| place.put(&format!("spoilt-{n}.csv"), bytes))
        .collect();
    for file in &spoilt {
        for command in [&["check"][..], &["map", "test"]] {
            tries.push([command, &[file, "--mapping", &mapping]].concat());
        }
    }

    // A dictionary, a template, requests and a policy of bad intent.
    let offered = std::fs::read_to_string(place.at("built.json")).unwrap();
    let mut dictionary: Dictionary = serde_json::from_str(&offered).unwrap();
    dictionary.groups[0].name.en = EVIL.to_owned();
    let named = place.put("named.json", serde_json::to_vec(&dictionary).unwrap());
    let unknown = place.put("unknown.json", format!("{{{escaped}: {escaped}}}"));
    let template = include_str!("../../../policies/rules/templates/yearly-benchmark.toml");
    let asks = |text: &str| template.replacen("en = \"", &format!("en = \"{text}"), 1);
    let inner = escaped.trim_matches('"');
    let asked = place.put("asked.toml", asks(inner));
    let broken = place.put("broken.toml", format!("{escaped} = 1\n{template}"));
    std::fs::create_dir(place.at("requests")).unwrap();
    std::fs::write(place.at(&format!("requests/{EVIL}.json")), &escaped).unwrap();
    let (requests, replies) = (place.word("requests"), place.word("replies"));
    let with = "--unsigned-for-trial";
    tries.extend([
        vec!["dictionary", "accept", &named, with],
        vec!["dictionary", "accept", &unknown],
        vec!["ask", &asked, "--period", "2025", "--dry-run"],
        vec!["ask", &broken, "--period", "2025", "--dry-run"],
        vec!["audit", "serve-batch", &requests, &replies],
        vec![
            "log",
            "burn",
            "--as",
            "li-hua",
            "--yes",
            "--entries",
            &unknown,
        ],
    ]);
    for words in &tries {
        both_sound(place.tell(NODE, "h01", words));
    }
    for words in [
        vec!["dictionary", "publish", &named],
        vec!["dictionary", "publish", &unknown],
        vec![
            "dictionary",
            "build",
            "--plan",
            &asked,
            "--table",
            &header,
            "--out",
            &replies,
        ],
        vec![
            "dictionary",
            "build",
            "--plan",
            "chs",
            "--table",
            &header,
            "--out",
            &replies,
        ],
        vec!["insurer", "admit", "i01", &unknown],
        vec!["revoke", "h01", "--why", EVIL, "--as", "wang-fang"],
        vec!["invite", EVIL, "--as", "wang-fang"],
    ] {
        let told = place.tell(COORDINATOR, "hub", &words);
        assert!(!told.success, "{told:?}");
        both_sound(told);
    }
    // An own policy may bear any name and says so when it decides.
    let own = format!("@id({escaped})\nforbid (principal, action, resource);\n");
    let own = own
        .replace("\\u001b", "\\u{1b}")
        .replace("\\u0007", "\\u{7}");
    std::fs::write(place.at("h01/access.cedar"), own).unwrap();
    for words in [
        "policy show",
        "policy approve --as li-hua",
        "policy approve --as zhao-min",
        "policy show",
    ] {
        both_sound(place.tell(NODE, "h01", &words.split(' ').collect::<Vec<_>>()));
    }
    both_sound(place.tell(NODE, "h01", &["log", "show"]));
    place.stop();
    let mut shown = 0;
    for told in &place.told {
        both_sound(told);
        let text = [&told.out[..], &told.err].concat();
        let text = String::from_utf8_lossy(&text);
        shown += usize::from(text.contains("\\nFORGED a") || text.contains("\\u202e"));
    }
    // The text was there, written out: in errors about a column and a file, as a policy's name.
    assert!(shown >= 5, "only {shown} outputs show the text");
    println!("row 38: shown in {shown} of {} outputs", place.told.len());
}

/// Rounds whose filter is of bad intent, put before the node past the coordinator's own checks.
#[tokio::test(flavor = "multi_thread")]
async fn a_coordinators_messages_forge_no_line_in_a_nodes_log() {
    let hub = Hub::found().await;
    let hospital = Hospital::new("h1").await;
    hospital.hold(&crate::attacks::crowd(24)).await;
    hub.join(&hospital).await;
    let app = hospital.app().await;
    let body = "bounds = { groups = 1, stays = 1 }\n[[tables]]\nby = []\n\
                blocks = [{ measure = { kind = \"count\" }, rho = \"0.02\" }]";
    let mut asked = question(&app, "2025", body);
    asked.filter = BTreeMap::from([("sex".parse().unwrap(), vec![EVIL.to_owned()])]);
    let digest =
        schemas::seal::Sealed::seal(hub.authority.signer(), &round("evil", "h1", asked.clone()));
    let digest = digest.unwrap().digest().unwrap();
    let spoken =
        node::answer::answer_round(&app, &round("evil", "h1", asked.clone()), digest).await;
    assert!(matches!(spoken, Ok(Spoken::Declined(_))), "{spoken:?}");
    let running = Running::start(&hospital.config.data);
    hub.put(&round("evil-2", "h1", asked), "h1", hub.authority.signer())
        .await;
    until("the refusal", async || running.log().contains("declined")).await;
    sound("the node's log", running.log().as_bytes());
    // What an error response says is shown by the same rule as every error of a command.
    let problem = Problem::new("x", 400, EVIL, EVIL);
    let error = node::enrol::EnrolError::Refused {
        title: problem.title,
        detail: problem.detail,
    };
    sound("an error", shown::line(&error.to_string()).as_bytes());
    drop(running);
    hub.end().await;
}
