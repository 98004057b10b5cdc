//! The registry, with types that come and go.
#![forbid(unsafe_code)]

use std::vec::Vec;

use super::*;
use crate::alloc::Category;

/// A different type for each number.
fn func_type(runtime: &Runtime, number: usize) -> FuncType {
    let digit = |place: usize| ValueType::ALL[number / 3usize.pow(place as u32) % 3];
    let params: Vec<ValueType> = (0..6).map(digit).collect();
    let (params, results) = params.split_at(number % 7);
    FuncType::new(runtime, params, results).unwrap()
}

#[test]
fn types_are_equal_when_their_numbers_are() {
    let runtime = Runtime::system().unwrap();
    let mut state = 7usize;
    let mut below = |limit: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % limit
    };
    let mut held: Vec<(usize, FuncType)> = Vec::new();
    for _ in 0..20_000 {
        if below(2) == 0 || held.len() < 10 {
            let number = below(729);
            held.push((number, func_type(&runtime, number)));
        } else {
            held.swap_remove(below(held.len()));
        }
        let (first, second) = (&held[below(held.len())], &held[below(held.len())]);
        let same = first.0 == second.0;
        assert_eq!(first.1.id() == second.1.id(), same);
        assert_eq!(first.1 == second.1, same);
        assert!(runtime.types().lock().has_number(first.1.id()));
    }
    let mut numbers: Vec<usize> = held.iter().map(|(number, _)| *number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(runtime.usage(Category::Types).blocks, numbers.len());
    drop(held);
    assert_eq!(runtime.usage(Category::Types).current, 0);
}
