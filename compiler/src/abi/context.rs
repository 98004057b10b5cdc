//! Access to the instance context from CLIF.

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{self, Block, InstBuilder, MemFlagsData, Value};
use cranelift_frontend::FunctionBuilder;
use precast_format::context::Field;

use super::Abi;
use crate::options::ContextRegister;

/// Memory flags for the loader's structures.
pub(crate) mod flags {
    use cranelift_codegen::ir::{AliasRegion, AliasRegionData, Function, MemFlagsData};

    /// Which part of memory an access touches. Accesses to different parts never alias.
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Region {
        Context = 0,
        Heap = 1,
        Table = 2,
        Global = 3,
    }

    /// The alias region of a part of memory in this function.
    pub(crate) fn region(function: &mut Function, region: Region) -> Option<AliasRegion> {
        // Nearly every access asks, and a function has four regions at most.
        let known = |(known, data): (AliasRegion, &AliasRegionData)| {
            (data.user_id == region as u32).then_some(known)
        };
        if let Some(known) = function.dfg.alias_regions.iter().find_map(known) {
            return Some(known);
        }
        let description = match region {
            Region::Context => "context",
            Region::Heap => "memories",
            Region::Table => "tables",
            Region::Global => "globals",
        };
        let data = AliasRegionData {
            user_id: region as u32,
            description: description.into(),
        };
        Some(function.dfg.alias_regions.insert(data))
    }

    /// A field that only the loader writes, and only while no code of the instance runs.
    pub(crate) fn readonly() -> MemFlagsData {
        MemFlagsData::trusted().with_readonly().with_can_move()
    }
}

/// The way to the context in one function.
pub(crate) struct ContextAccess {
    register: ContextRegister,
    pointer: ir::Type,
    entry: Block,
    at_entry: Option<Value>,
    /// The last read of the pinned register, where it dominates the current place.
    recent: Option<Value>,
}

impl ContextAccess {
    /// For a function whose entry block has its parameters already.
    pub fn new(abi: &Abi, builder: &FunctionBuilder<'_>, entry: Block) -> ContextAccess {
        let at_entry = match abi.context_register {
            ContextRegister::Parameter => Some(builder.block_params(entry)[0]),
            ContextRegister::Pinned => None,
        };
        ContextAccess {
            register: abi.context_register,
            pointer: abi.pointer,
            entry,
            at_entry,
            recent: None,
        }
    }

    /// The context pointer for one use.
    ///
    /// The pinned register is read once in a stretch of code without calls: each read is a move,
    /// but a value that lives longer takes a register from others, or is spilled.
    pub fn get(&mut self, builder: &mut FunctionBuilder<'_>) -> Value {
        if let (ContextRegister::Parameter, Some(value)) = (self.register, self.at_entry) {
            return value;
        }
        let pointer = self.pointer;
        *self
            .recent
            .get_or_insert_with(|| builder.ins().get_pinned_reg(pointer))
    }

    /// Ends the stretch of code that shares one read: to be called after a call, and where control
    /// flow joins.
    pub fn forget(&mut self) {
        self.recent = None;
    }

    /// The shared read, to come back to it after a side path.
    pub fn recent(&self) -> Option<Value> {
        self.recent
    }

    /// Comes back to a shared read that dominates the current place.
    pub fn resume(&mut self, recent: Option<Value>) {
        self.recent = recent;
    }

    /// The context pointer as one value for the whole function, so that loads from it can be
    /// shared and leave loops.
    pub fn get_shared(&mut self, builder: &mut FunctionBuilder<'_>) -> Value {
        let (entry, pointer) = (self.entry, self.pointer);
        *self.at_entry.get_or_insert_with(|| {
            builder.ensure_inserted_block();
            let mut cursor = FuncCursor::new(builder.func).at_first_insertion_point(entry);
            cursor.ins().get_pinned_reg(pointer)
        })
    }

    /// Loads a fixed field that only the loader writes.
    pub fn load_field(
        &mut self,
        builder: &mut FunctionBuilder<'_>,
        abi: &Abi,
        field: Field,
    ) -> Value {
        let context = self.get(builder);
        builder.ins().load(
            abi.pointer,
            flags::readonly(),
            context,
            field.offset(abi.width),
        )
    }

    /// Stores a fixed field.
    pub fn store_field(
        &mut self,
        builder: &mut FunctionBuilder<'_>,
        abi: &Abi,
        field: Field,
        value: Value,
    ) {
        let context = self.get(builder);
        let region = flags::region(builder.func, flags::Region::Context);
        let flags = MemFlagsData::trusted().with_alias_region(region);
        builder
            .ins()
            .store(flags, value, context, field.offset(abi.width));
    }
}
