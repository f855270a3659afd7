//! Following the list from version to version.

use std::collections::BTreeSet;

use schemas::canonical;
use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::seal::{Message, PublicKey, Sealed};
use schemas::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::{KeyList, KeyListError, Kind, MAX_MEMBERS, Member};
use crate::wire;

/// A hospital's yes to a new list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Countersignature {
    /// Whose list.
    pub alliance: Slug,
    /// Its version.
    pub version: u32,
    /// Its hash.
    pub list: Digest,
}

impl Message for Countersignature {
    const TAG: &'static str = "cams-keylist-countersignature-v1";
}

/// Who countersigned.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Countersigned {
    /// The hospital.
    pub member: Slug,
    /// Its word.
    pub seal: Sealed<Countersignature>,
}

/// A list as it is published.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedList {
    /// The list, signed by the alliance.
    pub list: Sealed<KeyList>,
    /// The hospitals that stand behind it.
    pub countersigned: Vec<Countersigned>,
}

impl SignedList {
    /// Longest list, in bytes.
    pub const MAX_BYTES: usize = 4 * 1024 * 1024;

    /// Reads a published list; nothing in it is believed yet.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyListError> {
        Ok(wire::read(bytes, Self::MAX_BYTES)?)
    }
}

/// A list that was verified and is followed from now on. Kept by its owner; a lower version is
/// never accepted again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pinned {
    list: KeyList,
    hash: Digest,
}

/// What a received list is to a pinned one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Followed {
    /// The pinned one.
    Same,
    /// The next version: to be pinned.
    Next(Box<Pinned>),
}

impl Pinned {
    /// Verifies the first list. Its countersigners are its own members, so it is worth what the
    /// stewards' comparing of fingerprints is worth.
    pub fn first(
        signed: &SignedList,
        alliance: &PublicKey,
        t_max: u32,
    ) -> Result<Self, KeyListError> {
        let this = Self::opened(signed, alliance)?;
        if this.list.version != 1 {
            return Err(KeyListError::Version { expected: 1 });
        }
        this.countersigned(signed, &this.list, t_max)?;
        Ok(this)
    }

    /// Verifies a list against the pinned one. `t_max` is the local policy's. That it is valid now
    /// is asked of [`Self::check_valid`] when it is used, so that one who was away catches up.
    pub fn follow(
        &self,
        signed: &SignedList,
        alliance: &PublicKey,
        t_max: u32,
    ) -> Result<Followed, KeyListError> {
        let next = Self::opened(signed, alliance)?;
        let (here, version) = (&self.list, next.list.version);
        if next.list.alliance != here.alliance {
            return Err(KeyListError::Alliance);
        }
        if version == here.version {
            if next.hash == self.hash {
                return Ok(Followed::Same);
            }
            return Err(KeyListError::Forked { version });
        }
        let expected = here.version.saturating_add(1);
        if version != expected {
            return Err(KeyListError::Version { expected });
        }
        if next.list.previous != self.hash {
            return Err(KeyListError::Previous);
        }
        next.countersigned(signed, here, t_max)?;
        next.committees_stay(here)?;
        Ok(Followed::Next(Box::new(next)))
    }

    /// A list out of one's own durable store, which was verified when it came in.
    pub fn stored(list: KeyList) -> Result<Self, KeyListError> {
        list.check()?;
        let hash = canonical::digest(KeyList::TAG, &list).map_err(wire::WireError::from)?;
        Ok(Self { list, hash })
    }

    fn opened(signed: &SignedList, alliance: &PublicKey) -> Result<Self, KeyListError> {
        let list = signed.list.open(alliance)?;
        list.check()?;
        let hash = signed.list.digest()?;
        Ok(Self { list, hash })
    }

    /// Whether enough hospitals of `before` signed this list.
    fn countersigned(
        &self,
        signed: &SignedList,
        before: &KeyList,
        t_max: u32,
    ) -> Result<(), KeyListError> {
        if signed.countersigned.len() > MAX_MEMBERS {
            return Err(KeyListError::Members);
        }
        let word = Countersignature {
            alliance: self.list.alliance.clone(),
            version: self.list.version,
            list: self.hash,
        };
        let mut entities = BTreeSet::new();
        for one in &signed.countersigned {
            let hospital = before.member(&one.member);
            // Strangers and others than hospitals are passed over: they add nothing.
            let Some(hospital) = hospital.filter(|member| member.kind == Kind::Hospital) else {
                continue;
            };
            if one.seal.open(&hospital.key)? == word {
                entities.insert(&hospital.entity);
            }
        }
        let (found, needed) = (entities.len(), before.needed(t_max));
        if found < needed {
            return Err(KeyListError::Countersigned { found, needed });
        }
        Ok(())
    }

    /// A committee that both lists hold has the same seats and `f`; a month's key, once published,
    /// stays.
    fn committees_stay(&self, before: &KeyList) -> Result<(), KeyListError> {
        for now in &self.list.committees {
            let Some(earlier) = before.committee(now.epoch) else {
                if before
                    .committees
                    .last()
                    .is_some_and(|last| last.epoch > now.epoch)
                {
                    return Err(now.error("a new committee has a new, higher epoch"));
                }
                continue;
            };
            if !now.same_seats(earlier) {
                return Err(now.error("a committee keeps its seats and f; open a new epoch"));
            }
            for (seat, seat_before) in now.seats.iter().zip(&earlier.seats) {
                let (Some(member), Some(member_before)) =
                    (self.list.member(&seat.member), before.member(&seat.member))
                else {
                    continue;
                };
                if member.entity != member_before.entity {
                    return Err(now.error("a seat keeps its entity; open a new epoch"));
                }
                let known = earlier.opened(seat_before, member_before, before)?;
                for key in now.opened(seat, member, &self.list)? {
                    if known
                        .iter()
                        .any(|old| old.month == key.month && *old != key)
                    {
                        return Err(now.error("a seat's key of a month never changes"));
                    }
                }
            }
        }
        Ok(())
    }

    /// The list.
    pub fn list(&self) -> &KeyList {
        &self.list
    }

    /// Its hash, by which manifests cite it; also the fingerprint of the whole list.
    pub fn hash(&self) -> Digest {
        self.hash
    }

    /// Whether it is valid at this moment.
    pub fn check_valid(&self, now: Timestamp) -> Result<(), KeyListError> {
        if self.list.valid_from <= now && now <= self.list.valid_to {
            Ok(())
        } else {
            Err(KeyListError::Expired)
        }
    }

    /// The members whose fingerprint the steward has not accepted: they do not count yet.
    pub fn newcomers(&self, accepted: &BTreeSet<Digest>) -> Vec<&Member> {
        let unknown = |member: &&Member| {
            let fingerprint = member.fingerprint();
            fingerprint.is_ok_and(|fingerprint| !accepted.contains(&fingerprint))
        };
        self.list.members.iter().filter(unknown).collect()
    }
}

impl Countersignature {
    /// A hospital's yes to a list that it has checked.
    pub fn of(pinned: &Pinned) -> Self {
        Self {
            alliance: pinned.list.alliance.clone(),
            version: pinned.list.version,
            list: pinned.hash,
        }
    }
}
