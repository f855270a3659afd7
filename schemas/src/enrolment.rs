//! How a hospital's node joins: a one-time code, a key of its own, a signing request.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
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
    /// SHA-256 of the alliance's CA certificate (DER, tag `consilium-ca-v1`): the only CA trusted.
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
    /// The alliance's CA in PEM.
    pub ca: String,
    /// The key that signs dictionaries and rounds.
    pub alliance_key: PublicKey,
    /// Where nodes talk to the coordinator from now on.
    pub url: String,
}

#[cfg(test)]
mod tests {
    use super::*;

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
