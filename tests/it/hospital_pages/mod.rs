//! The hospital's pages over HTTP: who gets which, what the steward decides there, what stands on no page.

mod loading;
mod matrix;
mod secrets;
mod steward;

use std::sync::Arc;

use node::accounts::{self, Account};
use node::clock::Clock;
use node::pages::{self, Desk};
use policies::costing::{CostRules, DEFAULT as COSTING};
use policies::rules::DEFAULT;
use schemas::officer::Role;
use web::site::local;

use crate::hospital::{Hospital, Line, NOW};
pub(super) use crate::visits::{PASSWORD, Visits, plus, signed, token};

/// Name and role of everybody here.
const PEOPLE: [(&str, Role); 4] = [
    ("wu-jun", Role::Finance),
    ("li-hua", Role::Steward),
    ("zhao-min", Role::SecurityOfficer),
    ("it-team", Role::It),
];

/// A hospital with its pages open.
pub(super) struct Site {
    pub(super) hospital: Hospital,
    visits: Visits,
}

pub(super) fn lines() -> Vec<Line> {
    (0..40)
        .map(|n| {
            let month = 1 + (n % 11) as u8;
            Line::new(&format!("P{n}"), &format!("S{n}"), month, "JR19", 9000)
        })
        .collect()
}

/// A folder that other accounts do not enter.
pub(super) fn make_closed(path: &std::path::Path) {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().mode(0o700).create(path).unwrap();
}

/// Makes everybody's account and serves a hospital's pages.
pub(crate) async fn serve(hospital: &Hospital) -> Visits {
    let config = hospital.config.clone();
    for (name, role) in PEOPLE {
        let account = Account {
            name: name.parse().unwrap(),
            role,
            changed: NOW,
        };
        let by = "zhao-min".parse().unwrap();
        let state = &hospital.state;
        accounts::set(state, &config.hospital, &account, PASSWORD, (&by, true))
            .await
            .unwrap();
    }
    let listener = local::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let state = hospital.state.clone();
    let desk = Desk::new(config, state, Clock::Fixed(NOW), Arc::default()).unwrap();
    let hosts = ["costs.hospital.example".to_owned()];
    tokio::spawn(async move {
        let router = pages::router(&desk);
        local::serve(listener, router, &hosts, std::future::pending())
            .await
            .unwrap();
    });
    Visits { url }
}

impl Site {
    pub(super) async fn open() -> Self {
        Self::of(Hospital::with_policy("h1", DEFAULT).await).await
    }

    pub(super) async fn of(hospital: Hospital) -> Self {
        let visits = serve(&hospital).await;
        Self { hospital, visits }
    }

    /// Closes the costs of January 2025 from the shipped samples; gives a clinical department.
    pub(super) async fn close_costs(&self) -> String {
        let samples =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/samples/costs");
        let month = "2025-01".parse().unwrap();
        let ledgers = node::costing::month(month, &samples).unwrap();
        let rules = CostRules::parse(COSTING).unwrap();
        let state = &self.hospital.state;
        let kept = node::costing::keep(state, &rules, (&ledgers, &[]), (false, NOW))
            .await
            .unwrap();
        kept.closed.full.keys().next().unwrap().to_string()
    }
}

impl std::ops::Deref for Site {
    type Target = Visits;

    fn deref(&self) -> &Visits {
        &self.visits
    }
}
