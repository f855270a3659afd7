//! Signed requests: each is bound to its sender, recipient, path, time and body, and its response
//! to it.

use ring::rand::{SecureRandom as _, SystemRandom};
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::request::{self, LIFETIME, Receipt, Request};
use schemas::seal::{PublicKey, SealError, Sealed, Signer};
use schemas::time::Timestamp;

/// A request ready to be sent: the same bytes may be sent again and have one effect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signed {
    /// The header `consilium-request`.
    pub header: String,
    /// The body.
    pub body: Vec<u8>,
    digest: Digest,
}

impl Signed {
    /// Signs a request with a new id.
    pub fn new(
        signer: &Signer,
        sender: &Slug,
        recipient: &PublicKey,
        path: &str,
        body: Vec<u8>,
        now: Timestamp,
    ) -> Result<Self, SealError> {
        let mut id = [0; 16];
        SystemRandom::new()
            .fill(&mut id)
            .map_err(|_| SealError::Random)?;
        let request = Request {
            sender: sender.clone(),
            recipient: recipient.fingerprint(),
            path: path.to_owned(),
            id: format!("{:032x}", u128::from_be_bytes(id)),
            issued: now,
            not_after: Timestamp(now.0.saturating_add(LIFETIME)),
            body: request::digest(&body),
        };
        let sealed = Sealed::seal(signer, &request)?;
        Ok(Self {
            header: serde_json::to_string(&sealed).map_err(|_| SealError::Signature)?,
            digest: sealed.digest()?,
            body,
        })
    }

    /// Whether a response was signed by the recipient for this request and no other.
    pub fn answered_by(
        &self,
        recipient: &PublicKey,
        receipt: &[u8],
        status: u16,
        body: &[u8],
    ) -> Result<(), SealError> {
        let sealed: Sealed<Receipt> =
            serde_json::from_slice(receipt).map_err(|_| SealError::OtherKind)?;
        let expected = Receipt {
            request: self.digest,
            status,
            body: request::digest(body),
        };
        if sealed.open(recipient)? == expected {
            Ok(())
        } else {
            Err(SealError::OtherKind)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Row 16 of the threat model: a response to one request, offered for another.
    #[test]
    fn a_receipt_belongs_to_one_request() {
        let ((node, _), (alliance, _)) = (Signer::generate().unwrap(), Signer::generate().unwrap());
        let hospital = "h1".parse().unwrap();
        let to = alliance.public();
        let new = || {
            let body = b"{}".to_vec();
            Signed::new(&node, &hospital, &to, "/v1/x", body, Timestamp(0)).unwrap()
        };
        let (one, other) = (new(), new());
        assert_ne!(one.header, other.header);
        let receipt = Receipt {
            request: one.digest,
            status: 200,
            body: request::digest(b"done"),
        };
        let seal = |signer| serde_json::to_vec(&Sealed::seal(signer, &receipt).unwrap()).unwrap();
        let sealed = seal(&alliance);
        one.answered_by(&to, &sealed, 200, b"done").unwrap();
        assert!(other.answered_by(&to, &sealed, 200, b"done").is_err());
        assert!(one.answered_by(&to, &sealed, 409, b"done").is_err());
        assert!(one.answered_by(&to, &sealed, 200, b"gone").is_err());
        assert!(one.answered_by(&to, &seal(&node), 200, b"done").is_err());
        let request = one.header.as_bytes();
        assert!(
            one.answered_by(&node.public(), request, 200, b"done")
                .is_err()
        );
    }
}
