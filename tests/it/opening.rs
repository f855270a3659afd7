//! Opening rounds as the coordinator's commands do: drawn up, checked, begun.

use coordinator::ask::{self, AskError};
use coordinator::authority::Authority;
use coordinator::pooled::{self as office, PooledError};
use coordinator::store::state::State;
use policies::rules::Privacy;
use policies::template::Template;
use schemas::time::Timestamp;

/// Opens an attributed round. Gives it and what the template asks but the dictionary lacks.
pub async fn attributed(
    state: &State,
    authority: &Authority,
    template: &Template,
    rules: &Privacy,
    order: &ask::Order,
    now: Timestamp,
) -> Result<(ask::Held, Vec<String>), AskError> {
    let drawn = ask::draw(state, authority, template, rules, order, now).await?;
    let left_out = drawn.left_out.clone();
    Ok((ask::begin(state, authority, drawn).await?, left_out))
}

/// Opens a pooled round, unless hospitals are foreseen to refuse it.
pub async fn pooled(
    state: &State,
    authority: &Authority,
    template: &Template,
    rules: &Privacy,
    order: &office::Order,
    now: Timestamp,
) -> Result<(office::Held, Vec<String>), PooledError> {
    let drawn = office::draw(state, authority, template, rules, order, now).await?;
    if !order.anyway {
        office::check(state, authority, rules, &drawn).await?;
    }
    let left_out = drawn.left_out.clone();
    Ok((office::begin(state, authority, drawn).await?, left_out))
}
