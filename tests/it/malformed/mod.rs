//! 1,000 malformed inputs and more, from a fixed seed: each is refused with a typed error, none
//! panics, none leaves anything behind, and no error repeats a value of the input.

mod spoil;

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
use serde_json::Value;

use self::spoil::{BAD_VALUES, bad_csv, below, column, sound_line, spoilt, spoilt_toml, unsound};
use crate::hospital::{Hospital, MAPPING, NOW, bytes_below, dictionary, holds, shipped, told};
use crate::simulated::Source;

/// Stands in the place of what must not be repeated.
const SECRET: &str = "秘密4111";

/// Judges one refusal.
fn quiet(text: &str) {
    assert!(!text.is_empty() && text.len() < 1000, "{text}");
    assert!(!text.contains("秘密") && !text.contains("4111"), "{text}");
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
        quiet(&told(&canonical::from_bytes::<Question>(&bad).unwrap_err()));
    }
    count
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
        tls_proof: String::new(),
        message_proof: SECRET.to_owned(),
    };
    let bytes = canonical::to_bytes(&request).unwrap();
    for kind in 0..66 {
        let bad = spoilt(&bytes, kind, random);
        quiet(&told(
            &canonical::from_bytes::<JoinRequest>(&bad).unwrap_err(),
        ));
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
            |block| block.truncate(block.len() - 1),
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
