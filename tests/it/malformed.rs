//! 1,000 malformed inputs and more, from a fixed seed: each is refused with a typed error, none
//! panics, none leaves anything behind, and no error repeats a value of the input.

use node::ingest::mapping::Mapping;
use node::store::dictionaries;
use policies::rules::{DEFAULT, Privacy};
use policies::template::Template;
use schemas::answer::Answer;
use schemas::canonical;
use schemas::dictionary::Dictionary;
use schemas::digest::Digest;
use schemas::enrolment::{JoinCode, JoinRequest};
use schemas::outcome::Reason;
use schemas::question::Question;
use schemas::round::{Reply, Round, Said};
use schemas::seal::{Message, Sealed, Signer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::hospital::{
    Hospital, Line, MAPPING, NOW, bytes_below, dictionary, file, holds, shipped, told,
};
use crate::simulated::Source;

/// Stands in the place of what must not be repeated.
const SECRET: &str = "秘密4111";

fn below(random: &mut Source, limit: usize) -> usize {
    ((random.uniform() * limit as f64) as usize).min(limit - 1)
}

/// Judges one refusal.
fn quiet(text: &str) {
    assert!(!text.is_empty() && text.len() < 1000, "{text}");
    assert!(!text.contains("秘密") && !text.contains("4111"), "{text}");
}

/// A message in canonical form, spoilt in one of eleven ways; none of them can be a message.
fn spoilt(sound: &[u8], kind: usize, random: &mut Source) -> Vec<u8> {
    let text = String::from_utf8(sound.to_vec()).unwrap();
    let tree: Value = serde_json::from_slice(sound).unwrap();
    let fields = tree.as_object().unwrap();
    let name = fields
        .keys()
        .nth(below(random, fields.len()))
        .unwrap()
        .clone();
    let replaced = |value: &str| {
        let mut parts: Vec<String> = Vec::new();
        for (key, old) in fields {
            let value = if *key == name {
                value.to_owned()
            } else {
                old.to_string()
            };
            parts.push(format!("\"{key}\":{value}"));
        }
        format!("{{{}}}", parts.join(",")).into_bytes()
    };
    let inserted = |byte: u8, at: usize| {
        let mut bytes = sound.to_vec();
        bytes.insert(at, byte);
        bytes
    };
    match kind % 11 {
        0 => sound[..below(random, sound.len())].to_vec(),
        1 => inserted(0, below(random, sound.len())),
        2 => inserted(0xff, below(random, sound.len())),
        3 => text
            .replacen('{', &format!("{{\"{SECRET}\":\"{SECRET}\","), 1)
            .into_bytes(),
        4 => text
            .replacen('{', &format!("{{\"{name}\":{},", fields[&name]), 1)
            .into_bytes(),
        5 => replaced(&format!("[[\"{SECRET}\"]]")),
        6 => {
            let mut fewer = fields.clone();
            fewer.remove(&name);
            serde_json::to_vec(&fewer).unwrap()
        }
        7 => replaced(&format!(
            "{}\"{SECRET}\"{}",
            "[".repeat(100),
            "]".repeat(100)
        )),
        8 => replaced("41114111411141114111411141114111"),
        9 => replaced("4111e400"),
        _ => format!("\"{SECRET}\"").into_bytes(),
    }
}

/// Messages of one kind, spoilt and read.
fn messages<T: Message>(sound: &T, count: usize, random: &mut Source) -> usize {
    let bytes = canonical::to_bytes(sound).unwrap();
    assert!(canonical::from_bytes::<T>(&bytes).is_ok());
    for kind in 0..count {
        let bad = spoilt(&bytes, kind, random);
        match canonical::from_bytes::<T>(&bad) {
            Ok(_) => panic!("{} read: {}", T::TAG, String::from_utf8_lossy(&bad)),
            Err(error) => quiet(&told(&error)),
        }
    }
    count
}

/// Envelopes: changed bytes, another key, another kind, another algorithm.
fn envelopes<T, U>(sound: &T, count: usize, random: &mut Source) -> usize
where
    T: Message,
    U: Message,
{
    let (signer, _) = Signer::generate().unwrap();
    let (other, _) = Signer::generate().unwrap();
    let sealed = Sealed::seal(&signer, sound).unwrap();
    assert!(sealed.open(&signer.public()).is_ok());
    let tree = serde_json::to_value(&sealed).unwrap();
    let refused = |value: Value| {
        let bytes = serde_json::to_vec(&value).unwrap();
        match canonical::read::<Sealed<T>>(&bytes) {
            Err(error) => quiet(&told(&error)),
            Ok(sealed) => quiet(&told(&sealed.open(&signer.public()).err().unwrap())),
        }
    };
    for kind in 0..count {
        let mut bad = tree.clone();
        let name = ["body", "signature"][kind % 2];
        let text = tree[name].as_str().unwrap();
        match kind % 7 {
            // One character of the body or the signature is another one.
            0..=3 => {
                let mut bytes = text.as_bytes().to_vec();
                let at = below(random, bytes.len() - 2);
                bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
                bad[name] = String::from_utf8(bytes).unwrap().into();
            }
            4 => bad[name] = text[..below(random, text.len())].into(),
            5 => bad["alg"] = ["none", "ED25519", "hs256", SECRET][kind % 4].into(),
            _ => bad[name] = format!("{SECRET}{text}").into(),
        }
        refused(bad);
    }
    quiet(&told(&sealed.open(&other.public()).err().unwrap()));
    // A signature over one kind never fits another.
    let as_other: Sealed<U> = serde_json::from_value(tree).unwrap();
    quiet(&told(&as_other.open(&signer.public()).err().unwrap()));
    count + 2
}

/// A TOML file with one value spoilt; any line with a value will do.
fn spoilt_toml(sound: &str, kind: usize, random: &mut Source) -> String {
    let lines: Vec<&str> = sound.lines().collect();
    let valued: Vec<usize> = (0..lines.len())
        .filter(|n| lines[*n].contains(" = ") && !lines[*n].starts_with('#'))
        .collect();
    let chosen = valued[below(random, valued.len())];
    let name = lines[chosen].split_once(" = ").unwrap().0;
    let line = match kind % 7 {
        0 => format!("{name} = {{ x = \"{SECRET}\" }}"),
        1 => format!("{name} = [[[\"{SECRET}\"]]]"),
        2 => format!("{name} = \"{SECRET}"),
        3 => format!("{name} = 4111-01-01"),
        4 => format!("{name} = 41114111411141114111411141114111"),
        5 => format!("{name} = \u{0}{SECRET}"),
        _ => format!(
            "x{chosen} = \"{SECRET}\"\n{}\n{}",
            lines[chosen], lines[chosen]
        ),
    };
    let mut lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
    lines[chosen] = line;
    lines.join("\n")
}

fn files<T, E: std::error::Error>(
    sound: &str,
    count: usize,
    random: &mut Source,
    read: impl Fn(&str) -> Result<T, E>,
) -> usize {
    assert!(read(sound).is_ok());
    for kind in 0..count {
        let bad = spoilt_toml(sound, kind, random);
        match read(&bad) {
            Ok(_) => panic!("read: {bad}"),
            Err(error) => quiet(&told(&error)),
        }
    }
    count
}

/// Dictionaries that can be read and break a rule.
fn unsound() -> Vec<Dictionary> {
    let changes: [fn(&mut Dictionary); 16] = [
        |d| d.currency = SECRET.to_owned(),
        |d| d.cap = 0,
        |d| d.max_rows = 0,
        |d| d.groups.clear(),
        |d| d.groups.reverse(),
        |d| d.groups.insert(0, d.groups[0].clone()),
        |d| d.groups[0].references.cost = 0,
        |d| d.groups[1].references.charge = u64::MAX,
        |d| d.groups[2].references.stay = 0,
        |d| d.dimensions.clear(),
        |d| d.dimensions.push(d.dimensions[3].clone()),
        |d| d.dimensions[3].keys.clear(),
        |d| d.fields[0].most = 0,
        |d| d.fields[0].most = u32::MAX,
        |d| d.fields.push(d.fields[0].clone()),
        |d| d.bin_edges.reverse(),
    ];
    let changed = |change: &fn(&mut Dictionary)| {
        let mut dictionary = dictionary();
        dictionary.version = 2;
        change(&mut dictionary);
        dictionary
    };
    changes.iter().map(changed).collect()
}

/// A value that no column of that name can hold.
const BAD_VALUES: [(&str, &str, &str); 20] = [
    ("total_cost", "秘密4111", "amount"),
    ("total_cost", "4111秘密.00", "amount"),
    ("total_cost", "-4111.00", "negative"),
    ("total_cost", "4111411141114111.00", "range"),
    ("total_cost", "4111.00", "total-parts"),
    ("total_charges", "秘密4111", "amount"),
    ("cost_staff", "秘密4111", "amount"),
    ("cost_drugs", "", "required"),
    ("discharge_date", "秘密4111", "date"),
    ("discharge_date", "2025-02-30", "date"),
    ("discharge_date", "20250201", "date"),
    ("discharge_date", "4111-02-01", "date-range"),
    ("discharge_date", "1611-02-01", "date-range"),
    ("discharge_date", "2025-01-01", "date-order"),
    ("admission_date", "秘密4111", "date"),
    ("birth_date", "2025-12-31", "date-order"),
    ("birth_date", "秘密4111", "date"),
    ("patient_id", "", "required"),
    ("settlement_no", "", "required"),
    ("drg", "秘密4111", "code-shape"),
];

fn sound_line(number: usize) -> Line {
    Line::new(
        &format!("P{number}"),
        &format!("S{number}"),
        3,
        "JR19",
        5_000,
    )
}

fn column(name: &str) -> &'static str {
    let mut all = node::synth::HEADER.into_iter();
    all.find(|column| *column == name).unwrap()
}

/// Files of which nothing can be kept.
fn bad_csv(kind: usize, random: &mut Source) -> Vec<u8> {
    let rows = 1 + below(random, 5);
    let sound = file(&(0..rows).map(sound_line).collect::<Vec<_>>());
    let text = String::from_utf8(sound.clone()).unwrap();
    let (_, body) = text.split_once('\n').unwrap();
    let mapped = [
        "patient_id",
        "total_cost",
        "drg",
        "discharge_date",
        "sex",
        "cost_other",
    ];
    let name = mapped[below(random, mapped.len())];
    match kind % 10 {
        0 => text.replacen(name, SECRET, 1).into_bytes(),
        1 => text
            .replacen(name, &format!("{name},{name}"), 1)
            .into_bytes(),
        2 => [&[0xff, 0xfe], &sound[..]].concat(),
        3 => body.as_bytes().to_vec(),
        4 => sound[..text.find('\n').unwrap() + 1].to_vec(),
        5 => [
            &sound[..text.find('\n').unwrap() + 1],
            &[b'"'; 1],
            &[b'4'; 2_000_000],
        ]
        .concat(),
        6 => body
            .bytes()
            .map(|b| if b == b'\n' { 0 } else { b })
            .collect(),
        _ => {
            let (name, value, _) = BAD_VALUES[below(random, BAD_VALUES.len())];
            let lines: Vec<Line> = (0..rows)
                .map(|n| sound_line(n).with(column(name), value))
                .collect();
            file(&lines)
        }
    }
}

#[tokio::test]
async fn a_thousand_malformed_inputs_are_refused_and_leave_nothing() {
    let hospital = Hospital::new("h1").await;
    hospital
        .hold(&(0..40).map(sound_line).collect::<Vec<_>>())
        .await;
    let app = hospital.app().await;
    let before = hospital.trace().await;
    let mut random = Source(41);
    let random = &mut random;
    let mut done = 0;

    let question: Question = shipped(&app, "yearly-benchmark", "2025").0;
    let round = crate::hub::round("r1", "h1", question.clone());
    let answer = Answer {
        question: question.digest().unwrap(),
        hospital: "h1".parse().unwrap(),
        snapshots: Vec::new(),
        mechanism: Digest::ZERO,
        policy: Digest::ZERO,
        blocks: vec![Some(vec![1, -2, 3]), None],
    };
    let (signer, _) = Signer::generate().unwrap();
    let reply = Reply {
        round: Digest::ZERO,
        hospital: "h1".parse().unwrap(),
        said: Said::Declined(Reason::NoData),
        log_head: Digest::ZERO,
    };
    let answered = Reply {
        said: Said::Answered(Sealed::seal(&signer, &answer).unwrap()),
        ..reply.clone()
    };
    done += questions(&question, 110, random);
    done += messages(&round, 110, random);
    done += messages(&reply, 66, random) + messages(&answered, 66, random);
    done += messages(&answer, 99, random);
    done += messages(&dictionary(), 88, random);
    done += envelopes::<Round, Reply>(&round, 70, random);
    done += envelopes::<Reply, Round>(&answered, 70, random);
    done += envelopes::<Answer, Reply>(&answer, 70, random);
    done += envelopes::<Dictionary, Answer>(&dictionary(), 35, random);
    done += enrolment(&signer, random);
    done += sizes(&app, &answer, &question);

    done += files(DEFAULT, 70, random, Privacy::parse);
    done += files(MAPPING, 77, random, Mapping::parse);
    for name in ["yearly-benchmark", "monthly-benchmark"] {
        let path = format!(
            "{}/../policies/rules/templates/{name}.toml",
            env!("CARGO_MANIFEST_DIR")
        );
        let text = std::fs::read_to_string(path).unwrap();
        done += files(&text, 42, random, Template::parse);
    }
    for bad in unsound() {
        let refused = dictionaries::accept(&hospital.state, &bad, true, NOW).await;
        quiet(&told(&refused.unwrap_err()));
        done += 1;
    }
    for kind in 0..100 {
        let bytes = bad_csv(kind, random);
        match hospital.load_bytes(&bytes).await {
            Ok(summary) => panic!("{kind}: {summary:?} {}", String::from_utf8_lossy(&bytes)),
            Err(error) => quiet(&told(&error)),
        }
        assert_eq!(hospital.trace().await, before, "{kind} left something");
        done += 1;
    }
    // Larger than anything may be: refused before it is parsed.
    let large = [
        b"{\"a\":\"".to_vec(),
        vec![b'4'; 20_000_000],
        b"\"}".to_vec(),
    ]
    .concat();
    quiet(&told(&canonical::read::<Question>(&large).unwrap_err()));
    let deep = "[".repeat(1_000_000);
    quiet(&told(
        &canonical::read::<Round>(deep.as_bytes()).unwrap_err(),
    ));
    quiet(&told(&Mapping::parse(&"#".repeat(20_000_000)).unwrap_err()));
    done += 3;

    assert!(hospital.trace().await == before, "nothing was written");
    println!("malformed: {done} inputs refused");
    assert!(done >= 1000, "{done}");
}

/// Questions, which are no message of their own.
fn questions(sound: &Question, count: usize, random: &mut Source) -> usize {
    let bytes = canonical::to_bytes(sound).unwrap();
    for kind in 0..count {
        let bad = spoilt(&bytes, kind, random);
        quiet(&told(&strict::<Question>(&bad).unwrap_err()));
    }
    count
}

fn strict<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, canonical::Error> {
    canonical::from_bytes(bytes)
}

/// Codes and requests.
fn enrolment(signer: &Signer, random: &mut Source) -> usize {
    let code = JoinCode {
        url: "https://localhost:1".to_owned(),
        hospital: "h1".parse().unwrap(),
        ca: Digest::of("ca", &[]),
        secret: Digest::of("secret", &[]),
    };
    let text = code.to_text().unwrap();
    let bytes = canonical::to_bytes(&code).unwrap();
    for kind in 0..44 {
        let bad = match kind % 4 {
            0 => text[..below(random, text.len())].to_owned(),
            1 => text.replacen("consilium1.", ["", "consilium2.", SECRET][kind % 3], 1),
            2 => format!("{text}{SECRET}"),
            _ => {
                use std::fmt::Write as _;
                let mut hex = String::from("consilium1.");
                for byte in spoilt(&bytes, kind, random) {
                    write!(hex, "{byte:02x}").unwrap();
                }
                hex
            }
        };
        quiet(&told(&bad.parse::<JoinCode>().unwrap_err()));
    }
    let request = JoinRequest {
        hospital: "h1".parse().unwrap(),
        secret: Digest::ZERO,
        signing_request: SECRET.to_owned(),
        message_key: signer.public(),
    };
    let bytes = canonical::to_bytes(&request).unwrap();
    for kind in 0..66 {
        let bad = spoilt(&bytes, kind, random);
        quiet(&told(&strict::<JoinRequest>(&bad).unwrap_err()));
    }
    110
}

/// Answers that are signed and well formed, and have not the shape of the question.
fn sizes(app: &node::answer::App, answer: &Answer, question: &Question) -> usize {
    let layout = policies::plan::compile(question, &app.dictionary, &app.policy).unwrap();
    let sound: Vec<Option<Vec<i64>>> = layout
        .blocks
        .iter()
        .map(|block| Some(vec![7; layout.numbers(block)]))
        .collect();
    let judge = |blocks: Vec<Option<Vec<i64>>>| {
        let answer = Answer {
            blocks,
            mechanism: layout.digest().unwrap(),
            ..answer.clone()
        };
        let said = [(answer.hospital.clone(), Ok(answer))];
        policies::figures::benchmark(&layout, &app.dictionary, &app.policy, &said)
    };
    assert!(judge(sound.clone()).is_ok());
    for place in 0..sound.len() {
        let changes: [fn(&mut Vec<i64>); 3] = [
            |block| block.push(1),
            |block| drop(block.pop()),
            |block| block.clear(),
        ];
        for change in changes {
            let mut bad = sound.clone();
            change(bad[place].as_mut().unwrap());
            quiet(&told(&judge(bad).unwrap_err()));
        }
    }
    let mut fewer = sound.clone();
    fewer.pop();
    quiet(&told(&judge(fewer).unwrap_err()));
    let more = [sound.clone(), vec![None]].concat();
    quiet(&told(&judge(more).unwrap_err()));
    sound.len() * 3 + 2
}

/// One bad row spoils itself only: it goes to quarantine by number, field and rule, without its
/// value.
#[tokio::test]
async fn bad_rows_are_listed_without_their_values() {
    let hospital = Hospital::new("h1").await;
    let mut lines = vec![sound_line(0)];
    for (n, (name, value, _)) in BAD_VALUES.iter().enumerate() {
        lines.push(sound_line(n + 1).with(column(name), value));
    }
    lines.push(sound_line(98).with("district", "4111秘密,more"));
    lines.push(sound_line(99));
    let summary = hospital.hold(&lines).await;
    assert_eq!(summary.kept, 2);
    let load = summary.load.unwrap();
    let folder = node::store::columns::folder(&hospital.config.data).join(load);
    let quarantine = std::fs::read_to_string(folder.join("quarantine.csv")).unwrap();
    let listed: Vec<&str> = quarantine.lines().skip(1).collect();
    assert_eq!(listed.len(), BAD_VALUES.len() + 1);
    for (n, (line, (name, _, rule))) in listed.iter().zip(BAD_VALUES).enumerate() {
        let parts: Vec<&str> = line.split(',').collect();
        assert_eq!(parts[0], (n + 3).to_string());
        assert_eq!(parts[2], rule, "{name}: {line}");
    }
    assert_eq!(
        *listed.last().unwrap(),
        format!("{},,width", BAD_VALUES.len() + 3)
    );
    for (path, bytes) in bytes_below(&hospital.config.data) {
        assert!(!holds(&bytes, "秘密"), "{}", path.display());
    }
}
