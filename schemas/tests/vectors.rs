//! Canonical bytes, digests and seals against files made by an independent implementation
//! (`tests/vectors/make_vectors.py`), both ways: what it wrote is read and opened here, and what
//! is written and signed here is byte for byte the same.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first fault"
)]

use schemas::answer::Answer;
use schemas::canonical;
use schemas::dictionary::Dictionary;
use schemas::digest::Digest;
use schemas::enrolment::JoinCode;
use schemas::entry::{Entry, verify_chain};
use schemas::question::Question;
use schemas::round::{Reply, Round, Said};
use schemas::seal::{Message, PublicKey, Sealed, Signer};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A message, its one way into bytes, and its digest.
#[derive(Deserialize)]
struct Vector<T> {
    tag: String,
    message: T,
    canonical: String,
    digest: Digest,
}

/// A key made from a seed, and an envelope that it signed.
#[derive(Deserialize)]
#[serde(bound = "")]
struct Signed<T> {
    key: Key,
    sealed: Sealed<T>,
}

#[derive(Deserialize)]
struct Key {
    seed: Digest,
    public: PublicKey,
    fingerprint: Digest,
}

fn load<T: DeserializeOwned>(name: &str) -> T {
    let path = format!("{}/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn check<T: Serialize + DeserializeOwned>(vector: &Vector<T>) {
    let bytes = canonical::to_bytes(&vector.message).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), vector.canonical);
    let read: T = canonical::from_bytes(vector.canonical.as_bytes()).unwrap();
    assert_eq!(
        canonical::digest(&vector.tag, &read).unwrap(),
        vector.digest
    );
}

/// Checks a sealed message of its kind; gives it.
fn sealed<T: Message + PartialEq + std::fmt::Debug>(name: &str) -> T {
    let vector: Vector<T> = load(name);
    check(&vector);
    assert_eq!(vector.tag, T::TAG);
    let signed: Signed<T> = load(name);
    let pair = Signer::from_seed(signed.key.seed.as_bytes()).unwrap();
    assert_eq!(pair.public(), signed.key.public);
    assert_eq!(signed.key.public.fingerprint(), signed.key.fingerprint);
    assert_eq!(signed.sealed.digest().unwrap(), vector.digest);
    assert_eq!(
        signed.sealed.open(&signed.key.public).unwrap(),
        vector.message
    );
    // Ed25519 has one signature for a key and a message.
    assert!(Sealed::seal(&pair, &vector.message).unwrap() == signed.sealed);
    vector.message
}

#[test]
fn plain_values() {
    let vectors: Vec<Vector<Value>> = load("values");
    assert!(vectors.len() >= 12);
    vectors.iter().for_each(check);
}

#[test]
fn other_spellings_are_refused() {
    let texts: Vec<String> = load("refused");
    assert!(texts.len() > 20);
    for text in texts {
        assert!(
            canonical::from_bytes::<Value>(text.as_bytes()).is_err(),
            "{text:?}"
        );
    }
}

#[test]
fn digests() {
    #[derive(Deserialize)]
    struct Case {
        tag: String,
        parts: Vec<String>,
        digest: Digest,
    }
    let cases: Vec<Case> = load("digests");
    for case in cases {
        let parts: Vec<Vec<u8>> = case.parts.iter().map(|part| unhex(part)).collect();
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        assert_eq!(Digest::of(&case.tag, &parts), case.digest);
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap();
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::try_from(digit(pair[0]) * 16 + digit(pair[1])).unwrap())
        .collect()
}

#[test]
fn a_dictionary() {
    let dictionary: Dictionary = sealed("dictionary");
    dictionary.check().unwrap();
    let vector: Vector<Dictionary> = load("dictionary");
    assert_eq!(dictionary.digest().unwrap(), vector.digest);
}

#[test]
fn a_question() {
    #[derive(Deserialize)]
    struct Series {
        series: Digest,
    }
    let vector: Vector<Question> = load("question");
    check(&vector);
    assert_eq!(vector.message.digest().unwrap(), vector.digest);
    let series: Series = load("question");
    assert_eq!(vector.message.series_digest().unwrap(), series.series);
    // The file is already in the one order.
    assert_eq!(vector.message.clone().canonical(), vector.message);
}

#[test]
fn rounds_answers_and_replies() {
    let asked: Vector<Question> = load("question");
    let round: Round = sealed("round");
    assert_eq!(round.question, asked.message);
    let free: Round = sealed("round-free");
    assert!(free.template.is_none() && free.question.series.is_none());
    let answer: Answer = sealed("answer");
    assert_eq!(answer.question, asked.digest);
    let reply: Reply = sealed("reply");
    let signed: Signed<Answer> = load("answer");
    assert!(matches!(reply.said, Said::Answered(inner) if inner == signed.sealed));
    let declined: Reply = sealed("reply-declined");
    assert!(matches!(declined.said, Said::Declined(_)));
}

#[test]
fn a_seal_fits_no_other_kind_and_no_other_key() {
    let round: Signed<Value> = load("round");
    let envelope = serde_json::to_value(&round.sealed).unwrap();
    let as_answer: Sealed<Answer> = serde_json::from_value(envelope).unwrap();
    assert!(as_answer.open(&round.key.public).is_err());
    let other: Signed<Answer> = load("answer");
    let round: Signed<Round> = load("round");
    assert!(round.sealed.open(&other.key.public).is_err());
}

#[test]
fn a_chain() {
    #[derive(Deserialize)]
    struct Chain {
        entries: Vec<Vector<Entry>>,
        head: Digest,
    }
    let chain: Chain = load("chain");
    chain.entries.iter().for_each(check);
    for vector in &chain.entries {
        assert_eq!(vector.message.digest().unwrap(), vector.digest);
    }
    let entries = chain.entries.iter().map(|vector| &vector.message);
    assert_eq!(verify_chain(entries), Ok(chain.head));
}

#[test]
fn a_join_code() {
    #[derive(Deserialize)]
    struct Join {
        code: JoinCode,
        text: String,
        secret_digest: Digest,
    }
    let join: Join = load("join-code");
    assert_eq!(join.code.to_text().unwrap(), join.text);
    assert_eq!(join.text.parse::<JoinCode>().unwrap(), join.code);
    assert_eq!(
        JoinCode::secret_digest(&join.code.secret),
        join.secret_digest
    );
}
