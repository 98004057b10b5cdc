//! The compiler itself runs on the target, and makes the same bytes there as here.

use super::build::Cross;
use super::corpus::Compiled;
use super::counts::Counts;
use super::{Place, corpus, watch};
use crate::Outcome;
use crate::bench;
use std::process::Command;

/// Compiles the corpus on the target and compares; nothing where there is no corpus.
pub fn run(cross: &Cross, place: &Place) -> Outcome<Option<Counts>> {
    let Some(folder) = corpus::folder(place) else {
        return Ok(None);
    };
    let compiler = cross.compiler()?;
    println!("  same bytes");
    let scratch = place.folder.join("same").join(cross.target.name);
    std::fs::create_dir_all(&scratch).map_err(|error| error.to_string())?;
    let programs = bench::corpus::read(&folder)?;
    let outcomes = watch::side_by_side(&programs, |_, program| {
        let wasm = folder.join(&program.wasm);
        let [here, there] =
            ["here", "there"].map(|where_| scratch.join(format!("{}.{where_}", program.name)));
        let ours = Command::new(&place.precast);
        let ours = corpus::compile(ours, cross.target, &wasm, &here)?;
        let theirs = corpus::compile(compiler.command(), cross.target, &wasm, &there)?;
        let read = |path| std::fs::read(path).map_err(|error| error.to_string());
        Ok(match (ours, theirs) {
            (Compiled::Written, Compiled::Written) if read(&here)? == read(&there)? => {
                Counts::passed()
            }
            (Compiled::Refused(ours), Compiled::Refused(theirs)) if ours == theirs => {
                Counts::skipped(ours)
            }
            (Compiled::Written, Compiled::Written) => {
                Counts::failed(format!("{}: other bytes", program.name))
            }
            (Compiled::Refused(reason), _) | (_, Compiled::Refused(reason)) => {
                let name = &program.name;
                Counts::failed(format!(
                    "{name}: refused otherwise or on one side: {reason}"
                ))
            }
        })
    })?;
    let mut counts = Counts::default();
    outcomes.into_iter().for_each(|one| counts.add(one));
    Ok(Some(counts))
}
