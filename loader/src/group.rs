//! Instance groups: what lives and dies together, and who may be inside.
//!
//! Instances that share functions, tables, memories or globals hold plain pointers into each
//! other. They form a group: every handle that the host has keeps the whole group alive, and the
//! group frees its members when the last handle is gone. Instantiation merges the groups of all
//! imports; so does a function reference that the host carries from one group into another.
//!
//! A group is entered by one thread at a time. The owner is recorded in an atomic word: the same
//! thread may enter again (host -> wasm -> host -> wasm), another one is told [`Busy`]. Whoever is
//! inside may touch the members' memory; that is what makes handles `Send` and `Sync`.
//!
//! ```text
//!   handle -> Group (merged) -> parent -> Group (root): members, owner, depth
//! ```
//!
//! A merged group keeps a reference to its parent and never gets another one, so that the way to
//! the root can be walked without a lock.

mod exceptions;
mod members;

use core::cell::{Cell, UnsafeCell};
use core::fmt;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::alloc::{Box, Category, OutOfMemory};
use crate::call::error::StackError;
use crate::call::host::HostFunction;
use crate::call::stack::prepare_libcalls;
use crate::exception::registry::Registry;
use crate::facility::{Exceptions, Signals};
use crate::instance::InstanceData;
use crate::instance::record::HostRecord;
use crate::module::Module;
use crate::runtime::Runtime;
use crate::sys::atomic::AtomicUsize;
use crate::sys::thread;

use members::Members;
pub(crate) use members::{Linked, Member, linking};

/// The instances that a call would touch are in use: another thread is inside, or a slice of their
/// memory is still borrowed. Try again when it is done, or guard the instance with a lock.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Busy;

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the instance is in use by another thread, or its memory is still borrowed")
    }
}

impl core::error::Error for Busy {}

/// A member's pointer to its group; always a root while the group is entered.
///
/// The pointer is not counted: the group owns the member.
pub(crate) struct Membership(Cell<NonNull<Group>>);

impl Membership {
    /// Membership in the group that is entered.
    pub(crate) fn new(group: &Entered<'_>) -> Membership {
        Membership(Cell::new(NonNull::from(group.group.root())))
    }

    fn set(&self, group: NonNull<Group>) {
        self.0.set(group);
    }

    /// The group, for as long as the member is borrowed.
    pub(crate) fn group(&self) -> &Group {
        // SAFETY: a member is dropped before the group that owns it; merging sets the pointer to
        // the new owner.
        unsafe { self.0.get().as_ref() }
    }
}

/// One group, or what is left of one after it merged into another.
pub(crate) struct Group {
    references: AtomicUsize,
    /// Its own address, as it came from the box; references made from it may free the group.
    address: Cell<NonNull<Group>>,
    /// Null for a root. Set once, by the owner; counted in the parent's references.
    parent: AtomicPtr<Group>,
    /// Token of the thread that is inside, or zero.
    owner: AtomicUsize,
    /// How often the owner is inside. Touched by the owner only.
    depth: Cell<usize>,
    /// Whether a slice of some member's memory is borrowed. Touched by the owner only.
    borrowed: Cell<bool>,
    /// Whether code of a member ends its stack with a guard page. Touched by the owner only.
    guards_stack: Cell<bool>,
    /// Whether faults of a member's code are traps. Touched by the owner only.
    relies_on_faults: Cell<bool>,
    /// Whether the members' code is bytecode; none before the first instance. Touched by the owner only.
    is_bytecode: Cell<Option<bool>>,
    /// Calls in progress on stacks without a guard page. Touched by the owner only.
    unguarded_calls: Cell<u32>,
    /// None before the first exception. Touched by the owner, or by the last reference; dropped before
    /// the members, whose tags it looks at.
    exceptions: UnsafeCell<Option<Exceptions<Box<Registry>>>>,
    /// Touched by the owner, or by the last reference.
    members: UnsafeCell<Members>,
    runtime: Runtime,
}

/// A counted reference to a group.
pub(crate) struct GroupRef(NonNull<Group>);

// SAFETY: `references`, `parent` and `owner` are atomic, `address` is never changed; all other fields are touched only by the
// thread whose token is in `owner`, which the atomics hand over with acquire and release, or by the
// last reference. Members are `Send`: whoever is inside, or last, may be any thread.
unsafe impl Send for GroupRef {}
// SAFETY: as above.
unsafe impl Sync for GroupRef {}

impl GroupRef {
    /// The layout of a group's block.
    #[cfg(feature = "plan")]
    pub(crate) const fn layout() -> core::alloc::Layout {
        Box::<Group>::layout()
    }

    /// Makes an empty group.
    pub(crate) fn new(runtime: &Runtime) -> Result<GroupRef, OutOfMemory> {
        let allocator = runtime.allocator();
        let group = Group {
            references: AtomicUsize::new(1),
            address: Cell::new(NonNull::dangling()),
            parent: AtomicPtr::new(ptr::null_mut()),
            owner: AtomicUsize::new(0),
            depth: Cell::new(0),
            borrowed: Cell::new(false),
            guards_stack: Cell::new(false),
            relies_on_faults: Cell::new(false),
            is_bytecode: Cell::new(None),
            unguarded_calls: Cell::new(0),
            exceptions: UnsafeCell::new(None),
            members: UnsafeCell::new(Members::default()),
            runtime: runtime.clone(),
        };
        let group = GroupRef(Box::into_raw(Box::new(
            allocator,
            Category::Instance,
            group,
        )?));
        group.group().address.set(group.0);
        Ok(group)
    }

    fn group(&self) -> &Group {
        // SAFETY: the group lives as long as a reference is counted.
        unsafe { self.0.as_ref() }
    }

    /// The runtime that the group belongs to.
    pub(crate) fn runtime(&self) -> &Runtime {
        &self.group().runtime
    }

    /// Enters the group, or says that somebody else is inside.
    pub(crate) fn enter(&self) -> Result<Entered<'_>, Busy> {
        self.group().enter()
    }
}

impl Clone for GroupRef {
    fn clone(&self) -> GroupRef {
        self.group().reference()
    }
}

impl Drop for GroupRef {
    fn drop(&mut self) {
        let mut next = Some(self.0);
        // A loop, not a recursion: dropping a merged group drops its reference to the parent.
        while let Some(group) = next.take() {
            // SAFETY: this reference, or the child's, was counted until now.
            let references = unsafe { &group.as_ref().references };
            if references.fetch_sub(1, Ordering::Release) != 1 {
                return;
            }
            // A load and no fence: what looks for races knows loads only.
            references.load(Ordering::Acquire);
            // SAFETY: that was the last reference, and `new` made the group as a box.
            let group = unsafe { Box::from_raw(group) };
            next = NonNull::new(group.parent.load(Ordering::Relaxed));
        }
    }
}

impl Group {
    /// A counted reference to this group.
    pub(crate) fn reference(&self) -> GroupRef {
        self.references.fetch_add(1, Ordering::Relaxed);
        GroupRef(self.address.get())
    }

    /// The group that this one merged into, or itself.
    fn root(&self) -> &Group {
        let mut group = self;
        while let Some(parent) = NonNull::new(group.parent.load(Ordering::Acquire)) {
            // SAFETY: a parent is stored once and counted for its child's sake, so it lives as
            // long as the child, and therefore as long as `self`.
            group = unsafe { parent.as_ref() };
        }
        group
    }

    /// Enters the group, or says that somebody else is inside.
    pub(crate) fn enter(&self) -> Result<Entered<'_>, Busy> {
        let token = crate::sys::thread_token();
        loop {
            let group = self.root();
            if group.owner.load(Ordering::Relaxed) == token {
                if group.borrowed.get() {
                    return Err(Busy);
                }
                group.depth.set(group.depth.get() + 1);
                return Ok(Entered { group });
            }
            // A merged group keeps its last owner forever, so the exchange succeeds for roots only.
            match group
                .owner
                .compare_exchange(0, token, Ordering::Acquire, Ordering::Relaxed)
            {
                Ok(_) => {
                    group.depth.set(1);
                    return Ok(Entered { group });
                }
                Err(_) if group.parent.load(Ordering::Acquire).is_null() => return Err(Busy),
                Err(_) => {}
            }
        }
    }

    /// Adds what members need of the stack that their code runs on. Called by the owner only.
    fn add_needs(&self, guards_stack: bool, relies_on_faults: bool) {
        self.guards_stack
            .set(self.guards_stack.get() | guards_stack);
        self.relies_on_faults
            .set(self.relies_on_faults.get() | relies_on_faults);
    }

    /// Whether calls in progress can go on where code with these needs can be reached, so many of
    /// them being on stacks without a guard page. Called by the owner only.
    fn check_stack(
        &self,
        guards_stack: bool,
        relies_on_faults: bool,
        unguarded_calls: u32,
    ) -> Result<(), StackError> {
        if !Signals::IS_BUILT_IN {
            return Ok(());
        }
        if guards_stack && unguarded_calls > 0 {
            return Err(StackError::NoGuard);
        }
        if guards_stack {
            prepare_libcalls();
        }
        // A call that is in progress has looked for what was needed when it began.
        if (guards_stack || relies_on_faults) && !thread::current_activation().is_null() {
            thread::ensure_signal_stack().map_err(|_| {
                OutOfMemory::new(Category::SignalStack, thread::signal_stack_size())
            })?;
        }
        Ok(())
    }

    /// Refuses to let code and that of others call each other if only one of them is bytecode. Called by
    /// the owner only.
    fn check_code(&self, is_bytecode: Option<bool>) -> Result<(), StackError> {
        match (self.is_bytecode.get(), is_bytecode) {
            (Some(one), Some(other)) if one != other => Err(StackError::Mixed),
            _ => Ok(()),
        }
    }

    /// How many members there are, for the choice of the new root.
    fn member_count(&self) -> usize {
        // SAFETY: called for entered groups only; the reference ends with this function.
        let members = unsafe { &*self.members.get() };
        members.count()
    }
}

/// Being inside a group: its members belong to this thread until the value is dropped.
pub struct Entered<'a> {
    /// A root at the time of entry.
    group: &'a Group,
}

impl<'a> Entered<'a> {
    /// A counted reference to the group.
    pub(crate) fn reference(&self) -> GroupRef {
        self.group.root().reference()
    }

    /// The runtime that the group belongs to.
    pub(crate) fn runtime(&self) -> &'a Runtime {
        &self.group.runtime
    }

    /// Whether the reference is to this group.
    pub(crate) fn contains(&self, other: &GroupRef) -> bool {
        ptr::eq(self.group.root(), other.group().root())
    }

    /// Gives the group a member, which lives as long as the group.
    pub(crate) fn adopt(&self, member: Member) {
        let root = self.group.root();
        if let Member::Instance(instance) = &member {
            let module = instance.module();
            root.add_needs(module.guards_stack(), module.relies_on_faults());
            root.is_bytecode.set(Some(module.is_bytecode()));
        }
        // SAFETY: the owner of the group is this thread, and the reference ends with this call.
        let members = unsafe { &mut *root.members.get() };
        members.push(member);
    }

    /// Asks for what a module needs before its instance becomes a member: calls of the group may be
    /// in progress, and may come to the new code.
    pub(crate) fn admit(&self, module: &Module) -> Result<(), StackError> {
        let root = self.group.root();
        root.check_code(Some(module.is_bytecode()))?;
        root.check_stack(
            module.guards_stack(),
            module.relies_on_faults(),
            root.unguarded_calls.get(),
        )
    }

    /// Counts a call on a stack without a guard page, from its beginning on.
    pub(crate) fn begin_unguarded_call(&self) {
        let count = &self.group.root().unguarded_calls;
        count.set(count.get() + 1);
    }

    /// Ends what [`Entered::begin_unguarded_call`] began.
    pub(crate) fn end_unguarded_call(&self) {
        let count = &self.group.root().unguarded_calls;
        count.set(count.get() - 1);
    }

    /// Whether code that runs in the group may end its stack with a guard page.
    pub(crate) fn guards_stack(&self) -> bool {
        Signals::IS_BUILT_IN && self.group.root().guards_stack.get()
    }

    /// Whether faults of code that runs in the group may be traps.
    pub(crate) fn relies_on_faults(&self) -> bool {
        Signals::IS_BUILT_IN && self.group.root().relies_on_faults.get()
    }

    /// Looks for something among the group's instances.
    pub(crate) fn find_instance<T>(
        &self,
        mut look: impl FnMut(&InstanceData) -> Option<T>,
    ) -> Option<T> {
        // SAFETY: the owner of the group is this thread; `look` only sees instances, from which
        // the list of members cannot be reached for writing.
        let members = unsafe { &*self.group.root().members.get() };
        members.iter().find_map(|member| match member {
            Member::Instance(instance) => look(instance),
            _ => None,
        })
    }

    /// The record of a host function that no instance imports, if there is one.
    pub(crate) fn host_record(&self, function: &HostFunction) -> Option<NonNull<HostRecord>> {
        // SAFETY: as in `find_instance`.
        let members = unsafe { &*self.group.root().members.get() };
        members.iter().find_map(|member| match member {
            Member::Function(record) if ptr::eq(&raw const *record.function, function) => {
                Some(NonNull::from(&****record))
            }
            _ => None,
        })
    }

    /// Makes one group of this one and `other`. Both stay entered.
    ///
    /// # Errors
    ///
    /// When code of one could come to a call of the other whose stack does not serve it, or that is of
    /// another kind. Nothing is changed then.
    pub(crate) fn merge(&self, other: &Entered<'_>) -> Result<(), StackError> {
        let (mut root, mut child) = (self.group.root(), other.group.root());
        if ptr::eq(root, child) {
            return Ok(());
        }
        root.check_code(child.is_bytecode.get())?;
        let unguarded_calls = root.unguarded_calls.get() + child.unguarded_calls.get();
        root.check_stack(
            child.guards_stack.get() || root.guards_stack.get(),
            child.relies_on_faults.get() || root.relies_on_faults.get(),
            unguarded_calls,
        )?;
        if child.member_count() > root.member_count() {
            core::mem::swap(&mut root, &mut child);
        }
        // SAFETY: both groups are entered by this thread, and they are two different ones.
        let into = unsafe { &mut *root.members.get() };
        // SAFETY: as above.
        let from = unsafe { &mut *child.members.get() };
        while let Some(member) = from.pop() {
            member.set_group(NonNull::from(root));
            into.push(member);
        }
        root.absorb_exceptions(child);
        root.add_needs(child.guards_stack.get(), child.relies_on_faults.get());
        let is_bytecode = root.is_bytecode.get().or(child.is_bytecode.get());
        root.is_bytecode.set(is_bytecode);
        root.unguarded_calls.set(unguarded_calls);
        root.depth.set(root.depth.get() + child.depth.get());
        let parent = core::mem::ManuallyDrop::new(root.reference());
        child.parent.store(parent.0.as_ptr(), Ordering::Release);
        Ok(())
    }

    /// Whether nobody else is inside: no call is in progress that this thread makes.
    pub(crate) fn is_outermost(&self) -> bool {
        self.group.root().depth.get() == 1
    }

    /// Marks the members' memory as borrowed: nobody enters until [`Entered::give_back`].
    pub(crate) fn borrow_memory(&self) {
        self.group.root().borrowed.set(true);
    }

    /// Whether a slice of some member's memory is borrowed.
    pub(crate) fn is_borrowed(&self) -> bool {
        self.group.root().borrowed.get()
    }

    /// Ends what [`Entered::borrow_memory`] began.
    pub(crate) fn give_back(&self) {
        self.group.root().borrowed.set(false);
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let root = self.group.root();
        let depth = root.depth.get() - 1;
        if depth == 0 {
            root.settle_exceptions();
        }
        root.depth.set(depth);
        if depth == 0 {
            root.owner.store(0, Ordering::Release);
        }
    }
}
