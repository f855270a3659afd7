//! Rules as they are kept and published: by this build, or by an earlier one that knew fewer fields.
//!
//! An opening cites the digest of its rules, so their text is never written anew: what an earlier build
//! wrote stays as it stands, and what it does not say is taken to mean what that build did.

use schemas::unique;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::rules::{ADMINISTRATOR, Rules};

/// Rules as another build wrote them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Written(Value);

/// Days to answer an objection under rules that name none: the most that may be named.
const ANSWER_DAYS: u32 = 90;
/// What an indicator counts, under rules that do not say it.
const UNSAID: &str = "not said by these rules";

impl Serialize for Rules {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.written {
            Some(Written(text)) => text.serialize(serializer),
            None => Self::serialize(self, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Rules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        // A name that stands twice would be read one way here and another way elsewhere.
        let written: Value = unique::read(text.get()).map_err(D::Error::custom)?;
        let read = Self::deserialize(&mut serde_json::Deserializer::from_str(text.get()));
        let mut rules = match read {
            Ok(rules) => rules,
            Err(error) => {
                let whole = completed(written.clone());
                Self::deserialize(whole).map_err(|_| D::Error::custom(error))?
            }
        };
        // Also where a field without which rules have a meaning was left out.
        let own = Self::serialize(&rules, serde_json::value::Serializer);
        if own.map_err(D::Error::custom)? != written {
            rules.written = Some(Written(written));
        }
        Ok(rules)
    }
}

/// Rules of before 2026-11-23, with what was added then. Of later fields each needs its line here, or a
/// default that means what rules without it meant.
fn completed(mut rules: Value) -> Value {
    let mut course = rules.get_mut("year").and_then(Value::as_object_mut);
    if let Some(course) = &mut course {
        let committee = party(course, "settlement", "committee");
        let members = party(course, "bonus", "members");
        for (field, party) in [("committee", committee), ("members", members)] {
            if let Some(party) = party {
                course.entry(field).or_insert(Value::String(party));
            }
        }
    }
    let matters = course.and_then(|course| course.get_mut("matters"));
    for matter in each(matters.and_then(Value::as_object_mut)) {
        matter.entry("answer_days").or_insert(ANSWER_DAYS.into());
    }
    let indicators = rules.get_mut("appraisal");
    let indicators = indicators.and_then(|appraisal| appraisal.get_mut("indicators"));
    let indicators = indicators
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten();
    for indicator in indicators.filter_map(Value::as_object_mut) {
        for field in ["numerator", "denominator"] {
            indicator.entry(field).or_insert(UNSAID.into());
        }
    }
    rules
}

fn each(of: Option<&mut Map<String, Value>>) -> impl Iterator<Item = &mut Map<String, Value>> {
    let values = of.into_iter().flat_map(Map::values_mut);
    values.filter_map(Value::as_object_mut)
}

/// Who speaks as a party that the rules did not name apart: whoever has the shipped name and signs the
/// matter, else the matter's first signer that is neither insurer nor administrator.
fn party(course: &Map<String, Value>, matter: &str, shipped: &str) -> Option<String> {
    let insurer = course.get("insurer").and_then(Value::as_str);
    let signers = course.get("matters")?.get(matter)?.get("signers")?;
    let names = signers.as_array()?.iter().filter_map(Value::as_str);
    let mut names = names.filter(|name| Some(*name) != insurer && *name != ADMINISTRATOR);
    let first = names.clone().next();
    names
        .find(|name| *name == shipped)
        .or(first)
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rules as shipped on 2026-11-23 at 08:41, as a year kept them.
    const EARLIER: &str = include_str!("earlier.json");

    #[test]
    fn rules_of_an_earlier_build_are_read_and_stay_byte_identical() {
        let rules: Rules = serde_json::from_str(EARLIER).unwrap();
        assert_eq!(serde_json::to_string(&rules).unwrap(), EARLIER.trim_end());
        let value: Value = serde_json::from_str(EARLIER).unwrap();
        let cited = schemas::canonical::digest("consilium-year-rules-v1", &value).unwrap();
        assert_eq!(rules.digest().unwrap(), cited);
        rules.check().unwrap();
        assert_eq!(rules.year.committee.as_str(), "committee");
        assert_eq!(rules.year.members.as_str(), "members");
        assert!(rules.year.matters.values().all(|of| of.answer_days == 90));
        // Again from what was written, and through a value.
        let again: Rules = serde_json::from_value(serde_json::to_value(&rules).unwrap()).unwrap();
        assert_eq!(again, rules);
    }

    #[test]
    fn own_rules_keep_their_form_and_what_is_no_rules_stays_refused() {
        let own = Rules::read(|_| None).unwrap();
        let text = serde_json::to_string(&own).unwrap();
        let read: Rules = serde_json::from_str(&text).unwrap();
        assert_eq!(read, own);
        assert!(read.written.is_none());
        let value: Value = serde_json::from_str(EARLIER).unwrap();
        for file in [
            "year",
            "budget",
            "bonus",
            "overspend",
            "appraisal",
            "alerts",
        ] {
            let mut short = value.clone();
            short.as_object_mut().unwrap().remove(file);
            assert!(serde_json::from_value::<Rules>(short).is_err(), "{file}");
            let mut long = value.clone();
            long[file]["unheard"] = 1.into();
            assert!(serde_json::from_value::<Rules>(long).is_err(), "{file}");
        }
        let twice = text.replacen("{\"year\":", "{\"alerts\":null,\"year\":", 1);
        assert!(serde_json::from_str::<Rules>(&twice).is_err());
        let twice = EARLIER.replacen("{\"year\":", "{\"alerts\":{},\"year\":", 1);
        assert_ne!(twice, EARLIER);
        assert!(serde_json::from_str::<Rules>(&twice).is_err());
        let spaced = serde_json::to_string_pretty(&value).unwrap();
        assert!(serde_json::from_str::<Rules>(&spaced).is_ok());
    }
}
