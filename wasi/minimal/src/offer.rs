//! What guests are offered: by a static of the firmware, or by whoever else keeps it.

use precast_loader::platform::Platform;

/// What guests can reach. It stays the same while they run.
pub trait Offer: Sync {
    /// Where output goes, and where time and random numbers come from.
    fn platform(&self) -> &dyn Platform;

    /// The arguments, the first being the program's name.
    fn args(&self) -> Strings<'_>;

    /// The variables of the environment, each `NAME=value`.
    fn environment(&self) -> Strings<'_>;
}

/// Strings for a guest. A zero byte in one ends it early for programs in C.
#[derive(Clone, Copy, Debug)]
pub enum Strings<'a> {
    /// One after the other.
    List(&'a [&'a str]),
    /// All in one, with a zero byte behind each.
    Terminated(&'a [u8]),
}

impl<'a> Strings<'a> {
    /// The bytes of each.
    pub(crate) fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        let (list, mut rest) = match self {
            Strings::List(list) => (list, &[][..]),
            Strings::Terminated(bytes) => (&[][..], bytes),
        };
        // What is behind the last zero is no string. The library's way to split can panic, as far as the
        // linker knows.
        let terminated = core::iter::from_fn(move || {
            let length = rest.iter().position(|byte| *byte == 0)?;
            let (string, zero) = rest.split_at_checked(length)?;
            rest = zero.get(1..)?;
            Some(string)
        });
        let list = list.iter().map(|string| string.as_bytes());
        list.chain(terminated)
    }
}
