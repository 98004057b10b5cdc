//! Components and cycles of random graphs, against what walking every path says.

use std::collections::BTreeMap;

use super::{CallGraph, Components, CycleFinder, Edge};

/// A graph of functions, the last of them dispatches.
fn graph(functions: u32, edges: &[Vec<(u32, bool)>]) -> CallGraph {
    let mut graph = CallGraph {
        edges: Vec::new(),
        ends: Vec::new(),
        imported: 0,
        functions,
        unknown: BTreeMap::new(),
    };
    for (node, calls) in edges.iter().enumerate() {
        let is_dispatch = node as u32 >= functions;
        graph
            .edges
            .extend(calls.iter().map(|(target, stacks)| Edge {
                target: *target,
                stacks: *stacks && !is_dispatch,
                offset: 0,
            }));
        graph.ends.push(graph.edges.len() as u32);
    }
    graph
}

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        ((self.0 >> 33) % u64::from(limit)) as u32
    }
}

/// Which nodes each node reaches by at least one edge.
fn reached(graph: &CallGraph) -> Vec<Vec<bool>> {
    let count = graph.len();
    let from = |start: usize| {
        let mut reached = vec![false; count];
        let mut open = vec![start as u32];
        while let Some(node) = open.pop() {
            for edge in graph.edges(node) {
                if !std::mem::replace(&mut reached[edge.target as usize], true) {
                    open.push(edge.target);
                }
            }
        }
        reached
    };
    (0..count).map(from).collect()
}

#[test]
fn components_and_cycles_of_random_graphs() {
    let mut random = Random(7);
    for round in 0..3000 {
        let functions = 1 + random.below(9);
        let dispatches = random.below(3);
        let mut edges: Vec<Vec<(u32, bool)>> = Vec::new();
        for node in 0..functions + dispatches {
            let targets = if node < functions {
                functions + dispatches
            } else {
                functions
            };
            let count = random.below(3);
            let call = |random: &mut Random| (random.below(targets), random.below(3) > 0);
            edges.push((0..count).map(|_| call(&mut random)).collect());
        }
        let graph = graph(functions, &edges);
        let reached = reached(&graph);
        let components = Components::new(&graph);
        let mut done = vec![false; graph.len()];
        let mut finder = CycleFinder::new(&graph, &components);
        for component in components.iter() {
            for (first, second) in component
                .iter()
                .flat_map(|a| component.iter().map(move |b| (*a, *b)))
            {
                let both = reached[first as usize][second as usize]
                    && reached[second as usize][first as usize];
                assert!(first == second || both, "round {round}");
            }
            // Callees come first, and every node once.
            for node in component {
                for edge in graph.edges(*node) {
                    let known = done[edge.target as usize];
                    assert!(
                        known || components.share(*node, edge.target),
                        "round {round}"
                    );
                }
            }
            for node in component {
                assert!(!std::mem::replace(&mut done[*node as usize], true));
            }
            let grows = component.iter().any(|node| {
                let mut edges = graph.edges(*node).iter();
                edges.any(|edge| edge.stacks && components.share(*node, edge.target))
            });
            let cycle = finder.find(component);
            assert_eq!(cycle.is_some(), grows, "round {round}");
            for (index, (node, edge)) in cycle.iter().flatten().enumerate() {
                let cycle = cycle.as_deref().unwrap();
                assert!(graph.edges(*node).contains(edge));
                let (next, _) = cycle[(index + 1) % cycle.len()];
                assert_eq!(edge.target, next, "round {round}");
            }
            if let Some(cycle) = cycle {
                assert!(cycle.iter().any(|(_, edge)| edge.stacks));
                let direct = |(node, edge): &(u32, Edge)| {
                    !graph.is_dispatch(*node) && !graph.is_dispatch(edge.target)
                };
                // Whoever calls themselves is the shortest cycle.
                let itself = |node: &u32| {
                    let mut edges = graph.edges(*node).iter();
                    edges.any(|edge| edge.stacks && edge.target == *node)
                };
                if component.iter().any(itself) {
                    assert!(
                        cycle.len() == 1 && cycle.iter().all(direct),
                        "round {round}"
                    );
                }
            }
        }
        assert!(done.iter().all(|done| *done), "round {round}");
    }
}

#[test]
fn direct_cycles_come_before_shorter_indirect_ones() {
    // 0 -> 1 -> 2 -> 0 directly, and 0 -> dispatch -> 0.
    let edges = [
        vec![(3, true), (1, true)],
        vec![(2, true)],
        vec![(0, true)],
        vec![(0, false)],
    ];
    let graph = graph(3, &edges);
    let components = Components::new(&graph);
    let mut finder = CycleFinder::new(&graph, &components);
    let component = components.iter().next().unwrap();
    assert_eq!(finder.find(component).unwrap().len(), 3);
}

#[test]
fn a_large_component_does_not_take_forever() {
    // Every function calls the next two hundred; the last calls the first.
    let count = 20_000;
    let edges: Vec<Vec<(u32, bool)>> = (0..count)
        .map(|node| {
            let last = (node + 200).min(count - 1);
            let back = (node == count - 1).then_some((0, true));
            (node + 1..=last).map(|to| (to, true)).chain(back).collect()
        })
        .collect();
    let graph = graph(count, &edges);
    let components = Components::new(&graph);
    let mut finder = CycleFinder::new(&graph, &components);
    let component = components.iter().next().unwrap();
    assert_eq!(component.len(), count as usize);
    assert!(finder.find(component).is_some());
}
