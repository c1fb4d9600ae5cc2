//! The command line: `sottovoce relay`, `invite`, `join`, `drill`.

mod cli;

#[global_allocator]
static ALLOCATOR: sottovoce::quiet::Wiping = sottovoce::quiet::Wiping::over_system();

fn main() -> std::process::ExitCode {
    cli::main()
}
