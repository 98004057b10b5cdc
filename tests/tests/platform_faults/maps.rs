//! What is mapped, read from `/proc/self/maps`.

use std::fmt;

/// A range of addresses with one protection, of one file or of none.
#[derive(PartialEq, Eq, Clone)]
pub struct Range {
    start: u64,
    end: u64,
    /// Protection, and the file's name.
    kind: String,
}

impl fmt::Debug for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:x} {}", self.start, self.end, self.kind)
    }
}

/// Where the C library puts the heaps of threads: each has addresses of its own, up to the next
/// multiple.
const HEAP_ALIGNMENT: u64 = 64 << 20;

/// All mappings but the C library's heaps and this thread's stack, which grow by themselves.
/// Adjacent ones of the same kind count as one: the system joins and splits them as it likes.
pub fn read() -> Vec<Range> {
    let text = std::fs::read_to_string("/proc/self/maps").expect("the system has this file");
    let mut ranges: Vec<Range> = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let mut word = || words.next().unwrap_or("");
        let (start, end) = word().split_once('-').expect("a range comes first");
        let (protection, _, _, _, name) = (word(), word(), word(), word(), word());
        if name == "[heap]" || name == "[stack]" {
            continue;
        }
        let number = |text| u64::from_str_radix(text, 16).expect("addresses are hexadecimal");
        let range = Range {
            start: number(start),
            end: number(end),
            kind: format!("{protection} {name}"),
        };
        match ranges.last_mut() {
            Some(last) if last.end == range.start && last.kind == range.kind => {
                last.end = range.end
            }
            _ => ranges.push(range),
        }
    }
    let heaps = ranges.clone();
    ranges.retain(|range| !is_heap(range, &heaps));
    ranges
}

/// Whether a range is the used or the unused part of a thread's heap.
fn is_heap(range: &Range, all: &[Range]) -> bool {
    all.windows(2).any(|pair| match pair {
        [used, unused] => {
            used.start % HEAP_ALIGNMENT == 0
                && used.end == unused.start
                && unused.end == used.start + HEAP_ALIGNMENT
                && (used.kind.trim(), unused.kind.trim()) == ("rw-p", "---p")
                && (range == used || range == unused)
        }
        _ => false,
    })
}

/// What is in one list and not in the other.
pub fn difference(one: &[Range], other: &[Range]) -> Vec<Range> {
    let only = |one: &[Range], other: &[Range]| {
        let only = one.iter().filter(|range| !other.contains(range));
        only.cloned().collect::<Vec<_>>()
    };
    [only(one, other), only(other, one)].concat()
}
