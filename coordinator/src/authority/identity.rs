//! Whom a certificate names.

use schemas::digest::Digest;
use schemas::id::Slug;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// The digest under which a member's certificate is registered.
pub fn certificate_digest(der: &[u8]) -> Digest {
    Digest::of("consilium-certificate-v1", &[der])
}

/// The name that stands in a member's certificate.
pub(super) fn name_of(alliance: &Slug, hospital: &Slug) -> String {
    format!("spiffe://{alliance}/hospital/{hospital}")
}

/// The hospital that a certificate of this alliance names; `None` unless it names exactly one.
pub fn hospital_of(alliance: &Slug, der: &[u8]) -> Option<Slug> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    if certificate.is_ca() {
        return None;
    }
    let names = certificate.subject_alternative_name().ok()??;
    let [GeneralName::URI(uri)] = names.value.general_names.as_slice() else {
        return None;
    };
    let hospital: Slug = uri.rsplit('/').next()?.parse().ok()?;
    (*uri == name_of(alliance, &hospital)).then_some(hospital)
}
