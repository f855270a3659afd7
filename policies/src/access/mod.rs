//! Who may do what. Policies are Cedar's: deny by default, a `forbid` beats every `permit`, whole
//! numbers only. The floors are compiled in; a set without one of them is not opened, and an
//! organisation's own file may only forbid more.

mod officers;
mod step;
mod force;
mod request;

pub use force::{DELAY, Force, Signatures, Signed, in_force, signed};
pub use officers::{Approved, Officers, OfficersError};
pub use request::{Action, Channel, Principal, Request, Statistic};
pub use step::Step;

use std::collections::BTreeSet;

use cedar_policy::{
    Authorizer, Context, Decision, Effect, Entities, EntityUid, PolicyId, PolicySet, Schema,
    ValidationMode, Validator,
};
use schemas::canonical;
use schemas::digest::Digest;

use crate::rules::Privacy;
use request::Raw;

const SCHEMA: &str = include_str!("../../rules/access.cedarschema");
const FLOORS: &str = include_str!("../../rules/floors.cedar");
const SHIPPED: &str = include_str!("../../rules/access.cedar");

/// The floors that every set must hold, each under its id.
pub const FLOOR_IDS: [&str; 9] = [
    "floor-channel",
    "floor-group-size",
    "floor-insurer-group-size",
    "floor-allowance",
    "floor-dimensions",
    "floor-approval",
    "floor-own-payer",
    "floor-own-house",
    "floor-two-persons",
];

/// The floor that only the steward's approval fulfils.
pub const APPROVAL: &str = "floor-approval";
/// The floor that an allowance which is used up breaks.
pub const ALLOWANCE: &str = "floor-allowance";

/// Why a policy set is not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// Not Cedar.
    #[error("access policy: {place}: cannot be read: {fault}")]
    Form {
        /// Which text.
        place: &'static str,
        /// What Cedar says.
        fault: String,
    },
    /// A policy without a name.
    #[error("access policy: {place}: each policy needs an @id of its own")]
    NoId {
        /// Which text.
        place: &'static str,
    },
    /// Two policies with one name.
    #[error("access policy: the id `{0}` stands twice")]
    Twice(String),
    /// A policy with slots, which nothing here fills.
    #[error("access policy: {place}: templates with slots are not used")]
    Slots {
        /// Which text.
        place: &'static str,
    },
    /// A permission in an organisation's own file.
    #[error("access policy: `{0}` permits; a file of your own may only forbid")]
    Permits(String),
    /// A floor that permits, or is not there.
    #[error("access policy: the floor `{0}` is missing")]
    NoFloor(&'static str),
    /// Types or names that the schema does not know.
    #[error("access policy: not valid under the schema: {0}")]
    Invalid(String),
}

/// What was decided, and by which policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may be done.
    pub allowed: bool,
    /// The ids of the policies that decided: those that permit, or those that forbid. None where
    /// nothing permits it.
    pub policies: Vec<String>,
    /// In words, for people of the own organisation.
    pub reason: String,
}

impl Verdict {
    /// Whether it is refused, and by exactly this policy.
    pub fn only(&self, id: &str) -> bool {
        !self.allowed && self.policies == [id]
    }

    fn denied(reason: String) -> Self {
        Self {
            allowed: false,
            policies: Vec::new(),
            reason,
        }
    }
}

/// A validated policy set.
#[derive(Debug)]
pub struct Access {
    schema: Schema,
    set: PolicySet,
    own: String,
    digest: Digest,
}

impl Access {
    /// The shipped set, narrowed by an organisation's own text (which may be empty).
    pub fn open(own: &str) -> Result<Self, AccessError> {
        Self::of(FLOORS, SHIPPED, own)
    }

    fn of(floors: &str, shipped: &str, own: &str) -> Result<Self, AccessError> {
        let access = Self::assemble(floors, shipped, own)?;
        for id in FLOOR_IDS {
            let floor = access.set.policy(&PolicyId::new(id));
            if floor.is_none_or(|floor| floor.effect() != Effect::Forbid) {
                return Err(AccessError::NoFloor(id));
            }
        }
        Ok(access)
    }

    /// Everything that [`Self::of`] checks but the presence of the floors.
    fn assemble(floors: &str, shipped: &str, own: &str) -> Result<Self, AccessError> {
        let schema = Schema::from_cedarschema_str(SCHEMA).map_err(|error| AccessError::Form {
            place: "access.cedarschema",
            fault: error.to_string(),
        })?;
        let (schema, _warnings) = schema;
        let mut set = PolicySet::new();
        let mut ids = BTreeSet::new();
        for (place, text) in [
            ("floors", floors),
            ("shipped policies", shipped),
            (OWN, own),
        ] {
            add(&mut set, &mut ids, place, text)?;
        }
        let report = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
        if !report.validation_passed() {
            let faults: Vec<String> = report
                .validation_errors()
                .map(ToString::to_string)
                .collect();
            return Err(AccessError::Invalid(faults.join("; ")));
        }
        let parts = [SCHEMA, floors, shipped, own].map(str::as_bytes);
        Ok(Self {
            digest: Digest::of("consilium-access-v1", &parts),
            own: own.to_owned(),
            schema,
            set,
        })
    }

    /// SHA-256 over schema, floors, shipped policies and the own file, as they are written.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The text of the organisation's own file.
    pub fn own(&self) -> &str {
        &self.own
    }

    /// Whether every policy of the other set stands here too, so that nothing is allowed here that
    /// is forbidden there: an own file may only forbid.
    fn holds_all_of(&self, other: &Self) -> bool {
        let texts = |set: &PolicySet| -> BTreeSet<String> {
            set.policies().map(ToString::to_string).collect()
        };
        texts(&self.set).is_superset(&texts(&other.set))
    }

    /// The ids of all policies.
    pub fn ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = self.set.policies().map(|p| p.id().to_string()).collect();
        ids.sort();
        ids
    }

    /// Judges a request. Whatever cannot be judged is denied.
    pub fn judge(&self, principal: &Principal, request: &Request) -> Verdict {
        self.decide(Raw::new(principal, request))
    }

    fn decide(&self, raw: Raw) -> Verdict {
        let refused = |what: &str, error: &dyn std::fmt::Display| {
            Verdict::denied(format!("the request's {what} is refused: {error}"))
        };
        let uid = |value: &serde_json::Value| {
            EntityUid::from_json(value.clone()).map_err(|error| error.to_string())
        };
        let action = match uid(&raw.action) {
            Ok(action) => action,
            Err(error) => return refused("action", &error),
        };
        let (principal, resource) = match (uid(&raw.principal), uid(&raw.resource)) {
            (Ok(principal), Ok(resource)) => (principal, resource),
            (Err(error), _) | (_, Err(error)) => return refused("subject", &error),
        };
        let entities = match Entities::from_json_value(raw.entities, Some(&self.schema)) {
            Ok(entities) => entities,
            Err(error) => return refused("entities", &error),
        };
        // A missing or wrongly typed attribute would make a `forbid` fail and be skipped: the
        // schema stops such a request here.
        let context = Context::from_json_value(raw.context, Some((&self.schema, &action)));
        let context = match context {
            Ok(context) => context,
            Err(error) => return refused("context", &error),
        };
        let request =
            cedar_policy::Request::new(principal, action, resource, context, Some(&self.schema));
        let request = match request {
            Ok(request) => request,
            Err(error) => return refused("form", &error),
        };
        let response = Authorizer::new().is_authorized(&request, &self.set, &entities);
        let mut policies: Vec<String> = response
            .diagnostics()
            .reason()
            .map(ToString::to_string)
            .collect();
        policies.sort();
        if let Some(error) = response.diagnostics().errors().next() {
            return Verdict::denied(format!("a policy could not be evaluated: {error}"));
        }
        let allowed = response.decision() == Decision::Allow;
        let reason = match (allowed, policies.is_empty()) {
            (true, _) => format!("permitted by {}", policies.join(", ")),
            (false, false) => format!("forbidden by {}", policies.join(", ")),
            (false, true) => "no policy permits it".to_owned(),
        };
        Verdict {
            allowed,
            policies,
            reason,
        }
    }
}

const OWN: &str = "access.cedar";

/// The digest of an organisation's whole policy, which two of its officers sign: its privacy rules
/// and its access policies.
pub fn policy_digest(rules: &Privacy, access: &Access) -> Result<Digest, canonical::Error> {
    let parts = [rules.digest()?, access.digest()];
    let [rules, access] = &parts;
    Ok(Digest::of(
        "consilium-policy-v1",
        &[rules.as_bytes(), access.as_bytes()],
    ))
}

fn add(
    set: &mut PolicySet,
    ids: &mut BTreeSet<String>,
    place: &'static str,
    text: &str,
) -> Result<(), AccessError> {
    let parsed: PolicySet =
        text.parse()
            .map_err(|error: cedar_policy::ParseErrors| AccessError::Form {
                place,
                fault: error.to_string(),
            })?;
    if parsed.num_of_templates() > 0 {
        return Err(AccessError::Slots { place });
    }
    for policy in parsed.policies() {
        let id = policy.annotation("id").unwrap_or_default();
        if id.is_empty() {
            return Err(AccessError::NoId { place });
        }
        if !ids.insert(id.to_owned()) {
            return Err(AccessError::Twice(id.to_owned()));
        }
        if place == OWN && policy.effect() != Effect::Forbid {
            return Err(AccessError::Permits(id.to_owned()));
        }
        set.add(policy.new_id(PolicyId::new(id)))
            .map_err(|error| AccessError::Form {
                place,
                fault: error.to_string(),
            })?;
    }
    Ok(())
}

#[cfg(test)]
mod test;
