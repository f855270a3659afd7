use super::*;
use crate::tree::Log;
use schemas::seal::Signer;

fn signer(seed: u8) -> Signer {
    Signer::from_seed(&[seed; 32]).unwrap()
}

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

fn name() -> String {
    origin(&slug("river"), &slug("h1"), 1)
}

fn log(leaves: &[&[u8]]) -> Log {
    let mut log = Log::default();
    for leaf in leaves {
        log.append(tree::leaf_hash(leaf)).unwrap();
    }
    log
}

fn request(log: &Log, old: u64, new: u64) -> Request {
    let checkpoint = Checkpoint {
        origin: name(),
        size: new,
        root: log.root_at(new).unwrap(),
    };
    let mut note = Note::new(checkpoint.text()).unwrap();
    note.sign(&name(), &signer(1)).unwrap();
    Request {
        old,
        proof: log.consistency(old.min(new), new).unwrap(),
        note,
    }
}

#[test]
fn a_log_has_one_name_a_generation() {
    assert_eq!(name(), "river/h1/log");
    assert_eq!(origin(&slug("river"), &slug("h1"), 2), "river/h1/log.2");
    let generation = |name| generation(&slug("river"), &slug("h1"), name);
    assert_eq!(generation("river/h1/log"), Some(1));
    assert_eq!(generation("river/h1/log.12"), Some(12));
    for other in [
        "river/h1/log.1",
        "river/h1/log.0",
        "river/h1/log.02",
        "river/h1/log.",
        "river/h12/log",
    ] {
        assert_eq!(generation(other), None, "{other}");
    }
}

#[test]
fn a_request_has_one_text() {
    let log = log(&[b"a", b"b", b"c", b"d", b"e"]);
    for (old, new) in [(0, 1), (3, 5), (5, 5)] {
        let request = request(&log, old, new);
        let text = request.to_string();
        assert_eq!(Request::parse(text.as_bytes()), Ok(request));
        for bad in [
            text.replacen("old ", "old 0", 1),
            text.replacen("old ", "old +", 1),
            text.replacen("old ", "new ", 1),
            text.replacen("\n\n", "\n", 1),
            format!("{text}\n"),
        ] {
            assert_eq!(Request::parse(bad.as_bytes()), Err(Refusal::Form), "{bad}");
        }
    }
    let line = format!("{}\n", BASE64.encode([7; 32]));
    let text = request(&log, 0, 1).to_string();
    let (head, note) = text.split_once('\n').unwrap();
    for (lines, fits) in [(63, true), (64, false)] {
        let long = format!("{head}\n{}{note}", line.repeat(lines));
        assert_eq!(Request::parse(long.as_bytes()).is_ok(), fits, "{lines}");
    }
}

/// security.md §6 row 9.
#[test]
fn only_what_continues_is_cosigned() {
    let member = log_key(&slug("h1"), &name(), signer(1).public()).unwrap();
    let sound = log(&[b"a", b"b", b"c", b"d", b"e"]);
    let other = log(&[b"a", b"B", b"c", b"d", b"e", b"f"]);
    let judge = |last: Option<&Checkpoint>, request: &Request| judge(&member.key, last, request);
    let three = judge(None, &request(&sound, 0, 3)).unwrap();
    assert_eq!(three.size, 3);
    let five = judge(Some(&three), &request(&sound, 3, 5)).unwrap();
    assert_eq!(judge(Some(&five), &request(&sound, 5, 5)), Ok(five.clone()));

    let stale = judge(Some(&five), &request(&sound, 3, 5));
    assert_eq!(stale, Err(Refusal::Stale { known: 5 }));
    let forked = judge(Some(&five), &request(&other, 5, 5));
    assert_eq!(forked, Err(Refusal::Forked { known: 5 }));
    let changed = judge(Some(&five), &request(&other, 5, 6));
    assert_eq!(changed, Err(Refusal::Proof(TreeError::Root)));
    let mut shortened = request(&sound, 3, 5);
    shortened.proof.pop();
    let refused = judge(Some(&three), &shortened).unwrap_err();
    assert_eq!((refused.status(), refused.is_fork()), (422, true));
    let back = judge(Some(&five), &request(&sound, 5, 3));
    assert_eq!(back, Err(Refusal::Sizes));
    assert_eq!(forked.unwrap_err().status(), 409);

    let stranger = log_key(&slug("h1"), &name(), signer(2).public()).unwrap();
    let refused = super::judge(&stranger.key, None, &request(&sound, 0, 3));
    assert_eq!(refused, Err(Refusal::Unsigned));
}
