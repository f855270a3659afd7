//! What lets members in: TLS settings that are made anew when certificates are revoked and every
//! hour, and the open connections, which are cut when their certificate is no longer accepted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::ServerConfig;
use schemas::digest::Digest;
use schemas::time::Timestamp;
use tokio_util::sync::CancellationToken;

use super::App;
use super::listen::ServeError;
use super::tls;
use crate::authority::Revoked;
use crate::certificates;

/// Seconds after which revocation lists and server certificates are made anew.
const AGE: i64 = 3600;

/// The settings of both listeners and the members' open connections.
#[derive(Debug)]
pub(super) struct Gate {
    now: RwLock<Settings>,
    open: Mutex<Open>,
}

#[derive(Clone, Debug)]
struct Settings {
    members: Arc<ServerConfig>,
    everyone: Arc<ServerConfig>,
    made: Timestamp,
    revoked: Vec<Revoked>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    connections: BTreeMap<u64, (Digest, CancellationToken)>,
}

/// A place in the list of open connections; dropped, it is left.
#[derive(Debug)]
pub(super) struct Place {
    gate: Arc<Gate>,
    number: u64,
    /// Cancelled when the connection's certificate is no longer accepted.
    pub(super) cut: CancellationToken,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self
            .gate
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        open.connections.remove(&self.number);
    }
}

impl Gate {
    /// Makes the first settings; without revocation lists there are none.
    pub(super) async fn new(app: &App) -> Result<Arc<Self>, ServeError> {
        let now = app.clock.now();
        let revoked = certificates::revoked(&app.store, now).await?;
        Ok(Arc::new(Self {
            now: RwLock::new(settings(app, revoked, now)?),
            open: Mutex::default(),
        }))
    }

    /// The settings for a member's next connection.
    pub(super) fn members(&self) -> Arc<ServerConfig> {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&now.members)
    }

    /// The settings for anybody's next connection.
    pub(super) fn everyone(&self) -> Arc<ServerConfig> {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&now.everyone)
    }

    /// Notes an open connection.
    pub(super) fn enter(self: &Arc<Self>, certificate: Digest) -> Place {
        let cut = CancellationToken::new();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let number = open.next;
        open.next = number.wrapping_add(1);
        open.connections.insert(number, (certificate, cut.clone()));
        Place {
            gate: Arc::clone(self),
            number,
            cut,
        }
    }

    /// Brings settings and connections up to date with the state file.
    pub(super) async fn refresh(&self, app: &App) -> Result<(), ServeError> {
        let now = app.clock.now();
        let revoked = certificates::revoked(&app.store, now).await?;
        let stale = {
            let settings = self.now.read().unwrap_or_else(PoisonError::into_inner);
            let age = now.0.saturating_sub(settings.made.0);
            settings.revoked != revoked || !(0..AGE).contains(&age)
        };
        if stale {
            let fresh = settings(app, revoked, now)?;
            tracing::info!(revoked = fresh.revoked.len(), "revocation lists were made");
            *self.now.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
        // First who is connected, then who may be: one that has just joined is not cut.
        let open: Vec<(Digest, CancellationToken)> = {
            let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.connections.values().cloned().collect()
        };
        if open.is_empty() {
            return Ok(());
        }
        let accepted = certificates::accepted(&app.store, now).await?;
        for (certificate, cut) in open {
            if !accepted.contains(&certificate) && !cut.is_cancelled() {
                tracing::info!(certificate = %certificate.short(), "a connection is cut");
                cut.cancel();
            }
        }
        Ok(())
    }
}

fn settings(app: &App, revoked: Vec<Revoked>, now: Timestamp) -> Result<Settings, ServeError> {
    let authority = &app.authority;
    let identity = || authority.server_certificate(&app.config.hosts, now);
    let lists = authority.revocation_lists(&revoked, now)?;
    Ok(Settings {
        members: tls::for_members(identity()?, authority.issuing(), lists, &app.clock)?,
        everyone: tls::for_everyone(identity()?, &app.clock)?,
        made: now,
        revoked,
    })
}
