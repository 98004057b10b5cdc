//! Links the command at a fixed address where that is known to work.
//!
//! `.cargo/config.toml` asks for static linking, which rustc makes a position-independent
//! executable.
//! The code generator's tables hold some twenty thousand pointers. In a position-independent
//! executable each start relocates them all, which takes longer than a small program runs and
//! leaves 300 KB of private memory behind. Compiled code, memories, stacks and libraries keep their
//! random addresses.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let target = [
        "CARGO_CFG_TARGET_OS",
        "CARGO_CFG_TARGET_ENV",
        "CARGO_CFG_TARGET_ARCH",
    ]
    .map(variable);
    if target == ["linux", "gnu", "x86_64"] && variable("PROFILE") == "release" {
        println!("cargo:rustc-link-arg-bins=-no-pie");
        let features = variable("CARGO_CFG_TARGET_FEATURE");
        if features.split(',').any(|feature| feature == "crt-static") {
            println!("cargo:rustc-link-arg-bins=-static");
        }
    }
}
