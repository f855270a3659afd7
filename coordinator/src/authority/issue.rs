//! Certificates for the server and for members.

use rcgen::{
    CertificateParams, CertificateSigningRequestParams, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::Timestamp;

use super::identity::{Role, certificate_digest, name_of};
use super::keys::{Authority, AuthorityError, set_validity};

/// Issue 1 has no renewal, so a certificate outlives a budget year. Renewal brings 30 days.
const MEMBER_DAYS: i64 = 397;
/// The server's certificate is made anew at each start.
const SERVER_DAYS: i64 = 397;
/// Longest signing request in PEM, in bytes.
const LONGEST_REQUEST: usize = 8192;

/// A member's new certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issued {
    /// In PEM.
    pub pem: String,
    /// As registered.
    pub digest: Digest,
}

/// Why no certificate is issued.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Not a PKCS #10 request in PEM, or not signed by its own key.
    #[error("the signing request is not PKCS #10 in PEM signed by its own key")]
    Unsound,
    /// Another kind of key.
    #[error("the signing request's key is not ECDSA P-256")]
    Key,
    /// The authority itself failed.
    #[error("the certificate could not be made")]
    Authority(#[from] rcgen::Error),
}

impl Authority {
    /// Signs a member's request. Everything the request asks for is ignored but its key: the name
    /// is the invited hospital's.
    pub fn issue(
        &self,
        hospital: &Slug,
        request: &str,
        now: Timestamp,
    ) -> Result<Issued, RequestError> {
        self.issue_for(Role::Hospital, hospital, request, now)
    }

    /// As [`Authority::issue`], for a holder in a role.
    pub fn issue_for(
        &self,
        role: Role,
        holder: &Slug,
        request: &str,
        now: Timestamp,
    ) -> Result<Issued, RequestError> {
        if request.len() > LONGEST_REQUEST {
            return Err(RequestError::Unsound);
        }
        let mut request = CertificateSigningRequestParams::from_pem(request)
            .map_err(|_| RequestError::Unsound)?;
        if *request.public_key.algorithm() != PKCS_ECDSA_P256_SHA256 {
            return Err(RequestError::Key);
        }
        let mut params = CertificateParams::new(Vec::new())?;
        params
            .distinguished_name
            .push(DnType::CommonName, holder.as_str());
        let name = name_of(&self.alliance, role, holder);
        params.subject_alt_names = vec![SanType::URI(name.as_str().try_into()?)];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        set_validity(&mut params, now, MEMBER_DAYS);
        request.params = params;
        let certificate = request.signed_by(&self.issuer)?;
        Ok(Issued {
            pem: certificate.pem(),
            digest: certificate_digest(certificate.der()),
        })
    }

    /// A new key and certificate for the server: the chain ends in the CA, so that a node can
    /// compare it with its join code.
    pub fn server_certificate(
        &self,
        hosts: &[String],
        now: Timestamp,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), AuthorityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::new(hosts.to_vec())?;
        let common_name = format!("{} coordinator", self.alliance);
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        set_validity(&mut params, now, SERVER_DAYS);
        let certificate = params.signed_by(&key, &self.issuer)?;
        let chain = vec![certificate.der().clone(), self.ca.clone()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok((chain, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::hospital_of;

    fn authority(folder: &std::path::Path) -> Authority {
        let alliance = "river".parse().unwrap();
        Authority::create(folder, &alliance, Timestamp(1_700_000_000)).unwrap();
        Authority::open(folder, &alliance).unwrap()
    }

    fn request(key: &KeyPair) -> String {
        let mut params = CertificateParams::new(vec!["evil.example".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "lie");
        params.serialize_request(key).unwrap().pem().unwrap()
    }

    fn folder(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("consilium-{name}-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_member_gets_the_invited_name_whatever_it_asks_for() {
        let folder = folder("issue");
        let authority = authority(&folder);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let hospital: Slug = "h1".parse().unwrap();
        let issued = authority
            .issue(&hospital, &request(&key), Timestamp(1_700_000_000))
            .unwrap();
        let der = {
            use rustls::pki_types::pem::PemObject as _;
            CertificateDer::from_pem_slice(issued.pem.as_bytes()).unwrap()
        };
        let alliance: Slug = "river".parse().unwrap();
        assert_eq!(hospital_of(&alliance, &der), Some(hospital));
        assert_eq!(hospital_of(&"other".parse().unwrap(), &der), None);
        assert_eq!(hospital_of(&alliance, authority.ca()), None);
        assert_eq!(certificate_digest(&der), issued.digest);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn other_keys_and_changed_requests_are_refused() {
        let folder = folder("refuse");
        let authority = authority(&folder);
        let hospital: Slug = "h1".parse().unwrap();
        let now = Timestamp(1_700_000_000);
        let ed25519 = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        assert!(matches!(
            authority.issue(&hospital, &request(&ed25519), now),
            Err(RequestError::Key)
        ));
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let sound = request(&key);
        // Another letter in the middle of the base64 text.
        let middle = sound.len() / 2;
        let flipped: String = sound
            .char_indices()
            .map(|(at, c)| match (at == middle, c) {
                (true, 'A') => 'B',
                (true, _) => 'A',
                (false, c) => c,
            })
            .collect();
        for bad in [flipped.as_str(), "", "-----BEGIN CERTIFICATE REQUEST-----"] {
            assert!(matches!(
                authority.issue(&hospital, bad, now),
                Err(RequestError::Unsound)
            ));
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn keys_that_others_can_read_are_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = folder("modes");
        drop(authority(&folder));
        let alliance: Slug = "river".parse().unwrap();
        for file in ["ca-key.pem", "alliance.pk8"] {
            let mode = |mode| {
                let permissions = std::fs::Permissions::from_mode(mode);
                std::fs::set_permissions(folder.join(file), permissions).unwrap();
            };
            mode(0o640);
            assert!(Authority::open(&folder, &alliance).is_err(), "{file}");
            mode(0o600);
        }
        assert!(Authority::open(&folder, &alliance).is_ok());
        assert!(Authority::create(&folder, &alliance, Timestamp(0)).is_err());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
