//! Whom a certificate names.

use schemas::digest::Digest;
use schemas::id::Slug;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// The digest under which a certificate is registered.
pub fn certificate_digest(der: &[u8]) -> Digest {
    Digest::of("consilium-certificate-v1", &[der])
}

/// What a certificate's holder is to the alliance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// A hospital's node.
    Hospital,
    /// An insurer's audit.
    Insurer,
}

impl Role {
    /// The word for it in names and in the state file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hospital => "hospital",
            Self::Insurer => "insurer",
        }
    }
}

/// The name that stands in a certificate.
pub(super) fn name_of(alliance: &Slug, role: Role, name: &Slug) -> String {
    let role = role.as_str();
    format!("spiffe://{alliance}/{role}/{name}")
}

/// The hospital that a certificate of this alliance names; `None` unless it names exactly one.
pub fn hospital_of(alliance: &Slug, der: &[u8]) -> Option<Slug> {
    holder_of(alliance, Role::Hospital, der)
}

/// The holder that a certificate of this alliance names in that role; `None` unless it names
/// exactly one.
pub fn holder_of(alliance: &Slug, role: Role, der: &[u8]) -> Option<Slug> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    if certificate.is_ca() {
        return None;
    }
    let names = certificate.subject_alternative_name().ok()??;
    let [GeneralName::URI(uri)] = names.value.general_names.as_slice() else {
        return None;
    };
    let name: Slug = uri.rsplit('/').next()?.parse().ok()?;
    (*uri == name_of(alliance, role, &name)).then_some(name)
}
