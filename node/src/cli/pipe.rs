//! Standard output whose reader may leave early: `consilium-node log | head` ends quietly, with
//! the exit code that the command earned.

use std::io::{ErrorKind, Result, Write};

/// Writes until the reader has left, then drops the rest.
#[derive(Debug)]
pub(super) struct Pipe<W> {
    to: W,
    left: bool,
}

impl<W: Write> Pipe<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to, left: false }
    }

    fn unless_left<T>(&mut self, done: Result<T>, instead: T) -> Result<T> {
        match done {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.left = true;
                Ok(instead)
            }
            other => other,
        }
    }
}

impl<W: Write> Write for Pipe<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        if self.left {
            return Ok(bytes.len());
        }
        let done = self.to.write(bytes);
        self.unless_left(done, bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        if self.left {
            return Ok(());
        }
        let done = self.to.flush();
        self.unless_left(done, ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that leaves after its first line.
    struct Head(Vec<u8>);

    impl Write for Head {
        fn write(&mut self, bytes: &[u8]) -> Result<usize> {
            if self.0.contains(&b'\n') {
                return Err(ErrorKind::BrokenPipe.into());
            }
            self.0.extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> Result<()> {
            Err(ErrorKind::StorageFull.into())
        }
    }

    #[test]
    fn a_reader_that_left_is_no_error_and_a_full_disk_is() {
        let mut pipe = Pipe::new(Head(Vec::new()));
        assert!(pipe.flush().is_err());
        for line in ["one\n", "two\n", "three\n"] {
            pipe.write_all(line.as_bytes()).unwrap();
        }
        assert!(pipe.flush().is_ok());
        assert_eq!(pipe.to.0, b"one\n");
    }
}
