//! Enrolment by a one-time code.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::{Extension, Json};
use schemas::canonical;
use schemas::enrolment::{JoinReply, JoinRequest};
use schemas::time::Timestamp;

use super::member::Peer;
use super::{App, Fault};
use crate::register::{self, JoinError};

/// Refused joins of this minute by address, so that codes cannot be tried by the million.
#[derive(Debug)]
pub(super) struct Refused {
    most: u32,
    now: Mutex<Minute>,
}

/// A minute since 1970 and its refused joins by address.
#[derive(Debug, Default)]
struct Minute {
    number: i64,
    refused: BTreeMap<IpAddr, u32>,
}

impl Refused {
    pub(super) fn new(most: u32) -> Self {
        Self {
            most,
            now: Mutex::default(),
        }
    }

    /// Whether the address may try.
    fn may_try(&self, address: IpAddr, now: Timestamp) -> bool {
        let number = now.0.div_euclid(60);
        let mut minute = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if minute.number != number {
            *minute = Minute {
                number,
                refused: BTreeMap::new(),
            };
        }
        minute
            .refused
            .get(&address)
            .is_none_or(|count| *count < self.most)
    }

    fn count(&self, address: IpAddr) {
        // More addresses than this in one minute are counted as one.
        const MOST_ADDRESSES: usize = 4096;
        let mut minute = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = &mut minute.refused;
        let known = refused.contains_key(&address) || refused.len() < MOST_ADDRESSES;
        let address = if known {
            address
        } else {
            IpAddr::from([0, 0, 0, 0])
        };
        let count = refused.entry(address).or_insert(0);
        *count = count.saturating_add(1);
    }
}

/// Joins a hospital.
pub(super) async fn join(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<JoinReply>, Fault> {
    let now = app.clock.now();
    if !app.refused.may_try(peer.address, now) {
        return Err(Fault::new(
            "too-many-joins",
            429,
            "too many refused joins",
            "try again in a minute",
        ));
    }
    let request: JoinRequest = match canonical::read(&body?) {
        Ok(request) => request,
        Err(error) => {
            app.refused.count(peer.address);
            return Err(error.into());
        }
    };
    match register::join(&app.store, &app.authority, &request, now).await {
        Ok(issued) => {
            tracing::info!(hospital = %request.hospital, "a hospital joined");
            Ok(Json(JoinReply {
                certificate: issued.pem,
                ca: app.authority.ca_pem().to_owned(),
                alliance_key: app.authority.signer().public(),
                url: app.config.node_url.clone(),
            }))
        }
        Err(error) => {
            if matches!(error, JoinError::Code | JoinError::Request(_)) {
                app.refused.count(peer.address);
                tracing::warn!(address = %peer.address, "a join was refused");
            }
            Err(error.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_turned_away_for_the_rest_of_the_minute() {
        let refused = Refused::new(2);
        let (here, there) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        assert!(refused.may_try(here, Timestamp(60)));
        refused.count(here);
        assert!(refused.may_try(here, Timestamp(61)));
        refused.count(here);
        assert!(!refused.may_try(here, Timestamp(62)));
        assert!(refused.may_try(there, Timestamp(62)));
        assert!(refused.may_try(here, Timestamp(120)));
    }
}
