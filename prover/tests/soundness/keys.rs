//! Changes of a key: well-formed ones, which only its identity tells, and malformed ones.
use super::*;

pub type KeyChange = (&'static str, Box<dyn Fn(&mut Key)>);

/// Changes of a key that leave it well-formed, so that only its identity tells.
fn well_formed_key_changes() -> Vec<KeyChange> {
    fn change(name: &'static str, change: impl Fn(&mut Key) + 'static) -> KeyChange {
        (name, Box::new(change))
    }
    fn rescale(key: &mut Key, node: usize) -> (&mut u8, &mut i64, &mut i64) {
        let Op::Rescale { expr, shift, low, .. } = &mut key.circuit.nodes[node].op else { panic!("not rescaled") };
        (shift, low, &mut expr.constant)
    }
    fn term(key: &mut Key, node: usize, term: usize) -> &mut Term {
        match &mut key.circuit.nodes[node].op {
            Op::Affine(expr) | Op::Rescale { expr, .. } => &mut expr.terms[term],
            _ => panic!("no expression"),
        }
    }
    vec![
        change("a shift", |key| *rescale(key, 1).0 += 1),
        change("a low end", |key| *rescale(key, 2).1 += 1),
        change("a constant", |key| *rescale(key, 1).2 += 1),
        change("a width", |key| {
            let Op::Rescale { bits, .. } = &mut key.circuit.nodes[4].op else { panic!("not rescaled") };
            *bits -= 1;
        }),
        change("an affine constant", |key| {
            let Op::Affine(expr) = &mut key.circuit.nodes[5].op else { panic!("not affine") };
            expr.constant += 1;
        }),
        change("a coefficient", |key| {
            let Term::Bias { coefficient, .. } = term(key, 1, 1) else { panic!("no bias") };
            *coefficient += 1;
        }),
        change("a bias dropped", |key| {
            // It is still used with the factor zero, so that the description stays well-formed.
            let Term::Bias { coefficient, .. } = term(key, 9, 1) else { panic!("no bias") };
            *coefficient = 0;
        }),
        change("a product's coefficient", |key| {
            let Term::Product { coefficient, .. } = term(key, 4, 0) else { panic!("no product") };
            *coefficient = -*coefficient;
        }),
        change("a product's factor", |key| {
            let Term::Product { right, .. } = term(key, 4, 0) else { panic!("no product") };
            right.source = 2;
        }),
        change("a view's offset", |key| {
            let Term::Contract { view, .. } = term(key, 1, 0) else { panic!("no contraction") };
            view.maps[0].offset = 0;
        }),
        change("a view's stride", |key| {
            let Term::Linear { view, .. } = term(key, 7, 1) else { panic!("not linear") };
            view.maps[1].coefficients[1] = 1;
        }),
        change("an affine term dropped", |key| {
            let Op::Affine(expr) = &mut key.circuit.nodes[5].op else { panic!("not affine") };
            expr.terms.pop();
        }),
        change("a table's value", |key| key.circuit.tables[0].values[77] += 1),
        change("an input's range", |key| {
            key.circuit.nodes[0].op = Op::Input(Range { low: -128, high: 126 });
        }),
        change("a weight's width", |key| key.circuit.weights[0].bits = 7),
        change("a layer skipped", |key| {
            let Op::Lookup { source, .. } = &mut key.circuit.nodes[3].op else { panic!("no lookup") };
            assert_eq!(*source, 1);
            // Node 2 has the same shape and a range that the table holds.
            *source = 2;
        }),
        change("limbs", |key| key.circuit.limb_bits = 11),
        change("the node of an output", |key| {
            key.circuit.outputs[1].node = 7;
        }),
        change("the name of an output", |key| key.circuit.outputs[0].name = "z".into()),
        change("the scale of an output", |key| key.circuit.outputs[0].scale = 7),
        change("the order of an input's axes", |key| key.circuit.inputs[0].order = vec![0, 3, 2, 1]),
        change("the shape of an input", |key| {
            key.circuit.inputs[0].dims = vec![2, 4, 4];
            key.circuit.inputs[0].order = vec![1, 2, 0];
        }),
        change("a root", |key| flip(&mut key.weights[0].root)),
        change("a stated value", |key| key.weights[0].stated[2] += EF::ONE),
        change("two stated values exchanged", |key| key.weights[0].stated.swap(0, 1)),
    ]
}

/// Each change of a key is refused three times: by the range proof, which is bound to the key's identity; without range proof,
/// because the proof names another key; and, if the statement is changed to name the changed key, by the proof itself.
#[test]
fn fields_of_a_key() {
    refused_three_times(&case(), &well_formed_key_changes());
}

pub fn refused_three_times(case: &Case, changes: &[KeyChange]) {
    for (name, change) in changes {
        let mut changed = case.clone();
        change(&mut changed.key);
        assert_eq!(check(&changed), Err(range_step(Step::LookupRound)), "{name}");
        let key = CheckedKey::without_range(&changed.key, &Limits::default()).expect(name);
        assert_ne!(Some(key.digest()), Some(case.proof.statement.key), "{name}");
        assert_eq!(verify(&key, &changed.proof), Err(VerifyError::OtherKey), "{name}");
        changed.proof.statement.key = key.digest();
        let expected = VerifyError::Check(Step::LookupRound);
        assert_eq!(verify(&key, &changed.proof), Err(expected), "{name}");
    }
    println!("{} rows", 3 * changes.len());
}

/// Changes that make a key malformed.
#[test]
fn malformed_keys() {
    let node = |node, reason| Refusal::Key(KeyError::Circuit(CircuitError::Node { node, reason }));
    let circuit = |error| Refusal::Key(KeyError::Circuit(error));
    let columns = Refusal::Key(KeyError::Shape("number of committed columns"));
    let rows = [
        row("a weight's shape", node(9, "weight does not fit"), |case| case.key.circuit.weights[3].channels = 11),
        row("a weight more", circuit(CircuitError::Limit { what: "weights that nothing uses", limit: 0 }), |case| {
            let spec = case.key.circuit.weights[0].clone();
            case.key.circuit.weights.push(spec);
        }),
        row("an empty weight", circuit(CircuitError::Weight(2)), |case| case.key.circuit.weights[2].outputs = 0),
        row("too wide a weight", circuit(CircuitError::Weight(2)), |case| case.key.circuit.weights[2].bits = 17),
        row("a table cut", circuit(CircuitError::Table(0)), |case| shorten(&mut case.key.circuit.tables[0].values)),
        row("a table too short for its arguments", node(3, "arguments outside the table"), |case| {
            case.key.circuit.tables[0].values.truncate(128);
        }),
        row("a table moved", node(3, "arguments outside the table"), |case| case.key.circuit.tables[0].low += 1),
        row("limbs too wide", circuit(CircuitError::LimbBits(17)), |case| case.key.circuit.limb_bits = 17),
        row("limbs too narrow", circuit(CircuitError::LimbBits(3)), |case| case.key.circuit.limb_bits = 3),
        row("a node without cells", node(4, "empty shape"), |case| case.key.circuit.nodes[4].rows = 0),
        row("a node that reads itself", node(3, "source is not an earlier node"), |case| {
            case.key.circuit.nodes[3].op = Op::Lookup { source: 3, table: 0 };
        }),
        row("a table that is not there", node(3, "no such table"), |case| {
            case.key.circuit.nodes[3].op = Op::Lookup { source: 1, table: 1 };
        }),
        row("a value that may wrap", circuit(CircuitError::Overflow { node: 1 }), |case| {
            let Op::Rescale { expr, .. } = &mut case.key.circuit.nodes[1].op else { panic!("not rescaled") };
            expr.constant = (1 << 61) - 1;
        }),
        row("a decomposition that may wrap", node(1, "shift, range or width do not fit the values"), |case| {
            let Op::Rescale { shift, .. } = &mut case.key.circuit.nodes[1].op else { panic!("not rescaled") };
            *shift = 41;
        }),
        row(
            "a port of another shape",
            circuit(CircuitError::Port { name: "y".into(), reason: "shape differs from the node's" }),
            |case| {
                case.key.circuit.outputs[0].dims[1] = 6;
            },
        ),
        row("no output", circuit(CircuitError::Port { name: String::new(), reason: "no output" }), |case| {
            case.key.circuit.outputs.clear();
        }),
        row("a stack less", columns.clone(), |case| case.key.weights.clear()),
        row("a stack more", columns.clone(), |case| {
            let commitment = case.key.weights[0].clone();
            case.key.weights.push(commitment);
        }),
        row("a stated value less", columns.clone(), |case| shorten(&mut case.key.weights[0].stated)),
        row("a stated value more", columns, |case| case.key.weights[0].stated.push(EF::ZERO)),
    ];
    assert_rows(&case(), &rows);
    println!("{} rows", rows.len());
}
