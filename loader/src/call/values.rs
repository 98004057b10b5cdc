//! Parameters and results of host functions whose type is known at run time only.
#![forbid(unsafe_code)]

use core::ops::{Deref, DerefMut};

use crate::alloc::{Allocator, Category, OutOfMemory, Vec};
use crate::call::value::Value;

/// Values that need no memory where they are few.
pub(crate) struct Values {
    few: [Value; Values::FEW],
    /// All of them, where they are more than a few.
    many: Vec<Value>,
    count: usize,
}

impl Values {
    /// How many values need no memory.
    const FEW: usize = 8;

    /// So many zeros.
    pub(crate) fn new(allocator: &Allocator, count: usize) -> Result<Values, OutOfMemory> {
        let mut many = Vec::new_in(allocator, Category::Arguments);
        if count > Values::FEW {
            many.try_resize(count, Value::I32(0))?;
        }
        Ok(Values {
            few: core::array::from_fn(|_| Value::I32(0)),
            many,
            count,
        })
    }
}

impl Deref for Values {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        self.few.get(..self.count).unwrap_or(&self.many)
    }
}

impl DerefMut for Values {
    fn deref_mut(&mut self) -> &mut [Value] {
        self.few.get_mut(..self.count).unwrap_or(&mut self.many)
    }
}
