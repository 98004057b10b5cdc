//! What is kept of an artifact, byte for byte, from whatever source it comes.

mod support;

use std::alloc::{Layout, alloc, dealloc};
use std::ffi::{CString, c_void};
use std::path::PathBuf;

use precast_format::Artifact;
use precast_format::tunables::RelocationModel;
use precast_format::write::{ArtifactBuilder, CustomSection};
use precast_loader::{
    ArtifactUsage, Caller, Category, CustomAllocator, Imports, InstanceOptions, LoadError, Memory,
    Module, Runtime, RuntimeOptions, Source,
};
use support::{memory_type, rich, runtime};

/// Whether the code of this machine is bytecode.
const IS_BYTECODE: bool = support::ISA.is_bytecode();

/// Some of everything, with a text of many pages, and custom sections that are easy to recognise.
fn artifact() -> ArtifactBuilder {
    let mut artifact = rich();
    artifact.text.resize(300_000, 0xcc);
    artifact.custom_sections = vec![CustomSection {
        name: "note".into(),
        bytes: b"kept to the end".to_vec(),
    }];
    artifact
}

/// The same with relocations, which come after the text.
fn with_relocations() -> ArtifactBuilder {
    let mut artifact = artifact();
    artifact.tunables.relocation_model = RelocationModel::Direct;
    let raise = precast_format::libcall::Libcall::Raise;
    artifact.libcalls = artifact.libcalls.with(raise);
    artifact.relocations = vec![precast_format::write::Relocation {
        offset: 4096,
        kind: precast_format::relocation::RelocationKind::Abs8,
        symbol_kind: precast_format::relocation::SymbolKind::Libcall,
        symbol: raise as u32,
        addend: 0,
    }];
    artifact
}

/// The artifacts of the tests: bytes of the file, and how many of them a module needs.
fn artifacts() -> Vec<(Vec<u8>, usize)> {
    let mut builders = vec![artifact()];
    // Nothing writes into bytecode.
    if !IS_BYTECODE {
        builders.push(with_relocations());
    }
    let written = builders.into_iter().map(|builder| {
        let bytes = builder.write().expect("it is well formed");
        let artifact = Artifact::parse(&bytes).expect("it is well formed");
        let kept = artifact.resident_size();
        assert!(kept <= artifact.text_file_offset() as usize);
        assert!(kept > artifact.image().get(0).expect("it is there").file_offset as usize);
        // Bytecode is read where it lies.
        let kept = match IS_BYTECODE {
            true => artifact.size_to_text(),
            false => kept,
        };
        (bytes, kept)
    });
    written.collect()
}

fn load<'a>(runtime: &Runtime, source: impl Into<Source<'a>>) -> Module {
    // SAFETY: nothing of the artifact is executed, and files do not change.
    unsafe { runtime.load_unverified(source) }.expect("the device accepts it")
}

/// Instantiates twice and looks at what comes from the artifact.
fn works(module: &Module) {
    assert_eq!(module.name(), Some("rich"));
    assert_eq!(module.function_name(1), Some("defined"));
    assert_eq!(module.imports().count(), 2);
    let artifact = module.artifact();
    let custom = artifact.custom_sections().get(0).expect("it is there");
    assert_eq!(
        (custom.name, custom.bytes),
        ("note", &b"kept to the end"[..])
    );
    for _ in 0..2 {
        let mut imports = Imports::new(module.runtime());
        let host = |_: &mut Caller<'_>, _: i32, _: f64| 0u128;
        imports.func("env", "func", host).expect("there is memory");
        let memory = Memory::new(module.runtime(), memory_type(1, Some(3)));
        imports
            .memory("env", "memory", &memory.expect("there is memory"))
            .expect("there is memory");
        let instance = module
            .instantiate(&imports, InstanceOptions::default())
            .expect("all imports are there");
        let memory = instance.memory("memory").expect("it is exported");
        let mut bytes = [0; 6];
        memory.read(0, &mut bytes).expect("it is inside");
        assert_eq!(&bytes, b"image\0");
        memory.read(5000, &mut bytes).expect("it is inside");
        assert_eq!(&bytes, b"active");
        assert!(instance.untyped_func("func").is_ok());
    }
}

/// Without relocations, and without a text that is code.
fn is_left_behind(module: &Module) {
    let artifact = module.artifact();
    assert_eq!(artifact.text().is_empty(), !IS_BYTECODE);
    assert!(artifact.relocations().is_empty());
    assert_eq!(artifact.relocations().get(0), None);
}

fn of_artifact(runtime: &Runtime) -> (usize, usize) {
    let usage = runtime.usage(Category::Artifact);
    (usage.current, usage.peak)
}

/// A file of the test's, which is gone with the value.
struct File(PathBuf);

impl File {
    fn new(name: &str, bytes: &[u8]) -> File {
        let name = format!("precast-sources-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, bytes).expect("the folder is writable");
        File(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).expect("the file is ours");
    }
}

fn usage(owned: usize, borrowed: usize, mapped: usize, released: usize) -> [usize; 4] {
    [owned, borrowed, mapped, released]
}

fn of(module: &Module) -> [usize; 4] {
    let ArtifactUsage {
        owned,
        borrowed,
        mapped,
        released,
        ..
    } = module.artifact_usage();
    usage(owned, borrowed, mapped, released)
}

#[test]
fn of_copied_bytes_the_code_is_never_copied() {
    for (bytes, kept) in artifacts() {
        let runtime = runtime();
        let mut lent = bytes.clone();
        let module = load(&runtime, Source::copied(&lent));
        assert_eq!(of(&module), usage(kept, 0, 0, bytes.len() - kept));
        assert_eq!(of_artifact(&runtime), (kept, kept));
        is_left_behind(&module);
        // They are the host's again.
        lent.fill(0xff);
        drop(lent);
        works(&module);
        drop(module);
        assert_eq!(of_artifact(&runtime), (0, kept));
    }
}

#[test]
fn of_given_bytes_the_rest_is_given_back() {
    for (bytes, kept) in artifacts() {
        for spare in [0, 10_000] {
            let runtime = runtime();
            let mut given = Vec::with_capacity(bytes.len() + spare);
            given.extend_from_slice(&bytes);
            let capacity = given.capacity();
            let module = load(&runtime, Source::given(given));
            assert_eq!(of(&module), usage(kept, 0, 0, bytes.len() - kept));
            assert_eq!(of_artifact(&runtime), (kept, capacity));
            is_left_behind(&module);
            works(&module);
            drop(module);
            assert_eq!(of_artifact(&runtime), (0, capacity));
        }
    }
}

#[test]
fn of_borrowed_bytes_nothing_is_owned() {
    for (bytes, kept) in artifacts() {
        let runtime = runtime();
        let size = bytes.len();
        let module = load(&runtime, Source::borrowed(bytes.leak()));
        assert_eq!(of(&module), usage(0, kept, 0, size - kept));
        assert_eq!(of_artifact(&runtime), (0, 0));
        is_left_behind(&module);
        works(&module);
    }
}

#[test]
fn of_a_mapped_file_nothing_is_owned() {
    for (bytes, kept) in artifacts() {
        let runtime = runtime();
        let file = File::new("mapped", &bytes);
        let name = CString::new(file.0.to_str().expect("it is text")).expect("it has no zero");
        let module = load(&runtime, Source::named(&name));
        drop(file);
        assert_eq!(of(&module), usage(0, 0, kept, bytes.len() - kept));
        assert_eq!(of_artifact(&runtime), (0, 0));
        is_left_behind(&module);
        works(&module);
    }
}

#[cfg(feature = "signatures")]
mod signed {
    use super::*;
    use ed25519_compact::{KeyPair, Seed};
    use precast_format::envelope::Signature;
    use precast_loader::{LoadError, Trust};

    /// Signed artifacts, how many bytes a module needs, and the key.
    fn signed() -> (Vec<(Vec<u8>, usize)>, [u8; 32]) {
        let keys = KeyPair::from_seed(Seed::new([7; 32]));
        let signed = artifacts().into_iter().map(|(mut bytes, kept)| {
            let signature = *keys.sk.sign(&bytes, None);
            let public_key = *keys.pk;
            let trailer = Signature {
                public_key,
                signature,
            };
            bytes.extend_from_slice(&trailer.to_trailer());
            (bytes, kept)
        });
        (signed.collect(), *keys.pk)
    }

    #[test]
    fn a_signed_file_is_read_whole_and_then_cut() {
        let (artifacts, key) = signed();
        for (bytes, kept) in artifacts {
            let runtime = runtime();
            let file = File::new("signed", &bytes);
            let module = runtime.load(file.0.as_path(), Trust::Keys(&[key]));
            let module = module.expect("the key is trusted");
            // Another file in its place makes no difference.
            std::fs::write(&file.0, b"something else").expect("the file is ours");
            assert_eq!(of(&module), usage(kept, 0, 0, bytes.len() - kept));
            // The path is one of the bytes that are needed while loading.
            let (current, peak) = of_artifact(&runtime);
            assert_eq!(current, kept);
            assert!((bytes.len()..bytes.len() + 4096).contains(&peak), "{peak}");
            is_left_behind(&module);
            works(&module);
        }
    }

    #[test]
    fn a_signature_is_verified_over_the_bytes_that_are_lent() {
        let (artifacts, key) = signed();
        for (bytes, kept) in artifacts {
            let runtime = runtime();
            let module = runtime.load(Source::copied(&bytes), Trust::Keys(&[key]));
            let module = module.expect("the key is trusted");
            assert_eq!(of(&module), usage(kept, 0, 0, bytes.len() - kept));
            assert_eq!(of_artifact(&runtime), (kept, kept));
            works(&module);
            // Where the code is, where relocations are, and in what is kept.
            for place in [bytes.len() - 200, bytes.len() - 5000, kept - 1] {
                let mut bytes = bytes.clone();
                bytes[place] ^= 1;
                let loaded = runtime.load(Source::copied(&bytes), Trust::Keys(&[key]));
                let error = loaded.map(drop).expect_err("it was changed");
                assert!(matches!(error, LoadError::Untrusted(_)), "{error}");
            }
        }
    }

    #[test]
    fn a_block_that_cannot_shrink_stays() {
        let (artifacts, key) = signed();
        for (bytes, _) in artifacts {
            // SAFETY: the functions keep the promises.
            let functions = unsafe {
                CustomAllocator::new(std::ptr::null_mut(), allocate, no_reallocate, free)
            };
            let runtime = Runtime::custom(functions, RuntimeOptions::default());
            let runtime = runtime.expect("there is memory");
            let file = File::new("stays", &bytes);
            let name = CString::new(file.0.to_str().expect("it is text")).expect("it has no zero");
            let module = runtime.load(Source::named(&name), Trust::Keys(&[key]));
            let module = module.expect("the key is trusted");
            assert_eq!(of(&module), usage(bytes.len(), 0, 0, 0));
            assert_eq!(of_artifact(&runtime), (bytes.len(), bytes.len()));
            is_left_behind(&module);
        }
    }

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).expect("the loader asks for valid layouts")
    }

    unsafe extern "C" fn allocate(
        _: *mut c_void,
        _: u32,
        size: usize,
        align: usize,
    ) -> *mut c_void {
        // SAFETY: the loader never asks for nothing.
        unsafe { alloc(layout(size, align)) }.cast()
    }

    unsafe extern "C" fn no_reallocate(
        _: *mut c_void,
        _: u32,
        _: *mut c_void,
        _: usize,
        _: usize,
        _: usize,
    ) -> *mut c_void {
        std::ptr::null_mut()
    }

    unsafe extern "C" fn free(
        _: *mut c_void,
        _: u32,
        block: *mut c_void,
        size: usize,
        align: usize,
    ) {
        // SAFETY: the block is from `allocate` with this layout.
        unsafe { dealloc(block.cast(), layout(size, align)) }
    }
}

#[test]
fn a_part_of_a_file_is_mapped_or_read() {
    let (bytes, kept) = artifacts()[0].clone();
    let path = std::env::temp_dir().join(format!("precast-part-{}", std::process::id()));
    let page = 1 << 16;
    let size = bytes.len() as u64;
    // On a page boundary, and beside one; something else before it and behind it.
    for (offset, mapped) in [(page, true), (page + 16, false)] {
        let file = [&vec![0xaa; offset][..], &bytes, &[0xbb; 100]].concat();
        std::fs::write(&path, file).expect("the folder is writable");
        let runtime = runtime();
        let module = load(&runtime, Source::file_part(&path, offset as u64, size));
        works(&module);
        is_left_behind(&module);
        let usage = module.artifact_usage();
        let (there, elsewhere) = match mapped {
            true => (usage.mapped, usage.owned),
            false => (usage.owned, usage.mapped),
        };
        assert_eq!((there, elsewhere), (kept, 0));
        assert_eq!(usage.released, bytes.len() - kept);
    }
    // Parts that are not in the file.
    let all = std::fs::metadata(&path).expect("it is there").len();
    for (offset, size) in [(all, 1), (all + 1, 0), (0, all + 1), (1, u64::MAX)] {
        let runtime = runtime();
        // SAFETY: nothing is executed, and the file does not change.
        let refused = unsafe { runtime.load_unverified(Source::file_part(&path, offset, size)) };
        let error = refused.map(drop).expect_err("there is no such part");
        assert_eq!(error, LoadError::File { os_error: 0 });
    }
    std::fs::remove_file(&path).expect("the file is ours");
}

#[test]
fn an_empty_module_keeps_its_header() {
    let bytes = support::builder().write().expect("it is well formed");
    let runtime = runtime();
    let module = load(&runtime, Source::copied(&bytes));
    assert_eq!(of(&module), usage(96, 0, 0, bytes.len() - 96));
    assert_eq!(of_artifact(&runtime), (96, 96));
}

#[test]
fn a_refused_artifact_takes_nothing() {
    let mut bytes = artifact().write().expect("it is well formed");
    bytes.pop();
    let runtime = runtime();
    for source in [Source::copied(&bytes), Source::given(bytes.clone())] {
        // SAFETY: nothing of the artifact is executed.
        assert!(unsafe { runtime.load_unverified(source) }.is_err());
        assert_eq!(of_artifact(&runtime).0, 0);
    }
}

#[cfg(feature = "plan")]
#[test]
fn the_plan_knows_what_is_kept() {
    use precast_loader::plan::{AllocationMode, ArtifactSource, Plan, PlanOptions, Stage};
    for (bytes, kept) in artifacts() {
        let sources = [
            (ArtifactSource::Borrowed, 0),
            (ArtifactSource::Copied, kept),
            (ArtifactSource::Mapped, 0),
        ];
        for (source, expected) in sources {
            let mut options = PlanOptions::default();
            options.mode = AllocationMode::System;
            options.source = source;
            let plan = Plan::new(&bytes, &options).expect("there is a plan");
            let usage = plan.usage(Stage::Loaded, Category::Artifact);
            assert_eq!((usage.current, usage.peak), (expected, expected));
        }
    }
}
