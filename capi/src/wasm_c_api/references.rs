//! The functions of each kind of references, and the ways from one name of a reference to another.

use core::ffi::c_void;

use precast_loader::Extern;

use super::reference::{Referent, wasm_ref_t};
use crate::boundary::C;

/// Deletes any reference; null is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_ref_delete(reference: *mut wasm_ref_t) {
    // SAFETY: C promises what this asks for.
    unsafe { C::promises() }.delete_reference(reference);
}

reference_functions!(
    @shared "any object", wasm_ref_t,
    wasm_ref_copy, wasm_ref_same,
    wasm_ref_get_host_info, wasm_ref_set_host_info, wasm_ref_set_host_info_with_finalizer
);

reference_functions!(
    "a trap",
    wasm_trap_t,
    wasm_trap_delete,
    wasm_trap_copy,
    wasm_trap_same,
    wasm_trap_get_host_info,
    wasm_trap_set_host_info,
    wasm_trap_set_host_info_with_finalizer
);
reference_casts!(
    "a trap",
    Referent::Trap(_),
    wasm_trap_t,
    wasm_trap_as_ref,
    wasm_ref_as_trap,
    wasm_trap_as_ref_const,
    wasm_ref_as_trap_const
);

reference_functions!(
    "something of the host's",
    wasm_foreign_t,
    wasm_foreign_delete,
    wasm_foreign_copy,
    wasm_foreign_same,
    wasm_foreign_get_host_info,
    wasm_foreign_set_host_info,
    wasm_foreign_set_host_info_with_finalizer
);
reference_casts!(
    "something of the host's",
    Referent::Foreign,
    wasm_foreign_t,
    wasm_foreign_as_ref,
    wasm_ref_as_foreign,
    wasm_foreign_as_ref_const,
    wasm_ref_as_foreign_const
);

reference_functions!(
    "a module",
    wasm_module_t,
    wasm_module_delete,
    wasm_module_copy,
    wasm_module_same,
    wasm_module_get_host_info,
    wasm_module_set_host_info,
    wasm_module_set_host_info_with_finalizer
);
reference_casts!(
    "a module",
    Referent::Module(_),
    wasm_module_t,
    wasm_module_as_ref,
    wasm_ref_as_module,
    wasm_module_as_ref_const,
    wasm_ref_as_module_const
);

reference_functions!(
    "a function",
    wasm_func_t,
    wasm_func_delete,
    wasm_func_copy,
    wasm_func_same,
    wasm_func_get_host_info,
    wasm_func_set_host_info,
    wasm_func_set_host_info_with_finalizer
);
reference_casts!(
    "a function",
    Referent::Item(Extern::Func(_), _),
    wasm_func_t,
    wasm_func_as_ref,
    wasm_ref_as_func,
    wasm_func_as_ref_const,
    wasm_ref_as_func_const
);

reference_functions!(
    "a global",
    wasm_global_t,
    wasm_global_delete,
    wasm_global_copy,
    wasm_global_same,
    wasm_global_get_host_info,
    wasm_global_set_host_info,
    wasm_global_set_host_info_with_finalizer
);
reference_casts!(
    "a global",
    Referent::Item(Extern::Global(_), _),
    wasm_global_t,
    wasm_global_as_ref,
    wasm_ref_as_global,
    wasm_global_as_ref_const,
    wasm_ref_as_global_const
);

reference_functions!(
    "a table",
    wasm_table_t,
    wasm_table_delete,
    wasm_table_copy,
    wasm_table_same,
    wasm_table_get_host_info,
    wasm_table_set_host_info,
    wasm_table_set_host_info_with_finalizer
);
reference_casts!(
    "a table",
    Referent::Item(Extern::Table(_), _),
    wasm_table_t,
    wasm_table_as_ref,
    wasm_ref_as_table,
    wasm_table_as_ref_const,
    wasm_ref_as_table_const
);

reference_functions!(
    "a memory",
    wasm_memory_t,
    wasm_memory_delete,
    wasm_memory_copy,
    wasm_memory_same,
    wasm_memory_get_host_info,
    wasm_memory_set_host_info,
    wasm_memory_set_host_info_with_finalizer
);
reference_casts!(
    "a memory",
    Referent::Item(Extern::Memory(_), _),
    wasm_memory_t,
    wasm_memory_as_ref,
    wasm_ref_as_memory,
    wasm_memory_as_ref_const,
    wasm_ref_as_memory_const
);

reference_functions!(
    "what is imported or exported",
    wasm_extern_t,
    wasm_extern_delete,
    wasm_extern_copy,
    wasm_extern_same,
    wasm_extern_get_host_info,
    wasm_extern_set_host_info,
    wasm_extern_set_host_info_with_finalizer
);
reference_casts!(
    "what is imported or exported",
    Referent::Item(..),
    wasm_extern_t,
    wasm_extern_as_ref,
    wasm_ref_as_extern,
    wasm_extern_as_ref_const,
    wasm_ref_as_extern_const
);

reference_functions!(
    "an instance",
    wasm_instance_t,
    wasm_instance_delete,
    wasm_instance_copy,
    wasm_instance_same,
    wasm_instance_get_host_info,
    wasm_instance_set_host_info,
    wasm_instance_set_host_info_with_finalizer
);
reference_casts!(
    "an instance",
    Referent::Instance(_),
    wasm_instance_t,
    wasm_instance_as_ref,
    wasm_ref_as_instance,
    wasm_instance_as_ref_const,
    wasm_ref_as_instance_const
);
