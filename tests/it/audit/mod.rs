//! The insurer's audit: a hospital closes a month, an insurer matches its paid list against the
//! commitment. What each side learns, and what neither can do.

mod close;
mod ending;
mod evidence;
mod hospital_sees;
mod limits;
mod openings;
mod pages;
mod planted;
mod receipts;
mod relayed;

use std::collections::BTreeMap;
use std::path::PathBuf;

use coordinator::audit::{self, Case, Folder, Known, Report};
use node::access::Standing;
use node::audit::{Door, Served};
use node::commit::{self, CloseError, Closed};
use node::config::Config;
use node::ingest::settlements::SettlementMapping;
use node::steward::Acting;
use node::store::state::State;
use policies::access::Channel;
use proofs::book::{Subject, origin};
use proofs::note::{Key, Kind};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::{PublicKey, Signer};
use schemas::time::Month;
use tempfile::TempDir;
use tests::officers;

use crate::hospital::{Hospital, NOW};

const MONTH: &str = "2025-12";

const MAPPING: &str = r#"
dataset = "settlements"
settlement = "no"
[payer]
column = "payer"
values = { I01 = "i01", I02 = "i02", I03 = "i03" }
[amount]
column = "fen"
unit = "fen"
[case_group]
columns = ["drg"]
"#;

/// A settlement as both sides know it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Settled {
    number: String,
    payer: &'static str,
    fen: i64,
    group: &'static str,
}

/// `n` sound settlements of three payers in turn; some are refunds.
fn settled(n: u32) -> Vec<Settled> {
    let one = |i: u32| {
        let digest = Digest::of("test-settlement", &[&i.to_be_bytes()]);
        let fen = i64::from(i) * 37 % 2_000_000 + 1_000;
        Settled {
            number: format!("S{}{i}", digest.short()),
            payer: ["I01", "I02", "I03"][usize::try_from(i).unwrap() % 3],
            fen: if i % 97 == 5 { -fen } else { fen },
            group: ["FM19", "BR21", "ES15"][usize::try_from(i).unwrap() % 7 % 3],
        }
    };
    (0..n).map(one).collect()
}

fn of_payer(all: &[Settled], payer: &str) -> Vec<Settled> {
    let own = all.iter().filter(|one| one.payer == payer);
    own.cloned().collect()
}

fn listed(all: &[Settled]) -> String {
    let lines = all.iter().map(|one| {
        let (number, payer, fen, group) = (&one.number, one.payer, one.fen, one.group);
        format!("{number},{payer},{fen},{group}\n")
    });
    format!("no,payer,fen,drg\n{}", lines.collect::<String>())
}

fn paid(own: &[Settled]) -> String {
    let lines = own
        .iter()
        .map(|one| format!("{},{},{}\n", one.number, one.fen, one.group));
    format!("settlement,fen,group\n{}", lines.collect::<String>())
}

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

fn month() -> Month {
    MONTH.parse().unwrap()
}

/// A hospital that closes months.
struct Closing {
    hospital: Hospital,
    lists: TempDir,
}

impl Closing {
    async fn new() -> Self {
        Self {
            hospital: Hospital::new("h01").await,
            lists: tempfile::tempdir().unwrap(),
        }
    }

    async fn close(&self, list: &str) -> Result<Closed, CloseError> {
        self.close_as(list, MAPPING, &[], false).await
    }

    async fn close_as(
        &self,
        list: &str,
        mapping: &str,
        nonces: &[(&str, Digest)],
        restate: bool,
    ) -> Result<Closed, CloseError> {
        let file = self.lists.path().join("list.csv");
        std::fs::write(&file, list).unwrap();
        let nonces = nonces.iter().map(|(payer, nonce)| (slug(payer), *nonce));
        let request = commit::Request {
            month: month(),
            file,
            mapping: SettlementMapping::parse(mapping).unwrap(),
            nonces: nonces.collect::<BTreeMap<_, _>>(),
            restate,
        };
        let (state, config) = (&self.hospital.state, &self.hospital.config);
        commit::close(state, config, NOW, &request, &|_, _| {}).await
    }

    fn log_key(&self) -> String {
        let keys = node::config::keys::Keys::open(&self.hospital.config.data).unwrap();
        let public = keys.message_key().unwrap().public();
        let origin = origin(&slug("river"), &slug("h01"));
        Key::new(&origin, Kind::Text, public).unwrap().to_string()
    }

    async fn book(&self, payer: &str) -> Vec<u8> {
        let (state, config) = (&self.hospital.state, &self.hospital.config);
        let book = node::audit::book(state, config, &slug(payer), month()).await;
        book.unwrap().unwrap().to_bytes().unwrap()
    }

    /// Answers every request of a folder that has no reply; gives how many wait for officers.
    async fn answer(&self, insurer: &Insurer) -> usize {
        let mut waiting = 0;
        for (name, bytes) in insurer.requests() {
            let reply = insurer.folder.path("replies").join(&name);
            if reply.exists() {
                continue;
            }
            match self.serve(&bytes).await.unwrap() {
                Served::Reply(bytes) => {
                    std::fs::create_dir_all(reply.parent().unwrap()).unwrap();
                    std::fs::write(reply, bytes).unwrap();
                }
                Served::Waits(_) | Served::Later => waiting += 1,
            }
        }
        waiting
    }

    async fn serve(&self, bytes: &[u8]) -> Result<Served, node::audit::AuditError> {
        serve(&self.hospital.state, &self.hospital.config, bytes).await
    }

    /// One officer signs for an opening.
    async fn sign(&self, name: &str, request: &Digest) -> Result<usize, node::audit::AuditError> {
        let standing = standing(&self.hospital.state, &self.hospital.config).await;
        let key = officers::key(&self.hospital.config.data, name);
        let name = slug(name);
        let by = acting(&self.hospital.config, &standing, (&name, &key));
        node::audit::approve(&self.hospital.state, by, request).await
    }

    /// Both officers sign for an opening.
    async fn agree(&self, request: &Digest) {
        self.sign(officers::STEWARD, request).await.unwrap();
        assert_eq!(self.sign(officers::SECOND, request).await.unwrap(), 2);
    }

    /// Both officers sign for every opening that waits.
    async fn agree_to_all(&self) {
        let (state, config) = (&self.hospital.state, &self.hospital.config);
        let standing = standing(state, config).await;
        let openings = node::audit::openings(state, &standing, &config.hospital).await;
        for opening in openings.unwrap() {
            if opening.state == node::audit::Stands::Waits(Vec::new()) {
                self.agree(&opening.request).await;
            }
        }
    }
}

/// Officers and policy as a command reads them.
async fn standing(state: &State, config: &Config) -> Standing {
    node::answer::standing(config, state, NOW).await.unwrap()
}

fn acting<'a>(
    config: &'a Config,
    standing: &'a Standing,
    (name, key): (&'a Slug, &'a Signer),
) -> Acting<'a> {
    Acting {
        officers: &standing.officers,
        access: &standing.access,
        policy: standing.approved.policy,
        hospital: &config.hospital,
        name,
        key,
        at: NOW,
    }
}

/// Answers a request that was carried as a file.
async fn serve(
    state: &State,
    config: &Config,
    bytes: &[u8],
) -> Result<Served, node::audit::AuditError> {
    let standing = standing(state, config).await;
    let door = Door {
        standing: &standing,
        channel: Channel::Carried,
    };
    node::audit::serve(state, config, NOW, door, bytes).await
}

/// What a verifier knows who has only the hospital's key.
fn known(log_key: &str) -> Known {
    Known {
        log_key: Some(log_key.to_owned()),
        witnesses: None,
    }
}

/// An insurer in a folder of its own.
struct Insurer {
    folder: Folder,
    nonce: Digest,
    _home: TempDir,
}

impl Insurer {
    /// Begins, and is registered at the hospital.
    async fn begin(closing: &Closing, payer: &str) -> Self {
        let case = Case {
            alliance: slug("river"),
            subject: Subject {
                hospital: slug("h01"),
                payer: slug(payer),
                period: month(),
            },
            log_key: closing.log_key(),
            quorum: 0,
            witnesses: Vec::new(),
            insurer_key: Digest::ZERO,
        };
        Self::begin_with(closing, payer, case).await
    }

    async fn begin_with(closing: &Closing, payer: &str, case: Case) -> Self {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::new(&home.path().join("audit"));
        let begun = audit::begin(&folder, &case).unwrap();
        assert_eq!(audit::begin(&folder, &case).unwrap(), begun);
        let key = PublicKey::from_bytes(*begun.message_key.as_bytes());
        node::audit::register(&closing.hospital.state, &slug(payer), &key, NOW)
            .await
            .unwrap();
        Self {
            folder,
            nonce: begun.nonce,
            _home: home,
        }
    }

    fn prepare(&self, paid: &str, book: &[u8]) -> Result<audit::Prepared, audit::AuditError> {
        audit::prepare(&self.folder, paid.as_bytes(), book, &|_, _| {})
    }

    fn find(&self) -> Result<audit::Matched, audit::AuditError> {
        audit::find(&self.folder, &|_, _| {})
    }

    /// Requests by name, in order.
    fn requests(&self) -> Vec<(String, Vec<u8>)> {
        files(&self.folder.path("requests"))
    }

    /// The whole audit after the close.
    async fn audit(&self, closing: &Closing, payer: &str, paid: &str) -> Report {
        self.prepare(paid, &closing.book(payer).await).unwrap();
        assert_eq!(closing.answer(self).await, 0);
        self.find().unwrap();
        audit::totals(&self.folder).unwrap();
        if let Err(error) = audit::sample(&self.folder) {
            assert!(matches!(error, audit::AuditError::Waiting(_)), "{error}");
            assert_eq!(closing.answer(self).await, 1, "waits for officers");
            closing.agree_to_all().await;
            assert_eq!(closing.answer(self).await, 0);
            audit::sample(&self.folder).unwrap();
        }
        audit::report(&self.folder).unwrap()
    }
}

/// Files of a folder by name, in order.
fn files(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        files.push((name, std::fs::read(&path).unwrap()));
    }
    files.sort();
    files
}
