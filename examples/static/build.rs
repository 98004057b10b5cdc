//! Compiles the guest to an object file and links it into the program.
//!
//! The environment variable `PRECAST` is the path of the command. Without it the program is built all
//! the same, and says how to build it otherwise.

use std::env;
use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/guest.wat");
    println!("cargo:rerun-if-env-changed=PRECAST");
    println!("cargo:rustc-check-cfg=cfg(linked)");
    let Some(precast) = env::var_os("PRECAST") else {
        return;
    };
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let target = env::var("TARGET").expect("cargo sets it");
    let (object, module) = (folder.join("guest.o"), folder.join("guest.rs"));
    let status = Command::new(precast)
        .args(["compile", "src/guest.wat", "--emit", "object", "--quiet"])
        .args(["--target", &target])
        // For a pool and for hosts without signal handlers.
        .args(["--bounds-checks", "explicit", "--traps", "explicit"])
        .arg("-o")
        .arg(&object)
        .arg("--emit-rust")
        .arg(&module)
        .status()
        .expect("PRECAST is the path of the command");
    assert!(status.success(), "precast compile failed: {status}");
    println!("cargo:rustc-link-arg-bins={}", object.display());
    println!("cargo:rustc-cfg=linked");
}
