//! Before the month is closed: the insurer's keys, and the nonce that it commits to.

use proofs::parcel::Receiver;
use proofs::sample;
use ring::rand::{SecureRandom as _, SystemRandom};
use schemas::digest::Digest;
use schemas::seal::Signer;

use super::folder::{self as place, io_error};
use super::{AuditError, Case, Folder};

/// What the hospital is given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Begun {
    /// For `consilium-node audit payer`.
    pub message_key: Digest,
    /// For `consilium-node close --nonce`.
    pub nonce: Digest,
}

/// Begins an audit in an empty folder; begun again with the same case it changes nothing.
pub fn begin(folder: &Folder, case: &Case) -> Result<Begun, AuditError> {
    case.trust()?;
    place::make(&folder.path("private")).map_err(io_error("private"))?;
    if !folder.has("private/nonce.key") {
        let (_, bytes) = Signer::generate()?;
        folder.write("private/message.pk8", &bytes)?;
        let (_, bytes) = Receiver::generate()?;
        folder.write("private/receiver.key", &*bytes)?;
        let mut nonce = [0; 32];
        let filled = SystemRandom::new().fill(&mut nonce);
        filled.map_err(|_| AuditError::Stopped)?;
        // Last: a folder without it has not begun.
        folder.write("private/nonce.key", &nonce)?;
    }
    let public = folder.signer()?.public();
    let case = Case {
        insurer_key: Digest::from_bytes(*public.as_bytes()),
        ..case.clone()
    };
    if folder.has("case.json") && folder.case()? != case {
        return Err(AuditError::Other("case"));
    }
    folder.write_json("case.json", &case)?;
    begun(folder)
}

/// What the hospital is given, of an audit that was begun.
pub fn begun(folder: &Folder) -> Result<Begun, AuditError> {
    let nonce = Digest::from_bytes(folder.secret_32("private/nonce.key")?);
    Ok(Begun {
        message_key: folder.case()?.insurer_key,
        nonce: sample::commitment(&nonce),
    })
}
