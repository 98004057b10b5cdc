//! The `precast` command, built as part of this package so that its tests know where it is.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    precast_cli::main()
}
