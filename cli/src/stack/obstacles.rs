//! Everything that is in the way of bounds: the cycles, and the calls of what is not known.

use super::model::{Model, kind_name};
use precast_format::stack_depth::{CallKind, DepthStep};
use std::collections::BTreeMap;

/// Something that keeps functions from having a bound.
pub struct Obstacle {
    /// The functions of a cycle, each with how it calls the next; or one that calls what is not
    /// known.
    pub functions: Vec<(u32, Option<CallKind>)>,
    /// How many functions lead here first, those of the obstacle included.
    pub leading: usize,
}

impl Obstacle {
    /// The obstacle as a path.
    pub fn text(&self, model: &Model) -> String {
        let mut text = String::new();
        for (function, kind) in &self.functions {
            text.push_str(model.function_name(*function));
            match kind {
                None => text.push_str(" -> ? (through a table)"),
                Some(kind) if kind_name(*kind).is_empty() => text.push_str(" -> "),
                Some(kind) => text.push_str(&format!(" -> ({}) ", kind_name(*kind))),
            }
        }
        if let Some((first, Some(_))) = self.functions.first() {
            text.push_str(model.function_name(*first));
        }
        text
    }
}

/// The obstacles of an artifact, those to most functions first.
pub fn of(model: &Model) -> Vec<Obstacle> {
    let mut obstacles: Vec<Obstacle> = Vec::new();
    // The obstacle that each function leads to.
    let mut known: BTreeMap<u32, usize> = BTreeMap::new();
    let unbounded = |function: &u32| {
        let depth = model.depth(*function);
        depth.is_some_and(|function| function.depth.is_none())
    };
    for start in (0..model.functions.len() as u32).filter(unbounded) {
        let mut way: Vec<(u32, Option<CallKind>)> = Vec::new();
        let mut at = start;
        let number = loop {
            if let Some(number) = known.get(&at) {
                break *number;
            }
            if let Some(first) = way.iter().position(|(function, _)| *function == at) {
                obstacles.push(Obstacle {
                    functions: way[first..].to_vec(),
                    leading: 0,
                });
                break obstacles.len() - 1;
            }
            match model.depth(at).map(|function| function.step) {
                Some(DepthStep::Call { callee, kind, .. }) => {
                    way.push((at, Some(kind)));
                    at = callee;
                }
                _ => {
                    way.push((at, None));
                    obstacles.push(Obstacle {
                        functions: vec![(at, None)],
                        leading: 0,
                    });
                    break obstacles.len() - 1;
                }
            }
        };
        for (function, _) in way {
            known.insert(function, number);
        }
    }
    for number in known.values() {
        if let Some(obstacle) = obstacles.get_mut(*number) {
            obstacle.leading += 1;
        }
    }
    obstacles.sort_by_key(|obstacle| std::cmp::Reverse(obstacle.leading));
    obstacles
}
