//! Joining without a network: the code, the signing request and the second administrator's word are
//! the product's own; only the connection that would pin the authority is left out.

use coordinator::authority::{Authority, Issued};
use coordinator::config::Config as HubConfig;
use coordinator::membership::{self, MembershipError};
use coordinator::register::{self, JoinError};
use coordinator::store::state::State;
use node::enrol::files::Files;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, SigningKey as _};
use schemas::enrolment::{Fingerprint, JoinRequest};
use schemas::id::Slug;
use schemas::seal::Signer;
use schemas::time::Timestamp;

use super::made::Member;
use crate::fixture::slug;

/// What a member holds after joining.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) identity: String,
}

/// Invites, joins and approves; the disk may refuse at any of these.
pub(super) async fn joined(
    state: &State,
    authority: &Authority,
    config: &HubConfig,
    (name, signer): (&Slug, &Signer),
    now: Timestamp,
) -> Result<Joined, String> {
    let text = |error: JoinError| error.to_string();
    let url = &config.public_url;
    let code = register::invite(state, authority, url, name, &slug("li"), now)
        .await
        .map_err(text)?;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params
        .distinguished_name
        .push(DnType::CommonName, name.as_str());
    let signing_request = params.serialize_request(&key).expect("a request");
    let mut request = JoinRequest {
        hospital: name.clone(),
        secret: code.secret,
        signing_request: signing_request.pem().expect("a text"),
        message_key: signer.public(),
        tls_proof: String::new(),
        message_proof: String::new(),
    };
    let statement = request.statement();
    request.tls_proof =
        JoinRequest::proof_text(&key.sign(statement.as_bytes()).expect("a signature"));
    request.message_proof = JoinRequest::proof_text(&signer.sign(statement.as_bytes()));
    let issued: Issued = register::join(state, authority, &request, now)
        .await
        .map_err(text)?;
    let said = Fingerprint::of(&issued.digest, &signer.public());
    membership::approve(state, name, said, &slug("wu"), now)
        .await
        .map_err(|error: MembershipError| error.to_string())?;
    Ok(Joined {
        identity: format!("{}{}", key.serialize_pem(), issued.pem),
    })
}

/// The first joining, with all files that a node keeps.
pub(super) async fn join(
    state: &State,
    authority: &Authority,
    config: &HubConfig,
    member: &Member,
    now: Timestamp,
) {
    let whose = (&member.name, &member.key);
    let made = joined(state, authority, config, whose, now).await;
    let key = serde_json::to_value(authority.signer().public()).expect("a key");
    let key = key.as_str().unwrap_or_default().to_owned();
    for (name, text) in [
        ("ca.pem", authority.ca_pem().to_owned()),
        ("alliance.key", format!("{key}\n")),
        ("coordinator.url", format!("{}\n", config.node_url)),
    ] {
        std::fs::write(member.folder.join(name), text).expect("a file");
    }
    keep(&member.folder, &made.expect("a first joining"));
}

/// Puts key and certificate where the node looks for them.
pub(super) fn keep(folder: &std::path::Path, made: &Joined) {
    Files::in_folder(folder)
        .renew(&made.identity, "")
        .expect("a file");
}
