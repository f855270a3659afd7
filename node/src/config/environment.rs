//! The environment of this process: a place for secrets that stand in no file.

use zeroize::Zeroizing;

/// The text of a variable; `None` where it is not set or no text.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub fn secret(name: &str) -> Option<Zeroizing<String>> {
    std::env::var(name).ok().map(Zeroizing::new)
}
