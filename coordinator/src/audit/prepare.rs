//! After the close: the book is believed, the paid list is blinded into requests.

use proofs::book::Believed;
use proofs::exchange::{Ask, Elements};
use proofs::oprf::{Blinded, MAX_BATCH};
use proofs::parcel::Receiver;
use schemas::digest::Digest;

use super::folder::{Case, Folder, batch_name};
use super::paid::List;
use super::{AuditError, work};

/// What was prepared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Prepared {
    /// Lines of the paid list.
    pub lines: usize,
    /// Requests with blinded claims.
    pub batches: usize,
    /// Leaves of the book, padding included.
    pub leaves: usize,
}

/// Blinds the list. Run again it makes only what is missing; another list or book is refused.
pub fn prepare(
    folder: &Folder,
    paid: &[u8],
    book: &[u8],
    progress: &dyn Fn(usize, usize),
) -> Result<Prepared, AuditError> {
    let case = folder.case()?;
    let believed = case.believe(book)?;
    let list = List::parse(paid, &case.subject)?;
    if !folder.has("private/paid.csv") {
        folder.write("private/paid.csv", paid)?;
    } else if folder.read("private/paid.csv")? != paid {
        return Err(AuditError::Other("list"));
    }
    if !folder.has("book") {
        folder.write("book", book)?;
    } else if !same(&folder.book(&case)?, &believed) {
        return Err(AuditError::Other("book"));
    }
    let inputs = list.inputs(&case.subject, &folder.secret_32("private/nonce.key")?)?;
    let batches: Vec<&[Vec<u8>]> = inputs.chunks(MAX_BATCH).collect();
    let release = believed.header.release;
    work::each(batches.len(), progress, |batch| {
        let inputs = batches.get(batch).ok_or(AuditError::Stopped)?;
        blind(folder, (&case, release), batch, inputs)
    })?;
    let receiver = Receiver::from_bytes(folder.secret_32("private/receiver.key")?)?;
    folder.ask("total", (&case, release), 0, Ask::Total(receiver.public()))?;
    Ok(Prepared {
        lines: list.0.len(),
        batches: batches.len(),
        leaves: believed.leaves.as_slice().len(),
    })
}

/// Whether two books are of one batch: the hospital may give it out with another receipt later.
fn same(one: &Believed, other: &Believed) -> bool {
    (&one.text, &one.header, &one.leaves) == (&other.text, &other.header, &other.leaves)
}

fn blind(
    folder: &Folder,
    about: (&Case, u32),
    batch: usize,
    inputs: &[Vec<u8>],
) -> Result<(), AuditError> {
    let name = batch_name(batch);
    let kept = format!("private/blinds/{name}");
    let blinded = if folder.has(&kept) {
        Blinded::from_bytes(&folder.secret(&kept)?)?
    } else {
        let blinded = Blinded::blind(inputs)?;
        // Before the request: whatever was asked can be unblinded.
        folder.write(&kept, &blinded.to_bytes())?;
        blinded
    };
    let number = u32::try_from(batch + 1).map_err(|_| AuditError::Stopped)?;
    let elements = Elements(blinded.elements().to_vec());
    folder.ask(&name, about, number, Ask::Evaluate(elements))
}

/// What an open request is signed over.
pub(super) fn nonce(folder: &Folder) -> Result<Digest, AuditError> {
    Ok(Digest::from_bytes(folder.secret_32("private/nonce.key")?))
}
