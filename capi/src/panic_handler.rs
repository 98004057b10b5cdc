//! What happens at a panic where there is no standard library: the machine stops here.
//!
//! The loader has no panic that it knows of. A program that wants to do more, such as to restart,
//! leaves the feature off and brings its own handler.
#![forbid(unsafe_code)]

/// Stays here.
#[panic_handler]
fn stop(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
