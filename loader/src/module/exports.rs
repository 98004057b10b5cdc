//! What a module exports, before there is an instance of it.
#![forbid(unsafe_code)]

use precast_format::types::ExternKind;

use crate::module::Module;
use crate::types::ExternType;

impl Module {
    /// What instances of the module export: name, declared type, in the module's order.
    pub fn exports(&self) -> impl Iterator<Item = (&str, ExternType)> {
        let exports = self.artifact().exports().into_iter();
        exports.filter_map(|export| {
            let ty = self.item_type(export.kind, export.index)?;
            Some((export.name, ty))
        })
    }

    /// The declared type of what has this index among those of its kind, imports first.
    fn item_type(&self, kind: ExternKind, index: u32) -> Option<ExternType> {
        let artifact = self.artifact();
        Some(match kind {
            ExternKind::Function => {
                let ty = artifact.function_type(index)?;
                ExternType::Function(self.func_type(ty.index).clone())
            }
            ExternKind::Table => ExternType::Table(self.table_type(artifact.table_type(index)?)),
            ExternKind::Memory => ExternType::Memory(artifact.memory_type(index)?),
            ExternKind::Global => {
                ExternType::Global(self.global_type(artifact.global_type(index)?))
            }
            ExternKind::Tag => {
                ExternType::Tag(self.func_type(artifact.tag_type_index(index)?).clone())
            }
        })
    }
}
