//! Tables of equality weights, in parallel.
use assay_verifier::field::EF;
use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;

/// `scale * eq(point, i)` for `i` below `len`.
pub fn eq_table(point: &[EF], len: usize, scale: EF) -> Vec<EF> {
    let split = point.len().saturating_sub(8);
    let (high, low) = point.split_at(split);
    let low_table = small_table(low, EF::ONE);
    let mut blocks = len.div_ceil(low_table.len());
    if split == 0 {
        blocks = 1;
    }
    let high_table = prefix_table(high, blocks, scale);
    let mut table = EF::zero_vec(blocks * low_table.len());
    table.par_chunks_mut(low_table.len()).zip(high_table).for_each(|(chunk, factor)| {
        for (cell, &weight) in chunk.iter_mut().zip(&low_table) {
            *cell = factor * weight;
        }
    });
    table.truncate(len);
    table
}

fn small_table(point: &[EF], scale: EF) -> Vec<EF> {
    prefix_table(point, 1 << point.len(), scale)
}

/// The first `len` weights, by doubling from the most significant coordinate down.
fn prefix_table(point: &[EF], len: usize, scale: EF) -> Vec<EF> {
    let mut table = vec![scale];
    for (level, &x) in point.iter().enumerate() {
        let below = point.len() - level - 1;
        let needed = len.div_ceil(1 << below);
        let mut next = Vec::with_capacity(2 * table.len());
        for &parent in &table {
            let one = parent * x;
            next.push(parent - one);
            next.push(one);
        }
        next.truncate(needed);
        table = next;
    }
    table
}

/// For each prefix of the point, the first weights: `tables[j]` belongs to the first `j` coordinates and reaches far enough for
/// `len` indices over all of them.
pub fn prefix_tables(point: &[EF], len: usize) -> Vec<Vec<EF>> {
    let mut tables = vec![vec![EF::ONE]];
    for (level, &x) in point.iter().enumerate() {
        let needed = len.div_ceil(1 << (point.len() - level - 1));
        let parents = &tables[level];
        let mut next = EF::zero_vec(2 * parents.len());
        let fill = |(pair, &parent): (&mut [EF], &EF)| {
            let one = parent * x;
            pair[0] = parent - one;
            pair[1] = one;
        };
        if parents.len() < 1 << 12 {
            next.chunks_exact_mut(2).zip(parents).for_each(fill);
        } else {
            next.par_chunks_exact_mut(2).with_min_len(1 << 10).zip(parents).for_each(fill);
        }
        next.truncate(needed);
        tables.push(next);
    }
    tables
}
