//! The alliance's root: it certifies issuing CAs and nothing else. Its key is made once, written to
//! a folder of its own and moved offline; only `authority reissue` needs it again.

use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use schemas::id::Slug;
use schemas::time::Timestamp;

use super::keys::{AuthorityError, CA, read, serial, set_validity};
use crate::store::private;

const ROOT_KEY: &str = "root-key.pem";
/// Twenty years.
const ROOT_DAYS: i64 = 7305;
/// Five years.
const ISSUING_DAYS: i64 = 1826;

/// The root with its key; never printed or sent.
pub struct Root {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Root {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Root(…)")
    }
}

impl Root {
    pub(super) fn generate(alliance: &Slug, now: Timestamp) -> Result<Self, AuthorityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let params = authority(&format!("{alliance} root CA"), 1, now, ROOT_DAYS)?;
        Ok(Self {
            pem: params.self_signed(&key)?.pem(),
            issuer: Issuer::new(params, key),
        })
    }

    /// Writes the root to a folder that has none.
    pub fn keep(&self, folder: &Path) -> Result<(), AuthorityError> {
        let key = self.issuer.key().serialize_pem();
        for (file, text) in [(ROOT_KEY, key.as_str()), (CA, self.pem.as_str())] {
            private::write_new(&folder.join(file), text.as_bytes())
                .map_err(|source| AuthorityError::File { file, source })?;
        }
        Ok(())
    }

    /// Opens a root's folder; refuses a key that others can read.
    pub fn open(folder: &Path) -> Result<Self, AuthorityError> {
        let pem = read(folder, CA)?;
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes())?;
        let key = KeyPair::from_pem(&read(folder, ROOT_KEY)?)?;
        Ok(Self {
            pem,
            issuer: Issuer::from_ca_cert_der(&certificate, key)?,
        })
    }

    /// Whether a root's key lies in a folder.
    pub(super) fn lies_in(folder: &Path) -> bool {
        folder.join(ROOT_KEY).exists()
    }

    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    /// A new issuing CA, certificate and key in one PEM text. It names members and servers, no
    /// further CA.
    pub(super) fn certify(
        &self,
        alliance: &Slug,
        now: Timestamp,
    ) -> Result<String, AuthorityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let number = serial()?;
        // Each has a name of its own: a revocation list is found by its issuer's name.
        let first = number.as_ref().iter().take(8);
        let first = first.fold(0_u64, |all, byte| (all << 8) | u64::from(*byte));
        let name = format!("{alliance} issuing CA {first:016x}");
        let mut params = authority(&name, 0, now, ISSUING_DAYS)?;
        params.serial_number = Some(number);
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(certificate.pem() + &key.serialize_pem())
    }
}

fn authority(
    name: &str,
    below: u8,
    now: Timestamp,
    days: i64,
) -> Result<CertificateParams, AuthorityError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, name);
    set_validity(&mut params, now, days);
    Ok(params)
}
