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
    let sealed = mine
        .public()
        .unwrap()
        .seal(&context, &[7; 32], b"seeds")
        .unwrap();
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
    let again = BoxSecret::from_bytes(*mine.as_bytes());
    assert!(again.open(&context, &sealed).is_ok());
    assert_eq!(format!("{again:?}"), "BoxSecret(secret)");
}

#[test]
fn keys_of_small_order_are_refused() {
    let name: Slug = "h1".parse().unwrap();
    let context = Context {
        round: &Digest::ZERO,
        hospital: &name,
        member: &name,
    };
    let mut one = [0; 32];
    one[0] = 1;
    for bytes in [[0; 32], one] {
        let sealed = BoxKey::from_bytes(bytes).seal(&context, &[7; 32], b"");
        assert_eq!(sealed, Err(BoxError::Key));
        let secret = BoxSecret::generate().unwrap();
        let junk = [&bytes[..], &[0; 16]].concat();
        assert_eq!(secret.open(&context, &junk).err(), Some(BoxError::Closed));
    }
}

/// RFC 9180, appendix A.2.1, first encryption.
#[test]
fn the_suite_is_that_of_the_rfc() {
    let file = include_str!("../../vectors/rfc9180.json");
    let vector: std::collections::BTreeMap<String, String> = serde_json::from_str(file).unwrap();
    let bytes = |name: &str| -> Vec<u8> {
        let digits = vector[name].as_bytes().chunks(2);
        let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.map(byte).collect()
    };
    let fixed = |name: &str| -> [u8; 32] { bytes(name).try_into().unwrap() };
    let secret = BoxSecret::from_bytes(fixed("skRm"));
    assert_eq!(secret.public().unwrap().as_bytes(), &fixed("pkRm"));
    let (info, aad, content) = (bytes("info"), bytes("aad"), bytes("pt"));
    let to = secret.public().unwrap();
    let sealed = seal(&to, &info, &aad, &fixed("ikmE"), &content).unwrap();
    assert_eq!(sealed, [bytes("enc"), bytes("ct")].concat());
    let opened = open(&secret.key().unwrap(), &info, &aad, &sealed).unwrap();
    assert_eq!(*opened, content);
}
