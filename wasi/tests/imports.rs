//! Registration: every function of the witx files is there, under both names, with the type that
//! compilers give it.

use precast_loader::{ExternType, Imports, Runtime, ValueType};
use precast_wasi::{PREVIEW0, PREVIEW1, WasiContext};

/// Each function's parameters: `i` for 32 bits, `I` for 64. All return `i` except `proc_exit`.
const FUNCTIONS: &[(&str, &str)] = &[
    ("args_get", "ii"),
    ("args_sizes_get", "ii"),
    ("environ_get", "ii"),
    ("environ_sizes_get", "ii"),
    ("clock_res_get", "ii"),
    ("clock_time_get", "iIi"),
    ("fd_advise", "iIIi"),
    ("fd_allocate", "iII"),
    ("fd_close", "i"),
    ("fd_datasync", "i"),
    ("fd_fdstat_get", "ii"),
    ("fd_fdstat_set_flags", "ii"),
    ("fd_fdstat_set_rights", "iII"),
    ("fd_filestat_get", "ii"),
    ("fd_filestat_set_size", "iI"),
    ("fd_filestat_set_times", "iIIi"),
    ("fd_pread", "iiiIi"),
    ("fd_prestat_get", "ii"),
    ("fd_prestat_dir_name", "iii"),
    ("fd_pwrite", "iiiIi"),
    ("fd_read", "iiii"),
    ("fd_readdir", "iiiIi"),
    ("fd_renumber", "ii"),
    ("fd_seek", "iIii"),
    ("fd_sync", "i"),
    ("fd_tell", "ii"),
    ("fd_write", "iiii"),
    ("path_create_directory", "iii"),
    ("path_filestat_get", "iiiii"),
    ("path_filestat_set_times", "iiiiIIi"),
    ("path_link", "iiiiiii"),
    ("path_open", "iiiiiIIii"),
    ("path_readlink", "iiiiii"),
    ("path_remove_directory", "iii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("poll_oneoff", "iiii"),
    ("proc_exit", "i"),
    ("proc_raise", "i"),
    ("sched_yield", ""),
    ("random_get", "ii"),
    ("sock_accept", "iii"),
    ("sock_recv", "iiiiii"),
    ("sock_send", "iiiii"),
    ("sock_shutdown", "ii"),
];

fn letters(types: &[ValueType]) -> String {
    let letter = |one: &ValueType| match *one {
        ValueType::I32 => 'i',
        ValueType::I64 => 'I',
        _ => '?',
    };
    types.iter().map(letter).collect()
}

#[test]
fn every_function_has_its_type() {
    assert_eq!(FUNCTIONS.len(), 46);
    let runtime = Runtime::system().unwrap();
    let mut imports = Imports::new(&runtime);
    let context = WasiContext::builder().build(&runtime).unwrap();
    context.define_all(&mut imports).unwrap();
    for module in [PREVIEW0, PREVIEW1] {
        for (name, params) in FUNCTIONS {
            let Some(item) = imports.get(module, name) else {
                panic!("{module} {name} is not defined");
            };
            let Ok(ExternType::Function(found)) = item.current_type() else {
                panic!("{module} {name} is no function");
            };
            assert_eq!(letters(found.params()), *params, "{name}");
            let result = if *name == "proc_exit" { "" } else { "i" };
            assert_eq!(letters(found.results()), result, "{name}");
        }
    }
}
