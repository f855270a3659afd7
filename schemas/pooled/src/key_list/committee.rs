//! Committees: seats, and their keys for boxes by calendar month.

use std::collections::BTreeSet;

use schemas::id::Slug;
use schemas::seal::{Message, Sealed};
use schemas::time::{Month, Timestamp};
use serde::{Deserialize, Serialize};

use super::{KeyList, KeyListError, Member};
use crate::boxes::{BoxKey, Suite};
use crate::shape::Shape;

/// Most monthly keys of one seat.
pub const MAX_SEAT_KEYS: usize = 4;
const DAY: i64 = 86_400;
/// Days after its month at which a seat destroys a key at the latest.
const KEPT_DAYS: i64 = 14;

/// A seat's key for boxes in one month (UTC), signed by the seat's message key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeatKey {
    /// The alliance.
    pub alliance: Slug,
    /// Of which committee.
    pub epoch: u32,
    /// Whose.
    pub member: Slug,
    /// For rounds of which month.
    pub month: Month,
    /// After this moment nothing is opened with it; at most 14 days after the month.
    pub valid_to: Timestamp,
    /// How boxes are made.
    pub suite: Suite,
    /// The key.
    pub key: BoxKey,
}

impl Message for SeatKey {
    const TAG: &'static str = "cams-seat-key-v1";
}

/// One seat.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seat {
    /// Who sits there; its entity stands in its [`Member`].
    pub member: Slug,
    /// Its keys by rising month.
    pub keys: Vec<Sealed<SeatKey>>,
}

/// One committee.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Committee {
    /// Its number, for ever.
    pub epoch: u32,
    /// Seats that may collude with the coordinator.
    pub f: u8,
    /// Seats of the coordinator's own operator, which are counted in `f`.
    pub operator_seats: u8,
    /// The seats in order.
    pub seats: Vec<Seat>,
}

impl Committee {
    /// Its shape.
    pub fn shape(&self) -> Result<Shape, KeyListError> {
        let shape = Shape::new(self.seats.len(), self.f);
        shape.map_err(|_| self.error("(m, f) is not in the table"))
    }

    /// The same seats in the same order, and `f`: all but the keys.
    pub(super) fn same_seats(&self, other: &Self) -> bool {
        let names = |one: &Self| -> Vec<Slug> {
            one.seats.iter().map(|seat| seat.member.clone()).collect()
        };
        (self.f, self.operator_seats, names(self)) == (other.f, other.operator_seats, names(other))
    }

    /// Every rule about a committee of this list.
    pub(super) fn check(&self, list: &KeyList) -> Result<(), KeyListError> {
        self.shape()?;
        let (mut entities, mut keys) = (BTreeSet::new(), BTreeSet::new());
        let mut operator_seats = 0_u8;
        for seat in &self.seats {
            let member = list.member(&seat.member);
            let member =
                member.ok_or_else(|| self.error("every seat's member stands in the list"))?;
            // One entity has one seat, so no member sits twice either.
            if !entities.insert(&member.entity) {
                return Err(self.error("no two seats belong to one entity"));
            }
            if member.entity == list.operator {
                operator_seats += 1;
            }
            for key in self.opened(seat, member, list)? {
                if !keys.insert(key.key.to_bytes()) {
                    return Err(self.error("no key for boxes stands there twice"));
                }
            }
        }
        if operator_seats != self.operator_seats || operator_seats > self.f {
            return Err(
                self.error("a seat of the coordinator's operator is declared and counted in f")
            );
        }
        Ok(())
    }

    /// The keys of a seat, each signed by it and within its month.
    pub(super) fn opened(
        &self,
        seat: &Seat,
        member: &Member,
        list: &KeyList,
    ) -> Result<Vec<SeatKey>, KeyListError> {
        if seat.keys.len() > MAX_SEAT_KEYS {
            return Err(self.error("a seat has at most 4 monthly keys"));
        }
        let mut opened: Vec<SeatKey> = Vec::with_capacity(seat.keys.len());
        for sealed in &seat.keys {
            let key = sealed.open(&member.key);
            let key = key.map_err(|_| self.error("a seat's key is signed by its member"))?;
            let named = (&key.alliance, key.epoch, &key.member);
            if named != (&list.alliance, self.epoch, &member.id) {
                return Err(self.error("a seat's key names alliance, epoch and member"));
            }
            if opened.last().is_some_and(|last| last.month >= key.month) {
                return Err(self.error("a seat's keys have rising months"));
            }
            if key.valid_to <= month_start(key.month) || key.valid_to > destroy_by(key.month) {
                return Err(self.error("a seat's key ends at most 14 days after its month"));
            }
            opened.push(key);
        }
        Ok(opened)
    }

    pub(super) fn error(&self, rule: &'static str) -> KeyListError {
        let epoch = self.epoch;
        KeyListError::Committee { epoch, rule }
    }
}

/// First moment of a month, UTC.
fn month_start(month: Month) -> Timestamp {
    // Days before each year and month, counted out: the moment 0 is that of 1970, and the range ends in 2199.
    let year = i64::from(month.year().0);
    let leaps = |year: i64| year / 4 - year / 100 + year / 400;
    let leap = leaps(year) - leaps(year - 1);
    let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let place = usize::from(month.number()) - 1;
    let in_year = before.get(place).copied().unwrap_or_default() + if place > 1 { leap } else { 0 };
    let days = (year - 1970) * 365 + leaps(year - 1) - leaps(1969) + in_year;
    Timestamp(days * DAY)
}

/// First moment after a month, UTC.
pub fn month_end(month: Month) -> Timestamp {
    // After the last month that exists comes the first of 2200.
    let last = || Timestamp(month_start(month).0 + 31 * DAY);
    month.next().map_or_else(last, month_start)
}

/// The month of a moment, UTC; `None` outside 1970 to 2199.
pub fn month_at(moment: Timestamp) -> Option<Month> {
    let mut month = Month::new(1970, 1).ok()?;
    if moment.0 < 0 {
        return None;
    }
    while month_end(month) <= moment {
        month = month.next()?;
    }
    Some(month)
}

/// When a seat must have destroyed its secret key of a month.
pub fn destroy_by(month: Month) -> Timestamp {
    Timestamp(month_end(month).0 + KEPT_DAYS * DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_and_end_on_time() {
        // From `date -u -d 2025-04-01 +%s` and so on.
        for (month, end) in [
            ("1900-01", -2_206_310_400),
            ("1900-02", -2_203_891_200),
            ("1969-12", 0),
            ("1970-01", 2_678_400),
            ("2000-02", 951_868_800),
            ("2024-02", 1_709_251_200),
            ("2025-03", 1_743_465_600),
            ("2025-12", 1_767_225_600),
            ("2100-02", 4_107_542_400),
            ("2199-12", 7_258_118_400),
        ] {
            assert_eq!(month_end(month.parse().unwrap()).0, end, "{month}");
        }
        let month = "2025-03".parse().unwrap();
        assert_eq!(destroy_by(month).0 - month_end(month).0, 14 * 86_400);
        assert_eq!(month_start("1970-01".parse().unwrap()), Timestamp(0));
        let end = month_end(month);
        assert_eq!(month_at(Timestamp(end.0 - 1)), Some(month));
        assert_eq!(month_at(end), month.next());
        assert_eq!(month_at(Timestamp(-1)), None);
    }
}
