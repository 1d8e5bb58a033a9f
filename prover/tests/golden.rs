//! A small key and proof, kept as files. The verifier's tests and fuzz targets start from them.
//!
//! The same circuit and inputs must give the same bytes for as long as the protocol's version stays the same. A change that is
//! meant is blessed by `ASSAY_BLESS=1 cargo test -p assay-prover --test golden`; it also renews the corpora that hold proofs.
#[allow(dead_code)] // not everything that tests share is needed here
mod common;
#[path = "common/settlement.rs"]
mod settlement;

use std::fs;
use std::path::{Path, PathBuf};

use assay_prover::sumcheck::Prover;
use assay_verifier::circuit::{AxisMap, Circuit, Expr, Indices, Limits, Node, Op, Range, Table, Term, View, Weight};
use assay_verifier::key::{CheckedKey, Key};
use assay_verifier::{verify, wire};
use common::attention::attention;
use common::{Numbers, expr, inputs_of, kitchen_sink, map, port, weights_of};

/// Every relation on a handful of cells.
fn small() -> Circuit {
    let dense = View {
        source: 0,
        axes: vec![2, 3],
        sum: vec![3],
        dims: vec![2, 3],
        maps: vec![map(0, &[1, 0, 0]), map(0, &[0, 0, 1])],
    };
    let grouped = View { source: 1, sum: vec![2], maps: vec![map(0, &[1, 0, 1]), map(0, &[0, 1, 0])], ..dense.clone() };
    let same = |source| View::identity(source, 2, 3);
    let summed = View { source: 1, ..dense.clone() };
    let rows = AxisMap { table: vec![1, 0, 2], ..map(0, &[0, 1, 0]) };
    let tabled = View { source: 4, maps: vec![rows, map(0, &[0, 0, 1])], ..dense.clone() };
    let node = |op| Node { rows: 2, inner: 3, op };
    let nodes = vec![
        node(Op::Input(Range { low: -8, high: 7 })),
        node(Op::Rescale {
            expr: Expr {
                constant: 1,
                terms: vec![
                    Term::Contract { coefficient: 1, weight: 0, view: dense },
                    Term::Bias { coefficient: 2, weight: 1 },
                ],
            },
            shift: 2,
            low: -8,
            bits: 4,
        }),
        node(Op::Lookup { source: 1, table: 0 }),
        node(Op::Affine(Expr {
            constant: -1,
            terms: vec![
                Term::Linear { coefficient: 1, view: same(2) },
                Term::Linear { coefficient: -1, view: same(0) },
            ],
        })),
        node(Op::Rescale {
            expr: expr(vec![
                Term::Product { coefficient: 1, left: same(3), right: same(1) },
                Term::Contract { coefficient: 1, weight: 2, view: grouped },
            ]),
            shift: 4,
            low: -4,
            bits: 3,
        }),
        Node { rows: 2, inner: 1, op: Op::Input(Range { low: 0, high: 4 }) },
        node(Op::Rescale {
            expr: expr(vec![
                Term::Select { coefficient: 1, weight: 3, indices: Indices::Input(5) },
                Term::Select { coefficient: 2, weight: 3, indices: Indices::Constant(vec![4, 1]) },
                Term::Product { coefficient: 1, left: summed, right: tabled },
            ]),
            shift: 2,
            low: 1,
            bits: 4,
        }),
        Node { rows: 2, inner: 1, op: Op::Max { source: 6 } },
        node(Op::Quotient {
            numerator: Expr { constant: 3, terms: vec![Term::Linear { coefficient: 9, view: same(4) }] },
            denominator: View { dims: vec![2, 1], maps: vec![map(0, &[1, 0]), map(0, &[0, 0])], ..same(7) },
        }),
        node(Op::Root(Expr { constant: 2, terms: vec![Term::Linear { coefficient: 5, view: same(6) }] })),
        Node { rows: 1, inner: 3, op: Op::Max { source: 8 } },
    ];
    Circuit {
        limb_bits: 4,
        weights: vec![
            Weight { outputs: 3, taps: 1, channels: 3, bits: 3 },
            Weight { outputs: 3, taps: 1, channels: 1, bits: 4 },
            Weight { outputs: 3, taps: 2, channels: 1, bits: 3 },
            Weight { outputs: 5, taps: 1, channels: 3, bits: 4 },
        ],
        tables: vec![Table { low: -8, values: (-8..8).map(|x: i32| x.max(0)).collect() }],
        nodes,
        inputs: vec![port("x", 0, &[2, 3], &[0, 1]), port("words", 5, &[2], &[0])],
        outputs: vec![
            port("y", 4, &[3, 2], &[1, 0]),
            port("roots", 9, &[2, 3], &[0, 1]),
            port("largest", 10, &[3], &[0]),
        ],
    }
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../verifier/fuzz")
}

fn encoded(circuit: Circuit) -> [Vec<u8>; 2] {
    let mut numbers = Numbers(11);
    let weights = weights_of(&circuit, &mut numbers);
    let inputs = inputs_of(&circuit, &mut numbers);
    let prover = Prover::new(circuit, weights).unwrap();
    let key = Key::from(prover.prove_range().unwrap());
    let proof = prover.prove(&inputs, b"golden").unwrap();
    verify(&CheckedKey::new(&key, &Limits::default()).unwrap(), &proof).unwrap();
    [wire::encode(&key), wire::encode(&proof)]
}

#[test]
fn the_same_bytes_as_ever() {
    let [key, proof] = encoded(small());
    // The fuzz target of circuits reads the description alone.
    let circuits = [("kitchen_sink", kitchen_sink(7)), ("attention", attention(7)), ("small", small())];
    let circuits = circuits.map(|(name, circuit)| (name, wire::bytes(&circuit)));
    let mut files = vec![
        ("golden/key.bin".to_string(), key.clone()),
        ("golden/proof.bin".to_string(), proof.clone()),
        ("corpus/decode_key/golden".to_string(), key),
        ("corpus/decode_proof/golden".to_string(), proof),
    ];
    files.extend(circuits.map(|(name, bytes)| (format!("corpus/check_circuit/{name}"), bytes)));
    for (name, bytes) in files {
        let path = fuzz().join(&name);
        if std::env::var_os("ASSAY_BLESS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &bytes).unwrap();
        }
        assert!(bytes.len() < 48 << 10, "{name} has {} bytes", bytes.len());
        assert!(fs::read(&path).unwrap() == bytes, "{name} has changed; see the head of this file");
    }
}

/// Receipts that the ledger's tests settle.
#[test]
fn settlements() {
    let circuit = small();
    let weights = weights_of(&circuit, &mut Numbers(11));
    let prover = Prover::new(circuit.clone(), weights).unwrap();
    let key = Key::from(prover.prove_range().unwrap());
    let prove = |number, context: &[u8]| {
        let inputs = inputs_of(&circuit, &mut Numbers(100 + number));
        prover.prove(&inputs, context).unwrap()
    };
    let files = settlement::made(&key, false, 3, prove);
    settlement::bless("sumcheck", || files.clone());
    for (name, bytes) in &files {
        assert!(settlement::stored("sumcheck", name) == *bytes, "{name} has changed; see the head of this file");
    }
    settlement::check("sumcheck", 3);
}
