//! Requests that somebody else than the node sends: late, again, forged, or with a certificate that
//! is not his.

use node::link::Signed;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::CertificateDer;
use schemas::digest::Digest;
use schemas::outcome::Reason;
use schemas::request;
use schemas::round::{Reply, Said};
use schemas::seal::{Sealed, Signer};

use super::seen::Kept;
use super::step::Came;
use super::wire::held;
use super::world::World;

async fn send(world: &World, kept: &Kept) -> u16 {
    let shown = CertificateDer::from(kept.certificate.clone());
    let to = ("POST", kept.path.as_str());
    let body = kept.body.clone();
    world.hub.ask(shown, to, &kept.headers, body).await.status
}

/// A request that was held back arrives, in any order.
pub(super) async fn arrive(world: &World, which: u16) -> Came {
    let late = {
        let mut seen = held(&world.seen);
        let at = usize::from(which).checked_rem(seen.late.len());
        at.map(|at| seen.late.swap_remove(at))
    };
    match late {
        Some(kept) => Came::Done(send(world, &kept).await.to_string()),
        None => Came::Nothing("nothing is late".to_owned()),
    }
}

fn kept(world: &World, which: u16) -> Option<Kept> {
    let seen = held(&world.seen);
    let at = usize::from(which).checked_rem(seen.kept.len())?;
    seen.kept.get(at).cloned()
}

/// Somebody sends a request again that he kept. It has no second effect: the rules see to that.
pub(super) async fn replay(world: &World, which: u16) -> Came {
    match kept(world, which) {
        Some(kept) => Came::Done(send(world, &kept).await.to_string()),
        None => Came::Nothing("nothing was sent".to_owned()),
    }
}

/// A request that must be refused.
pub(super) async fn forge(world: &World, who: usize, which: u16) -> Came {
    let kept = kept(world, which / 6).filter(|_| which % 6 < 4);
    let status = match (which % 6, kept) {
        (0, Some(kept)) => {
            // Another body under a signature that was made for this one.
            let body = [kept.body.as_slice(), b" "].concat();
            send(world, &Kept { body, ..kept }).await
        }
        (1, Some(kept)) => {
            // Under another path.
            let path = format!("/v1/rounds/{}/reply", Digest::of("other", &[]));
            send(world, &Kept { path, ..kept }).await
        }
        (2, Some(kept)) => send(world, &strange(world, &kept)).await,
        (3, Some(kept)) => {
            // By another member's connection.
            let other = (kept.who + 1) % world.nodes.len();
            let Some(certificate) = certificate(world, other) else {
                return Came::Nothing("no certificate".to_owned());
            };
            send(
                world,
                &Kept {
                    certificate,
                    ..kept
                },
            )
            .await
        }
        (4, _) => {
            let key = KeyPair::generate().expect("a key");
            let own = CertificateParams::new(Vec::new()).expect("parameters");
            let own = own.self_signed(&key).expect("a certificate");
            poll(world, own.der().to_vec()).await
        }
        (5, _) if world.revoked.contains(&who) => match certificate(world, who) {
            Some(certificate) => poll(world, certificate).await,
            None => return Came::Nothing("no certificate".to_owned()),
        },
        _ => return Came::Nothing("nothing to forge".to_owned()),
    };
    if status < 400 {
        return Came::Broken(format!("forgery {} was taken with {status}", which % 6));
    }
    Came::Done(status.to_string())
}

async fn poll(world: &World, certificate: Vec<u8>) -> u16 {
    let shown = CertificateDer::from(certificate);
    let to = ("GET", "/v1/rounds?wait=0");
    world.hub.ask(shown, to, &[], Vec::new()).await.status
}

fn certificate(world: &World, who: usize) -> Option<Vec<u8>> {
    use rustls::pki_types::pem::PemObject as _;
    let path = world.nodes[who].folder.join("keys/tls.pem");
    let pem = std::fs::read(path).ok()?;
    Some(CertificateDer::from_pem_slice(&pem).ok()?.to_vec())
}

/// A reply to the same round, by a key that is not the member's.
fn strange(world: &World, kept: &Kept) -> Kept {
    let (stranger, _) = Signer::generate().expect("a key");
    let name = &world.made.members[kept.who].name;
    let sealed: Option<Sealed<Reply>> = serde_json::from_slice(&kept.body).ok();
    let key = world.made.members[kept.who].key.public();
    let round = sealed.and_then(|sealed| sealed.open(&key).ok());
    let reply = Reply {
        round: round.map_or(Digest::ZERO, |reply| reply.round),
        hospital: name.clone(),
        said: Said::Declined(Reason::Declined),
        log_head: Digest::ZERO,
    };
    let body = Sealed::seal(&stranger, &reply).expect("a signature");
    let body = serde_json::to_vec(&body).expect("a text");
    let (to, now) = (&world.made.alliance, world.hub.now());
    let signed = Signed::new(&stranger, name, to, &kept.path, body, now).expect("a signature");
    Kept {
        headers: vec![(request::REQUEST.to_owned(), signed.header)],
        body: signed.body,
        ..kept.clone()
    }
}
