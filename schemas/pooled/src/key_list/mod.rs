//! The key list K_v: who belongs to the alliance, with which keys, and which committees exist. It is
//! signed by the alliance and countersigned by hospitals of the list before, so that neither the
//! alliance nor its coordinator can invent a member.

mod committee;
mod pinned;

pub use committee::{Committee, MAX_SEAT_KEYS, Seat, SeatKey, destroy_by, month_at, month_end};
pub use pinned::{Countersignature, Countersigned, Followed, Pinned, SignedList};

use std::collections::BTreeSet;

use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::{Message, PublicKey, SealError};
use schemas::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Most members.
pub const MAX_MEMBERS: usize = 2_048;
/// Most committees: those of rounds that are still open.
pub const MAX_COMMITTEES: usize = 8;
/// Longest validity: 31 days, in seconds.
pub const LONGEST: i64 = 31 * 86_400;

/// What a member is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A hospital: asked, and a countersigner of lists.
    Hospital,
    /// The insurer: may sit in a committee.
    Insurer,
    /// A health commission or another public body: may sit in a committee.
    Authority,
}

/// One organisation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its name, for ever.
    pub id: Slug,
    /// What it is.
    pub kind: Kind,
    /// The legal entity behind it: members of one entity count as one.
    pub entity: Slug,
    /// Its message key.
    pub key: PublicKey,
}

impl Message for Member {
    const TAG: &'static str = "cams-member-v1";
}

impl Member {
    /// What a steward compares and accepts before the member counts at a node.
    pub fn fingerprint(&self) -> Result<Digest, canonical::Error> {
        canonical::digest(Self::TAG, self)
    }
}

/// One version of the list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyList {
    /// Whose.
    pub alliance: Slug,
    /// 1, 2, 3 …
    pub version: u32,
    /// Hash of the version before; zero for the first.
    pub previous: Digest,
    /// First moment of validity.
    pub valid_from: Timestamp,
    /// Last moment, at most 31 days later.
    pub valid_to: Timestamp,
    /// Most hospitals that are assumed to collude in any round: the next list needs more
    /// countersignatures than that.
    pub t_max: u32,
    /// The legal entity that runs the coordinator.
    pub operator: Slug,
    /// The members, sorted by id.
    pub members: Vec<Member>,
    /// The committees by rising epoch.
    pub committees: Vec<Committee>,
}

impl Message for KeyList {
    const TAG: &'static str = "cams-keylist-v1";
}

/// Why a list is refused.
#[derive(Debug, thiserror::Error)]
pub enum KeyListError {
    /// A signature or its form.
    #[error("the list's signature: {0}")]
    Seal(#[from] SealError),
    /// The bytes.
    #[error(transparent)]
    Wire(#[from] crate::wire::WireError),
    /// Another alliance.
    #[error("the list of another alliance")]
    Alliance,
    /// No first list is pinned, or a version lies between: fetch the versions in order.
    #[error("version {expected} comes next: fetch the versions in order")]
    Version {
        /// What is expected.
        expected: u32,
    },
    /// Two lists of one version: keep both, they are evidence against the alliance's key.
    #[error("two key lists of version {version} exist: keep both and ask the alliance")]
    Forked {
        /// The version.
        version: u32,
    },
    /// It does not continue the pinned list.
    #[error("the list does not name the pinned one as the version before")]
    Previous,
    /// No period, or too long a one.
    #[error("a list is valid for more than no time and at most 31 days")]
    Validity,
    /// Not valid at this time.
    #[error("the key list is not valid now: fetch the next version")]
    Expired,
    /// Too many members, not sorted, or a key twice.
    #[error("members are at most {MAX_MEMBERS}, sorted, each with its own key")]
    Members,
    /// Too many committees or not rising.
    #[error("committees are 1 to {MAX_COMMITTEES}, by rising epoch")]
    Committees,
    /// A rule about one committee.
    #[error("committee {epoch}: {rule}")]
    Committee {
        /// Which one.
        epoch: u32,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// Too few hospitals of the previous list stand behind it.
    #[error("{found} hospitals of distinct entities countersigned, {needed} are needed")]
    Countersigned {
        /// How many did.
        found: usize,
        /// How many must.
        needed: usize,
    },
}

impl KeyList {
    /// A member by name.
    pub fn member(&self, id: &Slug) -> Option<&Member> {
        let place = self.members.binary_search_by(|member| member.id.cmp(id));
        place.ok().and_then(|place| self.members.get(place))
    }

    /// The committee of an epoch.
    pub fn committee(&self, epoch: u32) -> Option<&Committee> {
        self.committees.iter().find(|one| one.epoch == epoch)
    }

    /// Every rule that the list keeps or breaks by itself.
    pub fn check(&self) -> Result<(), KeyListError> {
        if self.version == 0 || (self.version == 1) != (self.previous == Digest::ZERO) {
            return Err(KeyListError::Previous);
        }
        let latest = self.valid_from.0.checked_add(LONGEST);
        if self.valid_to <= self.valid_from || latest.is_none_or(|latest| self.valid_to.0 > latest)
        {
            return Err(KeyListError::Validity);
        }
        let rising = self.members.is_sorted_by(|one, next| one.id < next.id);
        let keys: BTreeSet<&PublicKey> = self.members.iter().map(|member| &member.key).collect();
        if !rising || self.members.len() > MAX_MEMBERS || keys.len() != self.members.len() {
            return Err(KeyListError::Members);
        }
        let rising = self
            .committees
            .is_sorted_by(|one, next| one.epoch < next.epoch);
        if !rising || !(1..=MAX_COMMITTEES).contains(&self.committees.len()) {
            return Err(KeyListError::Committees);
        }
        self.committees.iter().try_for_each(|one| one.check(self))
    }

    /// Countersignatures that the next version needs, by this list and by local policy.
    pub fn needed(&self, t_max: u32) -> usize {
        let most = usize::try_from(self.t_max.max(t_max)).unwrap_or(usize::MAX);
        most.saturating_add(1).max(2)
    }
}
