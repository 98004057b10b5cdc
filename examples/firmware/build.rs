//! Tells the linker where the board has its flash and its RAM.

use std::env;
use std::fs;
use std::path::PathBuf;

fn main() {
    let target = env::var("TARGET").expect("cargo sets it");
    // The script of the board; the crate that starts a processor brings what it includes it in.
    let (map, script) = match target.as_str() {
        "aarch64-unknown-none" => ("aarch64-virt.x", "memory.x"),
        "thumbv7em-none-eabihf" => ("mps2-an386.x", "link.x"),
        "riscv64gc-unknown-none-elf" | "riscv32imac-unknown-none-elf" => ("riscv-virt.x", "link.x"),
        _ => panic!(
            "no board here has a processor for {target}: `cargo xtask firmware` builds for those that have"
        ),
    };
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let source = PathBuf::from("link").join(map);
    let text = fs::read_to_string(&source).expect("the memory map of the board can be read");
    fs::write(folder.join("memory.x"), text).expect("cargo's folder can be written");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={}", source.display());
    println!("cargo:rustc-link-search={}", folder.display());
    if target.starts_with("riscv") {
        println!("cargo:rustc-link-arg-bins=-Tmemory.x");
    }
    println!("cargo:rustc-link-arg-bins=-T{script}");
}
