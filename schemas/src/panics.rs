//! What a panic tells: its place and nothing else. Its message may quote a value, as those of libraries that cut
//! texts do, and standard error goes to files that others read.

use std::io::Write as _;
use std::panic::PanicHookInfo;

/// From here on a panic of this process is told by its place alone.
pub fn tell_places_alone() {
    std::panic::set_hook(Box::new(|about| {
        // Nothing is left to do if even this cannot be shown.
        drop(writeln!(std::io::stderr(), "{}", told(about)));
    }));
}

fn told(about: &PanicHookInfo<'_>) -> String {
    match about.location() {
        Some(place) => format!("internal error at {}:{}", place.file(), place.line()),
        None => "internal error".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs in a process of its own: a hook is the whole process's.
    #[test]
    #[ignore = "started by the test below"]
    fn worker() {
        tell_places_alone();
        let name = String::from("李四");
        panic!("{name} 110101199003074514");
    }

    #[test]
    fn a_panic_does_not_quote_what_it_stumbled_over() {
        let own = std::env::current_exe().unwrap();
        let ran = std::process::Command::new(own)
            .args([
                "--exact",
                "--ignored",
                "--nocapture",
                "panics::tests::worker",
            ])
            .env("RUST_BACKTRACE", "0")
            .output()
            .unwrap();
        let told = String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap();
        assert!(
            !ran.status.success() && told.contains("internal error at"),
            "{told}"
        );
        assert!(!told.contains("李四") && !told.contains("11010"), "{told}");
    }
}
