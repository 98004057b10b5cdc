//! What memory a runtime and its instances take, as figures: afterwards, or at any time between.
//!
//! ```text
//!   Runtime::memory_profile    bytes and blocks per category, now and at most; the pool
//!   Instance::memory_profile   linear memories: declared, committed, resident; tables; heap; stack
//! ```
//!
//! Nothing here allocates, so that a program can be asked when there is no memory left. Reports are
//! made of these figures by whoever asks.
#![forbid(unsafe_code)]

use core::fmt;

use crate::alloc::{Category, Lifetime, PoolUsage, Usage};
use crate::group::{Busy, Entered};
use crate::instance::Instance;
use crate::instance::aux_stack::AuxStackUsage;
use crate::memory::app_heap::AppHeapUsage;
use crate::runtime::Runtime;
use crate::types::{MemoryType, TableType};

/// What a runtime takes with everything made from it: the figures of one moment.
///
/// Where other threads use the runtime at the same time, the moments differ from category to
/// category.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemoryProfile {
    usage: [Usage; Category::COUNT],
    pool: Option<PoolUsage>,
}

impl MemoryProfile {
    /// What a category takes.
    pub fn usage(&self, category: Category) -> Usage {
        self.usage
            .get(category as usize)
            .copied()
            .unwrap_or_default()
    }

    /// Every category of a lifetime, with what it takes.
    pub fn categories(&self, lifetime: Lifetime) -> impl Iterator<Item = (Category, Usage)> {
        Category::ALL
            .iter()
            .filter(move |category| category.lifetime() == lifetime)
            .map(|category| (*category, self.usage(*category)))
    }

    /// The sum of a lifetime's categories. Their peaks need not have been at the same time, so that
    /// the sum of the peaks is the most that there can have been.
    pub fn lifetime(&self, lifetime: Lifetime) -> Usage {
        self.categories(lifetime)
            .fold(Usage::default(), |sum, (_, usage)| Usage {
                current: sum.current.saturating_add(usage.current),
                peak: sum.peak.saturating_add(usage.peak),
                blocks: sum.blocks.saturating_add(usage.blocks),
            })
    }

    /// How full the pool is, if there is one.
    pub fn pool(&self) -> Option<PoolUsage> {
        self.pool
    }
}

impl Runtime {
    /// Bytes that the runtime and everything made from it take, for each purpose.
    pub fn memory_profile(&self) -> MemoryProfile {
        let mut usage = [Usage::default(); Category::COUNT];
        for (place, category) in usage.iter_mut().zip(Category::ALL) {
            *place = self.usage(*category);
        }
        MemoryProfile {
            usage,
            pool: self.pool_usage(),
        }
    }
}

/// A linear memory's figures, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct MemoryFigures {
    /// The memory's index, counting those that the instance imports.
    pub index: u32,
    /// Whether the instance imports it.
    pub imported: bool,
    /// The size that the module declares at least, with the app heap that is added to it.
    pub declared_min: u64,
    /// The largest size that module and host allow; `None` where the module declares none.
    pub declared_max: Option<u64>,
    /// The size now.
    pub length: usize,
    /// Bytes that are set aside for it: whole pages of the system where it has guard pages, its
    /// block elsewhere. Reserved address space does not count.
    pub committed: usize,
    /// Bytes of these that the system really holds in physical memory, where it tells. Pages that a
    /// file shows through count once they are touched.
    pub resident: Option<usize>,
}

/// A table's figures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct TableFigures {
    /// The table's index, counting those that the instance imports.
    pub index: u32,
    /// Whether the instance imports it.
    pub imported: bool,
    /// How many elements there are.
    pub elements: usize,
    /// The most that there may be; `None` where the module declares no maximum.
    pub max_elements: Option<u64>,
    /// Bytes of the elements.
    pub bytes: usize,
}

/// What an instance takes. While the value is there, other threads find the instance [`Busy`].
#[non_exhaustive]
pub struct InstanceProfile<'a> {
    /// The heap that the loader keeps for the program, if it keeps one.
    pub app_heap: Option<AppHeapUsage>,
    /// The stack that compilers of C keep in linear memory, where its bounds are known.
    pub aux_stack: Option<AuxStackUsage>,
    instance: &'a Instance,
    _entered: Entered<'a>,
}

impl InstanceProfile<'_> {
    /// The linear memories, by index.
    pub fn memories(&self) -> impl Iterator<Item = MemoryFigures> {
        let counts = self.instance.module().artifact().counts();
        let imported = counts.imported_memories;
        (0..).map_while(move |index| {
            let memory = self.instance.data().memory(index)?;
            let ty = memory.memory_type();
            Some(MemoryFigures {
                index,
                imported: index < imported,
                declared_min: ty.min_bytes(),
                declared_max: declared_max(&ty),
                length: memory.length(),
                committed: memory.committed(),
                resident: memory.resident(),
            })
        })
    }

    /// The tables, by index.
    pub fn tables(&self) -> impl Iterator<Item = TableFigures> {
        let counts = self.instance.module().artifact().counts();
        let imported = counts.imported_tables;
        (0..).map_while(move |index| {
            let table = self.instance.data().table(index)?;
            let TableType { limits, .. } = table.table_type();
            let elements = table.length();
            Some(TableFigures {
                index,
                imported: index < imported,
                elements,
                max_elements: limits.max,
                bytes: elements.saturating_mul(size_of::<usize>()),
            })
        })
    }
}

impl fmt::Debug for InstanceProfile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstanceProfile")
            .field("app_heap", &self.app_heap)
            .field("aux_stack", &self.aux_stack)
            .finish_non_exhaustive()
    }
}

/// The largest size in bytes that a memory's type or the host gave it.
fn declared_max(ty: &MemoryType) -> Option<u64> {
    ty.limits.max.map(|_| ty.max_bytes())
}

impl Instance {
    /// What the instance takes.
    ///
    /// What its categories add up to is the runtime's business ([`Runtime::memory_profile`]): all
    /// instances of a runtime share its account.
    pub fn memory_profile(&self) -> Result<InstanceProfile<'_>, Busy> {
        Ok(InstanceProfile {
            _entered: self.data().group().enter()?,
            app_heap: self.app_heap()?,
            aux_stack: self.aux_stack()?,
            instance: self,
        })
    }
}
