//! Numbers that look random and are the same on every machine for the same seed.

/// A generator of numbers: SplitMix64, whose sequence is fixed by its definition and not by a library's version.
/// Source: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// The numbers of a session: of a seed, a kind of session, and its number.
    pub fn of(seed: u64, kind: u64, number: u64) -> Self {
        let mut dice = Self(seed);
        let (a, b) = (dice.next(), kind.wrapping_mul(0x9e37_79b9).wrapping_add(number));
        let mut mixed = Self(a ^ b.wrapping_mul(0x2545_f491_4f6c_dd1d));
        Self(mixed.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to and without `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of several.
    pub fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}
