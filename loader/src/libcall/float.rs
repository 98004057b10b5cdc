//! Rounding, for instruction sets that have no instruction for it.
//!
//! The core library has no rounding functions, so these work on bits and on arithmetic that IEEE
//! 754 defines exactly. A NaN comes back quiet, as WebAssembly demands.

macro_rules! rounding {
    (
        $float:ident, $bits:ident, $mantissa_bits:literal, $bias:literal,
        $ceil:ident, $floor:ident, $trunc:ident, $nearest:ident
    ) => {
        /// Rounds towards zero.
        pub(super) unsafe extern "C" fn $trunc(value: $float) -> $float {
            const EXPONENT_BITS: u32 = $bits::BITS - 1 - $mantissa_bits;
            const SIGN: $bits = 1 << ($bits::BITS - 1);
            const QUIET: $bits = 1 << ($mantissa_bits - 1);
            let bits = value.to_bits();
            let exponent = (bits >> $mantissa_bits & ((1 << EXPONENT_BITS) - 1)) as i32 - $bias;
            if value.is_nan() {
                return $float::from_bits(bits | QUIET);
            }
            if exponent < 0 {
                return $float::from_bits(bits & SIGN);
            }
            if exponent >= $mantissa_bits {
                return value;
            }
            let fraction: $bits = (1 << ($mantissa_bits - exponent)) - 1;
            $float::from_bits(bits & !fraction)
        }

        /// Rounds up.
        pub(super) unsafe extern "C" fn $ceil(value: $float) -> $float {
            // SAFETY: no precondition.
            let whole = unsafe { $trunc(value) };
            if whole < value { whole + 1.0 } else { whole }
        }

        /// Rounds down.
        pub(super) unsafe extern "C" fn $floor(value: $float) -> $float {
            // SAFETY: no precondition.
            let whole = unsafe { $trunc(value) };
            if whole > value { whole - 1.0 } else { whole }
        }

        /// Rounds to the nearest integer, to the even one between two.
        pub(super) unsafe extern "C" fn $nearest(value: $float) -> $float {
            /// From here on there are no fractions.
            const WHOLE: $float = (1u64 << $mantissa_bits) as $float;
            // SAFETY: no precondition.
            let truncated = unsafe { $trunc(value) };
            let magnitude = value.abs();
            if magnitude < WHOLE {
                // The sum has no room for the fraction, and addition rounds to even.
                ((magnitude + WHOLE) - WHOLE).copysign(value)
            } else {
                truncated
            }
        }
    };
}

rounding!(
    f32,
    u32,
    23,
    127,
    ceil_f32,
    floor_f32,
    trunc_f32,
    nearest_f32
);
rounding!(
    f64,
    u64,
    52,
    1023,
    ceil_f64,
    floor_f64,
    trunc_f64,
    nearest_f64
);

#[cfg(test)]
mod tests {
    use super::*;

    /// Bit patterns of all kinds: around every exponent, and pseudo-random ones.
    fn patterns() -> impl Iterator<Item = u64> {
        let edges = (0..=0x7ff_u64).flat_map(|exponent| {
            let mantissas = [
                0,
                1,
                1 << 51,
                (1 << 52) - 1,
                1 << 28,
                1 << 29,
                (1 << 51) | 1,
            ];
            mantissas.into_iter().flat_map(move |mantissa| {
                let bits = exponent << 52 | mantissa;
                [bits, bits | 1 << 63]
            })
        });
        let halves = (-2000i64..2000).map(|quarter| (quarter as f64 / 4.0).to_bits());
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let random = (0..200_000).map(move |_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        });
        edges.chain(halves).chain(random)
    }

    fn agree64(ours: f64, theirs: f64, value: f64) {
        if theirs.is_nan() {
            assert!(ours.is_nan() && ours.to_bits() >> 51 & 1 == 1, "{value:?}");
        } else {
            assert_eq!(
                ours.to_bits(),
                theirs.to_bits(),
                "{value:?}: {ours} {theirs}"
            );
        }
    }

    fn agree32(ours: f32, theirs: f32, value: f32) {
        if theirs.is_nan() {
            assert!(ours.is_nan() && ours.to_bits() >> 22 & 1 == 1, "{value:?}");
        } else {
            assert_eq!(
                ours.to_bits(),
                theirs.to_bits(),
                "{value:?}: {ours} {theirs}"
            );
        }
    }

    #[test]
    fn rounds_like_the_standard_library() {
        for bits in patterns() {
            let value = f64::from_bits(bits);
            // SAFETY: no precondition.
            agree64(unsafe { ceil_f64(value) }, value.ceil(), value);
            // SAFETY: no precondition.
            agree64(unsafe { floor_f64(value) }, value.floor(), value);
            // SAFETY: no precondition.
            agree64(unsafe { trunc_f64(value) }, value.trunc(), value);
            // SAFETY: no precondition.
            agree64(
                unsafe { nearest_f64(value) },
                value.round_ties_even(),
                value,
            );
            for value in [
                f32::from_bits(bits as u32),
                f32::from_bits((bits >> 32) as u32),
                value as f32,
            ] {
                // SAFETY: no precondition.
                agree32(unsafe { ceil_f32(value) }, value.ceil(), value);
                // SAFETY: no precondition.
                agree32(unsafe { floor_f32(value) }, value.floor(), value);
                // SAFETY: no precondition.
                agree32(unsafe { trunc_f32(value) }, value.trunc(), value);
                // SAFETY: no precondition.
                agree32(
                    unsafe { nearest_f32(value) },
                    value.round_ties_even(),
                    value,
                );
            }
        }
    }
}
