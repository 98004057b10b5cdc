//! The `precast-runner` binary, built as part of this package so that its tests know where it is.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    precast_cli::run_bundled()
}
