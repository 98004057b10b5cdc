//! Where a group keeps references to exceptions beside its stacks: globals, tables, segments.

use precast_format::types::ExternKind;

use crate::call::value::Slot;
use crate::group::Member;
use crate::instance::InstanceData;
use crate::instance::table::TableObject;

/// Shows every reference that a member has to `visit`.
pub(super) fn visit(member: &Member, visit: &mut impl FnMut(usize)) {
    match member {
        Member::Instance(instance) => {
            if instance.module().has_exception_roots() {
                visit_instance(instance, visit);
            }
        }
        Member::Global(global) => {
            if global.global_type().value.is_exception() {
                visit(global.read().reference());
            }
        }
        Member::Table(table) => visit_table(table, visit),
        Member::Memory(_) | Member::Tag(_) | Member::Function(_) => {}
    }
}

/// What an instance defines. What it imports is another member's.
fn visit_instance(instance: &InstanceData, visit: &mut impl FnMut(usize)) {
    let artifact = instance.module().artifact();
    for global in artifact.globals() {
        if global.ty.value.is_exception() {
            let slot = instance.context().defined_global(global.index);
            // SAFETY: the slot is in the context block; the group is entered, and no code runs.
            let slot: Slot = unsafe { slot.read() };
            visit(slot.reference());
        }
    }
    let imported = artifact.imported_count(ExternKind::Table);
    for table in artifact.tables() {
        if let Some(object) = instance.table(imported + table.index) {
            visit_table(object, visit);
        }
    }
    for segment in artifact.elements() {
        if segment.element.is_exception() {
            for reference in instance.element_items(segment.index) {
                visit(*reference);
            }
        }
    }
}

fn visit_table(table: &TableObject, visit: &mut impl FnMut(usize)) {
    if table.table_type().element.is_exception() {
        table.for_each(visit);
    }
}
