//! Where a program's time goes: what is told about it, and to whom.

use crate::Outcome;
use crate::failure::Failure;
use clap::{Args, ValueEnum};
use precast_loader::Module;
use precast_loader::profiling::{JitDump, PerfMap};
use std::path::{Path, PathBuf};

/// What tells a profiler where functions are.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Listing {
    /// A line for each function in /tmp/perf-PID.map, which `perf report` reads.
    Perfmap,
    /// Code with wasm offsets in jit-PID.dump, which `perf inject --jit` reads after `perf record -k mono`.
    Jitdump,
}

/// How a run is profiled.
#[derive(Args, Default)]
#[command(next_help_heading = "Profiling")]
pub struct ProfileFlags {
    /// Tell the profiler `perf`, which runs this command, where the program's functions are.
    #[arg(long, value_enum, value_name = "HOW")]
    profile: Option<Listing>,
    /// Where jit-PID.dump goes. The default is the current folder.
    #[arg(long, value_name = "FOLDER", requires = "profile")]
    profile_dir: Option<PathBuf>,
}

/// What a profiler reads about a program. The marker of a jitdump has to stay mapped.
#[derive(Default)]
pub struct Listed {
    map: Option<PerfMap>,
    dump: Option<JitDump>,
}

impl ProfileFlags {
    /// Writes down where the module's functions are, if that is wanted. The value is kept until the
    /// program has ended.
    pub fn list(&self, module: &Module) -> Outcome<Listed> {
        let failed = |error| Failure::new(format_args!("the functions cannot be listed: {error}"));
        let mut listed = Listed::default();
        match self.profile {
            None => {}
            Some(Listing::Perfmap) => {
                let map = match &self.profile_dir {
                    None => PerfMap::create(),
                    Some(folder) => PerfMap::create_in(folder),
                };
                let map = listed.map.insert(map.map_err(failed)?);
                map.add(module).map_err(failed)?;
            }
            Some(Listing::Jitdump) => {
                let folder = self.profile_dir.as_deref().unwrap_or(Path::new("."));
                let dump = JitDump::create_in(folder).map_err(failed)?;
                listed.dump.insert(dump).add(module).map_err(failed)?;
            }
        }
        Ok(listed)
    }
}
