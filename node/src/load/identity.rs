//! What a load is known by: the same file, mapping, dictionary and filters again are the same load.

use std::collections::BTreeSet;

use super::Request;

/// The digest under which a load is remembered: of the file, the mapping, the dictionary and the
/// row filters (one file may hold several hospitals).
pub(super) fn identity(file: &str, request: &Request, dictionary: &str) -> String {
    let own = request.mapping.only.iter();
    let filters: BTreeSet<(&str, &str)> = own
        .map(|(column, value)| (column.as_str(), value.as_str()))
        .chain(
            request
                .only
                .iter()
                .map(|(column, value)| (column.as_str(), value.as_str())),
        )
        .collect();
    // The same file under another mapping or dictionary gives other rows: it may be loaded again.
    let mapping = format!("{:?}", request.mapping);
    let parts = [("", file), ("", &mapping), ("", dictionary)];
    let mut hasher = blake3::Hasher::new();
    // Other rates give other costs; those of a mapping without costed fields are no matter.
    let costed = request.mapping.costing.iter();
    let costed = costed.flat_map(|_| request.rates.digests());
    let crossed = request.mapping.crosswalks().into_iter();
    let crossed = crossed.filter_map(|name| {
        let digest = request.crosswalks.digest(name)?;
        Some((format!("crosswalk {name}"), digest.to_string()))
    });
    let rates: Vec<(String, String)> = costed
        .map(|(from, digest)| (format!("rates {from}"), digest.to_string()))
        .chain(crossed)
        .collect();
    let rates = rates
        .iter()
        .map(|(from, digest)| (from.as_str(), digest.as_str()));
    for part in parts.into_iter().chain(filters).chain(rates) {
        for text in [part.0, part.1] {
            hasher.update(&text.len().to_le_bytes());
            hasher.update(text.as_bytes());
        }
    }
    hasher.finalize().to_hex().to_string()
}
