//! Loads of a view: what is new in it since the last load of the same view.

use super::{LoadError, Request};
use crate::config::keys::PseudonymKey;
use crate::ingest::sql::View;
use crate::store::marks::{self, Reached};
use crate::store::state::State;

/// Begins a picture of a view, and gives what this load is known by and how far it reads. The store's log
/// stands in the former, so that no two loads of a view are one: what was read is told by the mark.
pub(super) async fn begin(
    (state, key): (&State, &PseudonymKey),
    view: &View,
    request: &Request,
) -> Result<(String, Option<Reached>), LoadError> {
    let source = source(request);
    let last = if request.whole {
        None
    } else {
        marks::last(state.pool(), &source, key).await?
    };
    let (load, mark) = last.map(|last| (last.load, last.mark)).unzip();
    let picture = view.begin(mark)?;
    if let Some(load) = load.filter(|_| !picture.has_new) {
        return Err(LoadError::Current { load });
    }
    let reached = picture.mark.map(|mark| Reached {
        source: source.clone(),
        mark,
    });
    let head = state.log_head().await?;
    // Keyed, because a watermark is a time that could be guessed.
    let mut hasher = blake3::Hasher::new_keyed(key.expose());
    for part in [b"load of a view", source.as_bytes(), head.as_bytes()] {
        hasher.update(&part.len().to_le_bytes());
        hasher.update(part);
    }
    if let Some(reached) = &reached {
        hasher.update(reached.mark.text.as_bytes());
        hasher.update(&reached.mark.rows.to_le_bytes());
    }
    Ok((hasher.finalize().to_hex().to_string(), reached))
}

/// What a view is remembered by: its name, key and watermark, and the row filters. A mapping that reads its
/// other columns otherwise goes on where the last load ended.
fn source(request: &Request) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("consilium 2026 source of a view");
    let mut add = |text: &str| {
        hasher.update(&text.len().to_le_bytes());
        hasher.update(text.as_bytes());
    };
    if let Some(source) = &request.mapping.source {
        add(&source.view);
        add(&source.watermark);
        source.key.iter().for_each(|name| add(name));
    }
    let own = request.mapping.only.iter();
    let filters = own.chain(request.only.iter().map(|(column, value)| (column, value)));
    for (column, value) in filters {
        add("only");
        add(column);
        add(value);
    }
    hasher.finalize().to_hex().to_string()
}
