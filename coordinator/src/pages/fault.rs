//! What goes wrong on a page, as a page.

pub(super) use web::site::fault::Fault;

use crate::ask::AskError;
use crate::merge::MergeError;
use crate::pooled::PooledError;
use crate::store::state::StateError;
use crate::template::LoadError;
use crate::year::YearError;

impl From<StateError> for Fault {
    fn from(error: StateError) -> Self {
        Self::broken("the state file", error)
    }
}

impl From<AskError> for Fault {
    fn from(error: AskError) -> Self {
        match error {
            AskError::NoRound(_) => Self::Missing,
            other => Self::broken("a round", other),
        }
    }
}

impl From<MergeError> for Fault {
    fn from(error: MergeError) -> Self {
        match error {
            MergeError::Open(_) | MergeError::Dead(_) | MergeError::Round(AskError::NoRound(_)) => {
                Self::Missing
            }
            other => Self::broken("a round's answers", other),
        }
    }
}

impl From<PooledError> for Fault {
    fn from(error: PooledError) -> Self {
        match error {
            PooledError::NoRound(_) => Self::Missing,
            other => Self::broken("a pooled round", other),
        }
    }
}

impl From<YearError> for Fault {
    fn from(error: YearError) -> Self {
        match error {
            YearError::Unknown(_) => Self::Missing,
            other => Self::broken("a year", other),
        }
    }
}

impl From<LoadError> for Fault {
    fn from(error: LoadError) -> Self {
        Self::broken("templates", error)
    }
}
