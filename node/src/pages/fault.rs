//! What goes wrong on a page, as a page.

pub(super) use web::site::fault::Fault;

use crate::access::AccessError;
use crate::answer::OpenError;
use crate::audit::AuditError;
use crate::config::ConfigError;
use crate::costing::CostError;
use crate::early::EarlyError;
use crate::log::LogError;
use crate::pooled::PooledError;
use crate::quality::QualityError;
use crate::snapshot::SnapshotError;
use crate::steward::StewardError;
use crate::store::state::StateError;

impl From<StateError> for Fault {
    fn from(error: StateError) -> Self {
        Self::broken("the state file", error)
    }
}

impl From<OpenError> for Fault {
    fn from(error: OpenError) -> Self {
        Self::broken("opening the node", error)
    }
}

impl From<AccessError> for Fault {
    fn from(error: AccessError) -> Self {
        Self::broken("officers and policy", error)
    }
}

impl From<ConfigError> for Fault {
    fn from(error: ConfigError) -> Self {
        Self::broken("settings or keys", error)
    }
}

impl From<StewardError> for Fault {
    fn from(error: StewardError) -> Self {
        Self::broken("the inbox", error)
    }
}

impl From<PooledError> for Fault {
    fn from(error: PooledError) -> Self {
        Self::broken("pooled rounds", error)
    }
}

impl From<QualityError> for Fault {
    fn from(error: QualityError) -> Self {
        Self::broken("quality reports", error)
    }
}

impl From<SnapshotError> for Fault {
    fn from(error: SnapshotError) -> Self {
        Self::broken("released months", error)
    }
}

impl From<EarlyError> for Fault {
    fn from(error: EarlyError) -> Self {
        Self::broken("early warnings", error)
    }
}

impl From<LogError> for Fault {
    fn from(error: LogError) -> Self {
        Self::broken("the log", error)
    }
}

impl From<CostError> for Fault {
    fn from(error: CostError) -> Self {
        match error {
            CostError::Open(_) => Self::Missing,
            other => Self::broken("closed months", other),
        }
    }
}

impl From<AuditError> for Fault {
    fn from(error: AuditError) -> Self {
        Self::broken("audits", error)
    }
}
