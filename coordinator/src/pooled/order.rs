//! What is ordered of a pooled round, checked before anything else: months that can be held, hospitals
//! of the key list, thresholds, times.

use policies::template::Template;
use pooled::key_list::{Committee, KeyList, Kind, month_at};
use pooled::shape::Shape;
use pooled::threshold::{Policy, Thresholds};
use schemas::id::Slug;
use schemas::time::{Period, Timestamp};

use super::PooledError;

/// What to ask, whom and until when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// The months asked about.
    pub period: Period,
    /// The hospitals asked; all of the key list where it is empty.
    pub roster: Vec<Slug>,
    /// Seconds until uploads close.
    pub window: i64,
    /// Seconds that the committee has after that.
    pub answers: i64,
    /// Hospitals that may collude.
    pub t: u32,
    /// Least survivors; the least that the floors allow where it is left out.
    pub n_min: Option<u32>,
    /// Whether it is opened although hospitals are foreseen to refuse it.
    pub anyway: bool,
}

/// The months asked about are over.
pub(super) fn months(order: &Order, now: Timestamp) -> Result<(), PooledError> {
    let (from, to) = (order.period.from, order.period.to);
    match month_at(now) {
        Some(this) if to >= this => Err(PooledError::NotOver { from, to, this }),
        _ => Ok(()),
    }
}

/// The hospitals asked, sorted.
pub(super) fn roster(list: &KeyList, named: &[Slug]) -> Result<Vec<Slug>, PooledError> {
    let hospitals = list.members.iter().filter(|one| one.kind == Kind::Hospital);
    let mut roster: Vec<Slug> = if named.is_empty() {
        hospitals.map(|one| one.id.clone()).collect()
    } else {
        named.to_vec()
    };
    roster.sort();
    let mut pairs = roster.iter().zip(roster.iter().skip(1));
    if let Some((twice, _)) = pairs.find(|(one, next)| one == next) {
        return Err(PooledError::Twice("roster", twice.clone()));
    }
    for name in &roster {
        match list.member(name) {
            Some(member) if member.kind == Kind::Hospital => {}
            Some(_) => return Err(PooledError::NoHospital(name.clone())),
            None => return Err(PooledError::NotListed(name.clone(), list.version)),
        }
    }
    if roster.len() < 3 {
        return Err(PooledError::Roster(roster.len()));
    }
    Ok(roster)
}

/// The least survivors: what is ordered, else what the template or the floors ask. Checked as every
/// node will.
pub(super) fn n_min(
    order: &Order,
    template: &Template,
    (list, committee): (&KeyList, &Committee),
    roster: &[Slug],
) -> Result<u32, PooledError> {
    let asked = u32::try_from(roster.len()).unwrap_or(u32::MAX);
    let least = policies::plan::Thought::least(asked, order.t).n_min;
    let n_min = match order.n_min {
        Some(ordered) => ordered,
        None => least.max(template.min_answers.unwrap_or(0)),
    };
    let entity = |name: &Slug| list.member(name).map(|one| &one.entity);
    let mut entities: Vec<&Slug> = roster.iter().filter_map(entity).collect();
    entities.sort();
    let largest = entities.chunk_by(|one, next| one == next).map(<[_]>::len);
    let largest = largest.max().unwrap_or(0);
    entities.dedup();
    let both = committee
        .seats
        .iter()
        .filter(|seat| roster.contains(&seat.member));
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let thresholds = Thresholds {
        shape: Shape::new(committee.seats.len(), committee.f).map_err(|_| {
            let (seats, f) = (committee.seats.len(), committee.f);
            PooledError::Committee { seats, f }
        })?,
        t: order.t,
        n_min,
        roster: asked,
        both: count(both.count()),
        entities: count(entities.len()),
        largest: count(largest),
    };
    thresholds
        .check(&Policy::floors())
        .map_err(|fault| PooledError::Thresholds {
            t: order.t,
            n_min,
            asked,
            fault,
        })?;
    if order.t > list.t_max {
        return Err(PooledError::AboveMost {
            t: order.t,
            most: list.t_max,
        });
    }
    Ok(n_min)
}

/// When uploads close, and when the committee's last answer counts.
pub(super) fn times(order: &Order, now: Timestamp) -> Result<(Timestamp, Timestamp), PooledError> {
    let closes = now.0.checked_add(order.window).ok_or(PooledError::Window)?;
    let last = closes
        .checked_add(order.answers)
        .ok_or(PooledError::Window)?;
    let sound = order.window > 0
        && order.answers >= 0
        && last.saturating_sub(now.0) <= pooled::manifest::LONGEST;
    if sound {
        Ok((Timestamp(closes), Timestamp(last)))
    } else {
        Err(PooledError::Window)
    }
}
