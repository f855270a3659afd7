//! Signed requests of a node and the coordinator's signed receipts. TLS says who is connected; the
//! message key says who asks: a stolen TLS key alone sends nothing that counts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::Slug;
use crate::seal::Message;
use crate::time::Timestamp;

/// The header that holds a [`crate::seal::Sealed`] [`Request`] as JSON.
pub const REQUEST: &str = "consilium-request";
/// The header that holds a [`crate::seal::Sealed`] [`Receipt`] as JSON.
pub const RECEIPT: &str = "consilium-receipt";
/// The header with the coordinator's time: whole seconds since 1970.
pub const TIME: &str = "consilium-time";

/// How far two clocks may be apart, in seconds.
pub const SKEW: i64 = 120;
/// How long a request lives, in seconds.
pub const LIFETIME: i64 = 900;

/// What a sender signs of each request. The body is bound by the digest of its bytes as sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Who sends.
    pub sender: Slug,
    /// Fingerprint of the receiving alliance's key.
    pub recipient: Digest,
    /// Path of the URL: what is asked of the recipient.
    pub path: String,
    /// 128 random bits in hexadecimal: one effect for each, however often it arrives.
    pub id: String,
    /// When it was made.
    pub issued: Timestamp,
    /// After this moment it is not taken; at most [`LIFETIME`] later.
    pub not_after: Timestamp,
    /// [`digest`] of the body.
    pub body: Digest,
}

impl Message for Request {
    const TAG: &'static str = "consilium-request-v1";
}

/// What the coordinator signs of its response: it belongs to this request and to no other.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Digest of the sealed request.
    pub request: Digest,
    /// HTTP status.
    pub status: u16,
    /// [`digest`] of the response's body.
    pub body: Digest,
}

impl Message for Receipt {
    const TAG: &'static str = "consilium-receipt-v1";
}

/// The digest of a body's bytes as sent.
pub fn digest(body: &[u8]) -> Digest {
    Digest::of("consilium-body-v1", &[body])
}

/// Why a signed request is not taken here and now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misplaced {
    /// The certificate is another member's.
    #[error("the request is signed for another sender than the certificate names")]
    Sender,
    /// Another alliance's.
    #[error("the request is for another recipient")]
    Recipient,
    /// Sent to another path.
    #[error("the request is for another path")]
    Path,
    /// Not 32 lower-case hexadecimal digits.
    #[error("a message id is 32 lower-case hexadecimal digits")]
    Id,
    /// The body is not the one that was signed.
    #[error("the body is not the one that was signed")]
    Body,
    /// Made in the future, too old or living too long.
    #[error("the request is outside its time; set the clocks right (at most 120 seconds apart)")]
    Time,
}

/// Where and with what a request arrived.
#[derive(Clone, Copy, Debug)]
pub struct Arrived<'a> {
    /// Whom the certificate names.
    pub sender: &'a Slug,
    /// The receiver's own key fingerprint.
    pub recipient: Digest,
    /// The path.
    pub path: &'a str,
    /// The received body.
    pub body: &'a [u8],
    /// The receiver's time.
    pub now: Timestamp,
}

impl Request {
    /// Whether a request whose signature fits also fits where it arrived.
    pub fn check(&self, arrived: &Arrived<'_>) -> Result<(), Misplaced> {
        let hexadecimal = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let (issued, not_after, now) = (self.issued.0, self.not_after.0, arrived.now.0);
        let lives = not_after.saturating_sub(issued);
        let in_time = (0..=LIFETIME).contains(&lives)
            && issued.saturating_sub(now) <= SKEW
            && now.saturating_sub(not_after) <= SKEW;
        if self.sender != *arrived.sender {
            Err(Misplaced::Sender)
        } else if self.recipient != arrived.recipient {
            Err(Misplaced::Recipient)
        } else if self.path != arrived.path {
            Err(Misplaced::Path)
        } else if self.id.len() != 32 || !self.id.bytes().all(hexadecimal) {
            Err(Misplaced::Id)
        } else if !in_time {
            Err(Misplaced::Time)
        } else if self.body != digest(arrived.body) {
            Err(Misplaced::Body)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::{SealError, Sealed, Signer};

    fn request() -> Request {
        Request {
            sender: "h1".parse().unwrap(),
            recipient: Digest::of("r", &[]),
            path: "/v1/x".to_owned(),
            id: "0123456789abcdef".repeat(2),
            issued: Timestamp(1000),
            not_after: Timestamp(1900),
            body: digest(b"body"),
        }
    }

    #[test]
    fn a_request_fits_one_place_and_time() {
        let sender: Slug = "h1".parse().unwrap();
        let other: Slug = "h2".parse().unwrap();
        let here = Arrived {
            sender: &sender,
            recipient: Digest::of("r", &[]),
            path: "/v1/x",
            body: b"body",
            now: Timestamp(1000),
        };
        let at = |now| Arrived {
            now: Timestamp(now),
            ..here
        };
        let check = |arrived: &Arrived<'_>| request().check(arrived);
        for now in [880, 1000, 1900, 2020] {
            assert_eq!(check(&at(now)), Ok(()), "{now}");
        }
        for now in [879, 2021, i64::MIN, i64::MAX] {
            assert_eq!(check(&at(now)), Err(Misplaced::Time), "{now}");
        }
        let sender = Arrived {
            sender: &other,
            ..here
        };
        assert_eq!(check(&sender), Err(Misplaced::Sender));
        let recipient = Arrived {
            recipient: Digest::ZERO,
            ..here
        };
        assert_eq!(check(&recipient), Err(Misplaced::Recipient));
        let path = Arrived {
            path: "/v1/y",
            ..here
        };
        assert_eq!(check(&path), Err(Misplaced::Path));
        let body = Arrived {
            body: b"bodz",
            ..here
        };
        assert_eq!(check(&body), Err(Misplaced::Body));
        let mut long = request();
        long.not_after = Timestamp(1901);
        assert_eq!(long.check(&here), Err(Misplaced::Time));
        let mut name = request();
        name.id = name.id.to_uppercase();
        assert_eq!(name.check(&here), Err(Misplaced::Id));
    }

    /// Row 17 of the threat model.
    #[test]
    fn every_flipped_byte_of_an_envelope_is_refused() {
        let (signer, _) = Signer::generate().unwrap();
        let sealed = Sealed::seal(&signer, &request()).unwrap();
        let text = serde_json::to_vec(&sealed).unwrap();
        let opens = |bytes: &[u8]| {
            let sealed: Result<Sealed<Request>, _> = serde_json::from_slice(bytes);
            sealed.is_ok_and(|sealed| sealed.open(&signer.public()).is_ok())
        };
        assert!(opens(&text));
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut flipped = text.clone();
                flipped[at] ^= 1 << bit;
                assert!(!opens(&flipped), "byte {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn a_signed_request_is_no_receipt() {
        let (signer, _) = Signer::generate().unwrap();
        let sealed = Sealed::seal(&signer, &request()).unwrap();
        let text = serde_json::to_string(&sealed).unwrap();
        let receipt: Sealed<Receipt> = serde_json::from_str(&text).unwrap();
        assert!(matches!(
            receipt.open(&signer.public()),
            Err(SealError::Signature)
        ));
    }
}
