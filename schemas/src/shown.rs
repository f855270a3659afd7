//! Text that others wrote, as people are shown it: on the line where it belongs, and without
//! anything that a terminal or a reader of logs would obey.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{Result, Write};

/// Whether a character is no text: control characters (with escape, and those above ASCII), ends of
/// lines of every kind, and what turns the direction of writing.
fn commands(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// Whether a text is one line that can be shown as it is.
pub fn is_plain(text: &str) -> bool {
    !text.chars().any(commands)
}

/// The text on one line: what is no text is written as JSON escapes it (`\n`, `\u001b`), so that a
/// JSON value stays the same value.
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

fn escaped(text: &str, keep: fn(char) -> bool) -> Cow<'_, str> {
    let spoils = |c: char| commands(c) && !keep(c);
    if !text.chars().any(spoils) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if !spoils(c) => shown.push(c),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            // Writing to a string does not fail.
            c => drop(write!(shown, "\\u{:04x}", u32::from(c))),
        }
    }
    Cow::Owned(shown)
}

/// A command's output on its way to a terminal: line ends and tabs pass, nothing else that is no
/// text does. Bytes that are not UTF-8 become replacement characters.
#[derive(Debug)]
pub struct Screen<W> {
    to: W,
    /// The first bytes of a character that the last piece broke off.
    begun: Vec<u8>,
}

impl<W: Write> Screen<W> {
    /// Writes to `to`.
    pub fn new(to: W) -> Self {
        let begun = Vec::new();
        Self { to, begun }
    }
}

impl<W: Write> Write for Screen<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.begun.extend(bytes);
        let whole = match std::str::from_utf8(&self.begun) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.begun.len(),
        };
        let rest = self.begun.split_off(whole);
        let text = std::mem::replace(&mut self.begun, rest);
        let text = String::from_utf8_lossy(&text);
        let shown = escaped(&text, |c| matches!(c, '\n' | '\t'));
        self.to.write_all(shown.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        self.to.flush()
    }
}

/// A log on its way to a terminal or file: each piece is one entry, written whole by its writer,
/// and becomes one line.
#[derive(Debug)]
pub struct Entries<W>(pub W);

impl<W: Write> Write for Entries<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        self.0.write_all(format!("{}\n", line(text)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVIL: &str =
        "a\nb\r\u{1b}[31mc\u{9b}2J\u{2028}\u{2029}\u{85}\u{202e}d\u{2066}\u{200f}\t\u{7f}\0";

    #[test]
    fn what_is_no_text_is_written_out() {
        let shown = line(EVIL);
        assert!(is_plain(&shown) && !is_plain(EVIL));
        assert_eq!(
            shown,
            "a\\nb\\r\\u001b[31mc\\u009b2J\\u2028\\u2029\\u0085\\u202ed\\u2066\\u200f\\t\\u007f\\u0000"
        );
        assert!(matches!(line("医院 \u{1f3e5} – é"), Cow::Borrowed(_)));
        let json: String = serde_json::from_str(&format!("\"{shown}\"")).unwrap();
        assert_eq!(json, EVIL);
    }

    #[test]
    fn a_screen_gets_lines_and_text_however_the_pieces_are_cut() {
        let text = format!("one\n医院\ttwo {EVIL}\nlast\n");
        let expected = {
            let mut screen = Screen::new(Vec::new());
            screen.write_all(text.as_bytes()).unwrap();
            screen.to
        };
        let shown = String::from_utf8(expected.clone()).unwrap();
        assert!(shown.starts_with("one\n医院\ttwo a\nb\\r\\u001b[31m"));
        for size in 1..7 {
            let mut screen = Screen::new(Vec::new());
            for piece in text.as_bytes().chunks(size) {
                screen.write_all(piece).unwrap();
            }
            assert_eq!(screen.to, expected, "pieces of {size}");
        }
        let mut screen = Screen::new(Vec::new());
        screen.write_all(b"a\xff\x1bb\n").unwrap();
        assert_eq!(screen.to, "a\u{fffd}\\u001bb\n".as_bytes());
    }

    #[test]
    fn an_entry_of_a_log_is_one_line() {
        let mut log = Entries(Vec::new());
        log.write_all(format!("{EVIL}\nforged\n").as_bytes())
            .unwrap();
        let text = String::from_utf8(log.0).unwrap();
        assert_eq!(text.matches('\n').count(), 1);
        assert!(text.ends_with("\\nforged\n"));
    }
}
