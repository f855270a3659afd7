//! Certificates for the server and for members.

use rcgen::{
    CertificateParams, CertificateSigningRequestParams, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData as _, SanType,
};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use schemas::digest::Digest;
use schemas::enrolment::JoinRequest;
use schemas::id::Slug;
use schemas::time::Timestamp;

use super::identity::{Role, certificate_digest, name_of};
use super::keys::{Authority, AuthorityError, DAY, serial, set_validity};

/// How long a member's certificate lives; it renews at two thirds.
const MEMBER_DAYS: i64 = 30;
/// The server's certificate is made anew at each start and every hour.
const SERVER_DAYS: i64 = 30;
/// Longest signing request in PEM, in bytes.
const LONGEST_REQUEST: usize = 8192;

/// A member's new certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issued {
    /// In PEM.
    pub pem: String,
    /// As registered.
    pub digest: Digest,
    /// Its number: what a revocation list names.
    pub serial: Vec<u8>,
    /// When it ends.
    pub expires: Timestamp,
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
    /// The sender does not hold the keys that it shows.
    #[error("a key's proof of possession does not fit; enrol with the node's own command")]
    Possession,
    /// The authority itself failed.
    #[error("the certificate could not be made")]
    Authority(#[from] AuthorityError),
}

impl From<rcgen::Error> for RequestError {
    fn from(error: rcgen::Error) -> Self {
        Self::Authority(error.into())
    }
}

/// Whether the sender of a join request holds both keys: each signed the code's name and the other.
pub fn possesses(request: &JoinRequest) -> Result<(), RequestError> {
    let (tls, message) = request.proofs().ok_or(RequestError::Possession)?;
    let signing = parse(&request.signing_request)?;
    let statement = request.statement();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, signing.public_key.der_bytes());
    key.verify(statement.as_bytes(), &tls)
        .map_err(|_| RequestError::Possession)?;
    let message_key = &request.message_key;
    message_key
        .verify(statement.as_bytes(), &message)
        .map_err(|_| RequestError::Possession)
}

fn parse(request: &str) -> Result<CertificateSigningRequestParams, RequestError> {
    if request.len() > LONGEST_REQUEST {
        return Err(RequestError::Unsound);
    }
    let request =
        CertificateSigningRequestParams::from_pem(request).map_err(|_| RequestError::Unsound)?;
    if *request.public_key.algorithm() != PKCS_ECDSA_P256_SHA256 {
        return Err(RequestError::Key);
    }
    Ok(request)
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
        let mut request = parse(request)?;
        let mut params = CertificateParams::new(Vec::new())?;
        params
            .distinguished_name
            .push(DnType::CommonName, holder.as_str());
        let name = name_of(&self.alliance, role, holder);
        params.subject_alt_names = vec![SanType::URI(name.as_str().try_into()?)];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let number = serial()?;
        params.serial_number = Some(number.clone());
        set_validity(&mut params, now, MEMBER_DAYS);
        request.params = params;
        let certificate = request.signed_by(&self.issuing.issuer)?;
        Ok(Issued {
            pem: certificate.pem(),
            digest: certificate_digest(certificate.der()),
            serial: number.to_bytes(),
            expires: Timestamp(now.0.saturating_add(MEMBER_DAYS.saturating_mul(DAY))),
        })
    }

    /// A new key and certificate for the server: leaf, issuing CA and root. Members hold the root
    /// already; who joins finds it here and compares it with the join code.
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
        params.serial_number = Some(serial()?);
        set_validity(&mut params, now, SERVER_DAYS);
        let certificate = params.signed_by(&key, &self.issuing.issuer)?;
        let issuing = self.issuing.certificate.clone();
        let chain = vec![certificate.der().clone(), issuing, self.ca.clone()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok((chain, key))
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, IsCa};
    use x509_parser::prelude::{FromDer as _, X509Certificate};

    use super::*;
    use crate::authority::{Root, hospital_of};

    fn authority(folder: &std::path::Path) -> Authority {
        let alliance = "river".parse().unwrap();
        Authority::create(folder, &alliance, Timestamp(1_700_000_000)).unwrap();
        Authority::open(folder, &alliance).unwrap()
    }

    /// Row 15 of the threat model: it asks for another name and for a CA's rights.
    fn request(key: &KeyPair) -> String {
        let mut params = CertificateParams::new(vec!["evil.example".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let server = ExtendedKeyUsagePurpose::ServerAuth;
        params.extended_key_usages = vec![server];
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
        let (_, leaf) = X509Certificate::from_der(&der).unwrap();
        assert!(!leaf.is_ca());
        let usage = leaf.extended_key_usage().unwrap().unwrap().value;
        assert!(usage.client_auth && !usage.server_auth);
        let days = leaf.validity().not_after.timestamp() - 1_700_000_000;
        assert_eq!(days, 30 * 86_400);
        assert_eq!(leaf.raw_serial(), issued.serial);
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
        for file in ["issuing.pem", "alliance.pk8"] {
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

    #[test]
    fn only_its_own_root_makes_a_new_issuing_ca() {
        let (data, apart, other) = (folder("data"), folder("root"), folder("other"));
        let alliance: Slug = "river".parse().unwrap();
        let now = Timestamp(1_700_000_000);
        let root = Authority::create(&data, &alliance, now).unwrap();
        root.keep(&apart).unwrap();
        let before = Authority::open(&data, &alliance).unwrap();
        let stranger = Authority::create(&other, &alliance, now).unwrap();
        assert!(matches!(
            Authority::reissue(&data, &alliance, &stranger, now),
            Err(AuthorityError::OtherRoot)
        ));
        let root = Root::open(&apart).unwrap();
        Authority::reissue(&data, &alliance, &root, now).unwrap();
        let after = Authority::open(&data, &alliance).unwrap();
        assert_eq!(after.ca_digest(), before.ca_digest());
        assert_ne!(after.issuing()[0], before.issuing()[0]);
        assert_eq!(after.issuing()[1], before.issuing()[0]);
        assert_eq!(after.revocation_lists(&[], now).unwrap().len(), 2);
        // The service does not open beside a root's key.
        root.keep(&other).unwrap_err();
        std::fs::copy(apart.join("root-key.pem"), data.join("root-key.pem")).unwrap();
        assert!(matches!(
            Authority::open(&data, &alliance),
            Err(AuthorityError::RootHere)
        ));
        for folder in [data, apart, other] {
            std::fs::remove_dir_all(folder).unwrap();
        }
    }
}
