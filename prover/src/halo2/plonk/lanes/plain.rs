//! Elements one after the other.
use std::array::from_fn;

use super::{Base, Eight, LANES};

/// Eight elements.
#[derive(Clone, Copy, Debug)]
pub struct Plain<F>([F; LANES]);

impl<F: Base> Eight for Plain<F> {
    type Field = F;
    type Cell = F;
    const SCALE: u64 = 1;

    #[inline(always)]
    fn load(elements: &[F; LANES]) -> Self {
        Self(*elements)
    }

    #[inline(always)]
    fn store(self) -> [F; LANES] {
        self.0
    }

    #[inline(always)]
    fn gather(cells: [&F; LANES]) -> Self {
        Self(cells.map(|cell| *cell))
    }

    #[inline(always)]
    fn scatter(self) -> [F; LANES] {
        self.0
    }

    #[inline(always)]
    fn splat(cell: &F) -> Self {
        Self([*cell; LANES])
    }

    #[inline(always)]
    fn zero() -> Self {
        Self([F::ZERO; LANES])
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(from_fn(|lane| self.0[lane] + other.0[lane]))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(from_fn(|lane| self.0[lane] - other.0[lane]))
    }

    #[inline(always)]
    fn lacking(self, other: Self) -> Self {
        self.sub(other)
    }

    #[inline(always)]
    fn negated(self, negative: [bool; LANES]) -> Self {
        Self(from_fn(|lane| if negative[lane] { -self.0[lane] } else { self.0[lane] }))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(from_fn(|lane| self.0[lane] * other.0[lane]))
    }

    #[inline(always)]
    fn turn<const BY: i32>(self) -> Self {
        Self(from_fn(|lane| self.0[(lane as i32 + BY).rem_euclid(LANES as i32) as usize]))
    }

    #[inline(always)]
    fn butterfly<const D: usize>(self) -> Self {
        Self(from_fn(|lane| {
            let [own, other] = [self.0[lane], self.0[lane ^ D]];
            if lane & D == 0 { own + other } else { other - own }
        }))
    }

    #[inline(always)]
    fn factors(elements: &[F; LANES]) -> Self {
        Self(*elements)
    }
}
