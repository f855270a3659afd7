//! TLS of the two listeners: version 1.3 only, ring only, no resumption. A resumed session would
//! skip the check of the client's certificate. Members' certificates are checked against revocation
//! lists that end: without a list, or with an old one, nobody gets in.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, NoServerSessionStorage, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::version::TLS13;
use rustls::{RootCertStore, server::VerifierBuilderError};

use crate::clock::Clock;
use crate::store::private;

/// The TLS settings could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate or key is refused.
    #[error("the server's certificate or key is refused")]
    Certificate(#[from] rustls::Error),
    /// The CA is refused.
    #[error("the CA is refused as a root for members")]
    Verifier(#[from] VerifierBuilderError),
    /// A file of the pages' certificate.
    #[error("`{0}` holds no certificate or key for the pages, or others can read it")]
    File(PathBuf),
    /// Without a list for each CA, revoked members would get in.
    #[error("an issuing CA has no revocation list")]
    NoList,
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The coordinator's own clock, so that certificates and codes end by the same one.
#[derive(Debug)]
struct Time(Clock);

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().0).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// For members: a certificate of one of these CAs is required, and that no list revokes it.
pub(super) fn for_members(
    mut identity: Identity,
    issuing: Vec<CertificateDer<'static>>,
    lists: Vec<CertificateRevocationListDer<'static>>,
    clock: &Clock,
) -> Result<Arc<ServerConfig>, TlsError> {
    if lists.len() < issuing.len() {
        return Err(TlsError::NoList);
    }
    let mut anchors = RootCertStore::empty();
    for certificate in issuing {
        anchors.add(certificate)?;
    }
    // Members hold the root; leaf and issuing CA are sent.
    identity.0.truncate(2);
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(anchors), provider)
        .with_crls(lists)
        .enforce_revocation_expiration()
        .build()?;
    server(identity, verifier, clock)
}

/// For everyone: no certificate is asked for. The chain ends in the root, for join codes.
pub(super) fn for_everyone(
    identity: Identity,
    clock: &Clock,
) -> Result<Arc<ServerConfig>, TlsError> {
    server(identity, Arc::new(NoClientAuth), clock)
}

/// For browsers, with the intranet's own certificate. Read once, at the start.
pub(super) fn for_pages(
    (certificate, key): (&PathBuf, &PathBuf),
    clock: &Clock,
) -> Result<Arc<ServerConfig>, TlsError> {
    let refused = |path: &Path| TlsError::File(path.to_owned());
    let text = std::fs::read(certificate).map_err(|_| refused(certificate))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain
        .ok()
        .filter(|chain| !chain.is_empty())
        .ok_or_else(|| refused(certificate))?;
    let text = private::read(key).map_err(|_| refused(key))?;
    let own = PrivateKeyDer::from_pem_slice(&text).map_err(|_| refused(key))?;
    server((chain, own), Arc::new(NoClientAuth), clock)
}

fn server(
    (chain, key): Identity,
    verifier: Arc<dyn ClientCertVerifier>,
    clock: &Clock,
) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let time = Arc::new(Time(clock.clone()));
    let mut config = ServerConfig::builder_with_details(provider, time)
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use rustls::pki_types::PrivatePkcs8KeyDer;
    use rustls::{CertificateError, ClientConfig, ClientConnection, ServerConnection};
    use schemas::time::Timestamp;

    use super::*;
    use crate::authority::{Authority, Revoked};

    const NOW: Timestamp = Timestamp(1_800_000_000);
    const DAY: i64 = 86_400;

    /// Both ends in memory, until nothing more is said.
    fn handshake(server: Arc<ServerConfig>, client: ClientConfig) -> Result<(), rustls::Error> {
        let name = "localhost".try_into().unwrap();
        let mut client = ClientConnection::new(Arc::new(client), name)?;
        let mut server = ServerConnection::new(server)?;
        while client.wants_write() || server.wants_write() {
            let mut bytes = Vec::new();
            client.write_tls(&mut bytes).unwrap();
            server.read_tls(&mut bytes.as_slice()).unwrap();
            server.process_new_packets()?;
            let mut bytes = Vec::new();
            server.write_tls(&mut bytes).unwrap();
            client.read_tls(&mut bytes.as_slice()).unwrap();
            client.process_new_packets()?;
        }
        Ok(())
    }

    #[test]
    fn a_member_gets_in_by_a_fresh_list_that_does_not_name_it() {
        let folder = std::env::temp_dir().join(format!("consilium-tls-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder).unwrap();
        let alliance = "river".parse().unwrap();
        Authority::create(&folder, &alliance, NOW).unwrap();
        let authority = Authority::open(&folder, &alliance).unwrap();
        std::fs::remove_dir_all(folder).unwrap();
        let key = KeyPair::generate().unwrap();
        let request = CertificateParams::new(Vec::new()).unwrap();
        let request = request.serialize_request(&key).unwrap().pem().unwrap();
        let issued = authority
            .issue(&"h1".parse().unwrap(), &request, NOW)
            .unwrap();
        let clock = Clock::at(NOW);
        let client = || {
            let mut roots = RootCertStore::empty();
            roots.add(authority.ca().clone()).unwrap();
            let leaf = CertificateDer::from_pem_slice(issued.pem.as_bytes()).unwrap();
            let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
            let provider = Arc::new(ring::default_provider());
            ClientConfig::builder_with_details(provider, Arc::new(Time(clock.clone())))
                .with_protocol_versions(&[&TLS13])
                .unwrap()
                .with_root_certificates(roots)
                .with_client_auth_cert(vec![leaf], key)
                .unwrap()
        };
        let enters = |revoked: &[Revoked], made: Timestamp| {
            let identity = authority.server_certificate(&["localhost".to_owned()], NOW);
            let lists = authority.revocation_lists(revoked, made).unwrap();
            let issuing = authority.issuing();
            let server = for_members(identity.unwrap(), issuing, lists, &clock).unwrap();
            handshake(server, client())
        };
        let refused = |result| match result {
            Err(rustls::Error::InvalidCertificate(why)) => why,
            other => panic!("{other:?}"),
        };
        enters(&[], NOW).unwrap();
        enters(&[], Timestamp(NOW.0 - DAY + 60)).unwrap();
        let old = enters(&[], Timestamp(NOW.0 - DAY - 60));
        assert!(matches!(
            refused(old),
            CertificateError::ExpiredRevocationListContext { .. }
        ));
        let named = |serial: &[u8]| Revoked {
            serial: serial.to_vec(),
            at: NOW,
        };
        enters(&[named(&[0x41; 16])], NOW).unwrap();
        let out = enters(&[named(&[0x41; 16]), named(&issued.serial)], NOW);
        assert_eq!(refused(out), CertificateError::Revoked);
        // Another alliance's lists say nothing about this one's members.
        let identity = authority.server_certificate(&["localhost".to_owned()], NOW);
        let server = for_members(identity.unwrap(), authority.issuing(), Vec::new(), &clock);
        assert!(server.is_err(), "no settings without a list");
    }
}
