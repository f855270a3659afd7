//! The one style sheet, and the address under which it is served: its digest is in it, so that a
//! browser may keep it for ever.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};

/// The style sheet.
pub const STYLE: &str = include_str!("../assets/style.css");

/// Its address, from the site's root.
pub fn address() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| {
        let name: String = URL_SAFE_NO_PAD
            .encode(digest(&SHA256, STYLE.as_bytes()))
            .chars()
            .take(12)
            .collect();
        format!("/style-{name}.css")
    })
}

/// What a content security policy calls the inline style of a page made elsewhere, such as a letter:
/// `sha256-…`. Nothing where the page has none.
pub fn inline_digest(html: &str) -> Option<String> {
    let (_, rest) = html.split_once("<style>")?;
    let (style, _) = rest.split_once("</style>")?;
    Some(format!(
        "'sha256-{}'",
        STANDARD.encode(digest(&SHA256, style.as_bytes()))
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        for word in ["url(", "@import", "http:", "https:", "//"] {
            assert!(!STYLE.contains(word), "{word}");
        }
        assert!(address().starts_with("/style-") && address().len() == 23);
        // `printf %s 'a{}' | openssl dgst -sha256 -binary | base64`
        let told = inline_digest("<html><style>a{}</style>").unwrap();
        assert_eq!(
            told,
            "'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk='"
        );
        assert_eq!(inline_digest("<p>"), None);
    }
}
