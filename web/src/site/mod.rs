//! What every site of pages does the same way: sign-in, sessions, forms that cannot be forged, headers, and
//! from a page to what is sent. A site says who its accounts are and what its pages show.

pub mod accounts;
pub mod answer;
pub mod door;
pub mod entries;
pub mod fault;
pub mod local;
pub mod password;
pub mod routes;
pub mod session;
pub mod sign_in;
pub mod throttle;
pub mod upload;

use schemas::id::Slug;
use schemas::officer::Role;
use schemas::time::Timestamp;
use tokio::sync::Semaphore;

use accounts::Account;
use fault::Fault;
use password::Hashed;
use session::{NoRandom, Sessions};
use throttle::Throttle;

/// Passwords that are tried at a time: each takes 19 MiB and a core.
const TRIED: usize = 2;

/// The other end of a connection, put in by the listener.
#[derive(Clone, Copy, Debug)]
pub struct From(pub std::net::IpAddr);

/// A page that leads everywhere.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// The key of its words.
    pub key: &'static str,
    /// Its address.
    pub to: &'static str,
    /// Who sees it.
    pub roles: &'static [Role],
    /// Beginnings of other addresses that are below it.
    pub also: &'static [&'static str],
}

/// What a site is called and how it is entered.
#[derive(Clone, Copy, Debug)]
pub struct Face {
    /// The program, as downloads name it.
    pub program: &'static str,
    /// The key of what the site's name is, in downloads.
    pub whose: &'static str,
    /// What stands before the keys of the words around sign-in.
    pub words: &'static str,
    /// The pages that lead everywhere.
    pub ways: &'static [Way],
    /// The site's part in the names of its cookies: browsers tell ports of one host apart by nothing else.
    pub cookie: &'static str,
    /// The name of the first page's downloads.
    pub first: &'static str,
    /// By which schemes browsers reach it: an `Origin` is one of them and the `Host`.
    pub schemes: &'static [&'static str],
}

/// Who is signed in and who tries to be.
#[derive(Debug)]
pub struct Gate {
    /// Who is signed in.
    pub sessions: Sessions,
    /// Who tries too often.
    pub throttle: Throttle,
    /// Passwords that are tried at a time.
    pub tried: Semaphore,
}

impl Gate {
    /// Nobody yet.
    pub fn new() -> Result<Self, NoRandom> {
        Ok(Self {
            sessions: Sessions::new()?,
            throttle: Throttle::default(),
            tried: Semaphore::new(TRIED),
        })
    }
}

/// A site of pages.
pub trait Site: Send + Sync + 'static {
    /// Who is signed in.
    fn gate(&self) -> &Gate;
    /// What it is called.
    fn face(&self) -> &Face;
    /// Whose it is.
    fn name(&self) -> String;
    /// The time.
    fn now(&self) -> Timestamp;
    /// An account and its password, if there is one that counts now.
    fn account(
        &self,
        name: &Slug,
    ) -> impl Future<Output = Result<Option<(Account, Hashed)>, Fault>> + Send;
}
