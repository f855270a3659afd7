//! What is asked of a policy set, as types; and as Cedar reads it.

use schemas::digest::Digest;
use schemas::id::Slug;
use schemas::loss::Rho;
use schemas::officer::Role;
use schemas::question::Purpose;
use serde_json::{Value, json};

/// Who wants to do something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Principal {
    /// By which role.
    pub role: Role,
    /// Of which hospital, alliance or insurer.
    pub organisation: Slug,
}

/// By which way a request came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Channel {
    /// Mutual TLS.
    MutualTls,
    /// The organisation's own machine.
    Local,
    /// Brought as a file by the organisation's own people, and signed by the asker's registered
    /// key.
    Carried,
    /// Neither.
    Open,
}

/// What can be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Change the policy.
    ApprovePolicy,
    /// Raise an allowance within the floors.
    RaiseAllowance,
    /// End a membership.
    RevokeMember,
}

/// A statistic that is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statistic {
    /// Digest of the question.
    pub question: Digest,
    /// The quota that pays, as the node classes it.
    pub purpose: Purpose,
    /// Least noisy count of a cell that will be shown.
    pub group_size: u32,
    /// What the answer costs each data year now.
    pub charge: Rho,
    /// What the tightest quota has left.
    pub left: Rho,
    /// Dimensions of tables, filters and shares.
    pub dimensions: Vec<Slug>,
    /// Whether the hospital's steward approved it, once or standing.
    pub approved: bool,
}

/// A request; `organisation` is the one whose affair it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// To be answered from a hospital's patients.
    AskStatistic {
        /// The hospital.
        organisation: Slug,
        /// By which way.
        channel: Channel,
        /// What.
        statistic: Statistic,
    },
    /// To approve or refuse a question.
    ApproveQuestion {
        /// The hospital.
        organisation: Slug,
        /// By which way.
        channel: Channel,
    },
    /// To audit settlements.
    AuditSettlement {
        /// The hospital.
        organisation: Slug,
        /// Who paid them.
        payer: Slug,
        /// By which way.
        channel: Channel,
    },
    /// To have leaves opened that belong to no claim.
    OpenRecord {
        /// The hospital.
        organisation: Slug,
        /// Who paid it.
        payer: Slug,
        /// By which way.
        channel: Channel,
        /// Persons who approved.
        approvals: u32,
        /// Whether one of them proposed it.
        self_proposed: bool,
    },
    /// To decide on policy, allowance or membership.
    Decide {
        /// Which.
        action: Action,
        /// Whose.
        organisation: Slug,
        /// By which way.
        channel: Channel,
        /// Persons who approved.
        approvals: u32,
        /// Whether one of them proposed it.
        self_proposed: bool,
    },
    /// To read a log.
    ReadLog {
        /// Whose.
        organisation: Slug,
        /// By which way.
        channel: Channel,
    },
}

/// A request as Cedar reads it.
#[derive(Clone, Debug)]
pub(super) struct Raw {
    pub(super) principal: Value,
    pub(super) action: Value,
    pub(super) resource: Value,
    pub(super) entities: Value,
    pub(super) context: Value,
}

impl Raw {
    pub(super) fn new(principal: &Principal, request: &Request) -> Self {
        let (action, kind, attributes, context) = parts(request);
        let person = json!({"type": "Alliance::Person", "id": principal.organisation.as_str()});
        let id = match request {
            Request::AskStatistic { statistic, .. } => statistic.question.to_string(),
            _ => "it".to_owned(),
        };
        let resource = json!({"type": format!("Alliance::{kind}"), "id": id});
        let entities = json!([
            {
                "uid": person,
                "attrs": {
                    "role": principal.role.as_str(),
                    "organisation": principal.organisation.as_str(),
                },
                "parents": [],
            },
            {"uid": resource, "attrs": attributes, "parents": []},
        ]);
        Self {
            principal: person,
            action: json!({"type": "Alliance::Action", "id": action}),
            resource,
            entities,
            context,
        }
    }
}

fn parts(request: &Request) -> (&'static str, &'static str, Value, Value) {
    let of = |organisation: &Slug| json!({"organisation": organisation.as_str()});
    let paid = |organisation: &Slug, payer: &Slug| json!({"organisation": organisation.as_str(), "payer": payer.as_str()});
    let by = |channel: &Channel| json!({"channel": name(*channel)});
    let decided = |channel: &Channel, approvals: &u32, proposed: &bool| json!({"channel": name(*channel), "approvals": approvals, "selfProposed": proposed});
    match request {
        Request::AskStatistic {
            organisation,
            channel,
            statistic,
        } => (
            "askStatistic",
            "Question",
            of(organisation),
            asked(*channel, statistic),
        ),
        Request::ApproveQuestion {
            organisation,
            channel,
        } => ("approveQuestion", "Question", of(organisation), by(channel)),
        Request::AuditSettlement {
            organisation,
            payer,
            channel,
        } => (
            "auditSettlement",
            "Settlements",
            paid(organisation, payer),
            by(channel),
        ),
        Request::OpenRecord {
            organisation,
            payer,
            channel,
            approvals,
            self_proposed,
        } => (
            "openRecord",
            "Settlements",
            paid(organisation, payer),
            decided(channel, approvals, self_proposed),
        ),
        Request::Decide {
            action,
            organisation,
            channel,
            approvals,
            self_proposed,
        } => {
            let (action, kind) = match action {
                Action::ApprovePolicy => ("approvePolicy", "Policy"),
                Action::RaiseAllowance => ("raiseAllowance", "Policy"),
                Action::RevokeMember => ("revokeMember", "Member"),
            };
            let context = decided(channel, approvals, self_proposed);
            (action, kind, of(organisation), context)
        }
        Request::ReadLog {
            organisation,
            channel,
        } => ("readLog", "Log", of(organisation), by(channel)),
    }
}

fn asked(channel: Channel, statistic: &Statistic) -> Value {
    let dimensions: Vec<&str> = statistic.dimensions.iter().map(Slug::as_str).collect();
    json!({
        "channel": name(channel),
        "purpose": match statistic.purpose {
            Purpose::Benchmark => "benchmark",
            Purpose::Budget => "budget",
            Purpose::Audit => "audit",
            Purpose::Free => "free",
        },
        "groupSize": statistic.group_size,
        "charge": statistic.charge.nano(),
        "left": statistic.left.nano(),
        "dimensions": dimensions,
        "approved": statistic.approved,
    })
}

fn name(channel: Channel) -> &'static str {
    match channel {
        Channel::MutualTls => "mtls",
        Channel::Local => "local",
        Channel::Carried => "carried",
        Channel::Open => "open",
    }
}
