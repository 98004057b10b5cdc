//! How much memory an artifact will take, before anything is loaded.

use core::alloc::Layout;
use core::ffi::c_void;
use std::vec::Vec;

use precast_loader::plan::{AllocationMode, ArtifactSource, HostRequest, Plan, PlanOptions};
use precast_loader::{Category, Lifetime};

use super::env::precast_env;
use super::function::precast_function;
use super::imports::precast_imports;
use super::instance::{precast_instance, precast_instance_options};
use super::module::precast_module;
use super::runtime::precast_runtime;
use super::usage::PRECAST_CATEGORY_COUNT;
use crate::boundary::C;
use crate::boundary::handle::layout;
use crate::error::precast_error;
use crate::failure::Failure;
use crate::host;
use crate::status::precast_status;

/// What a plan assumes. Zeros are what a device does: a pool, an artifact that is loaded in place,
/// calls on the caller's stack.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_plan_options {
    /// Size of this structure in bytes.
    pub size: usize,
    /// How the module is instantiated, or null for the default.
    pub instance: *const precast_instance_options,
    /// The size of the stack of `precast_env_new_stack`, if `env_has_stack` is not zero.
    pub stack_size: usize,
    /// How many handles to exports there are at a time.
    pub export_handles: usize,
    /// Not zero: the runtime is not in a pool.
    pub no_pool: u32,
    /// Not zero: the artifact is copied, and not loaded in place.
    pub copied: u32,
    /// Not zero: calls run on a stack that the runtime allocates.
    pub env_has_stack: u32,
    /// Not zero: calls run on a region of the host's.
    pub env_has_region: u32,
}

/// What an artifact will take, in bytes, with the handles that C has: one to a runtime, a module, its
/// imports, an instance, an environment, and to exports as many as the options say.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_plan {
    /// Size of this structure in bytes.
    pub size: usize,
    /// The size of a pool that is enough, at an address that is a multiple of 16; zero without a pool.
    pub pool: usize,
    /// What lives as long as the runtime.
    pub runtime: usize,
    /// What lives as long as the module.
    pub module: usize,
    /// What lives as long as the instance, linear memory included.
    pub instance: usize,
    /// What lives as long as the environment.
    pub execution: usize,
    /// The same for each `precast_category`.
    pub categories: [usize; PRECAST_CATEGORY_COUNT as usize],
}

/// Stores how much memory an artifact will take, by the requests that loading and instantiating it
/// will make. Nothing is loaded, and the artifact need not be for this machine's processor.
///
/// The function is in libraries that were built with the feature `plan`, for build machines.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_plan_memory(
    bytes: *const c_void,
    length: usize,
    options: *const precast_plan_options,
    plan: *mut precast_plan,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let artifact = c.array(bytes.cast::<u8>(), length, "bytes")?;
        let given = c.options(options, "options")?;
        let instance = c.options(given.instance, "instance options")?.read();
        if plan.is_null() {
            return Err(Failure::Null("plan"));
        }
        let request = |category, layout| HostRequest { category, layout };
        let host = [
            request(Category::Runtime, layout::<precast_runtime>()),
            request(Category::Module, layout::<precast_module>()),
            request(Category::HostFunctions, layout::<precast_imports>()),
        ];
        let mut running = Vec::from([request(Category::Instance, layout::<precast_instance>())]);
        if !given.no_env() {
            running.push(request(Category::CallStack, layout::<precast_env>()));
        }
        let export = request(Category::Instance, layout::<precast_function>());
        running.extend(core::iter::repeat_n(
            export,
            given.export_handles.min(MOST_HANDLES),
        ));
        let captures = |_: &str, _: &str| -> Layout { host::CAPTURE };
        let mut options = PlanOptions::default();
        options.instance = instance;
        options.captures = &captures;
        options.host = &host;
        options.running = &running;
        options.provided_stack = given.env_has_region != 0;
        options.stack = (given.env_has_stack != 0).then_some(given.stack_size);
        if given.no_pool != 0 {
            options.mode = AllocationMode::System;
        }
        if given.copied != 0 {
            options.source = ArtifactSource::Copied;
        }
        let made = Plan::new(artifact, &options)?;
        let mut categories = [0; PRECAST_CATEGORY_COUNT as usize];
        let last = precast_loader::plan::Stage::Running;
        for (place, category) in categories.iter_mut().zip(Category::ALL) {
            *place = made.usage(last, *category).current;
        }
        let pool = match given.no_pool {
            0 => made
                .pool_bytes()
                .ok_or(Failure::Argument("bytes", "fit no pool"))?,
            _ => 0,
        };
        let told = precast_plan {
            size: size_of::<precast_plan>(),
            pool,
            runtime: made.bytes(Lifetime::Runtime),
            module: made.bytes(Lifetime::Module),
            instance: made.bytes(Lifetime::Instance),
            execution: made.bytes(Lifetime::Execution),
            categories,
        };
        c.fill(plan, &told, "plan")
    })
}

impl precast_plan_options {
    /// Whether calls are made without an environment.
    fn no_env(&self) -> bool {
        self.env_has_stack == 0 && self.env_has_region == 0
    }
}

/// Nobody has more handles than that, and a list of them must not fill the memory.
const MOST_HANDLES: usize = 1 << 20;
