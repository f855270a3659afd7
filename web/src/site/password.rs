//! Passwords, kept as argon2id alone.

use std::sync::{Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::accounts::AccountError;

/// Fewest characters of a password.
pub const LEAST: usize = 12;
/// Most bytes of a password that is read.
pub const MOST: usize = 200;

/// Memory in KiB, passes, lanes: OWASP's first choice of 2024 for argon2id.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// What a hash is computed in: one for the process, so that many who sign in take no more memory than one, and
/// the allocator keeps no such piece for every thread that ever made one.
static MEMORY: Mutex<Vec<Block>> = Mutex::new(Vec::new());

/// A password as it is kept. Its text says nothing of the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Hashed {
    salt: [u8; 16],
    hash: [u8; 32],
}

impl std::fmt::Debug for Hashed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hashed")
    }
}

impl Hashed {
    /// Hashes a password that may be one; some 30 ms of a core in 19 MiB, one at a time.
    pub fn new(password: &str) -> Result<Self, AccountError> {
        acceptable(password)?;
        let mut salt = [0; 16];
        SystemRandom::new()
            .fill(&mut salt)
            .map_err(|_| AccountError::Random)?;
        Self::with(password, salt)
    }

    fn with(password: &str, salt: [u8; 16]) -> Result<Self, AccountError> {
        let (memory, passes, lanes) = COST;
        let params =
            Params::new(memory, passes, lanes, Some(32)).map_err(|_| AccountError::Hash)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut hash = [0; 32];
        let mut blocks = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.resize(argon.params().block_count(), Block::default());
        let done = argon.hash_password_into_with_memory(
            password.as_bytes(),
            &salt,
            &mut hash,
            &mut *blocks,
        );
        // What follows from a password does not lie there for ever.
        blocks.fill(Block::default());
        done.map_err(|_| AccountError::Hash)?;
        Ok(Self { salt, hash })
    }

    /// One that no password fits, for names that nobody bears: trying costs the same.
    pub fn nobody() -> Self {
        Self {
            salt: [0; 16],
            hash: [0; 32],
        }
    }

    /// Whether it is this password's.
    pub fn fits(&self, password: &str) -> bool {
        // None is derived from an all-zero salt with a hash of zeros, but nobody's must never fit.
        let nobody = *self == Self::nobody();
        let Ok(tried) = Self::with(password, self.salt) else {
            return false;
        };
        // Every byte is looked at, whatever the first ones are.
        let apart = tried
            .hash
            .iter()
            .zip(&self.hash)
            .fold(0, |apart, (a, b)| apart | (a ^ b));
        let same = apart == 0;
        same && !nobody
    }

    /// As it is kept.
    pub fn written(&self) -> String {
        let (memory, passes, lanes) = COST;
        format!(
            "argon2id {memory} {passes} {lanes} {} {}",
            hex(&self.salt),
            hex(&self.hash)
        )
    }

    /// Reads what was kept; nothing for what was not written by [`Self::written`].
    pub fn read(text: &str) -> Option<Self> {
        let (memory, passes, lanes) = COST;
        let rest = text.strip_prefix(&format!("argon2id {memory} {passes} {lanes} "))?;
        let (salt, hash) = rest.split_once(' ')?;
        Some(Self {
            salt: unhex(salt)?,
            hash: unhex(hash)?,
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    halves
        .filter_map(|half| char::from_digit(u32::from(half), 16))
        .collect()
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    if text.len() != N.checked_mul(2)? {
        return None;
    }
    for (place, byte) in out.iter_mut().enumerate() {
        let from = place.checked_mul(2)?;
        *byte = u8::from_str_radix(text.get(from..from.checked_add(2)?)?, 16).ok()?;
    }
    Some(out)
}

/// A password that nobody thought of: 24 letters and digits, 119 bits; none that look alike.
pub fn generate() -> Result<String, AccountError> {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789A";
    let mut bytes = [0; 24];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| AccountError::Random)?;
    let letters = bytes
        .iter()
        .filter_map(|byte| LETTERS.get(usize::from(byte % 32)));
    Ok(letters.map(|letter| char::from(*letter)).collect())
}

/// Whether a password may be one.
pub fn acceptable(password: &str) -> Result<(), AccountError> {
    let long = password.chars().count() >= LEAST && password.len() <= MOST;
    if long && !password.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(AccountError::Password)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_hash_alone() {
        // `printf %s password | argon2 0123456789abcdef -id -k 19456 -t 2 -p 1 -l 32 -r`
        let hashed = Hashed::with("password", *b"0123456789abcdef").unwrap();
        assert!(hashed.fits("password") && !hashed.fits("passwore") && !hashed.fits(""));
        assert_eq!(Hashed::read(&hashed.written()).as_ref(), Some(&hashed));
        assert!(!Hashed::nobody().fits("") && !Hashed::nobody().fits("password"));
        assert_ne!(
            Hashed::new("a long password").unwrap(),
            Hashed::new("a long password").unwrap()
        );
        for broken in ["", "argon2id 1 1 1 00 00", "argon2id 19456 2 1 é0 00"] {
            assert_eq!(Hashed::read(broken), None);
        }
        assert!(Hashed::new("short").is_err());
        assert_eq!(format!("{hashed:?}"), "Hashed");
    }

    #[test]
    fn generated_passwords_are_acceptable_and_differ() {
        let (one, other) = (generate().unwrap(), generate().unwrap());
        assert!(acceptable(&one).is_ok() && one != other && one.len() == 24);
        for bad in ["short", "with\ncontrol-character", &"x".repeat(201)] {
            assert!(acceptable(bad).is_err(), "{bad}");
        }
        assert!(acceptable("十二个汉字才算够长的口令吧").is_ok());
    }
}
