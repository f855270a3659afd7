//! Revocation lists. A server without one would check nothing, so its settings cannot be made
//! without them.

use std::time::Duration;

use rcgen::{
    CertificateRevocationListParams, KeyIdMethod, RevocationReason, RevokedCertParams, SerialNumber,
};
use rustls::pki_types::CertificateRevocationListDer;
use schemas::time::Timestamp;

use super::keys::{Authority, AuthorityError, DAY};

/// A certificate that is no longer accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revoked {
    /// Its number.
    pub serial: Vec<u8>,
    /// Since when.
    pub at: Timestamp,
}

impl Authority {
    /// The revocation lists of all issuing CAs, good for 24 hours from now.
    pub fn revocation_lists(
        &self,
        revoked: &[Revoked],
        now: Timestamp,
    ) -> Result<Vec<CertificateRevocationListDer<'static>>, AuthorityError> {
        let moment = |seconds: i64| {
            let since = u64::try_from(seconds.clamp(0, 16_725_225_600)).unwrap_or(0);
            rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(since)
        };
        let revoked_certs = || {
            let one = |one: &Revoked| RevokedCertParams {
                serial_number: SerialNumber::from_slice(&one.serial),
                revocation_time: moment(one.at.0),
                reason_code: Some(RevocationReason::Unspecified),
                invalidity_date: None,
            };
            revoked.iter().map(one).collect()
        };
        let list = |issuing: &super::keys::Issuing| {
            let params = CertificateRevocationListParams {
                // Clocks differ: a list must not begin in the future.
                this_update: moment(now.0.saturating_sub(3600)),
                next_update: moment(now.0.saturating_add(DAY)),
                crl_number: SerialNumber::from(u64::try_from(now.0).unwrap_or(0)),
                issuing_distribution_point: None,
                revoked_certs: revoked_certs(),
                key_identifier_method: KeyIdMethod::Sha256,
            };
            Ok(params.signed_by(&issuing.issuer)?.into())
        };
        self.issuers().map(list).collect()
    }
}
