//! Which handler an exception belongs to: tags are what they are, not what they look like.

use precast_loader::{
    ExternType, Imports, InstanceOptions, InstantiateError, LinkError, Tag, ValueType,
};

use super::World;

/// Throws its own tag, and what it imports; catches its own only.
const MODULE: &str = r#"(module
  (import "env" "tag" (tag $theirs (param i32)))
  (import "env" "call" (func $call (param i32)))
  (tag $own (export "tag") (param i32))
  (func (export "throw") (param i32) (throw $own (local.get 0)))
  (func (export "throw_theirs") (param i32) (throw $theirs (local.get 0)))
  (func $catch (export "catch") (param i32) (result i32)
    (block $mine (result i32)
      (block $theirs (result i32)
        (try_table (catch $own $mine) (catch $theirs $theirs) (call $call (local.get 0)))
        (return (i32.const -1)))
      (return (i32.add (i32.const 1000))))
    (i32.add (i32.const 2000)))
  (func (export "catch_all") (param i32) (result i32)
    (block $all
      (try_table (catch_all $all) (drop (call $catch (local.get 0))))
      (return (i32.const -1)))
    (i32.const -2)))"#;

/// What the first instance imports.
const BASE: &str = r#"(module
  (tag (export "tag") (param i32))
  (func (export "call") (param i32)))"#;

fn imports(world: &World, tag: &Tag, call: precast_loader::Func) -> Imports {
    let mut imports = world.imports();
    imports.tag("env", "tag", tag).expect("there is memory");
    imports
        .define("env", "call", call)
        .expect("there is memory");
    imports
}

#[test]
fn two_instances_of_a_module_have_two_tags() {
    for world in World::all() {
        let base = world.alone(BASE);
        let module = world.module(MODULE);
        let tag = |instance: &precast_loader::Instance| instance.tag("tag").expect("exported");
        let function = |instance: &precast_loader::Instance, name| {
            instance.untyped_func(name).expect("exported")
        };
        let first_imports = imports(&world, &tag(&base), function(&base, "call"));
        let first = module.instantiate(&first_imports, InstanceOptions::default());
        let first = first.expect("the imports are there");
        assert_ne!(tag(&first), tag(&base));

        // The second calls the first and knows its tag as an import.
        let with_tag = imports(&world, &tag(&first), function(&first, "throw"));
        let second = module.instantiate(&with_tag, InstanceOptions::default());
        let second = second.expect("the imports are there");
        assert_ne!(tag(&second), tag(&first));
        assert_eq!(world.get::<_, i32>(&second, "catch", (7,)), 1007);

        // With another tag, what the first throws is nobody's.
        let with_other = imports(&world, &tag(&base), function(&first, "throw"));
        let third = module.instantiate(&with_other, InstanceOptions::default());
        let third = third.expect("the imports are there");
        assert_eq!(world.get::<_, i32>(&third, "catch_all", (7,)), -2);
        let uncaught = world.uncaught(&third, "throw_theirs", (5,));
        assert_eq!(uncaught.exception().tag(), tag(&base));

        // What it throws itself comes back through the other instance.
        let through = imports(&world, &tag(&first), function(&third, "throw_theirs"));
        let fourth = module.instantiate(&through, InstanceOptions::default());
        let fourth = fourth.expect("the imports are there");
        assert_eq!(world.get::<_, i32>(&fourth, "catch_all", (7,)), -2);
    }
}

#[test]
fn a_tag_of_the_host_serves_many() {
    for world in World::all() {
        let tag = Tag::new(&world.runtime, &[ValueType::I32]).expect("there is memory");
        let base = world.alone(BASE);
        let call = base.untyped_func("call").expect("exported");
        let with_tag = imports(&world, &tag, call);
        let thrower = world.instance(MODULE, &with_tag);
        let throw = thrower.untyped_func("throw_theirs").expect("exported");
        let catcher = world.instance(MODULE, &imports(&world, &tag, throw));
        assert_eq!(world.get::<_, i32>(&catcher, "catch", (8,)), 1008);
        let uncaught = world.uncaught(&thrower, "throw_theirs", (9,));
        assert_eq!(uncaught.exception().tag(), tag);
        drop((thrower, catcher, base));
        // The exception keeps its tag, which keeps nothing of the instances.
        let values: Vec<_> = uncaught.exception().values().expect("idle").collect();
        assert_eq!(values[0].i32(), Some(9));
    }
}

#[test]
fn tags_are_imported_by_their_types() {
    let world = World::one();
    let text = r#"(module (import "env" "tag" (tag (param i32 i64))))"#;
    let module = world.module(text);
    let try_types = |types: &[ValueType]| {
        let mut imports = world.imports();
        let tag = Tag::new(&world.runtime, types).expect("there is memory");
        imports.tag("env", "tag", &tag).expect("there is memory");
        module.instantiate(&imports, InstanceOptions::default())
    };
    assert!(try_types(&[ValueType::I32, ValueType::I64]).is_ok());
    for types in [
        &[][..],
        &[ValueType::I32],
        &[ValueType::I64, ValueType::I32],
    ] {
        match try_types(types) {
            Err(InstantiateError::Link(LinkError::Mismatch { found, .. })) => {
                assert!(matches!(found, ExternType::Tag(_)));
            }
            other => panic!("{other:?}"),
        }
    }
    match module.instantiate(&world.imports(), InstanceOptions::default()) {
        Err(InstantiateError::Link(LinkError::Missing { import })) => {
            let expected = import.expected().expect("the module imports it");
            assert!(expected.to_string().starts_with("tag"), "{expected}");
        }
        other => panic!("{other:?}"),
    }
}
