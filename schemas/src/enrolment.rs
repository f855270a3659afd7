//! How a hospital's node joins and stays a member: a one-time code, keys of its own with proof that
//! it holds them, a fingerprint that two people compare, renewal.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD as BASE64URL};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::digest::Digest;
use crate::id::Slug;
use crate::seal::PublicKey;

/// What an administrator hands to a hospital, out of band, once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinCode {
    /// The coordinator's enrolment address, `https://host:port`.
    pub url: String,
    /// The hospital that may join with this code.
    pub hospital: Slug,
    /// SHA-256 of the alliance's root certificate (DER, tag `consilium-ca-v1`): the only root
    /// trusted.
    pub ca: Digest,
    /// 32 random bytes, kept by the coordinator only as a digest.
    pub secret: Digest,
}

/// The text is not a join code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a join code: copy the whole text that `consilium-coordinator invite` printed")]
pub struct NotAJoinCode;

impl JoinCode {
    const PREFIX: &'static str = "consilium1.";

    /// The digest under which the coordinator remembers the secret.
    pub fn secret_digest(secret: &Digest) -> Digest {
        Digest::of("consilium-join-secret-v1", &[secret.as_bytes()])
    }

    /// The code as a text without spaces.
    pub fn to_text(&self) -> Result<String, canonical::Error> {
        Ok(format!(
            "{}{}",
            Self::PREFIX,
            BASE64URL.encode(canonical::to_bytes(self)?)
        ))
    }
}

impl std::fmt::Debug for JoinCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JoinCode({} at {})", self.hospital, self.url)
    }
}

impl FromStr for JoinCode {
    type Err = NotAJoinCode;

    fn from_str(text: &str) -> Result<Self, NotAJoinCode> {
        let body = text.trim().strip_prefix(Self::PREFIX).ok_or(NotAJoinCode)?;
        let bytes = BASE64URL.decode(body).map_err(|_| NotAJoinCode)?;
        canonical::from_bytes(&bytes).map_err(|_| NotAJoinCode)
    }
}

/// A node asks to be enrolled. Sent over TLS pinned to [`JoinCode::ca`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinRequest {
    /// The hospital named in the code.
    pub hospital: Slug,
    /// The secret of the code.
    pub secret: Digest,
    /// PKCS #10 request in PEM, made with the node's own TLS key.
    pub signing_request: String,
    /// The node's message key, apart from its TLS key.
    pub message_key: PublicKey,
    /// The TLS key's signature over [`JoinRequest::statement`]: ECDSA P-256, ASN.1, in base64.
    pub tls_proof: String,
    /// The message key's signature over the same: Ed25519, in base64.
    pub message_proof: String,
}

impl JoinRequest {
    /// What both keys sign: this code's name, this hospital and these two keys, so that neither a
    /// signing request nor a public key of somebody else can be enrolled.
    pub fn statement(&self) -> Digest {
        let code = JoinCode::secret_digest(&self.secret);
        Digest::of(
            "consilium-possession-v1",
            &[
                code.as_bytes(),
                self.hospital.as_str().as_bytes(),
                self.signing_request.as_bytes(),
                self.message_key.as_bytes(),
            ],
        )
    }

    /// A proof as it stands in the request.
    pub fn proof_text(signature: &[u8]) -> String {
        BASE64.encode(signature)
    }

    /// The signatures of the TLS key and of the message key; `None` where one is not base64.
    pub fn proofs(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let decode = |text: &str| BASE64.decode(text).ok();
        Some((decode(&self.tls_proof)?, decode(&self.message_proof)?))
    }
}

impl std::fmt::Debug for JoinRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JoinRequest({})", self.hospital)
    }
}

/// The coordinator's reply.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinReply {
    /// The node's certificate in PEM.
    pub certificate: String,
    /// The alliance's root in PEM.
    pub ca: String,
    /// The key that signs dictionaries and rounds.
    pub alliance_key: PublicKey,
    /// Where nodes talk to the coordinator from now on.
    pub url: String,
}

/// A member asks for a new certificate, before the present one ends. Sent as a signed request over
/// mutual TLS.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenewRequest {
    /// PKCS #10 request in PEM, made with a new TLS key.
    pub signing_request: String,
}

/// The coordinator's reply to [`RenewRequest`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenewReply {
    /// The new certificate in PEM. The earlier one works for an hour after this one's first use.
    pub certificate: String,
}

/// What a hospital reads to an administrator by phone before it is approved: 128 bits over
/// certificate and message key, written in eight groups of four hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fingerprint([u8; 16]);

/// The text is not a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 32 hexadecimal digits, in groups or not")]
pub struct NotAFingerprint;

impl Fingerprint {
    /// Of a certificate (by its digest) and a message key.
    pub fn of(certificate: &Digest, message_key: &PublicKey) -> Self {
        let parts = [certificate.as_bytes().as_slice(), message_key.as_bytes()];
        let whole = Digest::of("consilium-member-v1", &parts);
        let mut bytes = [0; 16];
        for (byte, from) in bytes.iter_mut().zip(whole.as_bytes()) {
            *byte = *from;
        }
        Self(bytes)
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            let gap = if at > 0 && at % 2 == 0 { "-" } else { "" };
            write!(f, "{gap}{byte:02x}")?;
        }
        Ok(())
    }
}

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
        let digits: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
        if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(NotAFingerprint);
        }
        let number = u128::from_str_radix(&digits, 16).map_err(|_| NotAFingerprint)?;
        Ok(Self(number.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_it_is_spoken() {
        let key = PublicKey::from_bytes([7; 32]);
        let one = Fingerprint::of(&Digest::of("c", &[]), &key);
        let text = one.to_string();
        assert_eq!((text.len(), text.matches('-').count()), (39, 7));
        assert_eq!(text.to_uppercase().replace('-', " ").parse(), Ok(one));
        let other = Fingerprint::of(&Digest::of("d", &[]), &key);
        assert_ne!(text.parse(), Ok(other));
        let cut: String = text.chars().skip(1).collect();
        for bad in ["", "12", "+0000000000000000000000000000000", &cut] {
            assert_eq!(bad.parse::<Fingerprint>(), Err(NotAFingerprint), "{bad}");
        }
    }

    #[test]
    fn a_code_survives_copying_and_hides_its_secret() {
        let code = JoinCode {
            url: "https://localhost:1".to_owned(),
            hospital: "h1".parse().unwrap(),
            ca: Digest::of("a", &[]),
            secret: Digest::of("b", &[]),
        };
        let text = format!(" {}\n", code.to_text().unwrap());
        assert_eq!(text.parse::<JoinCode>().unwrap(), code);
        assert!(!format!("{code:?}").contains(&code.secret.to_string()));
        let cut: String = text.chars().take(40).collect();
        assert!(cut.parse::<JoinCode>().is_err());
    }
}
