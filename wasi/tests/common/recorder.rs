//! An allocator for a runtime that writes down what the WASI context asks for, and refuses when told.

use precast_loader::{Category, CustomAllocator, Runtime, RuntimeOptions};
use std::alloc::{Layout, alloc, dealloc, realloc};
use std::ffi::c_void;
use std::sync::{Arc, Mutex};

/// One request of the context's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    New(Layout),
    /// A block shall have another size.
    Resized(usize, Layout),
}

#[derive(Default)]
struct Record {
    requests: Vec<Request>,
    /// Requests that are still granted; none for all.
    left: Option<usize>,
    /// Requests of this size and beyond are refused, if it is given.
    too_large: Option<usize>,
    /// Bytes that are out, of the context's and of all others.
    wasi: usize,
    others: usize,
}

/// The allocator. Clones share the record.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<Record>>);

impl Recorder {
    /// A runtime whose memory is all from here.
    pub fn runtime(&self) -> Runtime {
        // The runtime cannot give its share back; it is small.
        let user = Arc::into_raw(self.0.clone()).cast_mut().cast();
        // SAFETY: the functions below keep the promises; the record is there for ever.
        let functions = unsafe { CustomAllocator::new(user, allocate, reallocate, free) };
        Runtime::custom(functions, RuntimeOptions::default()).expect("a runtime")
    }

    /// Grants so many more requests of the context's.
    pub fn grant(&self, requests: usize) {
        self.0.lock().unwrap().left = Some(requests);
    }

    /// Grants requests for less than this.
    pub fn refuse_from(&self, bytes: usize) {
        self.0.lock().unwrap().too_large = Some(bytes);
    }

    /// Grants all requests.
    pub fn grant_all(&self) {
        self.0.lock().unwrap().left = None;
    }

    /// What the context asked for since the last call.
    pub fn take(&self) -> Vec<Request> {
        std::mem::take(&mut self.0.lock().unwrap().requests)
    }

    /// Bytes of the context's that are out.
    pub fn wasi(&self) -> usize {
        self.0.lock().unwrap().wasi
    }

    /// All bytes that are out.
    pub fn all(&self) -> usize {
        let record = self.0.lock().unwrap();
        record.wasi + record.others
    }
}

impl Record {
    fn ask(&mut self, category: u32, request: Request) -> bool {
        if category != Category::Wasi as u32 {
            return true;
        }
        self.requests.push(request);
        let (Request::New(layout) | Request::Resized(_, layout)) = request;
        if self.too_large.is_some_and(|limit| layout.size() >= limit) {
            return false;
        }
        match &mut self.left {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    fn bytes(&mut self, category: u32) -> &mut usize {
        if category == Category::Wasi as u32 {
            &mut self.wasi
        } else {
            &mut self.others
        }
    }
}

fn with<T>(user: *mut c_void, work: impl FnOnce(&mut Record) -> T) -> T {
    // SAFETY: `runtime` passed a record that is never given back.
    let record = unsafe { &*user.cast::<Mutex<Record>>() };
    work(&mut record.lock().unwrap())
}

fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).expect("the loader asks for valid layouts")
}

unsafe extern "C" fn allocate(
    user: *mut c_void,
    category: u32,
    size: usize,
    align: usize,
) -> *mut c_void {
    let layout = layout(size, align);
    if !with(user, |record| record.ask(category, Request::New(layout))) {
        return std::ptr::null_mut();
    }
    with(user, |record| *record.bytes(category) += size);
    // SAFETY: the loader never asks for nothing.
    unsafe { alloc(layout) }.cast()
}

unsafe extern "C" fn reallocate(
    user: *mut c_void,
    category: u32,
    block: *mut c_void,
    old: usize,
    new: usize,
    align: usize,
) -> *mut c_void {
    let request = Request::Resized(old, layout(new, align));
    if !with(user, |record| record.ask(category, request)) {
        return std::ptr::null_mut();
    }
    with(user, |record| *record.bytes(category) += new);
    with(user, |record| *record.bytes(category) -= old);
    // SAFETY: the block is from `allocate` with this layout.
    unsafe { realloc(block.cast(), layout(old, align), new) }.cast()
}

unsafe extern "C" fn free(
    user: *mut c_void,
    category: u32,
    block: *mut c_void,
    size: usize,
    align: usize,
) {
    with(user, |record| *record.bytes(category) -= size);
    // SAFETY: the block is from `allocate` with this layout.
    unsafe { dealloc(block.cast(), layout(size, align)) }
}
