//! What a hospital publishes to one payer about one month: the batch, and the proof that it stands
//! in the log that the checkpoint names.
//!
//! One file: `canonical JSON of the checkpoint, first number and proof ‖ LF ‖ header leaf ‖ LF ‖
//! leaves`. It holds nothing secret: leaves are sealed.

use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::time::Month;
use serde::{Deserialize, Serialize};

use crate::checkpoint::{self, Checkpoint, CheckpointError, Member};
use crate::history::{Keys, Receipt, ReceiptError};
use crate::leaf::{Header, HeaderError, LEAF_BYTES, Leaf, LeafError, Leaves};
use crate::note::{Note, NoteError};
use crate::oprf::OprfError;
use crate::tree::{self, TreeError, verify_range};
use crate::witness::{generation, log_key};

/// Where the batch stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The checkpoint as a signed note.
    pub checkpoint: String,
    /// Number of the header leaf in the log.
    pub first: u64,
    /// Hashes beside header and leaves.
    pub proof: Vec<Digest>,
    /// Shows that witnesses have seen the checkpoint, once they have: the hospital's own log, which
    /// they cosign, says that it closed the month under it.
    pub receipt: Option<Receipt>,
}

/// A published batch, read but not yet believed.
#[derive(Clone, Debug)]
pub struct Book {
    /// Where it stands.
    pub place: Place,
    /// The header leaf's bytes.
    pub header: Vec<u8>,
    /// The leaves.
    pub leaves: Leaves,
}

/// A batch that is as its hospital signed it.
#[derive(Debug)]
pub struct Believed {
    /// The header.
    pub header: Header,
    /// The leaves.
    pub leaves: Leaves,
    /// The settlement log's checkpoint.
    pub checkpoint: Checkpoint,
    /// The organisations that cosigned a log which says so; none where nobody had to.
    pub witnesses: Vec<Slug>,
    /// The checkpoint's text: what seeds a sample.
    pub text: String,
}

/// Whom the reader of a book believes.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The alliance.
    pub alliance: Slug,
    /// The hospital and the key of its settlement log.
    pub log: Member,
    /// The keys of witnesses.
    pub witnesses: Vec<Member>,
    /// How many organisations other than the hospital must have seen the close.
    pub quorum: usize,
}

/// Whose batch of which month is expected.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Whose settlements.
    pub hospital: Slug,
    /// Who paid them.
    pub payer: Slug,
    /// Settlement month.
    pub period: Month,
}

/// Why a book is refused.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// Not three parts.
    #[error("the book is cut short or not a book")]
    Form,
    /// Its first line.
    #[error("the book's place is refused: {0}")]
    Place(#[from] canonical::Error),
    /// Another hospital's, payer's or month's.
    #[error("the book is another hospital's, payer's or month's")]
    Subject,
    /// The note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Witnesses are asked for, and the book shows none.
    #[error(
        "the book holds no receipt of witnesses: have the hospital keep its node running, then give \
         out the book again"
    )]
    NoReceipt,
    /// What it shows of witnesses.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// The header.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// A leaf or the order of leaves.
    #[error(transparent)]
    Leaf(#[from] LeafError),
    /// The proof.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The key.
    #[error(transparent)]
    Oprf(#[from] OprfError),
}

/// The name of a hospital's settlement log, which is also its key's.
pub fn origin(alliance: &Slug, hospital: &Slug) -> String {
    format!("{alliance}/{hospital}/settlements")
}

/// By what the hospital's own log names a checkpoint of its settlement log, from the note's text.
pub fn checkpoint_digest(text: &str) -> Digest {
    Digest::of("consilium-checkpoint-v1", &[text.as_bytes()])
}

impl Book {
    /// The file's bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, BookError> {
        let mut bytes = canonical::to_bytes(&self.place)?;
        bytes.push(b'\n');
        bytes.extend(&self.header);
        bytes.push(b'\n');
        for leaf in self.leaves.as_slice() {
            bytes.extend(leaf.as_bytes());
        }
        Ok(bytes)
    }

    /// Reads a file; what it says is checked by [`Book::believe`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BookError> {
        let (place, rest) = line(bytes)?;
        let (header, leaves) = line(rest)?;
        Ok(Self {
            place: canonical::from_bytes(place)?,
            header: header.to_vec(),
            leaves: read_leaves(leaves)?,
        })
    }

    /// Checks everything: signature and witnesses, subject, number, order and total of the leaves,
    /// their place in the log.
    pub fn believe(self, subject: &Subject, trust: &Trust) -> Result<Believed, BookError> {
        let note = Note::parse(self.place.checkpoint.as_bytes())?;
        let checkpoint = checkpoint::accept(&note, &trust.log, &[], 0)?.checkpoint;
        let witnesses = self.witnesses(trust)?;
        let header = Header::from_bytes(&self.header)?;
        let expected = (&subject.hospital, &subject.payer, subject.period);
        if (&header.hospital, &header.payer, header.period) != expected {
            return Err(BookError::Subject);
        }
        header.check(&self.leaves)?;
        let mut hashes = vec![tree::leaf_hash(&self.header)];
        hashes.extend(self.leaves.as_slice().iter().map(Leaf::hash));
        let (first, size) = (self.place.first, checkpoint.size);
        verify_range(&hashes, first, size, &self.place.proof, &checkpoint.root)?;
        let text = note.text().to_owned();
        Ok(Believed {
            header,
            leaves: self.leaves,
            checkpoint,
            witnesses,
            text,
        })
    }
}

impl Book {
    /// The organisations that have seen the close, as many as are asked for or more; none where
    /// none are asked for.
    pub fn witnesses(&self, trust: &Trust) -> Result<Vec<Slug>, BookError> {
        let note = Note::parse(self.place.checkpoint.as_bytes())?;
        match (&self.place.receipt, trust.quorum) {
            (_, 0) => Ok(Vec::new()),
            (None, _) => Err(BookError::NoReceipt),
            (Some(receipt), _) => Ok(trust.seen(receipt, note.text())?),
        }
    }
}

impl Trust {
    /// The witnesses of a checkpoint of the hospital's own log that counts the entry by which the
    /// month was closed under this checkpoint of the settlement log.
    fn seen(&self, receipt: &Receipt, text: &str) -> Result<Vec<Slug>, ReceiptError> {
        let closes = receipt.entry.kind.as_str() == "close";
        if !closes || receipt.entry.subject != checkpoint_digest(text) {
            return Err(ReceiptError::OtherEntry);
        }
        let own = Note::parse(receipt.checkpoint.as_bytes())?;
        let origin = Checkpoint::parse(own.text())?.origin;
        let hospital = &self.log.organisation;
        if generation(&self.alliance, hospital, &origin).is_none() {
            return Err(ReceiptError::OtherLog);
        }
        let keys = Keys {
            log: log_key(hospital, &origin, self.log.key.public())?,
            witnesses: self.witnesses.clone(),
        };
        let witnessed = receipt.verify(&keys, self.quorum)?;
        Ok(witnessed.witnesses.into_keys().collect())
    }
}

/// Leaves that stand on end.
pub fn read_leaves(bytes: &[u8]) -> Result<Leaves, LeafError> {
    let (parts, rest) = bytes.as_chunks::<LEAF_BYTES>();
    if !rest.is_empty() {
        return Err(LeafError::Form(parts.len()));
    }
    let leaves = parts.iter().enumerate();
    let leaves = leaves.map(|(place, bytes)| Leaf::from_bytes(place, bytes));
    Leaves::received(leaves.collect::<Result<_, _>>()?)
}

fn line(bytes: &[u8]) -> Result<(&[u8], &[u8]), BookError> {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (line, rest) = bytes.split_at(end.ok_or(BookError::Form)?);
    Ok((line, rest.get(1..).unwrap_or_default()))
}
