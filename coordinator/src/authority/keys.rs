//! Making and opening the authority's keys. The root stands apart: a running coordinator holds the
//! issuing CA only.

use std::io;
use std::path::Path;
use std::time::Duration;

use rcgen::{CertificateParams, Issuer, KeyPair, SerialNumber};
use ring::rand::{SecureRandom as _, SystemRandom};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::{SealError, Signer};
use schemas::time::Timestamp;

use super::root::Root;
use crate::store::private;

pub(super) const CA: &str = "ca.pem";
const ISSUING: &str = "issuing.pem";
const PREVIOUS: &str = "issuing-previous.pem";
const MESSAGE_KEY: &str = "alliance.pk8";
pub(super) const DAY: i64 = 86_400;

/// The authority could not be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file could not be read or written.
    #[error("`{file}` could not be read or written")]
    File {
        /// Which file of the data or root folder.
        file: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A key or certificate is refused.
    #[error("a key or certificate is refused")]
    Certificate(#[from] rcgen::Error),
    /// A certificate file holds no certificate.
    #[error("`{CA}` or `{ISSUING}` holds no certificate")]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// The message key is refused.
    #[error("`{MESSAGE_KEY}` is refused")]
    MessageKey(#[from] SealError),
    /// A key file is not text.
    #[error("a key file is not text")]
    NotText,
    /// The root folder belongs to another alliance.
    #[error("this root is not the one that `{CA}` holds")]
    OtherRoot,
    /// The root's key lies where the service runs.
    #[error("the root's key lies in the data folder; move it to a medium that is kept offline")]
    RootHere,
    /// The system's random source failed.
    #[error("the system's random source failed")]
    Random,
}

/// A CA that names members and servers, certified by the root.
#[derive(Debug)]
pub(super) struct Issuing {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) issuer: Issuer<'static, KeyPair>,
}

impl Issuing {
    /// From certificate and key in one PEM text.
    fn parse(pem: &str) -> Result<Self, AuthorityError> {
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes())?;
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes())?;
        let key = KeyPair::try_from(key.secret_pkcs8_der())?;
        Ok(Self {
            issuer: Issuer::from_ca_cert_der(&certificate, key)?,
            certificate,
        })
    }
}

/// The open authority. Its keys are never printed or sent.
#[derive(Debug)]
pub struct Authority {
    pub(super) alliance: Slug,
    pub(super) ca: CertificateDer<'static>,
    pub(super) ca_pem: String,
    pub(super) issuing: Issuing,
    /// Still accepted from members until they renew; it issues nothing.
    pub(super) previous: Option<Issuing>,
    signer: Signer,
}

impl Authority {
    /// Makes the keys of a new alliance in a folder that has none. The root that it gives is for
    /// another folder, kept offline; nothing of its key stays here.
    pub fn create(folder: &Path, alliance: &Slug, now: Timestamp) -> Result<Root, AuthorityError> {
        let root = Root::generate(alliance, now)?;
        let (_, message_key) = Signer::generate()?;
        for (file, bytes) in [
            (ISSUING, root.certify(alliance, now)?.into_bytes()),
            (MESSAGE_KEY, message_key),
            (CA, root.pem().to_owned().into_bytes()),
        ] {
            private::write_new(&folder.join(file), &bytes)
                .map_err(|source| AuthorityError::File { file, source })?;
        }
        Ok(root)
    }

    /// Makes a new issuing CA; members of the one before renew from it until it is replaced again.
    pub fn reissue(
        folder: &Path,
        alliance: &Slug,
        root: &Root,
        now: Timestamp,
    ) -> Result<(), AuthorityError> {
        if read(folder, CA)? != root.pem() {
            return Err(AuthorityError::OtherRoot);
        }
        let before = read(folder, ISSUING)?;
        let next = root.certify(alliance, now)?;
        for (file, text) in [(PREVIOUS, before), (ISSUING, next)] {
            private::replace(&folder.join(file), text.as_bytes())
                .map_err(|source| AuthorityError::File { file, source })?;
        }
        Ok(())
    }

    /// Opens the keys of a data folder; refuses keys that others can read, and a root's key.
    pub fn open(folder: &Path, alliance: &Slug) -> Result<Self, AuthorityError> {
        if Root::lies_in(folder) {
            return Err(AuthorityError::RootHere);
        }
        let ca_pem = read(folder, CA)?;
        let previous = if folder.join(PREVIOUS).exists() {
            Some(Issuing::parse(&read(folder, PREVIOUS)?)?)
        } else {
            None
        };
        let issuing = Issuing::parse(&read(folder, ISSUING)?)?;
        let message_key = private::read(&folder.join(MESSAGE_KEY));
        let message_key = message_key.map_err(|source| AuthorityError::File {
            file: MESSAGE_KEY,
            source,
        })?;
        Ok(Self {
            alliance: alliance.clone(),
            ca: CertificateDer::from_pem_slice(ca_pem.as_bytes())?,
            ca_pem,
            // A reissue that broke off half-way leaves the same CA twice.
            previous: previous.filter(|one| one.certificate != issuing.certificate),
            issuing,
            signer: Signer::from_pkcs8(&message_key)?,
        })
    }

    /// The alliance's name.
    pub fn alliance(&self) -> &Slug {
        &self.alliance
    }

    /// The key that signs dictionaries, rounds and receipts.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The root in PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The root certificate.
    pub fn ca(&self) -> &CertificateDer<'static> {
        &self.ca
    }

    /// What a join code names, so that a node trusts this root and no other.
    pub fn ca_digest(&self) -> Digest {
        Digest::of("consilium-ca-v1", &[&self.ca])
    }

    /// The issuing CAs whose members are let in.
    pub(super) fn issuers(&self) -> impl Iterator<Item = &Issuing> {
        std::iter::once(&self.issuing).chain(&self.previous)
    }

    /// Their certificates.
    pub fn issuing(&self) -> Vec<CertificateDer<'static>> {
        self.issuers().map(|one| one.certificate.clone()).collect()
    }
}

pub(super) fn read(folder: &Path, file: &'static str) -> Result<String, AuthorityError> {
    let bytes = private::read(&folder.join(file))
        .map_err(|source| AuthorityError::File { file, source })?;
    String::from_utf8(bytes).map_err(|_| AuthorityError::NotText)
}

/// Sets the validity: from an hour ago (clocks differ) for so many days.
pub(super) fn set_validity(params: &mut CertificateParams, now: Timestamp, days: i64) {
    // The date type ends with the year 9999; no certificate needs to reach 2500.
    let moment = |seconds: i64| {
        let since = u64::try_from(seconds.clamp(0, 16_725_225_600)).unwrap_or(0);
        rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(since)
    };
    params.not_before = moment(now.0.saturating_sub(3600));
    params.not_after = moment(now.0.saturating_add(days.saturating_mul(DAY)));
}

/// 16 random bytes, the first neither zero nor with its top bit set: a positive number of always
/// the same length, unique over all issuing CAs.
pub(super) fn serial() -> Result<SerialNumber, AuthorityError> {
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| AuthorityError::Random)?;
    if let Some(first) = bytes.first_mut() {
        *first = (*first & 0x3f) | 0x40;
    }
    Ok(SerialNumber::from_slice(&bytes))
}
