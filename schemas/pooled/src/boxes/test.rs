use super::*;

#[test]
fn only_the_member_opens_and_only_in_the_context() {
    let (mine, other) = (
        BoxSecret::generate().unwrap(),
        BoxSecret::generate().unwrap(),
    );
    let names: Vec<Slug> = ["h1", "h2", "c1", "c2"]
        .map(|name| name.parse().unwrap())
        .into();
    let (round, later) = (Digest::of("r", &[b"1"]), Digest::of("r", &[b"2"]));
    let context = Context {
        round: &round,
        hospital: &names[0],
        member: &names[2],
    };
    let sealed = mine.public().seal(&context, &[7; 64], b"seeds").unwrap();
    assert_eq!(sealed.len(), 5 + OVERHEAD);
    assert_eq!(&**mine.open(&context, &sealed).unwrap(), b"seeds");
    assert_eq!(other.open(&context, &sealed).err(), Some(BoxError::Closed));
    for wrong in [
        Context {
            round: &later,
            ..context
        },
        Context {
            hospital: &names[1],
            ..context
        },
        Context {
            member: &names[3],
            ..context
        },
    ] {
        assert_eq!(mine.open(&wrong, &sealed).err(), Some(BoxError::Closed));
    }
    for place in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[place] ^= 1;
        assert_eq!(
            mine.open(&context, &changed).err(),
            Some(BoxError::Closed),
            "{place}"
        );
        assert!(mine.open(&context, &sealed[..place]).is_err());
    }
    let again = BoxSecret::from_bytes(*mine.as_bytes()).unwrap();
    assert!(again.open(&context, &sealed).is_ok());
    assert_eq!(format!("{again:?}"), "BoxSecret(secret)");
}

#[test]
fn what_is_no_key_is_refused_where_it_is_read() {
    let key = BoxSecret::generate().unwrap().public();
    let bytes = key.to_bytes();
    assert_eq!(bytes.len(), 1_216);
    let text = serde_json::to_string(&key).unwrap();
    assert!(serde_json::from_str::<BoxKey>(&text).unwrap() == key);
    let read = |bytes: &[u8]| BoxKey::try_from(Bytes(bytes.to_vec())).err();
    assert_eq!(read(&bytes), None);
    // Too short, too long, none, and coefficients beyond ML-KEM's modulus.
    for wrong in [
        &bytes[1..],
        &[&bytes[..], &[0]].concat(),
        &[],
        &[0xff; 1_216],
        &[&[0xff; 3], &bytes[3..]].concat(),
    ] {
        assert_eq!(read(wrong), Some(BoxError::Key), "{} bytes", wrong.len());
    }
    let digits = format!("\"{}\"", "ff".repeat(32));
    assert!(serde_json::from_str::<BoxKey>(&digits).is_err());
}

/// What X25519 alone would give away: its half of small order, where every shared secret is zero.
/// ML-KEM's half still keeps the box closed to everybody else.
#[test]
fn one_half_is_enough() {
    let name: Slug = "h1".parse().unwrap();
    let context = Context {
        round: &Digest::ZERO,
        hospital: &name,
        member: &name,
    };
    let secret = BoxSecret::generate().unwrap();
    let mut bytes = secret.public().to_bytes();
    bytes[1_184..].fill(0);
    let weak = BoxKey::try_from(Bytes(bytes)).unwrap();
    let drawn = |at: usize| std::array::from_fn(|byte| u8::from(byte / 32 == at));
    // Each half of what is drawn goes into one half of the key: either changes the whole box.
    let sealed: Vec<Vec<u8>> = [drawn(0), drawn(1), drawn(2)]
        .iter()
        .map(|drawn| weak.seal(&context, drawn, b"seeds").unwrap())
        .collect();
    let (of_mlkem, of_x25519) = (0..1_088, 1_088..1_120);
    assert_ne!(sealed[0][of_mlkem.clone()], sealed[2][of_mlkem.clone()]);
    assert_eq!(sealed[1][of_mlkem.clone()], sealed[2][of_mlkem]);
    assert_ne!(sealed[1][of_x25519.clone()], sealed[2][of_x25519]);
    assert_ne!(sealed[0][1_120..], sealed[2][1_120..]);
    let other = BoxSecret::generate().unwrap();
    for sealed in sealed {
        assert_eq!(other.open(&context, &sealed).err(), Some(BoxError::Closed));
    }
}

/// A vector of draft-ietf-hpke-pq (its file `test-vectors.json`), first encryption.
#[test]
fn the_suite_is_that_of_the_draft() {
    let file = include_str!("../../vectors/hpke_pq.json");
    let vector: std::collections::BTreeMap<String, String> = serde_json::from_str(file).unwrap();
    let bytes = |name: &str| -> Vec<u8> {
        let digits = vector[name].as_bytes().chunks(2);
        let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.map(byte).collect()
    };
    let secret = BoxSecret::from_bytes(bytes("skRm").try_into().unwrap()).unwrap();
    assert_eq!(secret.public().to_bytes(), bytes("pkRm"));
    let (info, aad, content) = (bytes("info"), bytes("aad"), bytes("pt"));
    let drawn: [u8; DRAWN] = bytes("ikmE").try_into().unwrap();
    let sealed = seal(&secret.public(), &info, &aad, &drawn, &content).unwrap();
    assert_eq!(sealed, [bytes("enc"), bytes("ct")].concat());
    let opened = open(&secret.key, &info, &aad, &sealed).unwrap();
    assert_eq!(*opened, content);
}
