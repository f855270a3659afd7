//! The command `consilium-node`.

fn main() -> std::process::ExitCode {
    node::cli::main()
}
