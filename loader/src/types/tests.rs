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
    let mut state = 7u64;
    let mut below = |limit: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % limit
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

/// A group of types: what each takes, where `Err` is a reference to the member at that place.
fn group(runtime: &Runtime, types: &[&[Result<ValueType, u32>]]) -> Vec<FuncType> {
    let value_type = |place: usize, index: usize| match types[place][index] {
        Ok(ty) => ty,
        Err(place) => ValueType::function(OWN + place, true).unwrap(),
    };
    let structure = GroupStructure {
        count: types.len(),
        counts: &|place| (types[place].len(), 0),
        value_type: &value_type,
        entry: &|_, _| None,
    };
    let first = FuncType::group(runtime, structure).unwrap();
    let rest = 1..types.len();
    let rest: Vec<FuncType> = rest.map(|place| first.in_group(place).unwrap()).collect();
    core::iter::once(first).chain(rest).collect()
}

#[test]
fn types_of_groups_are_told_by_group_and_place() {
    let runtime = Runtime::system().unwrap();
    let plain = FuncType::new(&runtime, &[], &[]).unwrap();
    let pair = group(&runtime, &[&[], &[]]);
    let same = group(&runtime, &[&[], &[]]);
    let three = group(&runtime, &[&[], &[], &[]]);
    assert_eq!(pair, same);
    assert_eq!(pair[1].id(), same[1].id());
    let mut all = std::vec![plain];
    all.extend(pair);
    all.extend(three);
    for (place, first) in all.iter().enumerate() {
        for (other, second) in all.iter().enumerate() {
            assert_eq!(first == second, place == other);
            assert_eq!(first.id() == second.id(), place == other);
        }
    }
}

#[test]
fn references_into_a_group_differ_from_those_to_an_equal_type() {
    let runtime = Runtime::system().unwrap();
    let inner = group(&runtime, &[&[Err(0)]]);
    let again = group(&runtime, &[&[Err(0)]]);
    assert_eq!(inner, again);
    assert_eq!(inner[0].params(), [inner[0].reference(true)]);
    let outer = group(&runtime, &[&[Ok(inner[0].reference(true))]]);
    assert_ne!(inner, outer);
    let by_host = FuncType::new(&runtime, &[inner[0].reference(true)], &[]).unwrap();
    assert_eq!(by_host, outer[0]);
}

#[test]
fn what_a_type_refers_to_stays_with_it_and_goes_with_it() {
    let runtime = Runtime::system().unwrap();
    let reference = |ty: &FuncType| ty.reference(false);
    let first = FuncType::new(&runtime, &[ValueType::I64], &[]).unwrap();
    let named = first.id();
    let mut last = first;
    // Longer than a stack would be deep.
    for _ in 0..1_000 {
        let next = FuncType::new(&runtime, &[reference(&last); 2], &[]);
        last = next.unwrap();
    }
    let group = group(&runtime, &[&[Ok(reference(&last)), Err(1)], &[Err(0)]]);
    drop(last);
    let [kept, _] = &group[..] else { panic!() };
    let kept = kept.clone();
    drop(group);
    assert!(runtime.types().lock().has_number(named));
    assert_eq!(kept.params()[1], kept.in_group(1).unwrap().reference(true));
    drop(kept);
    assert_eq!(runtime.usage(Category::Types).current, 0);
}
