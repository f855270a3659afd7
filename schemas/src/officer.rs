//! Persons who answer for an organisation, and what they sign.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::Slug;
use crate::question::Purpose;
use crate::round::TemplateRef;
use crate::seal::{Message, PublicKey};
use crate::time::Timestamp;

/// What a person is to an organisation.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Hospital: costs and payments.
    Finance,
    /// Hospital: data officer; decides on questions.
    Steward,
    /// Hospital: second approval.
    SecurityOfficer,
    /// Hospital: runs the machine.
    It,
    /// Alliance: office of the alliance.
    Administrator,
    /// Alliance: reads only.
    Auditor,
    /// Insurer.
    InsurerAuditor,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 7] = [
        Self::Finance,
        Self::Steward,
        Self::SecurityOfficer,
        Self::It,
        Self::Administrator,
        Self::Auditor,
        Self::InsurerAuditor,
    ];

    /// One word, as policies and logs name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Finance => "finance",
            Self::Steward => "steward",
            Self::SecurityOfficer => "security_officer",
            Self::It => "it",
            Self::Administrator => "administrator",
            Self::Auditor => "auditor",
            Self::InsurerAuditor => "insurer_auditor",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = NotARole;

    fn from_str(text: &str) -> Result<Self, NotARole> {
        let mut all = Self::ALL.into_iter();
        all.find(|role| role.as_str() == text).ok_or(NotARole)
    }
}

/// The text is not a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a role")]
pub struct NotARole;

/// A person with a key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Officer {
    /// Of which organisation.
    pub organisation: Slug,
    /// Unique in the organisation, for ever.
    pub name: Slug,
    /// What the person may decide.
    pub role: Role,
    /// The key by which decisions are signed.
    pub key: PublicKey,
}

impl Message for Officer {
    const TAG: &'static str = "consilium-officer-v1";
}

/// That a person leaves: from then on the key decides nothing more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Departure {
    /// Which organisation.
    pub organisation: Slug,
    /// Who leaves.
    pub name: Slug,
    /// When.
    pub at: Timestamp,
}

impl Message for Departure {
    const TAG: &'static str = "consilium-departure-v1";
}

/// One person's yes to a policy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyApproval {
    /// Whose policy.
    pub organisation: Slug,
    /// Digest of rules and access policies together.
    pub policy: Digest,
    /// Who says so.
    pub officer: Slug,
    /// When.
    pub at: Timestamp,
}

impl Message for PolicyApproval {
    const TAG: &'static str = "consilium-policy-approval-v1";
}

/// A steward's yes to one question of one round. It fits nothing else: another question, other
/// releases or another policy void it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuestionApproval {
    /// The hospital.
    pub hospital: Slug,
    /// Digest of the round as signed.
    pub round: Digest,
    /// Digest of the question.
    pub question: Digest,
    /// Numbers of the releases that it is answered on, joined by commas.
    pub releases: String,
    /// Digest of the hospital's policy.
    pub policy: Digest,
    /// Whether the steward looks at the noised answer before it leaves.
    pub hold: bool,
    /// Who says so.
    pub officer: Slug,
    /// When.
    pub at: Timestamp,
}

impl Message for QuestionApproval {
    const TAG: &'static str = "consilium-question-approval-v1";
}

/// A steward's yes to an organisation of the key list, whose fingerprint he compared.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberApproval {
    /// Who accepts.
    pub hospital: Slug,
    /// Whom.
    pub member: Slug,
    /// Fingerprint of its record: name, kind, entity and key.
    pub fingerprint: Digest,
    /// Which steward.
    pub officer: Slug,
    /// When.
    pub at: Timestamp,
}

impl Message for MemberApproval {
    const TAG: &'static str = "consilium-member-approval-v1";
}

/// One officer's yes to the opening of leaves that belong to no claim. It fits nothing else: another
/// request, another checkpoint or another policy voids it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpeningApproval {
    /// The hospital.
    pub hospital: Slug,
    /// Digest of the payer's signed request.
    pub request: Digest,
    /// Digest of the settlement log's checkpoint that the leaves stand under.
    pub checkpoint: Digest,
    /// Digest of the hospital's policy.
    pub policy: Digest,
    /// Who says so.
    pub officer: Slug,
    /// When.
    pub at: Timestamp,
}

impl Message for OpeningApproval {
    const TAG: &'static str = "consilium-opening-approval-v1";
}

/// A steward's standing yes to a template, until a day and under one policy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StandingApproval {
    /// The hospital.
    pub hospital: Slug,
    /// Which template.
    pub template: TemplateRef,
    /// For rounds of this purpose only; of any where it is left out.
    pub purpose: Option<Purpose>,
    /// Void after this moment.
    pub until: Timestamp,
    /// Digest of the hospital's policy.
    pub policy: Digest,
    /// Who says so.
    pub officer: Slug,
    /// When.
    pub at: Timestamp,
}

impl Message for StandingApproval {
    const TAG: &'static str = "consilium-standing-approval-v1";
}
