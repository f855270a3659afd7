//! Who is signed in: sessions in memory, of an idle and an absolute end. A restart signs everybody out.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use schemas::id::Slug;
use schemas::time::Timestamp;

/// Seconds without a request after which a session ends.
pub const IDLE: i64 = 20 * 60;
/// Seconds after which it ends whatever happens.
pub const ABSOLUTE: i64 = 8 * 3600;
/// Most sessions of one account; a further one ends the oldest.
const EACH: usize = 5;

/// A session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// Whose.
    pub account: Slug,
    /// When the password was set that it was begun with.
    pub password: Timestamp,
    began: Timestamp,
    last: Timestamp,
}

/// All sessions, by what cookies hold.
pub struct Sessions {
    key: hmac::Key,
    open: Mutex<BTreeMap<String, Session>>,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions")
    }
}

/// The system's random source failed.
#[derive(Debug, thiserror::Error)]
#[error("the system's random source failed")]
pub struct NoRandom;

impl Sessions {
    /// None yet.
    pub fn new() -> Result<Self, NoRandom> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        Ok(Self {
            key: key.map_err(|_| NoRandom)?,
            open: Mutex::default(),
        })
    }

    /// What a cookie holds: 256 random bits.
    pub fn random() -> Result<String, NoRandom> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandom)?;
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Begins a session under a new cookie; whatever the browser held before counts no more.
    pub fn begin(
        &self,
        account: &Slug,
        password: Timestamp,
        now: Timestamp,
    ) -> Result<String, NoRandom> {
        let cookie = Self::random()?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, one| one.lasts(now));
        let mut own: Vec<(Timestamp, String)> = open
            .iter()
            .filter(|(_, one)| one.account == *account)
            .map(|(cookie, one)| (one.began, cookie.clone()))
            .collect();
        own.sort();
        let many = own.len().saturating_add(1).saturating_sub(EACH);
        for (_, oldest) in own.into_iter().take(many) {
            open.remove(&oldest);
        }
        let session = Session {
            account: account.clone(),
            password,
            began: now,
            last: now,
        };
        open.insert(cookie.clone(), session);
        Ok(cookie)
    }

    /// The session of a cookie, which goes on by being asked for.
    pub fn find(&self, cookie: &str, now: Timestamp) -> Option<Session> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let session = open.get_mut(cookie)?;
        if !session.lasts(now) {
            open.remove(cookie);
            return None;
        }
        session.last = now;
        Some(session.clone())
    }

    /// Ends a session.
    pub fn end(&self, cookie: &str) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(cookie);
    }

    /// What a form must hold to be of this cookie's browser.
    pub fn token(&self, cookie: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, cookie.as_bytes()))
    }

    /// Whether a form's token is this cookie's; compared in constant time.
    pub fn proves(&self, cookie: &str, token: &str) -> bool {
        let Ok(token) = URL_SAFE_NO_PAD.decode(token) else {
            return false;
        };
        hmac::verify(&self.key, cookie.as_bytes(), &token).is_ok()
    }
}

impl Session {
    fn lasts(&self, now: Timestamp) -> bool {
        let since = |at: Timestamp| now.0.saturating_sub(at.0);
        // A clock that ran back ends it too.
        (0..IDLE).contains(&since(self.last)) && (0..ABSOLUTE).contains(&since(self.began))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_end_by_idling_by_age_and_by_number() {
        let sessions = Sessions::new().unwrap();
        let li: Slug = "li".parse().unwrap();
        let at = Timestamp;
        let cookie = sessions.begin(&li, at(0), at(100)).unwrap();
        assert_eq!(
            sessions.find(&cookie, at(100 + IDLE - 1)).unwrap().account,
            li
        );
        // Asking kept it.
        assert!(sessions.find(&cookie, at(100 + 2 * IDLE - 2)).is_some());
        assert!(sessions.find(&cookie, at(100 + 3 * IDLE)).is_none());
        assert!(sessions.find(&cookie, at(101)).is_none(), "ended for good");
        let cookie = sessions.begin(&li, at(0), at(0)).unwrap();
        for time in (0..ABSOLUTE).step_by(600) {
            assert!(sessions.find(&cookie, at(time)).is_some());
        }
        assert!(sessions.find(&cookie, at(ABSOLUTE)).is_none());
        let first = sessions.begin(&li, at(0), at(1)).unwrap();
        for time in 2..=6 {
            sessions.begin(&li, at(0), at(time)).unwrap();
        }
        assert!(sessions.find(&first, at(7)).is_none());
        assert!(sessions.find("", at(7)).is_none());
    }

    #[test]
    fn a_token_is_of_one_cookie() {
        let sessions = Sessions::new().unwrap();
        let token = sessions.token("a");
        assert!(sessions.proves("a", &token) && !sessions.proves("b", &token));
        assert!(!sessions.proves("a", "") && !sessions.proves("a", "!"));
        assert!(!Sessions::new().unwrap().proves("a", &token));
    }
}
