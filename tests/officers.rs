//! The two persons that a hospital needs before its node answers anything.

use std::path::Path;

use node::access::{self, Standing};
use node::answer;
use node::config::Config;
use node::config::keys::Keys;
use node::steward::{self, Acting};
use node::store::state::State;
use policies::rules::Privacy;
use policies::template;
use schemas::id::Slug;
use schemas::officer::{Officer, Role};
use schemas::seal::Signer;
use schemas::time::Timestamp;

/// The steward's name.
pub const STEWARD: &str = "li-hua";
/// The second officer's name.
pub const SECOND: &str = "zhao-min";
/// Long after every test's time.
pub const UNTIL: Timestamp = Timestamp(4_000_000_000);

/// An officer's key, from the place where commands look for it.
pub fn key(data: &Path, name: &str) -> Signer {
    let keys = Keys::open(data).expect("a folder of keys");
    let path = keys.officer_path(&crate::fixture::slug(name));
    keys.officer_key(&path).expect("an officer's key")
}

/// Registers both officers, who sign the policy that lies in the data folder.
pub async fn seat(config: &Config, state: &State, at: Timestamp) {
    let policy = answer::policy(config).expect("a policy");
    seat_under(config, state, &policy, at).await;
}

/// Registers both officers, who sign this policy.
pub async fn seat_under(config: &Config, state: &State, policy: &Privacy, at: Timestamp) {
    let keys = Keys::open(&config.data).expect("a folder of keys");
    for (name, role) in [(STEWARD, Role::Steward), (SECOND, Role::SecurityOfficer)] {
        let name: Slug = crate::fixture::slug(name);
        let signer = keys
            .make_officer_key(&keys.officer_path(&name))
            .expect("a new key");
        let officer = Officer {
            organisation: config.hospital.clone(),
            name,
            role,
            key: signer.public(),
        };
        access::add(state, &officer, &[], at)
            .await
            .expect("a free seat");
    }
    sign(config, state, policy, at).await;
}

/// Both officers sign this policy.
pub async fn sign(config: &Config, state: &State, policy: &Privacy, at: Timestamp) {
    let set = access::open(&config.data).expect("access policies");
    for name in [STEWARD, SECOND] {
        let signer = key(&config.data, name);
        let whose = (config.data.as_path(), &config.hospital);
        let by = (&crate::fixture::slug(name), &signer);
        access::approve(state, whose, (policy, &set), by, at)
            .await
            .expect("an approval");
    }
}

/// The steward lets all shipped templates be answered unasked.
pub async fn stand(config: &Config, state: &State, policy: &Privacy, at: Timestamp) {
    let standing = Standing::open(state, &config.data, &config.hospital, policy, at).await;
    let standing = standing.expect("a signed policy");
    let key = key(&config.data, STEWARD);
    let name = crate::fixture::slug(STEWARD);
    let by = Acting {
        officers: &standing.officers,
        access: &standing.access,
        policy: standing.approved.policy,
        hospital: &config.hospital,
        name: &name,
        key: &key,
        at,
    };
    for template in template::shipped() {
        steward::stand(state, by, template.reference(), None, UNTIL)
            .await
            .expect("a standing approval");
    }
}
