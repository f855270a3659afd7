//! An alliance in memory: hospitals, a committee, a coordinator.

use std::collections::BTreeSet;

use pooled::boxes::{BoxSecret, Suite};
use pooled::inspect::Proposal;
use pooled::key_list::{
    Committee, Countersignature, Countersigned, KeyList, Kind, Member, Pinned, Seat, SeatKey,
    SignedList,
};
use pooled::manifest::{Manifest, ManifestError, Round, Trust};
use pooled::range::Block;
use pooled::shape::Shape;
use pooled::sums::{MaskSum, Sent, Sum};
use pooled::survivors::{Certificate, Certified, Survivor, Survivors};
use pooled::threshold::Policy;
use pooled::total::{Totals, total};
use pooled::upload::{Secrets, Upload};
use pooled::vote::Certify;
use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::loss::Rho;
use schemas::seal::{Message as _, Sealed, Signer};
use schemas::time::Timestamp;

/// 2025-03-01T00:00:00Z.
pub(crate) const MARCH: i64 = 1_740_787_200;
pub(crate) const DAY: i64 = 86_400;
pub(crate) const NOW: Timestamp = Timestamp(MARCH + 3 * DAY);

pub(crate) fn slug(name: &str) -> Slug {
    name.parse().unwrap()
}

pub(crate) fn signer(name: &str) -> Signer {
    Signer::from_seed(Digest::of("fixture", &[name.as_bytes()]).as_bytes()).unwrap()
}

pub(crate) struct Alliance {
    pub(crate) shape: Shape,
    pub(crate) hospitals: Vec<Slug>,
    pub(crate) seats: Vec<Slug>,
    pub(crate) secrets: Vec<BoxSecret>,
    pub(crate) pinned: Pinned,
    pub(crate) accepted: BTreeSet<Digest>,
    pub(crate) policy: Policy,
}

/// A member of its own entity, with the key of its name.
pub(crate) fn member(name: &str, kind: Kind) -> Member {
    let entity = slug(&format!("{name}-ltd"));
    Member {
        id: slug(name),
        kind,
        entity,
        key: signer(name).public(),
    }
}

pub(crate) fn seat_key(name: &str, epoch: u32, month: &str, valid_to: i64) -> SeatKey {
    let secret = Digest::of("box", &[name.as_bytes(), month.as_bytes()]);
    SeatKey {
        alliance: slug("north-river"),
        epoch,
        member: slug(name),
        month: month.parse().unwrap(),
        valid_to: Timestamp(valid_to),
        suite: Suite::XWing,
        key: BoxSecret::from_bytes(*secret.as_bytes()).unwrap().public(),
    }
}

/// A first list: hospitals h01 …; the first two hold seats, other seats are c3 ….
pub(crate) fn list(shape: Shape, n: usize) -> KeyList {
    let hospitals: Vec<String> = (1..=n).map(|i| format!("h{i:02}")).collect();
    let seats = seat_names(shape);
    let mut members: Vec<Member> = hospitals
        .iter()
        .map(|name| member(name, Kind::Hospital))
        .collect();
    members.extend(
        seats
            .iter()
            .skip(2)
            .map(|name| member(name, Kind::Authority)),
    );
    members.sort_by(|one, next| one.id.cmp(&next.id));
    let seat = |name: &String| {
        let key = seat_key(name, 1, "2025-03", MARCH + 45 * DAY);
        Seat {
            member: slug(name),
            keys: vec![Sealed::seal(&signer(name), &key).unwrap()],
        }
    };
    KeyList {
        alliance: slug("north-river"),
        version: 1,
        previous: Digest::ZERO,
        valid_from: Timestamp(MARCH),
        valid_to: Timestamp(MARCH + 31 * DAY),
        t_max: 2,
        operator: slug("office"),
        members,
        committees: vec![Committee {
            epoch: 1,
            f: shape.f(),
            operator_seats: 0,
            seats: seats.iter().map(seat).collect(),
        }],
    }
}

fn seat_names(shape: Shape) -> Vec<String> {
    let outsiders = (3..=shape.m()).map(|j| format!("c{j}"));
    ["h01", "h02"]
        .map(str::to_owned)
        .into_iter()
        .chain(outsiders)
        .collect()
}

/// A list signed by the alliance and countersigned by these.
pub(crate) fn sign(list: &KeyList, by: &[&str]) -> SignedList {
    let word = Countersignature {
        alliance: list.alliance.clone(),
        version: list.version,
        list: canonical::digest(KeyList::TAG, list).unwrap(),
    };
    let countersigned = by.iter().map(|name| Countersigned {
        member: slug(name),
        seal: Sealed::seal(&signer(name), &word).unwrap(),
    });
    SignedList {
        list: Sealed::seal(&signer("alliance"), list).unwrap(),
        countersigned: countersigned.collect(),
    }
}

impl Alliance {
    pub(crate) fn new(shape: Shape, n: usize) -> Self {
        let list = list(shape, n);
        let signed = sign(&list, &["h01", "h02", "h03"]);
        let pinned = Pinned::first(&signed, &signer("alliance").public(), 1).unwrap();
        let names = seat_names(shape);
        let secret = |name: &String| {
            let bytes = Digest::of("box", &[name.as_bytes(), b"2025-03"]);
            BoxSecret::from_bytes(*bytes.as_bytes()).unwrap()
        };
        let accepted = list
            .members
            .iter()
            .map(|member| member.fingerprint().unwrap())
            .collect();
        let mut hospitals: Vec<Slug> = (1..=n).map(|i| slug(&format!("h{i:02}"))).collect();
        hospitals.sort();
        Self {
            shape,
            hospitals,
            secrets: names.iter().map(secret).collect(),
            seats: names.iter().map(|name| slug(name)).collect(),
            pinned,
            accepted,
            policy: Policy::floors(),
        }
    }

    /// Two blocks of five cells together; every hospital is needed but the share allowed to fail.
    pub(crate) fn manifest(&self) -> Manifest {
        let n = u32::try_from(self.hospitals.len()).unwrap();
        let t = u32::from(self.shape.f()).min(2).min(n - 2);
        let n_min = (n * 4).div_ceil(5).max(t + 2).max(3);
        let block = |cells: u32, scale: u8, max_cell: u64, total: u64| Block {
            family: Digest::of("family", &[&cells.to_le_bytes()]),
            cells,
            scale,
            max_cell,
            rho: Rho::from_nano(25_000_000).unwrap(),
            sigma_total: total,
            // The whole noise is more than any share of it must be.
            sigma_share: total,
        };
        Manifest {
            alliance: slug("north-river"),
            round: slug("2025-03.costs"),
            question: Digest::of("question", &[]),
            layout: Digest::of("layout", &[]),
            period: "2025-01..2025-02".parse().unwrap(),
            blocks: vec![
                block(2, 3, 1, 5 * 1024),
                block(3, 0, 100_000_000_000, 900 * 1024),
            ],
            max_rows: 1_000_000,
            roster: self.hospitals.clone(),
            key_list: self.pinned.hash(),
            epoch: 1,
            key_month: "2025-03".parse().unwrap(),
            f: self.shape.f(),
            t,
            n_min,
            opened: Timestamp(MARCH + DAY),
            closes: Timestamp(MARCH + 8 * DAY),
            answer_by: Timestamp(MARCH + 20 * DAY),
        }
    }

    pub(crate) fn open(&self, manifest: &Manifest) -> Result<Round, ManifestError> {
        self.open_at(manifest, NOW)
    }

    pub(crate) fn open_at(
        &self,
        manifest: &Manifest,
        now: Timestamp,
    ) -> Result<Round, ManifestError> {
        let coordinator = signer("coordinator");
        let trust = Trust {
            coordinator: &coordinator.public(),
            pinned: &self.pinned,
            policy: &self.policy,
            accepted: &self.accepted,
        };
        Round::open(&Sealed::seal(&coordinator, manifest).unwrap(), &trust, now)
    }

    pub(crate) fn round(&self) -> Round {
        self.open(&self.manifest()).unwrap()
    }

    pub(crate) fn upload(&self, round: &Round, hospital: &Slug, noised: &[i64]) -> Upload {
        let secrets = Secrets::random(self.shape).unwrap();
        let made = Upload::make(round, hospital, &signer(hospital.as_str()), noised, secrets);
        let made = made.unwrap();
        let bytes = made.to_bytes().unwrap();
        let read = Upload::parse(round, &bytes).unwrap();
        assert_eq!(read, made);
        assert_eq!(read.to_bytes().unwrap(), bytes);
        read
    }
}

/// The set of these uploads, which stand in the order of their hospitals.
pub(crate) fn survivors(round: &Round, uploads: &[Upload]) -> Survivors {
    let one = |upload: &Upload| Survivor {
        hospital: upload.masked().hospital().clone(),
        upload: *upload.masked().digest(),
    };
    Survivors {
        manifest: *round.hash(),
        uploads: uploads.iter().map(one).collect(),
    }
}

/// Votes of these seats for a set.
pub(crate) fn votes(a: &Alliance, round: &Round, set: &Survivors, seats: &[usize]) -> Certificate {
    let digest = set.digest().unwrap();
    let vote = |seat: &usize| {
        let member = &a.seats[*seat];
        Certify::sign(round, member, &signer(member.as_str()), digest).unwrap()
    };
    Certificate {
        survivors: set.clone(),
        votes: seats.iter().map(vote).collect(),
    }
}

/// From uploads to totals with these seats present. The error tells the step that stopped it.
pub(crate) fn finish(
    a: &Alliance,
    round: &Round,
    uploads: &[Upload],
    present: &[usize],
) -> Result<Totals, &'static str> {
    let set = survivors(round, uploads);
    set.check(round).map_err(|_| "survivors")?;
    let mut inspected = Vec::new();
    for seat in present {
        let number = u8::try_from(*seat).unwrap();
        let proposal = Proposal::to_seat(&set, uploads, number);
        let bytes = canonical::to_bytes(&proposal).unwrap();
        let proposal = Proposal::parse(&bytes).unwrap();
        let opened = proposal.inspect(round, &a.seats[*seat], &a.secrets[*seat]);
        inspected.push((*seat, opened.map_err(|_| "inspect")?));
    }
    let certificate = votes(a, round, &set, present);
    let bytes = canonical::to_bytes(&certificate).unwrap();
    let certified = Certificate::parse(&bytes).unwrap().verify(round);
    let certified = certified.map_err(|_| "quorum")?;
    let mut sent: Vec<Sent> = Vec::new();
    for (seat, opened) in &inspected {
        for (class, vector) in opened.sums(round, &certified).unwrap() {
            let member = &a.seats[*seat];
            let word = Sum::sign(
                round,
                &certified,
                member,
                &signer(member.as_str()),
                class,
                &vector,
            );
            let bytes = Sent::with_vector(word.unwrap(), &vector)
                .to_bytes()
                .unwrap();
            sent.push(Sent::parse(round, &bytes).unwrap());
        }
    }
    let sums = accept(round, &certified, &sent)?;
    let masked = uploads.iter().map(Upload::masked);
    total(round, &certified, masked, &sums).map_err(|_| "total")
}

/// The believed sum of each class.
pub(crate) fn accept(
    round: &Round,
    certified: &Certified,
    sent: &[Sent],
) -> Result<Vec<MaskSum>, &'static str> {
    let mut sums = Vec::new();
    for class in round.shape().classes() {
        let opened = |one: &&Sent| {
            let seats = round.seats().iter();
            let mut read = seats.filter_map(|seat| one.word.open(&seat.key).ok());
            read.next().unwrap().class == class
        };
        let of: Vec<&Sent> = sent.iter().filter(opened).collect();
        let words: Vec<Sealed<Sum>> = of.iter().map(|one| one.word.clone()).collect();
        let vector = of
            .first()
            .and_then(|one| one.vector.as_deref())
            .ok_or("class")?;
        let sum = MaskSum::accept(round, certified, class, vector, &words);
        sums.push(sum.map_err(|_| "words")?);
    }
    Ok(sums)
}
