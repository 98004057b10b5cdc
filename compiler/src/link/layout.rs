//! Chunks of code, one behind the other, and what they say of each other's places.
//!
//! Cranelift's builder of text sections does the work: it patches calls, and where a call of aarch64
//! does not reach its callee it puts a *veneer* in between two chunks, a jump that reaches further. It
//! does that in time only if it knows of each call before it gets the code behind it; so what a
//! chunk refers to is told right after the chunk, whether the callee has its place already or not.
//!
//! What the builder does not tell is what it cannot do: it panics. The limits here say it before.
//!
//! | instruction set | a call reaches | beyond | the text, at most |
//! |---|---|---|---|
//! | x86_64 | ±2 GiB | nothing | 2 GiB |
//! | aarch64 | ±128 MiB | a veneer, ±2 GiB | 2 GiB |
//! | riscv64 | ±2 GiB, 2 KiB less | nothing | 2 GiB, 2 KiB less |
//! | s390x | ±4 GiB | nothing | 2 GiB, for the artifact's sake |
//! | pulley | ±2 GiB | nothing | 2 GiB |

use std::panic::{AssertUnwindSafe, catch_unwind};

use cranelift_codegen::TextSectionBuilder;
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::TargetIsa;
use precast_format::target::Isa;

use crate::error::{CompileError, Result};

/// What fits in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reach {
    /// Bytes of text, so that every place reaches every other.
    pub text: u64,
    /// Bytes of a chunk with the veneers for all that it refers to: its first call has to reach an
    /// island of veneers behind it.
    pub chunk: u64,
    /// Bytes of a veneer; zero where there are none.
    pub veneer: u64,
}

impl Reach {
    /// The limits of an instruction set.
    pub fn of(isa: Isa) -> Reach {
        let everything = i32::MAX as u64;
        match isa {
            Isa::Aarch64 => Reach {
                text: everything,
                chunk: (1 << 27) - (1 << 20),
                veneer: 20,
            },
            // `jalr` adds up to 2 KiB with a sign; `auipc` has to leave it the room.
            Isa::Riscv64 => Reach::without_veneers(everything - (1 << 11)),
            _ => Reach::without_veneers(everything),
        }
    }

    fn without_veneers(text: u64) -> Reach {
        Reach {
            text,
            chunk: text,
            veneer: 0,
        }
    }
}

/// A text that grows.
pub(super) struct Layout {
    builder: Box<dyn TextSectionBuilder>,
    control: ControlPlane,
    isa: Isa,
    reach: Reach,
    alignment: u32,
    end: u64,
}

impl Layout {
    /// For so many chunks, each aligned to at least `alignment`. The labels of chunks are 0, 1, 2, …
    /// in the order in which they are placed.
    pub fn new(code_generator: &dyn TargetIsa, isa: Isa, chunks: usize, alignment: u32) -> Layout {
        Layout {
            builder: code_generator.text_section_builder(chunks),
            control: ControlPlane::default(),
            isa,
            reach: Reach::of(isa),
            alignment,
            end: 0,
        }
    }

    /// Places a chunk that has so many references to others, and gives its offset.
    ///
    /// # Errors
    ///
    /// When calls would not reach from one end of the chunk, or of the text, to the other. Nothing was
    /// placed then.
    pub fn place(&mut self, code: &[u8], alignment: u32, references: usize) -> Result<u64> {
        let alignment = alignment.max(self.alignment);
        let size = code.len() as u64;
        let with_veneers = size + references as u64 * self.reach.veneer;
        if with_veneers > self.reach.chunk {
            return Err(CompileError::limit(format!(
                "a function has {} MiB of code, and calls of {} reach {} MiB; split the function",
                size >> 20,
                self.isa.name(),
                self.reach.chunk.div_ceil(1 << 20),
            )));
        }
        let fits = |end: u64| match end <= self.reach.text {
            true => Ok(()),
            false => Err(CompileError::limit(format!(
                "the text exceeds {} MiB, so that calls of {} do not reach all of it",
                self.reach.text.div_ceil(1 << 20),
                self.isa.name(),
            ))),
        };
        fits(self.end.next_multiple_of(u64::from(alignment)) + size)?;
        let (builder, control) = (&mut self.builder, &mut self.control);
        let offset = guarded(|| builder.append(true, code, alignment, control))?;
        let end = offset + size;
        fits(end)?;
        self.end = end;
        Ok(offset)
    }

    /// Says that the code at this offset refers to the chunk with this label. The chunk need not have
    /// its place yet.
    ///
    /// # Errors
    ///
    /// When the code generator makes relocations of this kind for what is outside of the text only: a
    /// defect.
    pub fn refer(&mut self, offset: u64, kind: Reloc, addend: i64, label: usize) -> Result<()> {
        match self.builder.resolve_reloc(offset, kind, addend, label) {
            true => Ok(()),
            false => Err(CompileError::internal(format!(
                "a relocation of the kind {kind:?} at offset {offset:#x} inside the text"
            ))),
        }
    }

    /// The text, when every chunk has its place.
    ///
    /// # Errors
    ///
    /// As [`guarded`].
    pub fn finish(mut self) -> Result<Vec<u8>> {
        let (builder, control) = (&mut self.builder, &mut self.control);
        let text = guarded(|| builder.finish(control))?;
        match text.len() as u64 <= self.reach.text {
            true => Ok(text),
            false => Err(CompileError::limit("the text exceeds 2 GiB")),
        }
    }
}

/// Runs a step of the builder. The limits above keep it from what it cannot do, but for one thing: very
/// many calls, all of them of functions far behind, whose veneers together take more room than was left
/// when the last chunk before them was placed.
///
/// # Errors
///
/// When the builder gives up.
fn guarded<T>(step: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(step))
        .map_err(|_| CompileError::limit("calls of the text do not reach the veneers between them"))
}
