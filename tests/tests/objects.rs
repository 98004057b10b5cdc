//! Object files, read again with another reader: what a linker will find in them, for every format and
//! instruction set. The code in them is the code of artifacts.
#![forbid(unsafe_code)]

use object::read::{File, Object, ObjectSection, ObjectSymbol, Section, Symbol};
use object::{Architecture, BinaryFormat, RelocationTarget, SectionKind, SymbolScope};
use precast_compiler::emit::ObjectOptions;
use precast_compiler::{CompiledObject, Options, Silent, Target};
use precast_format::Artifact;
use precast_format::static_module::{self, FIELDS, StaticModule};
use precast_format::tunables::RelocationModel;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// A module with functions that call each other, an import, a memory with contents, a table, and a name
/// that no linker would like.
const MODULE: &str = r#"(module $app
  (import "host" "note" (func $note (param i32)))
  (memory (export "memory") 1 2)
  (table 2 funcref)
  (elem (i32.const 0) $add $fib)
  (data (i32.const 64) "contents of memory")
  (func $div (export "div") (param i32 i32) (result i32)
    (i32.div_s (local.get 0) (local.get 1)))
  (func $add (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func $fib (export "fib") (param i32) (result i32)
    (call $note (local.get 0))
    (if (result i32) (i32.lt_s (local.get 0) (i32.const 2))
      (then (local.get 0))
      (else (i32.add
        (call $fib (i32.sub (local.get 0) (i32.const 1)))
        (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func (@name "größe::<u8> */") (export "of memory") (result i32) (memory.size))
  (func (param f64 i64) (result f64) (f64.add (local.get 0) (f64.convert_i64_s (local.get 1)))))"#;

/// Targets with native code, and what their object files are.
const NATIVE: &[(&str, BinaryFormat, Architecture)] = &[
    (
        "x86_64-unknown-linux-gnu",
        BinaryFormat::Elf,
        Architecture::X86_64,
    ),
    (
        "aarch64-unknown-linux-gnu",
        BinaryFormat::Elf,
        Architecture::Aarch64,
    ),
    (
        "riscv64gc-unknown-linux-gnu",
        BinaryFormat::Elf,
        Architecture::Riscv64,
    ),
    (
        "s390x-unknown-linux-gnu",
        BinaryFormat::Elf,
        Architecture::S390x,
    ),
    (
        "x86_64-unknown-none",
        BinaryFormat::Elf,
        Architecture::X86_64,
    ),
    (
        "aarch64-unknown-none",
        BinaryFormat::Elf,
        Architecture::Aarch64,
    ),
    (
        "riscv64gc-unknown-none-elf",
        BinaryFormat::Elf,
        Architecture::Riscv64,
    ),
    (
        "x86_64-apple-darwin",
        BinaryFormat::MachO,
        Architecture::X86_64,
    ),
    (
        "aarch64-apple-darwin",
        BinaryFormat::MachO,
        Architecture::Aarch64,
    ),
    (
        "x86_64-pc-windows-msvc",
        BinaryFormat::Coff,
        Architecture::X86_64,
    ),
    (
        "aarch64-pc-windows-msvc",
        BinaryFormat::Coff,
        Architecture::Aarch64,
    ),
];

fn wasm() -> Vec<u8> {
    wat::parse_str(MODULE).expect("the text is a module")
}

fn options(target: &str) -> Options {
    Options::new(Target::new(target).expect("the target is known"))
}

fn compile(target: &str, machine: Option<&str>) -> CompiledObject {
    let object = ObjectOptions {
        name: "app".into(),
        machine: machine.map(str::to_owned),
    };
    precast_compiler::compile_object(&wasm(), &options(target), &object, &Silent)
        .expect("the module is valid")
}

/// An object file with what a test asks of it.
struct Reader<'a> {
    file: File<'a>,
    artifact: Artifact<'a>,
    text_size: usize,
}

impl<'a> Reader<'a> {
    fn new(compiled: &'a CompiledObject) -> Reader<'a> {
        let artifact = Artifact::parse_split(&compiled.metadata, compiled.text_bytes);
        let artifact = artifact.expect("the metadata is an artifact");
        artifact
            .validate_diagnostics()
            .expect("its tables are valid");
        Reader {
            file: File::parse(&*compiled.object).expect("it is an object file"),
            artifact,
            text_size: compiled.text_bytes,
        }
    }

    /// A symbol by the name that the language has for it.
    fn symbol(&self, name: &str) -> Symbol<'_, '_> {
        let mangled = match self.file.format() {
            BinaryFormat::MachO => format!("_{name}"),
            _ => name.to_owned(),
        };
        let mut symbols = self.file.symbols();
        let found = symbols.find(|symbol| symbol.name() == Ok(&*mangled));
        found.unwrap_or_else(|| panic!("there is no symbol {mangled}"))
    }

    fn section_of(&self, symbol: &Symbol<'_, '_>) -> Section<'_, '_> {
        let index = symbol.section_index().expect("the symbol is defined");
        self.file.section_by_index(index).expect("it is there")
    }

    /// Where a symbol is in its section.
    fn offset(&self, symbol: &Symbol<'_, '_>) -> u64 {
        symbol.address() - self.section_of(symbol).address()
    }

    /// The places in a section that wait for an address, and what they get: a section's number and an
    /// offset in it. The contents hold the addend where relocations do not.
    fn relocations(&self, section: &Section<'_, '_>) -> Vec<(u64, usize, u64)> {
        let data = section.data().expect("it has contents");
        let relocations = section.relocations().map(|(offset, relocation)| {
            let RelocationTarget::Symbol(index) = relocation.target() else {
                panic!("a relocation without a symbol");
            };
            let symbol = self.file.symbol_by_index(index).expect("it is there");
            let mut addend = relocation.addend();
            if relocation.has_implicit_addend() {
                let bytes = &data[offset as usize..];
                addend += match relocation.size() {
                    64 => i64::from_le_bytes(bytes[..8].try_into().unwrap()),
                    _ => i64::from(i32::from_le_bytes(bytes[..4].try_into().unwrap())),
                };
            }
            let section = symbol.section_index().expect("it is defined").0;
            let target = self.offset(&symbol).wrapping_add_signed(addend);
            (offset, section, target)
        });
        let mut relocations: Vec<_> = relocations.collect();
        relocations.sort_unstable();
        relocations
    }

    /// Offsets of functions, trampolines and adapters in the text, with the sizes that symbols have.
    fn code(&self) -> BTreeMap<u64, String> {
        let text = self.symbol("app$text");
        let section = text.section_index();
        let code = self.file.symbols().filter(|symbol| {
            let name = symbol.name().unwrap_or_default();
            symbol.section_index() == section
                && name.contains("app$")
                && !name.ends_with("app$text")
        });
        code.map(|symbol| {
            (
                self.offset(&symbol),
                symbol.name().unwrap().trim_start_matches('_').to_owned(),
            )
        })
        .collect()
    }

    /// The bytes of a defined function.
    fn function(&self, index: u32) -> &[u8] {
        let function = self.artifact.functions().get(index).expect("it is there");
        let section = self.section_of(&self.symbol("app$text"));
        let data = self
            .file
            .section_by_index(section.index())
            .unwrap()
            .data()
            .unwrap();
        &data[function.text_offset as usize..function.text_end() as usize]
    }
}

#[test]
fn sections_hold_the_artifact() {
    for (target, format, architecture) in NATIVE {
        let compiled = compile(target, None);
        let reader = Reader::new(&compiled);
        assert_eq!(reader.file.format(), *format, "{target}");
        assert_eq!(reader.file.architecture(), *architecture, "{target}");
        let mut options = options(target);
        options.relocation_model = RelocationModel::Xip;
        options.page_size_log2 = Some(0);
        let artifact = precast_compiler::compile(&wasm(), &options, &Silent)
            .unwrap()
            .artifact;
        let artifact = Artifact::parse(&artifact).unwrap();
        let text = reader.section_of(&reader.symbol("app$text"));
        assert_eq!(text.kind(), SectionKind::Text, "{target}");
        assert_eq!(text.data().unwrap(), artifact.text(), "{target}");
        assert!(text.align() >= 16, "{target}");
        assert_eq!(text.relocations().count(), 0, "{target}");
        let metadata = reader.section_of(&reader.symbol("app$metadata"));
        assert_eq!(metadata.kind(), SectionKind::ReadOnlyData, "{target}");
        assert_eq!(metadata.data().unwrap(), compiled.metadata, "{target}");
        assert_eq!(metadata.relocations().count(), 0, "{target}");
        let data = reader.symbol("app$data");
        assert_eq!(data.section_index(), Some(metadata.index()));
        let at = reader.offset(&data) as usize;
        assert!(compiled.metadata[at..].starts_with(b"contents of memory"));
    }
}

#[test]
fn the_public_symbol_leads_to_the_parts() {
    for (target, format, _) in NATIVE {
        let compiled = compile(target, None);
        let reader = Reader::new(&compiled);
        let public: Vec<_> = reader
            .file
            .symbols()
            .filter(|symbol| symbol.is_definition() && symbol.scope() != SymbolScope::Compilation)
            .map(|symbol| symbol.name().unwrap().trim_start_matches('_').to_owned())
            .collect();
        assert_eq!(public, ["precast_module_app"], "{target}");
        let symbol = reader.symbol("precast_module_app");
        let section = reader.section_of(&symbol);
        let width = reader.artifact.header().isa.pointer_width();
        let (start, size) = (reader.offset(&symbol) as usize, StaticModule::size(width));
        let mut bytes = section.data().unwrap()[start..start + size].to_vec();
        assert!(section.align() >= 8, "{target}");
        let offset = |name: &str| {
            let field = FIELDS.iter().find(|field| field.name == name).unwrap();
            field.offset(width)
        };
        let index = |name: &str| reader.symbol(name).section_index().unwrap().0;
        let expected = [("metadata", "app$metadata"), ("text", "app$text")]
            .map(|(field, symbol)| (offset(field) as u64, index(symbol), 0));
        assert_eq!(reader.relocations(&section), expected, "{target}");
        // Implicit addends aside, the bytes are the template's.
        for field in ["metadata", "text"] {
            bytes[offset(field)..][..width.bytes() as usize].fill(0);
        }
        let sizes = [compiled.metadata.len(), compiled.text_bytes].map(|size| size as u32);
        let order = reader.artifact.header().endianness;
        let template = static_module::template(width, order, sizes[0], sizes[1]);
        assert_eq!(bytes, template[..size], "{target}");
        // Dynamic linkers write into it, and into nothing else.
        if *format == BinaryFormat::Elf {
            let name = section.name().unwrap();
            assert!(name.starts_with(".data.rel.ro."), "{target} {name}");
        }
    }
}

#[test]
fn functions_have_symbols() {
    for (target, format, _) in NATIVE {
        let compiled = compile(target, None);
        let reader = Reader::new(&compiled);
        let code = reader.code();
        let functions = reader.artifact.functions();
        for (function, name) in functions.into_iter().zip([
            "app$div",
            "app$add",
            "app$fib",
            "app$gr__e___u8____",
            "app$func.5",
        ]) {
            let found = code
                .get(&u64::from(function.text_offset))
                .map(String::as_str);
            assert_eq!(found, Some(name), "{target}");
            let symbol = reader.symbol(name);
            assert_eq!(symbol.scope(), SymbolScope::Compilation);
            if *format == BinaryFormat::Elf {
                assert_eq!(symbol.size(), u64::from(function.text_size), "{target}");
                assert_eq!(symbol.kind(), object::SymbolKind::Text, "{target}");
            }
        }
        let of_types = reader.artifact.types().into_iter().flat_map(|ty| {
            [
                (ty.entry_trampoline, "entry", ty.canonical),
                (ty.host_adapter, "host", ty.canonical),
                (ty.switch_adapter, "switch", ty.canonical),
            ]
        });
        let mut count = functions.len() as usize;
        for (offset, what, ty) in of_types {
            if let Some(offset) = offset {
                let name = code.get(&u64::from(offset)).map(String::as_str);
                assert_eq!(name, Some(&*format!("app${what}.{ty}")), "{target}");
                count += 1;
            }
        }
        assert!(count > 10, "the module has trampolines and adapters");
        assert_eq!(code.len(), count, "{target}");
    }
}

/// The ranges of the text that call frame information describes.
fn eh_frame(reader: &Reader<'_>, section: &Section<'_, '_>) -> BTreeMap<u64, u64> {
    let data = section.data().unwrap();
    let big = !reader.file.is_little_endian();
    let word = |at: usize| {
        let bytes = data[at..at + 4].try_into().unwrap();
        if big {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        }
    };
    let is_macho = reader.file.format() == BinaryFormat::MachO;
    let mut targets = BTreeMap::new();
    let text = reader.symbol("app$text").section_index().unwrap().0;
    for (offset, section, target) in reader.relocations(section) {
        // On Mach-O the place itself is subtracted first.
        if section == text {
            targets.insert(
                offset,
                if is_macho {
                    target.wrapping_add(offset)
                } else {
                    target
                },
            );
        }
    }
    let (mut ranges, mut at) = (BTreeMap::new(), 0);
    while at < data.len() {
        let length = word(at) as usize;
        if word(at + 4) != 0 {
            let start = targets[&(at as u64 + 8)];
            let range = at + 8 + if is_macho { 8 } else { 4 };
            ranges.insert(start, u64::from(word(range)));
        }
        at += 4 + length;
    }
    ranges
}

/// The ranges of the text that the tables of Windows describe.
fn pdata(reader: &Reader<'_>, section: &Section<'_, '_>) -> BTreeMap<u64, u64> {
    let x86_64 = reader.file.architecture() == Architecture::X86_64;
    let entry = if x86_64 { 12 } else { 8 };
    let xdata = reader.file.section_by_name(".xdata").expect("it is there");
    let records = xdata.data().unwrap();
    let relocations = reader.relocations(section);
    let places: BTreeMap<u64, (usize, u64)> = relocations
        .iter()
        .map(|(at, section, target)| (*at, (*section, *target)))
        .collect();
    let count = section.data().unwrap().len() as u64 / entry;
    let ranges = (0..count).map(|index| {
        let at = index * entry;
        let (_, start) = places[&at];
        let (to, record) = places[&(at + entry - 4)];
        assert_eq!(to, xdata.index().0);
        let record = &records[record as usize..];
        if x86_64 {
            // Version 1, no handler, a frame register.
            assert_eq!((record[0], record[3]), (1, 5));
            (start, places[&(at + 4)].1 - start)
        } else {
            let header = u32::from_le_bytes(record[..4].try_into().unwrap());
            assert_eq!(header >> 27, 1, "one word of codes");
            (start, u64::from(header & 0x3_ffff) * 4)
        }
    });
    ranges.collect()
}

#[test]
fn frame_tables_cover_all_code() {
    for (target, format, _) in NATIVE {
        let compiled = compile(target, None);
        let reader = Reader::new(&compiled);
        let section = |name| reader.file.section_by_name(name).expect("it is there");
        let ranges = match format {
            BinaryFormat::Elf => eh_frame(&reader, &section(".eh_frame")),
            BinaryFormat::MachO => eh_frame(&reader, &section("__eh_frame")),
            _ => pdata(&reader, &section(".pdata")),
        };
        let starts: BTreeSet<_> = ranges.keys().copied().collect();
        let code: BTreeSet<_> = reader.code().into_keys().collect();
        assert_eq!(starts, code, "{target}");
        for function in reader.artifact.functions() {
            let range = ranges[&u64::from(function.text_offset)];
            assert_eq!(range, u64::from(function.text_size), "{target}");
        }
        for (start, size) in ranges {
            assert!(start + size <= reader.text_size as u64, "{target}");
        }
    }
}

#[test]
fn formats_differ_in_nothing_but_conventions() {
    for (elf, others) in [
        (
            "x86_64-unknown-linux-gnu",
            ["x86_64-apple-darwin", "x86_64-pc-windows-msvc"],
        ),
        (
            "aarch64-unknown-linux-gnu",
            ["aarch64-apple-darwin", "aarch64-pc-windows-msvc"],
        ),
    ] {
        let elf = compile(elf, None);
        let elf = Reader::new(&elf);
        for other in others {
            let compiled = compile(other, None);
            let reader = Reader::new(&compiled);
            // Functions that call no host: their convention is ours. The one that calls a host goes
            // through an adapter, so it is the same, too.
            for index in [0, 1, 2, 4] {
                assert_eq!(
                    reader.function(index),
                    elf.function(index),
                    "{other} {index}"
                );
            }
            let same_abi = reader.artifact.header().host_abi == elf.artifact.header().host_abi;
            let text = |reader: &Reader<'_>| {
                let section = reader.section_of(&reader.symbol("app$text"));
                section.data().unwrap().to_vec()
            };
            if same_abi {
                assert_eq!(text(&reader), text(&elf), "{other}");
            }
        }
    }
}

#[test]
fn bytecode_is_data_of_the_machine() {
    for (machine, architecture) in [
        ("thumbv7em-none-eabihf", Architecture::Arm),
        ("riscv32imac-unknown-none-elf", Architecture::Riscv32),
        ("i686-unknown-linux-gnu", Architecture::I386),
    ] {
        let compiled = compile("pulley32", Some(machine));
        let reader = Reader::new(&compiled);
        assert_eq!(reader.file.architecture(), architecture);
        assert_eq!(reader.file.format(), BinaryFormat::Elf);
        let text = reader.section_of(&reader.symbol("app$text"));
        assert_eq!(text.kind(), SectionKind::ReadOnlyData, "{machine}");
        let section = reader.section_of(&reader.symbol("precast_module_app"));
        let bare = machine.contains("none");
        let is_fixed = section.kind() == SectionKind::ReadOnlyData;
        assert_eq!(is_fixed, bare, "{machine}");
        let index = |name: &str| reader.symbol(name).section_index().unwrap().0;
        let expected = [(16, index("app$metadata"), 0), (24, index("app$text"), 0)];
        assert_eq!(reader.relocations(&section), expected, "{machine}");
        assert!(reader.file.section_by_name(".eh_frame").is_none());
    }
}

#[test]
fn object_files_are_the_same_each_time() {
    let mut options = options("x86_64-unknown-linux-gnu");
    let object = ObjectOptions {
        name: "app".into(),
        machine: None,
    };
    let mut compile = |threads| {
        options.threads = Some(threads);
        let compiled = precast_compiler::compile_object(&wasm(), &options, &object, &Silent);
        compiled.unwrap().object
    };
    assert!(compile(1) == compile(3));
}

/// What a disassembler makes of a function: instructions without addresses.
fn disassembly(tool: &str, target: &str, symbol: &str) -> Option<Vec<String>> {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{target}.o"));
    std::fs::write(&path, compile(target, None).object).unwrap();
    let output = Command::new(tool)
        .arg(format!("--disassemble-symbols={symbol}"))
        .args(["--no-show-raw-insn", "--no-leading-addr"])
        .arg(&path)
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().filter(|line| line.starts_with([' ', '\t']));
    Some(lines.map(|line| line.trim().to_owned()).collect())
}

#[test]
fn disassemblers_agree_about_functions() {
    let tools = ["llvm-objdump-22", "llvm-objdump"];
    let tool = tools.into_iter().find(|tool| {
        let output = Command::new(tool).arg("--version").output();
        output.is_ok_and(|output| {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            text.contains("aarch64") && text.contains("x86-64")
        })
    });
    let Some(tool) = tool else {
        println!("skipped: there is no llvm-objdump for x86-64 and aarch64");
        return;
    };
    for isa in ["x86_64", "aarch64"] {
        let elf = disassembly(tool, &format!("{isa}-unknown-linux-gnu"), "app$add");
        let elf = elf.expect("the tool runs");
        assert!(elf.iter().any(|line| line.contains("ret")), "{elf:?}");
        for (system, symbol) in [("apple-darwin", "_app$add"), ("pc-windows-msvc", "app$add")] {
            let other = disassembly(tool, &format!("{isa}-{system}"), symbol);
            assert_eq!(other.as_ref(), Some(&elf), "{isa}-{system}");
        }
    }
}
