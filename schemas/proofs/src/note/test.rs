use super::*;
use schemas::seal::PublicKey;

/// Example key and note of the reference implementation (golang.org/x/mod/sumdb/note).
const REFERENCE_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const REFERENCE_SEED: &str = "gQoUAtUUbI2E8kQzMPVAgOv5juF9nHT2JS/F1ccoMXM=";
const REFERENCE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqf\
    qdngotpRZb6KE6RyyBwJnAM=\n";

/// The example of C2SP signed-note.
const POEM: &str = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\n\
    ed è subito sera.\n\n\u{2014} quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5d\
    dnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";

fn signer(seed: u8) -> Signer {
    Signer::from_seed(&[seed; 32]).unwrap()
}

fn text_key(name: &str, seed: u8) -> Key {
    Key::new(name, Kind::Text, signer(seed).public()).unwrap()
}

fn witness_key(name: &str, seed: u8) -> Key {
    Key::new(name, Kind::Cosignature, signer(seed).public()).unwrap()
}

fn note() -> Note {
    Note::new("alliance/H0001/settlements\n3\nroot\n".to_owned()).unwrap()
}

#[test]
fn the_reference_note_verifies_and_is_made_again() {
    let key: Key = REFERENCE_KEY.parse().unwrap();
    assert_eq!(key.to_string(), REFERENCE_KEY);
    let read = Note::parse(REFERENCE.as_bytes()).unwrap();
    assert_eq!(read.to_string(), REFERENCE);
    let keys = [key];
    let verified = read.verify(&keys).unwrap();
    assert_eq!((verified[0].key, verified[0].time), (&keys[0], None));

    let seed: [u8; 32] = BASE64.decode(REFERENCE_SEED).unwrap().try_into().unwrap();
    let mut made = Note::new(read.text().to_owned()).unwrap();
    made.sign("PeterNeumann", &Signer::from_seed(&seed).unwrap())
        .unwrap();
    assert_eq!(made.to_string(), REFERENCE);
}

#[test]
fn the_last_blank_line_separates() {
    let poem = Note::parse(POEM.as_bytes()).unwrap();
    assert!(poem.text().ends_with("sole:\n\ned è subito sera.\n"));
    assert_eq!(poem.to_string(), POEM);
    assert_eq!(poem.verify(&[text_key("a", 1)]), Err(NoteError::Unsigned));
}

#[test]
fn a_cosignature_is_what_the_specification_says() {
    let mut note = note();
    note.cosign("w.example", &signer(2), 1_679_315_147).unwrap();
    let line = note.to_string().lines().last().unwrap().to_owned();
    let bytes = BASE64.decode(line.rsplit(' ').next().unwrap()).unwrap();
    let hashed = ring::digest::digest(
        &ring::digest::SHA256,
        &[b"w.example\n\x04", signer(2).public().as_bytes().as_slice()].concat(),
    );
    assert_eq!(bytes[..4], hashed.as_ref()[..4]);
    assert_eq!(bytes[4..12], 1_679_315_147_u64.to_be_bytes());
    let message = "cosignature/v1\ntime 1679315147\nalliance/H0001/settlements\n3\nroot\n";
    let public = signer(2).public();
    public.verify(message.as_bytes(), &bytes[12..]).unwrap();
}

#[test]
fn unknown_lines_are_ignored_and_a_wrong_line_of_a_known_key_refuses() {
    let mut note = note();
    note.sign("log", &signer(1)).unwrap();
    note.cosign("w", &signer(2), 7).unwrap();
    note.cosign("w", &signer(2), 9).unwrap();
    let (log, witness) = (text_key("log", 1), witness_key("w", 2));
    let keys = [log.clone(), witness.clone()];
    let times: Vec<_> = note.verify(&keys).unwrap().iter().map(|v| v.time).collect();
    assert_eq!(times, [None, Some(9)]);
    assert_eq!(note.verify(std::slice::from_ref(&log)).unwrap().len(), 1);
    // The same name with another key, or the same key under another name, is another key.
    for stranger in [text_key("log", 3), text_key("w", 1), text_key("w", 2)] {
        assert_eq!(note.verify(&[stranger]), Err(NoteError::Unsigned));
    }
    // A changed text, and a changed time.
    let changed = note.to_string().replace("\n3\n", "\n4\n");
    let changed = Note::parse(changed.as_bytes()).unwrap();
    assert_eq!(changed.verify(&keys), Err(NoteError::Signature));
    for position in 4..note.lines[1].signature.len() {
        let mut forged = note.clone();
        forged.lines[1].signature[position] ^= 1;
        assert_eq!(forged.verify(&keys), Err(NoteError::Signature));
        assert!(forged.verify(std::slice::from_ref(&log)).is_ok());
    }
    let mut cut = note.clone();
    cut.lines[1].signature.truncate(7);
    assert_eq!(cut.verify(&keys), Err(NoteError::Signature));
}

#[test]
fn no_signature_serves_as_another_kind() {
    // A plain signature over what a witness would sign is refused at the start.
    let text = "cosignature/v1\ntime 7\nalliance/H0001/settlements\n3\nroot\n";
    assert_eq!(Note::new(text.to_owned()), Err(NoteError::Text));
    // A text that could be a sealed message's digest, too.
    let digest_like = format!("{}\n", "a".repeat(31));
    assert_eq!(Note::new(digest_like), Err(NoteError::Text));
}

#[test]
fn copies_are_merged() {
    let (mut one, mut two) = (note(), note());
    one.sign("log", &signer(1)).unwrap();
    two.sign("log", &signer(1)).unwrap();
    two.cosign("w", &signer(2), 7).unwrap();
    one.merge(&two).unwrap();
    assert_eq!(one, two);
    let other = Note::new("other\n".to_owned()).unwrap();
    assert_eq!(one.merge(&other), Err(NoteError::Text));
}

#[test]
fn other_forms_are_refused() {
    let sound = REFERENCE;
    let refused = |bytes: &[u8], error| assert_eq!(Note::parse(bytes), Err(error));
    refused(b"", NoteError::Form);
    refused(b"\n\n", NoteError::Form);
    refused(b"text\n\n", NoteError::Form);
    refused(b"text\n\n\n", NoteError::Form);
    refused(b"\xff\n\n", NoteError::Text);
    refused(sound.trim_end().as_bytes(), NoteError::Form);
    refused(sound.replace("your", "yo\tur").as_bytes(), NoteError::Text);
    refused(sound.replace("your", "yo\rur").as_bytes(), NoteError::Text);
    refused(sound.replace('\u{2014}', "-").as_bytes(), NoteError::Form);
    refused(sound.replace("AM=\n", "AM\n").as_bytes(), NoteError::Form);
    refused(sound.replace("AM=\n", "AN=\n").as_bytes(), NoteError::Form);
    refused(sound.replace("Neumann ", "+ ").as_bytes(), NoteError::Name);
    refused(
        "text\n\n\u{2014} name AAAAAA==\n".as_bytes(),
        NoteError::Form,
    );
    let long = format!("{}{sound}", "line\n".repeat(MAX_BYTES / 5));
    refused(long.as_bytes(), NoteError::TooLong);
    let line = sound.lines().last().unwrap();
    let many = format!("text\n\n{}", format!("{line}\n").repeat(MAX_SIGNATURES + 1));
    refused(many.as_bytes(), NoteError::TooMany);
    let mut most = Note::parse(many.replacen(&format!("{line}\n"), "", 1).as_bytes()).unwrap();
    assert_eq!(most.sign("log", &signer(1)), Err(NoteError::TooMany));
    let time = note().cosign("w", &signer(2), 1 << 63);
    assert_eq!(time, Err(NoteError::Time));
}

#[test]
fn keys_have_one_text() {
    let refused = [
        "",
        "name",
        "name+c74f20a3",
        "Peter+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10Q=",
    ];
    for text in refused {
        assert_eq!(text.parse::<Key>(), Err(NoteError::Key), "{text}");
    }
    let public = PublicKey::from_bytes([1; 32]);
    for name in ["", "a b", "a+b", "a\u{3000}b", "a\nb", &"n".repeat(256)] {
        assert_eq!(Key::new(name, Kind::Text, public), Err(NoteError::Name));
    }
    let witness = witness_key("w", 2);
    assert_eq!(witness.to_string().parse(), Ok(witness));
}

#[test]
fn no_flipped_bit_passes() {
    let keys = [REFERENCE_KEY.parse::<Key>().unwrap()];
    for position in 0..REFERENCE.len() {
        for bit in 0..8 {
            let mut bytes = REFERENCE.as_bytes().to_vec();
            bytes[position] ^= 1 << bit;
            let believed = Note::parse(&bytes).and_then(|note| note.verify(&keys).map(|_| ()));
            assert!(believed.is_err(), "byte {position}, bit {bit}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, text: String) {
        let signed = format!("{text}\n\n\u{2014} {text}\n");
        for input in [&bytes[..], text.as_bytes(), signed.as_bytes()] {
            if let Ok(note) = Note::parse(input) {
                let written = note.to_string();
                proptest::prop_assert_eq!(written.as_bytes(), input);
            }
        }
        if let Ok(key) = text.parse::<Key>() {
            proptest::prop_assert_eq!(key.to_string(), text);
        }
    }
}
