//! Code is never writable and executable, from wherever it comes.

use super::*;

#[cfg(any(
    target_arch = "aarch64",
    target_arch = "riscv64",
    target_arch = "s390x",
    target_arch = "x86_64"
))]
mod native;

#[cfg(not(any(
    target_arch = "aarch64",
    target_arch = "riscv64",
    target_arch = "s390x",
    target_arch = "x86_64"
)))]
#[test]
#[ignore = "there is no native code for this machine"]
fn native() {}

#[test]
fn empty_code_has_an_address() {
    let allocator = Allocator::system().unwrap();
    let code = WritableCode::copy(&CodeMemory::platform(), &allocator, &[])
        .unwrap()
        .publish()
        .unwrap();
    assert!(code.range().is_empty());
    assert!(code.address(0).is_none());
}
