//! The network: the seam of `node::link`, with faults. Whatever a node sends passes the observer
//! first, whether it arrives or not.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use node::link::{Came, Carried, Carrier, LinkError};
use rustls::pki_types::CertificateDer;
use schemas::seal::PublicKey;
use tokio::sync::Notify;

use super::bug::Bug;
use super::hub::Hub;
use super::made::Made;
use super::operation::{Fault, FaultKind};
use super::seen::{Kept, Seen, Whose};

/// A node's way out.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) who: usize,
    pub(super) key: PublicKey,
    pub(super) made: Arc<Made>,
    pub(super) hub: Arc<Hub>,
    pub(super) seen: Arc<Mutex<Seen>>,
    pub(super) bug: Option<Bug>,
    fault: Mutex<Fault>,
    requests: AtomicU8,
    cut: Mutex<bool>,
    /// Rounds that somebody in between adds to the next poll.
    added: Mutex<Vec<String>>,
    /// Told when the node's process ends.
    pub(super) dies: Notify,
}

/// A lock that no panic spoils: panics are how processes die here.
pub(super) fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Wire {
    pub(super) fn new(
        (who, key): (usize, PublicKey),
        made: &Arc<Made>,
        hub: &Arc<Hub>,
        seen: &Arc<Mutex<Seen>>,
        bug: Option<Bug>,
    ) -> Arc<Self> {
        Arc::new(Self {
            who,
            key,
            made: Arc::clone(made),
            hub: Arc::clone(hub),
            seen: Arc::clone(seen),
            bug,
            fault: Mutex::new(Fault::NONE),
            requests: AtomicU8::new(0),
            cut: Mutex::new(false),
            added: Mutex::default(),
            dies: Notify::new(),
        })
    }

    /// What goes wrong in the turn that begins.
    pub(super) fn begin(&self, fault: Fault) {
        *held(&self.fault) = fault;
        self.requests.store(0, Ordering::SeqCst);
    }

    /// Cuts the node off, or connects it.
    pub(super) fn cut(&self, cut: bool) {
        *held(&self.cut) = cut;
    }

    /// Adds a round to what the next poll brings.
    pub(super) fn add(&self, sealed: String) {
        held(&self.added).push(sealed);
    }

    /// What a poll brings, with what was added to it.
    fn enlarge(&self, path: &str, body: &mut Vec<u8>) {
        if !path.starts_with("/v1/rounds?") || !body.starts_with(b"[") {
            return;
        }
        for sealed in held(&self.added).drain(..) {
            let comma = if body.starts_with(b"[]") { "" } else { "," };
            let rest = body.split_off(1);
            body.extend_from_slice(sealed.as_bytes());
            body.extend_from_slice(comma.as_bytes());
            body.extend_from_slice(&rest);
        }
    }

    async fn deliver(&self, kept: &Kept, method: &str) -> Came {
        let shown = CertificateDer::from(kept.certificate.clone());
        let to = (method, kept.path.as_str());
        let said = self
            .hub
            .ask(shown, to, &kept.headers, kept.body.clone())
            .await;
        Came {
            status: said.status,
            headers: said.headers,
            body: said.body,
        }
    }

    async fn go(&self, shown: CertificateDer<'static>, request: reqwest::Request) -> Gone {
        let lost = || Err(LinkError::Status(504));
        let (mut kept, method) = self.read(&shown, &request);
        if method == "POST" && kept.path.ends_with("/reply") {
            let whose = Whose {
                who: self.who,
                name: self.made.members[self.who].name.clone(),
                key: self.key,
                catalog: &self.made.catalog,
            };
            held(&self.seen).leaves(&whose, &kept.body);
            held(&self.seen).keep(kept.clone());
        }
        if let Some(bug) = self.bug {
            bug.on_the_way(&self.made.members[self.who].key, &self.made, &mut kept);
        }
        if *held(&self.cut) {
            return lost();
        }
        let number = self.requests.fetch_add(1, Ordering::SeqCst);
        let fault = *held(&self.fault);
        let kind = if fault.at == number {
            fault.kind
        } else {
            FaultKind::None
        };
        match kind {
            FaultKind::LoseRequest => return lost(),
            FaultKind::Late => {
                if method == "POST" {
                    held(&self.seen).late.push(kept);
                }
                return lost();
            }
            FaultKind::DieBefore => self.die().await,
            FaultKind::HubDies => self.hub.restart().await,
            _ => {}
        }
        let mut came = self.deliver(&kept, &method).await;
        self.enlarge(&kept.path, &mut came.body);
        match kind {
            FaultKind::LoseResponse => return lost(),
            FaultKind::Twice if method == "POST" => came = self.deliver(&kept, &method).await,
            FaultKind::DieAfter => self.die().await,
            FaultKind::Alter => {
                let middle = came.body.len() / 2;
                if let Some(byte) = came.body.get_mut(middle) {
                    *byte = other(*byte);
                }
            }
            _ => {}
        }
        Ok(came)
    }

    /// What is sent, in plain parts. A poll does not wait: the simulation polls again when it likes.
    fn read(&self, shown: &CertificateDer<'static>, request: &reqwest::Request) -> (Kept, String) {
        let url = request.url();
        let query = url.query().map(|query| query.replace("wait=20", "wait=0"));
        let path = match query {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let headers = request
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
        let bytes = request.body().and_then(reqwest::Body::as_bytes);
        let kept = Kept {
            who: self.who,
            certificate: shown.to_vec(),
            path,
            headers: headers.collect(),
            body: bytes.unwrap_or_default().to_vec(),
        };
        (kept, request.method().to_string())
    }

    /// The process ends here: whoever drives it drops it.
    async fn die(&self) {
        self.dies.notify_one();
        std::future::pending::<()>().await;
    }
}

/// Another byte of its kind: hexadecimal stays hexadecimal and base64 stays base64, so that what comes of it
/// does not depend on the keys, which are random.
const fn other(byte: u8) -> u8 {
    match byte {
        b'9' => b'0',
        b'f' | b'z' => b'a',
        b'F' | b'Z' => b'A',
        b'+' => b'/',
        b'/' => b'+',
        b'0'..=b'8' | b'a'..=b'y' | b'A'..=b'Y' => byte + 1,
        _ => byte ^ 1,
    }
}

type Gone = Result<Came, LinkError>;

impl Carrier for Wire {
    fn carry(&self, shown: CertificateDer<'static>, request: reqwest::Request) -> Carried<'_> {
        Box::pin(self.go(shown, request))
    }
}
