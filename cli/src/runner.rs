//! The `precast-runner` binary: nothing but what runs the program that `precast bundle` appends.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    precast_cli::run_bundled()
}
