//! Opening a node for answering. Whatever is missing or invalid refuses the start (rule FAIL-1).

use std::sync::Arc;

use policies::rules::{DEFAULT, Privacy, RulesError};
use schemas::time::Timestamp;

use super::App;
use crate::access::{AccessError, Standing};
use crate::clock::Clock;
use crate::config::keys::Keys;
use crate::config::{Config, ConfigError};
use crate::engine::{Engine, EngineError};
use crate::noise::Gaussian;
use crate::store::dictionaries;
use crate::store::state::{State, StateError};

/// Name of the hospital's own policy in the data folder.
pub const POLICY: &str = "policy.toml";

/// Why a node cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Settings or keys.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The policy file is missing.
    #[error("policy.toml cannot be read; without a policy nothing is answered")]
    NoPolicy(#[source] std::io::Error),
    /// The policy is invalid or looser than the floors.
    #[error(transparent)]
    Policy(#[from] RulesError),
    /// Access policies, officers, or their signatures.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The state file.
    #[error(transparent)]
    State(#[from] StateError),
    /// The hospital's engine, as the settings name it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// No dictionary was accepted.
    #[error("no dictionary was accepted yet; see `consilium-node dictionary accept --help`")]
    NoDictionary,
}

/// The hospital's own policy, checked against the floors.
pub fn policy(config: &Config) -> Result<Privacy, OpenError> {
    let text = std::fs::read_to_string(config.data.join(POLICY)).map_err(OpenError::NoPolicy)?;
    let policy = Privacy::parse(&text)?;
    policy.no_looser_than(&floors()?)?;
    Ok(policy)
}

/// The alliance's floors: the rules as shipped.
pub fn floors() -> Result<Privacy, OpenError> {
    Ok(Privacy::parse(DEFAULT)?)
}

/// The officers and the policy that two of them signed, as they are in force now.
pub async fn standing(
    config: &Config,
    state: &State,
    now: Timestamp,
) -> Result<Standing, OpenError> {
    let lies_there = policy(config)?;
    let (data, hospital) = (&config.data, &config.hospital);
    let standing = Standing::open(state, data, hospital, &lies_there, now).await?;
    // The one in force may be an older one, signed under other floors.
    standing.policy.no_looser_than(&floors()?)?;
    Ok(standing)
}

impl App {
    /// Opens the node whose settings are given.
    pub async fn open(config: &Config, state: State, clock: Clock) -> Result<Self, OpenError> {
        let dictionary = dictionaries::latest(&state)
            .await?
            .ok_or(OpenError::NoDictionary)?;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let standing = standing(config, &state, clock.now()).await?;
        Ok(Self {
            hospital: config.hospital.clone(),
            data: config.data.clone(),
            state,
            dictionary,
            floors: floors()?,
            policy: standing.policy.clone(),
            standing,
            signer: Keys::open(&config.data)?.message_key()?,
            noise: Box::new(Gaussian),
            cache: Arc::default(),
            engine: config
                .columns
                .as_ref()
                .map(|columns| Engine::open(columns, &config.hospital))
                .transpose()?,
            threads,
            clock,
            watch: |_| {},
        })
    }
}
