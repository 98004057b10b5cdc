//! Exceptions and tags in the host's hands: what it makes, keeps and gives back without any code that
//! throws. The tests that cross crates throw.

mod support;

use precast_format::types::ImportType;
use precast_format::write::{FuncType, Tag as DefinedTag};
use precast_loader::{
    CallError, Category, Exception, ExternKind, ExternType, Imports, InstantiateError, Limits,
    LinkError, Runtime, RuntimeOptions, StaticPool, Table, TableType, Tag, Value, ValueType,
};
use support::{builder, export, import, instantiate, runtime};

fn bytes(runtime: &Runtime) -> usize {
    runtime.usage(Category::Exceptions).current
}

fn number(exception: &Exception) -> Option<i32> {
    exception.values().ok()?.next()?.i32()
}

#[test]
fn an_exception_carries_its_values() {
    let runtime = runtime();
    let types = [ValueType::I32, ValueType::V128, ValueType::EXNREF];
    let tag = Tag::new(&runtime, &types).expect("there is memory");
    assert_eq!(tag.types(), types);
    let inner = Tag::new(&runtime, &[ValueType::I32]).expect("there is memory");
    let inner = Exception::new(&inner, &[Value::I32(5)]).expect("there is memory");
    let values = [
        Value::I32(-7),
        Value::V128(1 << 100),
        Value::ExnRef(Some(inner.clone())),
    ];
    let exception = Exception::new(&tag, &values).expect("there is memory");
    assert_eq!(exception.tag(), tag);
    assert_ne!(exception, inner);
    drop((values, tag));
    let values: Vec<Value> = exception.values().expect("idle").collect();
    assert!(matches!(values[0], Value::I32(-7)));
    assert!(matches!(values[1], Value::V128(vector) if vector == 1 << 100));
    assert!(matches!(&values[2], Value::ExnRef(Some(found)) if *found == inner));
    drop((values, inner));
    // What it carries lives as long as it does.
    let Some(Value::ExnRef(Some(inner))) = exception.values().expect("idle").last() else {
        panic!("it carries an exception")
    };
    drop(exception);
    assert_eq!(number(&inner), Some(5));
    assert_ne!(bytes(&runtime), 0);
    drop(inner);
    assert_eq!(bytes(&runtime), 0);
}

#[test]
fn what_is_dropped_is_freed_among_what_stays() {
    let runtime = runtime();
    let tag = Tag::new(&runtime, &[ValueType::I32]).expect("there is memory");
    let make = |value| Exception::new(&tag, &[Value::I32(value)]).expect("there is memory");
    let all: Vec<Exception> = (0..500).map(make).collect();
    let mut kept = Vec::new();
    for (index, exception) in all.into_iter().enumerate() {
        if index % 7 == 0 {
            kept.push(exception);
        }
    }
    for value in 0..5000 {
        make(value);
    }
    assert!(bytes(&runtime) < 64 << 10, "{}", bytes(&runtime));
    for (index, exception) in kept.iter().enumerate() {
        assert_eq!(number(exception), Some(7 * index as i32));
    }
    drop(kept);
    drop(make(1));
    assert!(bytes(&runtime) < 16 << 10, "{}", bytes(&runtime));
    drop(tag);
    assert_eq!(bytes(&runtime), 0);
}

#[test]
fn a_table_of_the_host_holds_exceptions() {
    let runtime = runtime();
    let tag = Tag::new(&runtime, &[ValueType::I32]).expect("there is memory");
    let table_type = TableType {
        element: ValueType::EXNREF,
        limits: Limits {
            min: 100,
            max: None,
        },
        is_64: false,
    };
    let table = Table::new(&runtime, table_type, Value::ExnRef(None)).expect("there is memory");
    for index in 0..100 {
        let exception = Exception::new(&tag, &[Value::I32(index)]).expect("there is memory");
        let value = Value::ExnRef(Some(exception));
        table.set(index as u64, &value).expect("in bounds");
    }
    drop(tag);
    for index in 0..100 {
        let Ok(Some(Value::ExnRef(Some(exception)))) = table.get(index) else {
            panic!("there is an exception")
        };
        assert_eq!(number(&exception), Some(index as i32));
        table.set(index, &Value::ExnRef(None)).expect("in bounds");
    }
    assert_eq!(bytes(&runtime), 0);
    let error = table
        .set(0, &Value::FuncRef(None))
        .expect_err("another type");
    assert!(matches!(error, CallError::TableMismatch { .. }));
}

#[test]
fn tags_pass_through_instances() {
    let runtime = runtime();
    let mut artifact = builder();
    artifact.types = vec![FuncType {
        params: vec![ValueType::I64],
        ..FuncType::default()
    }];
    artifact.imports = vec![import("tag", ImportType::Tag(0))];
    artifact.tags = vec![DefinedTag { type_index: 0 }];
    artifact.exports = vec![
        export("imported", ExternKind::Tag, 0),
        export("own", ExternKind::Tag, 1),
    ];
    let mut imports = Imports::new(&runtime);
    let tag = Tag::new(&runtime, &[ValueType::I64]).expect("there is memory");
    imports.tag("env", "tag", &tag).expect("there is memory");
    let instance = instantiate(&imports, &artifact).expect("the import is there");
    assert_eq!(instance.tag("imported").as_ref(), Some(&tag));
    let own = instance.tag("own").expect("it is exported");
    assert_ne!(own, tag);
    assert_eq!(own.types(), [ValueType::I64]);
    let exception = Exception::new(&own, &[Value::I64(3)]).expect("there is memory");
    assert_eq!(exception.to_string(), "exception own (i64 3)");
    drop((instance, own, imports, tag));
    assert_eq!(exception.tag().types(), [ValueType::I64]);

    let mut imports = Imports::new(&runtime);
    let other = Tag::new(&runtime, &[ValueType::I32]).expect("there is memory");
    imports.tag("env", "tag", &other).expect("there is memory");
    match instantiate(&imports, &artifact) {
        Err(InstantiateError::Link(LinkError::Mismatch { import, found })) => {
            assert!(matches!(import.expected(), Some(ExternType::Tag(_))));
            assert!(matches!(found, ExternType::Tag(_)));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_full_pool_is_an_error() {
    static POOL: StaticPool<{ 16 << 10 }> = StaticPool::new();
    let region = POOL.take().expect("nobody else takes it");
    let runtime = Runtime::with_pool(region, RuntimeOptions::default()).expect("there is room");
    let tag = Tag::new(&runtime, &[ValueType::I32]).expect("there is room");
    for _ in 0..3 {
        let mut hoard = Vec::new();
        let error = loop {
            match Exception::new(&tag, &[Value::I32(1)]) {
                Ok(exception) => hoard.push(exception),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, CallError::OutOfMemory(error)
            if error.category() == Category::Exceptions));
        assert!(hoard.len() > 50);
        // One that goes makes room for another.
        hoard.pop();
        hoard.push(Exception::new(&tag, &[Value::I32(2)]).expect("there is room"));
    }
    let error = Exception::new(&tag, &[]).expect_err("the values do not fit");
    assert!(matches!(error, CallError::TagMismatch { .. }), "{error}");
}
