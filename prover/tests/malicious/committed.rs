//! The honest prover, and single cells of what it commits.
use assay_verifier::field::F;
use assay_verifier::statement::Proof;
use assay_verifier::wire;
use p3_field::PrimeCharacteristicRing;

use crate::setting::{Setting, at};

#[test]
fn honest() {
    for (setting, nodes) in [(Setting::new(), 1..10), (Setting::attention(), 1..15)] {
        let mut witness = setting.witness(&setting.evaluation);
        assert_eq!(setting.run(&witness, &setting.evaluation), Ok(()));
        let honest = witness.clone();
        setting.recount(&mut witness, &setting.evaluation);
        assert_eq!(witness.stack, honest.stack, "the tests count lookups as the prover does");
        for node in nodes {
            let same = setting.with_cells(node, setting.evaluation.nodes[node].clone());
            assert_eq!(same, setting.evaluation, "the tests carry changes through as the specification does");
        }
    }
}

/// Every committed column is constrained: no cell of any can be changed by one, counted or not.
#[test]
fn no_cell_is_free() {
    for setting in [Setting::new(), Setting::attention()] {
        let layout = setting.key.layout();
        for (column, block) in layout.columns.iter().enumerate() {
            let last = block.rows * block.inner - 1;
            for cell in [0, last / 2, last] {
                let mut witness = setting.witness(&setting.evaluation);
                witness.stack[at(block, cell)] += F::ONE;
                assert!(setting.run(&witness, &setting.evaluation).is_err(), "column {column}, cell {cell}");
                let multiplicity = layout.tables.iter().any(|table| table.multiplicity == column);
                if !multiplicity {
                    setting.recount(&mut witness, &setting.evaluation);
                    assert!(
                        setting.run(&witness, &setting.evaluation).is_err(),
                        "column {column}, cell {cell}, counted"
                    );
                }
            }
        }
    }
}

/// Cells between the valid ones of a row and the next power of two are not read: every claim's weights are zero there,
/// because equality weights are only taken over valid cells. Whatever they hold, the same statement is proven.
#[test]
fn padding_is_not_read() {
    let setting = Setting::new();
    let layout = setting.key.layout();
    let mut witness = setting.witness(&setting.evaluation);
    let mut padded = 0;
    for (column, block) in layout.columns.iter().enumerate() {
        for row in 0..block.rows {
            for o in block.inner..block.row_len() {
                witness.stack[block.offset + (row << block.log_inner) + o] = F::from_usize(1000 + column);
                padded += 1;
            }
        }
    }
    assert!(padded > 0, "the circuit has rows that are not a power of two");
    assert_eq!(setting.run(&witness, &setting.evaluation), Ok(()));
    // Nor does it help: the same padding does not save a wrong cell.
    let rescale = setting.rescale(1);
    rescale.set_remainder(&mut witness, 0, rescale.parts(0).0 ^ 1);
    assert!(setting.run(&witness, &setting.evaluation).is_err());
}

/// The same bytes whatever the number of threads.
#[test]
fn determinism() {
    let bytes = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let setting = Setting::new();
            let proof: Proof = setting.prover.prove(&setting.inputs, b"context").unwrap();
            [wire::bytes(&setting.prover.prove_range().unwrap()), wire::encode(&proof)]
        })
    };
    let once = bytes(1);
    for threads in [1, 2, 3] {
        assert!(bytes(threads) == once, "{threads} threads");
    }
}
