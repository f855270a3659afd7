//! One round, from key list to totals, against a file made by an independent implementation
//! (`tests/vectors/make_pooled_vectors.py`): what it wrote is read and believed here, and what is
//! made here from the same secrets is byte for byte the same.

use std::collections::BTreeMap;

use pooled::boxes::BoxSecret;
use pooled::inspect::Proposal;
use pooled::key_list::{Pinned, SignedList};
use pooled::manifest::{Manifest, Round, Trust};
use pooled::mask::{Owner, Seed};
use pooled::receipt::Receipt;
use pooled::shape::Class;
use pooled::sums::{MaskSum, Sum};
use pooled::survivors::{Certificate, Survivors, VoidCertificate};
use pooled::threshold::Policy;
use pooled::total::total;
use pooled::upload::{Parts, Secrets, Upload};
use pooled::vote::{Certify, Complaint, Void};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::{PublicKey, Sealed, Signer};
use schemas::time::Timestamp;
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    keys: BTreeMap<String, Key>,
    box_secrets: BTreeMap<String, Digest>,
    now: Timestamp,
    signed_list: SignedList,
    list_hash: Digest,
    member_fingerprints: Vec<Digest>,
    manifest: Sealed<Manifest>,
    manifest_hash: Digest,
    uploads: Vec<Uploaded>,
    survivors: Survivors,
    survivors_hash: Digest,
    certificate: Certificate,
    void: VoidCertificate,
    complaint: Sealed<Complaint>,
    receipt: Sealed<Receipt>,
    sums: Vec<Summed>,
    total: [Vec<i64>; 3],
}

#[derive(Deserialize)]
struct Key {
    seed: Digest,
    public: PublicKey,
}

#[derive(Deserialize)]
struct Uploaded {
    hospital: Slug,
    noised: Vec<i64>,
    vector: Vec<u64>,
    masks: Vec<Vec<u64>>,
    seeds: Vec<Digest>,
    drawn: Vec<String>,
    parts: Parts,
    digest: Digest,
    boxes: Vec<String>,
    bytes: String,
}

#[derive(Deserialize)]
struct Summed {
    class: Class,
    vector: Vec<u64>,
    digest: Digest,
    words: Vec<Sealed<Sum>>,
}

impl File {
    fn signer(&self, name: &str) -> Signer {
        let signer = Signer::from_seed(self.keys[name].seed.as_bytes()).unwrap();
        assert_eq!(signer.public(), self.keys[name].public);
        signer
    }

    fn pinned(&self) -> Pinned {
        Pinned::first(&self.signed_list, &self.keys["alliance"].public, 1).unwrap()
    }

    fn round(&self) -> Round {
        let pinned = self.pinned();
        let trust = Trust {
            coordinator: &self.keys["coordinator"].public,
            pinned: &pinned,
            policy: &Policy::floors(),
            accepted: &self.member_fingerprints.iter().copied().collect(),
        };
        Round::open(&self.manifest, &trust, self.now).unwrap()
    }

    fn secret(&self, member: &Slug) -> BoxSecret {
        BoxSecret::from_bytes(*self.box_secrets[member.as_str()].as_bytes()).unwrap()
    }
}

fn file() -> File {
    serde_json::from_str(include_str!("../../vectors/round.json")).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    let digits =
        |byte: &u8| [byte >> 4, byte & 15].map(|d| char::from_digit(d.into(), 16).unwrap());
    bytes.iter().flat_map(digits).collect()
}

/// The script's values: a line in the number of the cell.
fn noised(number: usize, cells: usize) -> Vec<i64> {
    let (number, cells) = (
        i64::try_from(number).unwrap(),
        i64::try_from(cells).unwrap(),
    );
    (0..cells)
        .map(|cell| (number + 1) * (cell * cell * 1_003 - 77_000))
        .collect()
}

/// 64 bytes from hexadecimal.
fn drawn(text: &str) -> [u8; 64] {
    let pair = |at: usize| u8::from_str_radix(text.get(2 * at..2 * at + 2).unwrap(), 16).unwrap();
    std::array::from_fn(pair)
}

fn uploads(file: &File, round: &Round) -> Vec<Upload> {
    let make = |(number, made): (usize, &Uploaded)| {
        let seeds: Vec<_> = made.seeds.iter().map(|seed| *seed.as_bytes()).collect();
        let boxes: Vec<_> = made.drawn.iter().map(|text| drawn(text)).collect();
        let secrets = Secrets::fixed(round.shape(), &seeds, &boxes);
        let signer = file.signer(made.hospital.as_str());
        let values = noised(number, round.cells());
        assert_eq!(values[..4], made.noised);
        Upload::make(round, &made.hospital, &signer, &values, secrets).unwrap()
    };
    file.uploads.iter().enumerate().map(make).collect()
}

#[test]
fn list_and_manifest() {
    let file = file();
    let pinned = file.pinned();
    assert_eq!(pinned.hash(), file.list_hash);
    let members = pinned.list().members.iter();
    let fingerprints: Vec<Digest> = members
        .map(|member| member.fingerprint().unwrap())
        .collect();
    assert_eq!(fingerprints, file.member_fingerprints);
    let round = file.round();
    assert_eq!(round.hash(), &file.manifest_hash);
    let again = Sealed::seal(&file.signer("coordinator"), round.manifest()).unwrap();
    assert!(again == file.manifest);
    let keys = pinned.list().committees[0]
        .seats
        .iter()
        .map(|seat| file.secret(&seat.member));
    let public: Vec<_> = keys.map(|secret| secret.public()).collect();
    let listed: Vec<_> = round
        .seats()
        .iter()
        .map(|seat| seat.box_key.clone())
        .collect();
    assert_eq!(public, listed);
}

#[test]
fn masks_boxes_and_uploads() {
    let file = file();
    let round = file.round();
    let made = uploads(&file, &round);
    assert_eq!(made.len(), 5);
    for (upload, expected) in made.iter().zip(&file.uploads) {
        for ((class, seed), mask) in round
            .shape()
            .classes()
            .into_iter()
            .zip(&expected.seeds)
            .zip(&expected.masks)
        {
            let owner = Owner {
                round: round.hash(),
                hospital: &expected.hospital,
                class,
            };
            let mut start = vec![0; 4];
            Seed::from_bytes(*seed.as_bytes())
                .add_mask(&owner, &mut start)
                .unwrap();
            assert_eq!(&start, mask);
        }
        let key = &file.keys[expected.hospital.as_str()].public;
        assert_eq!(upload.masked().sealed().open(key).unwrap(), expected.parts);
        assert_eq!(upload.masked().digest(), &expected.digest);
        assert_eq!(upload.masked().vector()[..4], expected.vector);
        let boxes = (0..4).map(|seat| hex(upload.sealed_box(seat).unwrap()));
        assert_eq!(boxes.collect::<Vec<_>>(), expected.boxes);
        let bytes = upload.to_bytes().unwrap();
        let sha256 = ring::digest::digest(&ring::digest::SHA256, &bytes);
        assert_eq!(hex(sha256.as_ref()), expected.bytes);
    }
}

#[test]
fn votes_complaints_and_receipts() {
    let file = file();
    let round = file.round();
    assert_eq!(file.survivors.check(&round).unwrap(), file.survivors_hash);
    let certified = file.certificate.verify(&round).unwrap();
    assert_eq!(certified.digest(), &file.survivors_hash);
    file.void.verify(&round).unwrap();
    for (seat, (vote, void)) in round
        .seats()
        .iter()
        .zip(file.certificate.votes.iter().zip(&file.void.votes))
    {
        let signer = file.signer(seat.member.as_str());
        let again = Certify::sign(&round, &seat.member, &signer, file.survivors_hash).unwrap();
        assert!(again == *vote);
        assert!(Void::sign(&round, &seat.member, &signer).unwrap() == *void);
    }
    let complaint = Complaint::open(&round, &file.complaint).unwrap();
    assert_eq!(
        (complaint.hospital.as_str(), complaint.member.as_str()),
        ("h02", "c4")
    );
    let receipt = file.receipt.open(&file.keys["c3"].public).unwrap();
    assert_eq!(receipt.sequence, 41);
    assert!(Sealed::seal(&file.signer("c3"), &receipt).unwrap() == file.receipt);
}

#[test]
fn mask_sums_and_totals() {
    let file = file();
    let round = file.round();
    let made = uploads(&file, &round);
    let certified = file.certificate.verify(&round).unwrap();
    let mut sums = Vec::new();
    for expected in &file.sums {
        let members = round
            .seats()
            .iter()
            .zip(0_u8..)
            .filter(|(_, seat)| expected.class.contains(*seat));
        for ((at, seat), word) in members.zip(&expected.words) {
            let proposal = Proposal::to_seat(&file.survivors, &made, seat);
            let inspected = proposal
                .inspect(&round, &at.member, &file.secret(&at.member))
                .unwrap();
            let vector = &inspected.sums(&round, &certified).unwrap()[&expected.class];
            assert_eq!(vector[..4], expected.vector);
            let signer = file.signer(at.member.as_str());
            let again = Sum::sign(
                &round,
                &certified,
                &at.member,
                &signer,
                expected.class,
                vector,
            );
            assert!(again.unwrap() == *word);
            assert_eq!(word.open(&at.key).unwrap().vector, expected.digest);
            if sums.len() < expected.class_number(&file) {
                let bytes: Vec<u8> = vector.iter().flat_map(|cell| cell.to_le_bytes()).collect();
                let words = &expected.words;
                sums.push(
                    MaskSum::accept(&round, &certified, expected.class, &bytes, words).unwrap(),
                );
            }
        }
    }
    let totals = total(&round, &certified, made.iter().map(Upload::masked), &sums).unwrap();
    assert_eq!(totals.blocks[0].raw, file.total[0]);
    assert_eq!(totals.blocks[1].raw[..4], file.total[1]);
    assert_eq!(totals.blocks[1].raw[599..], file.total[2]);
    assert_eq!(totals.blocks[1].whole(), totals.blocks[1].raw);
}

impl Summed {
    /// 1 for the first class and so on.
    fn class_number(&self, file: &File) -> usize {
        file.sums
            .iter()
            .position(|one| one.class == self.class)
            .unwrap()
            + 1
    }
}
