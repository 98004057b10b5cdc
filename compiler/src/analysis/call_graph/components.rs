//! Strongly connected components, callees before callers: Tarjan's algorithm without recursion.

use super::CallGraph;

/// Marks a node that was not visited.
const NEW: u32 = u32::MAX;

/// The components of a graph.
pub(in super::super) struct Components {
    /// The nodes, component after component.
    nodes: Vec<u32>,
    /// Where each component ends.
    ends: Vec<u32>,
    /// The component of each node.
    of: Vec<u32>,
}

/// A node whose edges are being followed.
struct Visit {
    node: u32,
    next_edge: usize,
}

impl Components {
    /// Finds the components.
    pub fn new(graph: &CallGraph) -> Components {
        let count = graph.len();
        let mut found = Components {
            nodes: Vec::with_capacity(count),
            ends: Vec::new(),
            of: vec![NEW; count],
        };
        // When each node was visited, and the earliest visit that it can get back to.
        let (mut visited, mut lowest) = (vec![NEW; count], vec![NEW; count]);
        let mut next_visit = 0;
        let (mut path, mut open) = (Vec::new(), Vec::new());
        for root in 0..count as u32 {
            if visited[root as usize] != NEW {
                continue;
            }
            path.push(Visit {
                node: root,
                next_edge: 0,
            });
            while let Some(visit) = path.last_mut() {
                let node = visit.node as usize;
                if visit.next_edge == 0 && visited[node] == NEW {
                    (visited[node], lowest[node]) = (next_visit, next_visit);
                    next_visit += 1;
                    open.push(visit.node);
                }
                if let Some(edge) = graph.edges(visit.node).get(visit.next_edge) {
                    visit.next_edge += 1;
                    let target = edge.target as usize;
                    if visited[target] == NEW {
                        path.push(Visit {
                            node: edge.target,
                            next_edge: 0,
                        });
                    } else if found.of[target] == NEW {
                        lowest[node] = lowest[node].min(visited[target]);
                    }
                    continue;
                }
                path.pop();
                if let Some(caller) = path.last() {
                    let caller = caller.node as usize;
                    lowest[caller] = lowest[caller].min(lowest[node]);
                }
                if lowest[node] == visited[node] {
                    found.close(node as u32, &mut open);
                }
            }
        }
        found
    }

    /// The nodes that were opened since `first` are a component.
    fn close(&mut self, first: u32, open: &mut Vec<u32>) {
        let number = self.ends.len() as u32;
        while let Some(node) = open.pop() {
            self.of[node as usize] = number;
            self.nodes.push(node);
            if node == first {
                break;
            }
        }
        self.ends.push(self.nodes.len() as u32);
        let start = number
            .checked_sub(1)
            .map_or(0, |before| self.ends[before as usize] as usize);
        self.nodes[start..].sort_unstable();
    }

    /// The components, callees before callers; the nodes of each in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let component = &self.nodes[start..*end as usize];
            start = *end as usize;
            component
        })
    }

    /// Whether two nodes are in one component.
    pub fn share(&self, first: u32, second: u32) -> bool {
        self.of[first as usize] == self.of[second as usize]
    }
}
