//! What an error may say about a file that a person wrote: names of settings and what a value
//! should have been, never the value.

/// Longest message about a name, in characters.
const LONGEST: usize = 1_000;

/// A parser's message without the value that caused it, and the line. `message` is that of serde
/// or of the TOML reader, which quote what they found; `at` is where in `text` it was found.
pub fn fault(text: &str, message: &str, at: Option<usize>) -> String {
    let said = said(message.lines().next().unwrap_or_default());
    let line = at.and_then(|at| text.get(..at)).map(|before| {
        let breaks = before.bytes().filter(|byte| *byte == b'\n').count();
        breaks.saturating_add(1)
    });
    match line {
        Some(line) => format!("{said} (line {line})"),
        None => said,
    }
}

fn said(message: &str) -> String {
    // These quote the name of a setting.
    let names = ["missing field `", "unknown field `", "duplicate field `"];
    if names.iter().any(|start| message.starts_with(start)) {
        // The names that a setting could have are many; a name that somebody wrote could be anything.
        return match message.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", message.get(..end).unwrap_or_default()),
            None => message.to_owned(),
        };
    }
    // These quote a value; what was expected comes last and is ours.
    let values = ["invalid type", "invalid value", "invalid length"];
    if values.iter().any(|start| message.starts_with(start)) {
        let expected = message.rsplit_once(", expected ");
        let expected = expected.map_or("another one", |(_, expected)| expected);
        return format!("a value of the wrong type or range, expected {expected}");
    }
    if let Some((_, expected)) = message.rsplit_once(", expected one of ") {
        return format!("a word that is none of {expected}");
    }
    "not of the form that the file must have".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_never_repeated() {
        let told = |message: &str| fault("a = 1\nb = 2\n", message, Some(7));
        assert_eq!(
            told("invalid type: string \"Li, expected Hua\", expected u32"),
            "a value of the wrong type or range, expected u32 (line 2)"
        );
        assert_eq!(
            told("unknown variant `Li`, expected one of `a`, `b`"),
            "a word that is none of `a`, `b` (line 2)"
        );
        assert_eq!(
            told("unknown field `x`, expected `y`"),
            "unknown field `x`, expected `y` (line 2)"
        );
        let custom = told("`Li` is not a name");
        assert_eq!(custom, "not of the form that the file must have (line 2)");
    }
}
