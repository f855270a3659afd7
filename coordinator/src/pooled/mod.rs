//! Pooled rounds, the coordinator's part: key lists, manifests, uploads, survivor sets, mask sums,
//! totals, publication. It sees masked vectors and, at the end, their sum; it never connects to a
//! member.

mod bodies;
mod list;
mod foresee;
mod order;
mod open;
mod collect;
mod complaints;
mod advance;
mod seats;
mod void;
mod receipts;
mod work;
mod publish;
mod figures;
mod progress;
mod withdraw;
mod strength;

pub use advance::{advance, certificate, overdue};
pub use bodies::{Body, all_bodies, bodies, may_sit, new_committee, set_body};
pub use collect::take;
pub use figures::{beside, figures};
pub use foresee::Foreseen;
pub use list::{ListOrder, countersign, draft, draft_sealed, published, seat_key, signed_list};
pub use open::{Drawn, Held, begin, check, draw, find, list as rounds};
pub use order::Order;
pub use progress::{Place, Progress, SeatPlace, progress};
pub use publish::{files, read_folder, write_folder};
pub use receipts::{ask, asked, receipt, receipts};
pub use seats::{proposal, take_sums, take_word};
pub use strength::{Strength, newest_committee};
pub use void::void;
pub use withdraw::{WITHDRAWN, withdraw};
pub use work::work;

use policies::figures::BenchmarkError;
use policies::plan::Refusal;
use policies::template::DraftError;
use pooled::key_list::KeyListError;
use pooled::manifest::ManifestError;
use pooled::offer::OfferError;
use pooled::published::PublishedError;
use pooled::sums::SumError;
use pooled::survivors::SurvivorsError;
use pooled::threshold::ThresholdError;
use pooled::upload::UploadError;
use pooled::vote::VoteError;
use pooled::wire::WireError;
use schemas::canonical;
use schemas::id::Slug;
use schemas::seal::SealError;
use schemas::time::{Month, Timestamp};

use crate::ask::AskError;
use crate::dictionary::PublishError;
use crate::store::state::StateError;

/// Why something is not done.
#[derive(Debug, thiserror::Error)]
pub enum PooledError {
    /// No dictionary.
    #[error("no dictionary is published; `consilium-coordinator dictionary publish` does it")]
    NoDictionary,
    /// No key list is published.
    #[error("no key list is published; `consilium-coordinator pooled list` makes one")]
    NoList,
    /// Another draft waits.
    #[error("key list {0} waits for countersignatures already")]
    Draft(u32),
    /// Nothing waits for countersignatures.
    #[error("no key list of that version waits for countersignatures")]
    NoDraft,
    /// No committee.
    #[error("no committee is founded; `consilium-coordinator pooled committee` does it")]
    NoCommittee,
    /// Not a committee.
    #[error(
        "a committee of {seats} seats of which {f} may collude: it is 3 seats with --f 1 or 2, 4 with \
         --f 1 or 7 with --f 2; name as many seats"
    )]
    Committee {
        /// Seats.
        seats: usize,
        /// How many may collude.
        f: u8,
    },
    /// Nobody of that name.
    #[error(
        "seat `{0}` is not an active member: `members` lists who joined; a newcomer is invited \
         (`invite {0}`) and approved (`members approve {0}`) first, or correct the name"
    )]
    Seat(Slug),
    /// Nobody of that name.
    #[error(
        "`{0}` is no member: `pooled bodies` lists all members; correct the name, or invite it first \
         (`invite {0}`)"
    )]
    Unknown(Slug),
    /// The same twice.
    #[error("{0}: `{1}` is named twice; name each once")]
    Twice(&'static str, Slug),
    /// Not in the key list.
    #[error(
        "roster: `{0}` is not in key list {1}; correct the name, or take it in first (`members`, then \
         `pooled list` makes the next list)"
    )]
    NotListed(Slug, u32),
    /// A body without data.
    #[error(
        "roster: `{0}` is no hospital and holds no data; `pooled bodies` says what members are"
    )]
    NoHospital(Slug),
    /// Nobody can hold these months yet.
    #[error(
        "period: {from}..{to} reaches {this} or later, and no hospital can have released a month that \
         is not over; ask about months before {this} (--period)"
    )]
    NotOver {
        /// First month asked about.
        from: Month,
        /// Last month asked about.
        to: Month,
        /// The month of now.
        this: Month,
    },
    /// Thresholds that every node would refuse.
    #[error("--t {t}, --min-answers {n_min}, {asked} hospitals asked: {fault}")]
    Thresholds {
        /// Hospitals that may collude.
        t: u32,
        /// Fewest hospitals in the sum.
        n_min: u32,
        /// Hospitals asked.
        asked: u32,
        /// The rule.
        fault: ThresholdError,
    },
    /// More than the list allows.
    #[error(
        "--t {t} is above the t_max of the key list, {most}: lower --t, or make a key list with a \
         higher one (`pooled list --t-max {t}`)"
    )]
    AboveMost {
        /// Hospitals that may collude.
        t: u32,
        /// The list's bound.
        most: u32,
    },
    /// Hospitals would refuse the round.
    #[error("hospitals would refuse it. {0}. (--anyway opens it all the same)")]
    Foreseen(Box<Foreseen>),
    /// Attributed rounds could not be read.
    #[error(transparent)]
    Ask(#[from] Box<AskError>),
    /// The template's answers are attributed.
    #[error("the template is not a pooled one: open it with `round open`")]
    Attributed,
    /// Seats lack keys that last.
    #[error(
        "no key that lasts is published by {}: let them run (`consilium-node run --committee-only` where \
         they hold no data), then try again",
        .0.join(", ")
    )]
    SeatKeys(Vec<String>),
    /// The times.
    #[error(
        "--deadline is at least 1 second, and --deadline and --answers are at most 60 days together"
    )]
    Window,
    /// The roster.
    #[error("roster: a pooled round asks at least 3 hospitals of the key list, not {0}")]
    Roster(usize),
    /// No such round.
    #[error("there is no pooled round `{0}`")]
    NoRound(Slug),
    /// The round is past this.
    #[error("the round takes this no more")]
    Ended,
    /// Its committee may have voted, or it is over.
    #[error(
        "`{0}` is {1}: its committee may have voted, so it is not taken back; `pooled show {0}` says \
         how it goes on"
    )]
    NotWithdrawn(Slug, String),
    /// Nothing changed since the newest list.
    #[error(
        "nothing changed since key list {version}, which is valid until {until}: no new version is \
         drafted before {from}"
    )]
    Unchanged {
        /// The newest list.
        version: u32,
        /// Its last moment.
        until: Timestamp,
        /// From when on it is renewed as it is.
        from: Timestamp,
    },
    /// Nothing can be shown of the sums by themselves.
    #[error(
        "the sums of `{0}` count no stays, so that no figure can be shown of them alone; \
         `benchmark ROUND --pooled {0} --out DIR` writes them beside an attributed round about the \
         same months that counts stays, {1}"
    )]
    Uncounted(Slug, String),
    /// Not yet.
    #[error("the round is not that far: `pooled show` says what comes next")]
    NotYet,
    /// No sum and no void yet.
    #[error(
        "`{0}` is {1}: only a finished (`done`) or voided round has something to publish, report or \
         verify; `pooled show {0}` says what comes next"
    )]
    Unfinished(Slug, String),
    /// The folder is there.
    #[error("`{0}` exists already: name a folder that does not exist yet (--out)")]
    Exists(String),
    /// Not a folder.
    #[error("`{0}` is no folder: name the one that `pooled publish ROUND --out DIR` wrote")]
    NoFolder(String),
    /// Another upload or word is held.
    #[error("other bytes than those held")]
    Conflict,
    /// Not this member's.
    #[error("not asked of this member")]
    NotAsked,
    /// Key list.
    #[error(transparent)]
    List(#[from] KeyListError),
    /// Manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Thresholds.
    #[error(transparent)]
    Threshold(#[from] ThresholdError),
    /// Offer.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// Upload.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// Set or certificate.
    #[error(transparent)]
    Survivors(#[from] SurvivorsError),
    /// Vote.
    #[error(transparent)]
    Vote(#[from] VoteError),
    /// Mask sum.
    #[error(transparent)]
    Sum(#[from] SumError),
    /// Publication.
    #[error(transparent)]
    Published(#[from] PublishedError),
    /// Bytes.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The question.
    #[error(transparent)]
    Template(#[from] DraftError),
    /// Every node would refuse it.
    #[error("the question breaks the alliance's rules")]
    Refused(#[from] Refusal),
    /// Figures.
    #[error("the totals give no figures")]
    Figures(#[from] BenchmarkError),
    /// The dictionary.
    #[error("the dictionary could not be read")]
    Dictionary(#[from] PublishError),
    /// Canonical form.
    #[error("a message has no canonical form")]
    Canonical(#[from] canonical::Error),
    /// Signature.
    #[error("a message could not be signed or opened")]
    Seal(#[from] SealError),
    /// A file.
    #[error("`{0}` could not be read or written")]
    File(String, #[source] std::io::Error),
    /// The state file.
    #[error("the state file could not be read or written")]
    State(#[from] StateError),
}

impl From<sqlx::Error> for PooledError {
    fn from(error: sqlx::Error) -> Self {
        Self::State(error.into())
    }
}
