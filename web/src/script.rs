//! The scripts of pages, each under an address with its digest in it: the charts, where they were made
//! before this was built (`deploy/charts.sh`), and what little helps with forms and progress. Pages are
//! whole without either.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};

/// The charts, packed by gzip; nothing where they were not made.
pub const CHARTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/charts.js.gz"));

/// Sliders, progress, sorting.
pub const HELPS: &str = include_str!("../assets/helps.js");

/// The content security policy of pages: own style, own scripts, nothing inline, nothing of elsewhere.
pub const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                          img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

fn named(name: &str, bytes: &[u8]) -> String {
    let sum = URL_SAFE_NO_PAD.encode(digest(&SHA256, bytes));
    let sum: String = sum.chars().take(12).collect();
    format!("/{name}-{sum}.js")
}

/// Address of the charts from the site's root; none where they were not made.
pub fn charts() -> Option<&'static str> {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    (!CHARTS.is_empty()).then(|| ADDRESS.get_or_init(|| named("charts", CHARTS)).as_str())
}

/// Address of the helps from the site's root.
pub fn helps() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| named("helps", HELPS.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_helps_load_nothing_from_elsewhere_and_write_no_markup() {
        for word in [
            "http:",
            "https:",
            "innerHTML",
            "eval(",
            "document.write",
            "import(",
        ] {
            assert!(!HELPS.contains(word), "{word}");
        }
        assert!(helps().starts_with("/helps-") && !POLICY.contains("unsafe"));
        assert_eq!(charts().is_none(), CHARTS.is_empty());
    }
}
