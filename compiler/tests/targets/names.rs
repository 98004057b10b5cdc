//! Names of targets: what they mean, what is said, and what is suggested where one is not known.

use precast_compiler::{ALIASES, KNOWN, Target};
use precast_format::target::{Endianness, HostAbi, Isa};

fn refusal(name: &str) -> String {
    Target::new(name).expect_err("no target").to_string()
}

#[test]
fn known_triples_and_aliases_mean_themselves() {
    for known in KNOWN {
        let target = Target::new(known.triple).expect("a known triple");
        assert_eq!(target.triple().to_string(), known.triple);
        assert_eq!(target.note(), None);
    }
    for alias in ALIASES {
        let target = Target::new(alias.name).expect("a known name");
        let spelled = Target::new(alias.triple).expect("a triple");
        assert_eq!(target, spelled, "{}", alias.name);
        // A name for code is that of a triple in the list; another stands for bytecode, and says so.
        let listed = KNOWN.iter().any(|known| known.triple == alias.triple);
        assert_eq!(target.note().is_none(), listed, "{}", alias.name);
    }
}

#[test]
fn machines_without_a_code_generator_mean_bytecode() {
    use Endianness::{Big, Little};
    for (name, isa, endianness) in [
        ("thumbv7em", Isa::Pulley32, Little),
        ("thumbv7em-none-eabihf", Isa::Pulley32, Little),
        ("thumbv8m.main-none-eabi", Isa::Pulley32, Little),
        ("armv7-unknown-linux-gnueabihf", Isa::Pulley32, Little),
        ("riscv32imac-unknown-none-elf", Isa::Pulley32, Little),
        ("xtensa-esp32-none-elf", Isa::Pulley32, Little),
        ("i686-unknown-linux-gnu", Isa::Pulley32, Little),
        ("i686-pc-windows-msvc", Isa::Pulley32, Little),
        ("mips-unknown-linux-gnu", Isa::Pulley32, Big),
        ("powerpc64le-unknown-linux-gnu", Isa::Pulley64, Little),
        ("sparc64-unknown-linux-gnu", Isa::Pulley64, Big),
    ] {
        let target = Target::new(name).expect("a machine");
        assert_eq!((target.isa(), target.endianness()), (isa, endianness));
        assert!(!target.is_hosted());
        assert_eq!(target.host_abi(), HostAbi::SystemV);
        let note = target.note().expect("it is said");
        assert!(note.contains("bytecode"), "{note}");
        assert!(note.contains(isa.name()), "{note}");
        assert!(note.contains(endianness.name()), "{note}");
    }
}

#[test]
fn other_systems_of_known_architectures_are_taken() {
    for (name, isa, hosted) in [
        ("x86_64-unknown-freebsd", Isa::X86_64, true),
        ("aarch64-linux-android", Isa::Aarch64, true),
        ("aarch64-unknown-none-softfloat", Isa::Aarch64, false),
        ("riscv64imac-unknown-none-elf", Isa::Riscv64, false),
    ] {
        let target = Target::new(name).expect("a triple");
        assert_eq!((target.isa(), target.is_hosted()), (isa, hosted), "{name}");
        assert_eq!(target.note(), None);
    }
}

#[test]
fn conventions_are_the_system_s() {
    for (name, abi) in [
        ("x86_64-unknown-linux-musl", HostAbi::SystemV),
        ("x86_64-apple-darwin", HostAbi::SystemV),
        ("x86_64-pc-windows-msvc", HostAbi::WindowsFastcall),
        ("x86_64-pc-windows-gnullvm", HostAbi::WindowsFastcall),
        ("aarch64-pc-windows-msvc", HostAbi::WindowsFastcall),
        ("aarch64-apple-darwin", HostAbi::AppleAarch64),
        ("aarch64-unknown-none", HostAbi::SystemV),
    ] {
        let target = Target::new(name).expect("a triple");
        assert_eq!(target.host_abi(), abi, "{name}");
    }
}

#[test]
fn unknown_names_get_the_nearest_one() {
    for (name, nearest) in [
        ("aarhc64", "aarch64"),
        ("x86-64", "x86_64"),
        ("riscv46", "riscv64"),
        ("thumb7em", "thumbv7em"),
        ("aarch64-unknown-linxu-gnu", "aarch64-unknown-linux-gnu"),
        ("s390", "s390x"),
    ] {
        let message = refusal(name);
        let suggestion = format!("did you mean `{nearest}`?");
        assert!(message.contains(&suggestion), "{message}");
        assert!(message.contains("precast targets"), "{message}");
    }
    let message = refusal("pdp11");
    assert!(!message.contains("did you mean"), "{message}");
    let mut target = Target::new("x86_64").expect("a known name");
    let message = target.set_cpu("haswel").expect_err("no CPU").to_string();
    assert!(message.contains("did you mean `haswell`?"), "{message}");
    assert!(message.contains("precast targets x86_64"), "{message}");
    let message = target.change_features("+avx22").expect_err("no feature");
    assert!(message.to_string().contains("did you mean `avx2`?"));
    // Nothing has changed.
    assert_eq!(target, Target::new("x86_64").expect("a known name"));
}

#[test]
fn machines_on_which_nothing_runs_are_refused_with_the_reason() {
    for (name, reason) in [
        ("wasm32-wasip1", "what is compiled"),
        ("thumbv6m-none-eabi", "compare-and-swap"),
        ("riscv32imc-unknown-none-elf", "compare-and-swap"),
        ("avr-unknown-unknown", "neither 32 nor 64"),
        ("aarch64_be-unknown-linux-gnu", "big-endian"),
        ("x86_64-unknown-linux-gnux32", "32 bits"),
        ("nvptx64-nvidia-cuda", "does not run there"),
    ] {
        let message = refusal(name);
        assert!(message.contains(reason), "{name}: {message}");
    }
}
