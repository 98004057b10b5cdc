//! `include/wasm.h` declares what the library has: the same functions, with parameters and results of the
//! same kinds. The header is written by hand, so nothing else would notice a difference but a program that
//! crashes.
#![cfg(feature = "wasm-c-api")]
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::ffi::c_char;
use std::fs;
use std::path::Path;

use precast::wasm_c_api::extension::*;
use precast::wasm_c_api::{
    engine::*, foreign::*, frame::*, function::*, global::*, instance::*, item::*, item_types::*,
    memory::*, module::*, references::*, store::*, table::*, trap::*, types::*, value::*,
    vectors::*,
};

/// How a type is passed: one letter.
trait Passed {
    const KIND: char;
}

macro_rules! passed {
    ($($name:ty => $kind:literal,)*) => {
        $(impl Passed for $name {
            const KIND: char = $kind;
        })*
    };
}

passed! {
    () => 'v',
    u8 => 'b',
    bool => 'b',
    u32 => 'w',
    usize => 's',
}

impl<T> Passed for *const T {
    const KIND: char = 'p';
}

impl<T> Passed for *mut T {
    const KIND: char = 'p';
}

/// Functions, which may be null.
impl<T> Passed for Option<T> {
    const KIND: char = 'p';
}

macro_rules! shapes {
    ($($shape:ident($($parameter:ident),*);)*) => {
        $(fn $shape<R: Passed $(, $parameter: Passed)*>(
            _: unsafe extern "C" fn($($parameter),*) -> R,
        ) -> String {
            [R::KIND $(, $parameter::KIND)*].iter().collect()
        })*
    };
}

shapes! {
    none();
    one(A);
    two(A, B);
    three(A, B, C);
    four(A, B, C, D);
    five(A, B, C, D, E);
}

/// The kind of a declared type.
fn declared(text: &str) -> char {
    let mut words = text.split_whitespace();
    let name = words.find(|word| !["own", "const", "struct"].contains(word));
    let name = name.unwrap_or_default();
    match name {
        _ if text.contains(['*', '[']) || name.contains("callback") => 'p',
        "void" => 'v',
        "bool" | "wasm_valkind_t" | "wasm_mutability_t" | "wasm_externkind_t" => 'b',
        "uint32_t" | "wasm_table_size_t" | "wasm_memory_pages_t" => 'w',
        "size_t" => 's',
        _ => panic!("{text}"),
    }
}

/// The parameters of a declaration, at its commas.
fn parameters(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                found.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&text[start..]);
    match found[..] {
        ["void"] => Vec::new(),
        _ => found,
    }
}

/// What the headers declare.
fn headers() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("include");
    let text: String = ["wasm.h", "precast_wasm.h"]
        .iter()
        .map(|name| fs::read_to_string(folder.join(name)).expect("it is there"))
        .collect();
    let code: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join("\n");
    let declarations = code.split("\nWASM_API_EXTERN ").skip(1);
    declarations
        .map(|declaration| {
            let (head, rest) = declaration.split_once('(').expect("it is a function");
            let (rest, _) = rest.split_once(");").expect("it ends");
            let start = head.rfind([' ', '*']).expect("it has a result") + 1;
            let (result, name) = head.split_at(start);
            let parameters = parameters(rest.trim());
            let kinds = parameters.iter().map(|text| declared(text));
            let shape = std::iter::once(declared(result)).chain(kinds).collect();
            (name.to_owned(), shape)
        })
        .collect()
}

#[test]
fn the_header_declares_what_there_is() {
    let declared = headers();
    let defined = library();
    for (name, shape) in &declared {
        assert_eq!(defined.get(name.as_str()), Some(shape), "{name}");
    }
    assert_eq!(declared.len(), defined.len());
}

/// The types that C looks into have the layout that it knows.
#[test]
fn structures_are_as_declared() {
    let pointer = size_of::<usize>();
    // The kind, and a number of 64 bits where the platform's C has it.
    assert_eq!(std::mem::offset_of!(wasm_val_t, of), align_of::<u64>());
    assert_eq!(size_of::<wasm_val_t>(), align_of::<u64>() + 8);
    assert_eq!(size_of::<wasm_limits_t>(), 8);
    assert_eq!(size_of::<wasm_byte_vec_t>(), 2 * pointer);
    assert_eq!(std::mem::offset_of!(wasm_val_vec_t, data), pointer);
    assert_eq!(size_of::<c_char>(), 1);
}

macro_rules! functions {
    ($($shape:ident: $($name:ident)*;)*) => {
        [$($((stringify!($name), $shape($name)),)*)*]
    };
}

/// What the library has. A function with another number of parameters than its list says does not compile.
fn library() -> BTreeMap<&'static str, String> {
    BTreeMap::from(functions! {
        none:
            wasm_config_new wasm_engine_new;
        one:
            wasm_byte_vec_new_empty wasm_byte_vec_delete wasm_config_delete wasm_engine_delete
            wasm_engine_new_with_config wasm_store_delete wasm_store_new wasm_valtype_delete
            wasm_valtype_copy wasm_valtype_vec_new_empty wasm_valtype_vec_delete wasm_valtype_new
            wasm_valtype_kind wasm_functype_delete wasm_functype_copy wasm_functype_vec_new_empty
            wasm_functype_vec_delete wasm_functype_params wasm_functype_results
            wasm_globaltype_delete wasm_globaltype_copy wasm_globaltype_vec_new_empty
            wasm_globaltype_vec_delete wasm_globaltype_content wasm_globaltype_mutability
            wasm_tabletype_delete wasm_tabletype_copy wasm_tabletype_vec_new_empty
            wasm_tabletype_vec_delete wasm_tabletype_element wasm_tabletype_limits
            wasm_memorytype_delete wasm_memorytype_copy wasm_memorytype_vec_new_empty
            wasm_memorytype_vec_delete wasm_memorytype_new wasm_memorytype_limits
            wasm_tagtype_delete wasm_tagtype_copy wasm_tagtype_vec_new_empty wasm_tagtype_vec_delete
            wasm_tagtype_new wasm_tagtype_functype wasm_externtype_delete wasm_externtype_copy
            wasm_externtype_vec_new_empty wasm_externtype_vec_delete wasm_externtype_kind
            wasm_functype_as_externtype wasm_globaltype_as_externtype wasm_tabletype_as_externtype
            wasm_memorytype_as_externtype wasm_tagtype_as_externtype wasm_externtype_as_functype
            wasm_externtype_as_globaltype wasm_externtype_as_tabletype wasm_externtype_as_memorytype
            wasm_externtype_as_tagtype wasm_functype_as_externtype_const
            wasm_globaltype_as_externtype_const wasm_tabletype_as_externtype_const
            wasm_memorytype_as_externtype_const wasm_tagtype_as_externtype_const
            wasm_externtype_as_functype_const wasm_externtype_as_globaltype_const
            wasm_externtype_as_tabletype_const wasm_externtype_as_memorytype_const
            wasm_externtype_as_tagtype_const wasm_importtype_delete wasm_importtype_copy
            wasm_importtype_vec_new_empty wasm_importtype_vec_delete wasm_importtype_module
            wasm_importtype_name wasm_importtype_type wasm_exporttype_delete wasm_exporttype_copy
            wasm_exporttype_vec_new_empty wasm_exporttype_vec_delete wasm_exporttype_name
            wasm_exporttype_type wasm_val_delete wasm_val_vec_new_empty wasm_val_vec_delete
            wasm_ref_delete wasm_ref_copy wasm_ref_get_host_info wasm_frame_delete wasm_frame_copy
            wasm_frame_vec_new_empty wasm_frame_vec_delete wasm_frame_instance wasm_frame_func_index
            wasm_frame_func_offset wasm_frame_module_offset wasm_trap_delete wasm_trap_copy
            wasm_trap_get_host_info wasm_trap_as_ref wasm_ref_as_trap wasm_trap_as_ref_const
            wasm_ref_as_trap_const wasm_trap_origin wasm_foreign_delete wasm_foreign_copy
            wasm_foreign_get_host_info wasm_foreign_as_ref wasm_ref_as_foreign
            wasm_foreign_as_ref_const wasm_ref_as_foreign_const wasm_foreign_new wasm_module_delete
            wasm_module_copy wasm_module_get_host_info wasm_module_as_ref wasm_ref_as_module
            wasm_module_as_ref_const wasm_ref_as_module_const wasm_shared_module_delete
            wasm_module_share wasm_func_delete wasm_func_copy wasm_func_get_host_info
            wasm_func_as_ref wasm_ref_as_func wasm_func_as_ref_const wasm_ref_as_func_const
            wasm_func_type wasm_func_param_arity wasm_func_result_arity wasm_global_delete
            wasm_global_copy wasm_global_get_host_info wasm_global_as_ref wasm_ref_as_global
            wasm_global_as_ref_const wasm_ref_as_global_const wasm_global_type wasm_table_delete
            wasm_table_copy wasm_table_get_host_info wasm_table_as_ref wasm_ref_as_table
            wasm_table_as_ref_const wasm_ref_as_table_const wasm_table_type wasm_table_size
            wasm_memory_delete wasm_memory_copy wasm_memory_get_host_info wasm_memory_as_ref
            wasm_ref_as_memory wasm_memory_as_ref_const wasm_ref_as_memory_const wasm_memory_type
            wasm_memory_data wasm_memory_data_size wasm_memory_size wasm_extern_delete
            wasm_extern_copy wasm_extern_get_host_info wasm_extern_as_ref wasm_ref_as_extern
            wasm_extern_as_ref_const wasm_ref_as_extern_const wasm_extern_vec_new_empty
            wasm_extern_vec_delete wasm_extern_kind wasm_extern_type wasm_func_as_extern
            wasm_global_as_extern wasm_table_as_extern wasm_memory_as_extern wasm_extern_as_func
            wasm_extern_as_global wasm_extern_as_table wasm_extern_as_memory
            wasm_func_as_extern_const wasm_global_as_extern_const wasm_table_as_extern_const
            wasm_memory_as_extern_const wasm_extern_as_func_const wasm_extern_as_global_const
            wasm_extern_as_table_const wasm_extern_as_memory_const wasm_instance_delete
            wasm_instance_copy wasm_instance_get_host_info wasm_instance_as_ref wasm_ref_as_instance
            wasm_instance_as_ref_const wasm_ref_as_instance_const;
        two:
            wasm_byte_vec_new_uninitialized wasm_byte_vec_copy wasm_valtype_vec_new_uninitialized
            wasm_valtype_vec_copy wasm_functype_vec_new_uninitialized wasm_functype_vec_copy
            wasm_functype_new wasm_globaltype_vec_new_uninitialized wasm_globaltype_vec_copy
            wasm_globaltype_new wasm_tabletype_vec_new_uninitialized wasm_tabletype_vec_copy
            wasm_tabletype_new wasm_memorytype_vec_new_uninitialized wasm_memorytype_vec_copy
            wasm_tagtype_vec_new_uninitialized wasm_tagtype_vec_copy
            wasm_externtype_vec_new_uninitialized wasm_externtype_vec_copy
            wasm_importtype_vec_new_uninitialized wasm_importtype_vec_copy
            wasm_exporttype_vec_new_uninitialized wasm_exporttype_vec_copy wasm_exporttype_new
            wasm_val_copy wasm_val_vec_new_uninitialized wasm_val_vec_copy wasm_ref_same
            wasm_ref_set_host_info wasm_frame_vec_new_uninitialized wasm_frame_vec_copy
            wasm_trap_same wasm_trap_set_host_info wasm_trap_new wasm_trap_message wasm_trap_trace
            wasm_foreign_same wasm_foreign_set_host_info wasm_module_same wasm_module_set_host_info
            wasm_module_new wasm_module_validate wasm_module_imports wasm_module_exports
            wasm_module_serialize wasm_module_deserialize wasm_module_obtain wasm_func_same
            wasm_func_set_host_info wasm_global_same wasm_global_set_host_info wasm_global_get
            wasm_global_set wasm_table_same wasm_table_set_host_info wasm_table_get wasm_memory_same
            wasm_memory_set_host_info wasm_memory_new wasm_memory_grow wasm_extern_same
            wasm_extern_set_host_info wasm_extern_vec_new_uninitialized wasm_extern_vec_copy
            wasm_instance_same wasm_instance_set_host_info wasm_instance_exports;
        three:
            wasm_byte_vec_new wasm_valtype_vec_new wasm_functype_vec_new wasm_globaltype_vec_new
            wasm_tabletype_vec_new wasm_memorytype_vec_new wasm_tagtype_vec_new
            wasm_externtype_vec_new wasm_importtype_vec_new wasm_importtype_new
            wasm_exporttype_vec_new wasm_val_vec_new wasm_ref_set_host_info_with_finalizer
            wasm_frame_vec_new wasm_trap_set_host_info_with_finalizer
            wasm_foreign_set_host_info_with_finalizer wasm_module_set_host_info_with_finalizer
            wasm_func_set_host_info_with_finalizer wasm_func_new wasm_func_call
            wasm_global_set_host_info_with_finalizer wasm_global_new
            wasm_table_set_host_info_with_finalizer wasm_table_new wasm_table_set wasm_table_grow
            wasm_memory_set_host_info_with_finalizer wasm_extern_set_host_info_with_finalizer
            wasm_extern_vec_new wasm_instance_set_host_info_with_finalizer
            precast_wasm_config_set_keys precast_wasm_last_error;
        four:
            wasm_instance_new;
        five:
            wasm_func_new_with_env;
    })
}
