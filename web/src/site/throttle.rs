//! Who tries too often to sign in: a name is locked for a while, an address turned away. Names are
//! counted whether anybody bears them or not, so that counting tells nothing.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use schemas::time::Timestamp;

/// Wrong passwords in a row after which a name is locked.
pub const WRONG: u32 = 5;
/// For how many seconds it is locked, from the last of them on.
pub const LOCKED: i64 = 15 * 60;
/// Tries of an address in a minute.
pub const TRIES: u32 = 20;
/// Most names and addresses that are counted at a time; beyond it everybody waits.
const MOST: usize = 10_000;

/// What is counted.
#[derive(Debug, Default)]
pub struct Throttle {
    names: Mutex<BTreeMap<String, (u32, Timestamp)>>,
    addresses: Mutex<BTreeMap<IpAddr, (u32, i64)>>,
}

impl Throttle {
    /// Whether an address may try now; the try is counted.
    pub fn may_try(&self, address: IpAddr, now: Timestamp) -> bool {
        let minute = now.0.div_euclid(60);
        let mut all = self
            .addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.retain(|_, (_, counted)| *counted == minute);
        }
        if all.len() >= MOST {
            return false;
        }
        let (tries, counted) = all.entry(address).or_insert((0, minute));
        if *counted != minute {
            (*tries, *counted) = (0, minute);
        }
        *tries = tries.saturating_add(1);
        *tries <= TRIES
    }

    /// Whether a name is locked.
    pub fn is_locked(&self, name: &str, now: Timestamp) -> bool {
        let all = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all.get(name);
        found.is_some_and(|(wrong, last)| *wrong >= WRONG && recent(*last, now))
            // So many names are tried that none is watched any more.
            || (found.is_none() && all.len() >= MOST)
    }

    /// Counts a wrong password; a locked name stays locked no longer for it.
    pub fn wrong(&self, name: &str, now: Timestamp) {
        let mut all = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.retain(|_, (_, last)| recent(*last, now));
        }
        if all.len() >= MOST && !all.contains_key(name) {
            return;
        }
        let (wrong, last) = all.entry(name.to_owned()).or_insert((0, now));
        if !recent(*last, now) {
            *wrong = 0;
        }
        if *wrong < WRONG {
            *wrong = wrong.saturating_add(1);
            *last = now;
        }
    }

    /// Forgets a name: its password was right.
    pub fn right(&self, name: &str) {
        let mut all = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(name);
    }
}

fn recent(last: Timestamp, now: Timestamp) -> bool {
    (0..LOCKED).contains(&now.0.saturating_sub(last.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_locked_for_a_while_and_an_address_for_a_minute() {
        let throttle = Throttle::default();
        let at = Timestamp;
        for time in 0..4 {
            throttle.wrong("li", at(time));
        }
        assert!(!throttle.is_locked("li", at(4)));
        throttle.wrong("li", at(5));
        assert!(throttle.is_locked("li", at(6)) && !throttle.is_locked("wang", at(6)));
        // Trying on keeps nobody out for longer.
        throttle.wrong("li", at(600));
        assert!(!throttle.is_locked("li", at(5 + LOCKED)));
        throttle.wrong("li", at(5 + LOCKED));
        assert!(!throttle.is_locked("li", at(6 + LOCKED)), "counted anew");
        for _ in 0..4 {
            throttle.wrong("li", at(6 + LOCKED));
        }
        assert!(throttle.is_locked("li", at(6 + LOCKED)));
        throttle.right("li");
        assert!(!throttle.is_locked("li", at(6 + LOCKED)));
        let here: IpAddr = "127.0.0.1".parse().unwrap();
        assert!((0..TRIES).all(|_| throttle.may_try(here, at(30))));
        assert!(!throttle.may_try(here, at(59)) && throttle.may_try(here, at(60)));
    }

    #[test]
    fn so_many_names_lock_what_is_not_watched() {
        let throttle = Throttle::default();
        for name in 0..MOST {
            throttle.wrong(&name.to_string(), Timestamp(0));
        }
        assert!(throttle.is_locked("another", Timestamp(1)));
        throttle.wrong("another", Timestamp(LOCKED));
        assert!(!throttle.is_locked("third", Timestamp(LOCKED)));
    }
}
