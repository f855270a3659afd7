//! The coordinator's command line; everything else is in the library.

fn main() -> std::process::ExitCode {
    coordinator::cli::main()
}
