//! The command line: `sottovoce relay`, `invite`, `join`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
