//! Where a program's time goes: what is told about it, and to whom.

use super::memory::Destination;
use crate::Outcome;
use crate::failure::Failure;
use clap::builder::{OsStringValueParser, TypedValueParser};
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
    #[command(flatten)]
    calls: CallProfileFlags,
}

/// How counts of calls are told.
#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum CallFormat {
    /// A table for people.
    #[default]
    Table,
    /// JSON.
    Json,
    /// A line for each path of calls, which makers of flame graphs read; in nanoseconds.
    Folded,
}

/// How many paths of calls are told apart, where these are wanted.
const CALL_PATHS: u32 = 1 << 18;

/// Whether calls are counted, and where that is told.
#[derive(Args, Default)]
pub struct CallProfileFlags {
    /// Count the calls of each function and the time in it, and tell them at the end on standard error
    /// or in a file. Modules are compiled for it; an artifact has to be (`precast compile --call-profile`).
    #[arg(
        long,
        value_name = "FILE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        value_parser = OsStringValueParser::new().map(Destination::new)
    )]
    call_profile: Option<Destination>,
    /// How the counts are told.
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        requires = "call_profile"
    )]
    call_profile_format: CallFormat,
}

impl CallProfileFlags {
    /// Where the counts go, if they are wanted.
    pub fn destination(&self) -> Option<&Destination> {
        self.call_profile.as_ref()
    }

    /// How many paths of calls have to be told apart.
    pub fn call_paths(&self) -> u32 {
        match (&self.call_profile, self.call_profile_format) {
            (Some(_), CallFormat::Folded) => CALL_PATHS,
            _ => 0,
        }
    }

    /// How they are told.
    pub fn format(&self) -> CallFormat {
        self.call_profile_format
    }
}

/// What a profiler reads about a program. The marker of a jitdump has to stay mapped.
#[derive(Default)]
pub struct Listed {
    map: Option<PerfMap>,
    dump: Option<JitDump>,
}

impl ProfileFlags {
    /// Whether calls are counted, and where that is told.
    pub fn calls(&self) -> &CallProfileFlags {
        &self.calls
    }

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
