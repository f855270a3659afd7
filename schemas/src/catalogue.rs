//! The JSON Schemas of everything that crosses a boundary, as kept in `schemas/json/`.

use schemars::{Schema, schema_for};

use crate::answer::Answer;
use crate::dictionary::Dictionary;
use crate::enrolment::{JoinReply, JoinRequest, RenewReply, RenewRequest};
use crate::entry::Entry;
use crate::problem::Problem;
use crate::question::Question;
use crate::request::{Receipt, Request};
use crate::round::{Reply, Round};
use crate::seal::Sealed;
use crate::witness::{Exchange, Exchanged};

/// File name (without `.json`) and schema of every message, keys in the order of the alphabet.
pub fn all() -> Vec<(&'static str, Schema)> {
    let mut all = vec![
        ("answer", schema_for!(Answer)),
        ("dictionary", schema_for!(Dictionary)),
        ("entry", schema_for!(Entry)),
        ("exchange", schema_for!(Exchange)),
        ("exchanged", schema_for!(Exchanged)),
        ("join-reply", schema_for!(JoinReply)),
        ("join-request", schema_for!(JoinRequest)),
        ("problem", schema_for!(Problem)),
        ("question", schema_for!(Question)),
        ("receipt", schema_for!(Receipt)),
        ("renew-reply", schema_for!(RenewReply)),
        ("renew-request", schema_for!(RenewRequest)),
        ("reply", schema_for!(Reply)),
        ("request", schema_for!(Request)),
        ("round", schema_for!(Round)),
        ("sealed-round", schema_for!(Sealed<Round>)),
    ];
    for (_, schema) in &mut all {
        let fields = schema.ensure_object();
        fields.sort_keys();
        fields
            .values_mut()
            .for_each(serde_json::Value::sort_all_objects);
    }
    all
}
