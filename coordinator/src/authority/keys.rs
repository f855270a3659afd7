//! Making and opening the authority's keys.

use std::io;
use std::path::Path;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::{SealError, Signer};
use schemas::time::Timestamp;

use crate::store::private;

const CA: &str = "ca.pem";
const CA_KEY: &str = "ca-key.pem";
const MESSAGE_KEY: &str = "alliance.pk8";
const DAY: i64 = 86_400;
/// Ten years.
const CA_DAYS: i64 = 3652;

/// The authority could not be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file could not be read or written.
    #[error("`{file}` could not be read or written")]
    File {
        /// Which file of the data folder.
        file: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A key or certificate is refused.
    #[error("a key or certificate is refused")]
    Certificate(#[from] rcgen::Error),
    /// The certificate file holds no certificate.
    #[error("`{CA}` holds no certificate")]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// The message key is refused.
    #[error("`{MESSAGE_KEY}` is refused")]
    MessageKey(#[from] SealError),
    /// The key file is not text.
    #[error("`{CA_KEY}` is not text")]
    NotText,
}

/// The open authority. Its keys are never printed or sent.
#[derive(Debug)]
pub struct Authority {
    pub(super) alliance: Slug,
    pub(super) ca: CertificateDer<'static>,
    pub(super) ca_pem: String,
    pub(super) issuer: Issuer<'static, KeyPair>,
    signer: Signer,
}

impl Authority {
    /// Makes the keys of a new alliance in a folder that has none.
    pub fn create(folder: &Path, alliance: &Slug, now: Timestamp) -> Result<(), AuthorityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params
            .distinguished_name
            .push(DnType::CommonName, format!("{alliance} alliance CA"));
        set_validity(&mut params, now, CA_DAYS);
        let certificate = params.self_signed(&key)?;
        let (_, message_key) = Signer::generate()?;
        for (file, bytes) in [
            (CA_KEY, key.serialize_pem().into_bytes()),
            (MESSAGE_KEY, message_key),
            (CA, certificate.pem().into_bytes()),
        ] {
            private::write_new(&folder.join(file), &bytes)
                .map_err(|source| AuthorityError::File { file, source })?;
        }
        Ok(())
    }

    /// Opens the keys of a data folder; refuses keys that others can read.
    pub fn open(folder: &Path, alliance: &Slug) -> Result<Self, AuthorityError> {
        let read = |file: &'static str| {
            private::read(&folder.join(file))
                .map_err(|source| AuthorityError::File { file, source })
        };
        let text = |bytes| String::from_utf8(bytes).map_err(|_| AuthorityError::NotText);
        let ca_pem = text(read(CA)?)?;
        let ca = CertificateDer::from_pem_slice(ca_pem.as_bytes())?;
        let key = KeyPair::from_pem(&text(read(CA_KEY)?)?)?;
        Ok(Self {
            alliance: alliance.clone(),
            issuer: Issuer::from_ca_cert_der(&ca, key)?,
            ca,
            ca_pem,
            signer: Signer::from_pkcs8(&read(MESSAGE_KEY)?)?,
        })
    }

    /// The alliance's name.
    pub fn alliance(&self) -> &Slug {
        &self.alliance
    }

    /// The key that signs dictionaries and rounds.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The CA in PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The CA certificate.
    pub fn ca(&self) -> &CertificateDer<'static> {
        &self.ca
    }

    /// What a join code names, so that a node trusts this CA and no other.
    pub fn ca_digest(&self) -> Digest {
        Digest::of("consilium-ca-v1", &[&self.ca])
    }
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
