//! Junk and changed bytes are refused without a panic; what is read is written again byte for byte.

use pooled::inspect::Proposal;
use pooled::key_list::SignedList;
use pooled::manifest::{Manifest, Round};
use pooled::shape::Shape;
use pooled::sums::{MaskSum, Sent};
use pooled::survivors::{Certificate, VoidCertificate};
use pooled::upload::{Masked, Upload};
use pooled::wire;
use proptest::prelude::*;
use schemas::canonical;

use crate::fixture::{Alliance, list, sign, signer, survivors, votes};

struct Said {
    alliance: Alliance,
    round: Round,
    messages: Vec<Vec<u8>>,
}

fn said() -> &'static Said {
    static SAID: std::sync::OnceLock<Said> = std::sync::OnceLock::new();
    SAID.get_or_init(|| {
        let alliance = Alliance::new(Shape::DEFAULT, 5);
        let round = alliance.round();
        let uploads: Vec<Upload> = alliance
            .hospitals
            .iter()
            .map(|h| alliance.upload(&round, h, &[1; 5]))
            .collect();
        let set = survivors(&round, &uploads);
        let manifest = schemas::seal::Sealed::seal(&signer("coordinator"), &alliance.manifest());
        let messages = vec![
            canonical::to_bytes(&sign(&list(Shape::DEFAULT, 5), &["h01"])).unwrap(),
            canonical::to_bytes(&manifest.unwrap()).unwrap(),
            uploads[0].to_bytes().unwrap(),
            canonical::to_bytes(&Proposal::to_seat(&set, &uploads, 0)).unwrap(),
            canonical::to_bytes(&votes(&alliance, &round, &set, &[0, 1, 2])).unwrap(),
        ];
        Said {
            alliance,
            round,
            messages,
        }
    })
}

/// Gives bytes to every reader; whatever reads them must write them again.
fn read_all(said: &Said, bytes: &[u8]) {
    let round = &said.round;
    let again = |written: Result<Vec<u8>, wire::WireError>| assert_eq!(written.unwrap(), bytes);
    if let Ok(list) = SignedList::parse(bytes) {
        again(wire::write(&list));
    }
    if let Ok(manifest) = Manifest::parse(bytes) {
        again(wire::write(&manifest));
    }
    if let Ok(upload) = Upload::parse(round, bytes) {
        assert_eq!(upload.to_bytes().unwrap(), bytes);
    }
    if let Ok(proposal) = Proposal::parse(bytes) {
        again(wire::write(&proposal));
        let _judged = proposal.inspect(round, &said.alliance.seats[0], &said.alliance.secrets[0]);
    }
    if let Ok(certificate) = Certificate::parse(bytes) {
        again(wire::write(&certificate));
        let _judged = certificate.verify(round);
    }
    if let Ok(certificate) = VoidCertificate::parse(bytes) {
        again(wire::write(&certificate));
        let _judged = certificate.verify(round);
    }
    if let Ok(sent) = Sent::parse(round, bytes) {
        assert_eq!(sent.to_bytes().unwrap(), bytes);
    }
    let _read = Masked::parse(round, bytes, bytes);
    let _opened = said.alliance.secrets[0].open(
        &pooled::boxes::Context {
            round: round.hash(),
            hospital: &said.alliance.hospitals[0],
            member: &said.alliance.seats[0],
        },
        bytes,
    );
}

proptest! {
    #[test]
    fn junk(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        read_all(said(), &bytes);
    }

    #[test]
    fn changed(which in 0_usize..5, place: prop::sample::Index, to: u8, cut in any::<bool>()) {
        let said = said();
        let mut bytes = said.messages[which].clone();
        let place = place.index(bytes.len());
        if cut { bytes.truncate(place) } else { bytes[place] = to }
        read_all(said, &bytes);
    }
}

#[test]
fn sizes_are_bounded_before_anything_is_parsed() {
    let said = said();
    for message in &said.messages {
        read_all(said, message);
    }
    let long = vec![b'['; 17 * 1024 * 1024];
    for refused in [
        SignedList::parse(&long).is_err(),
        Manifest::parse(&long).is_err(),
        Proposal::parse(&long).is_err(),
        Certificate::parse(&long).is_err(),
        VoidCertificate::parse(&long).is_err(),
        Upload::parse(&said.round, &long).is_err(),
        Sent::parse(&said.round, &long).is_err(),
    ] {
        assert!(refused);
    }
    // A length that promises more than there is.
    let promise = [u32::MAX.to_le_bytes().as_slice(), &[0; 8]].concat();
    assert!(Upload::parse(&said.round, &promise).is_err());
    let set = survivors(&said.round, &[]);
    let none: Result<MaskSum, _> = {
        let uploads: Vec<Upload> = said
            .alliance
            .hospitals
            .iter()
            .map(|h| said.alliance.upload(&said.round, h, &[1; 5]))
            .collect();
        let whole = survivors(&said.round, &uploads);
        let certified = votes(&said.alliance, &said.round, &whole, &[0, 1, 2]).verify(&said.round);
        let class = Shape::DEFAULT.classes()[0];
        MaskSum::accept(&said.round, &certified.unwrap(), class, &[0; 40], &[])
    };
    assert!(none.is_err() && set.check(&said.round).is_err());
}
