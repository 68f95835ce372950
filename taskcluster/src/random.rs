//! Random numbers.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};

/// Returns random bytes from the operating system, for what must differ from that of every other process.
pub(crate) fn bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    if getrandom::getrandom(&mut bytes).is_err() {
        let (high, low) = (u128::from(number()), u128::from(number()));
        bytes = (high << 64 | low).to_be_bytes();
    }
    bytes
}

/// Returns a random number that costs no system call. A forked process gets the same ones as its parent.
pub(crate) fn number() -> u64 {
    // Each `RandomState` has keys of its own.
    RandomState::new().build_hasher().finish()
}

/// Returns a random fraction: at least 0, and less than 1.
pub(crate) fn fraction() -> f32 {
    // An `f32` has 24 digits.
    (number() >> 40) as f32 / (1_u32 << 24) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_differ_and_use_all_bits() {
        let numbers: Vec<_> = (0..256).map(|_| number()).collect();
        assert_eq!(numbers.iter().fold(0, |all, number| all | number), u64::MAX);
        assert_eq!(numbers.iter().fold(u64::MAX, |all, number| all & number), 0);
        assert_ne!(bytes(), bytes());
    }

    #[test]
    fn fractions_are_spread() {
        let fractions: Vec<_> = (0..1_000).map(|_| fraction()).collect();
        assert!(fractions.iter().all(|fraction| (0.0..1.0).contains(fraction)));
        let below_a_half = fractions.iter().filter(|fraction| **fraction < 0.5).count();
        assert!((350..650).contains(&below_a_half), "{below_a_half}");
    }
}
