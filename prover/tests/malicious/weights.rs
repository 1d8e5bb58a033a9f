//! Weights that are not what the key says.
use assay_circuits::eval::Weights;
use assay_prover::sumcheck::Prover;
use assay_prover::sumcheck::lookup::{self, Fractions};
use assay_prover::sumcheck::pcs::Committed;
use assay_prover::sumcheck::{channel::Channel, range};
use assay_verifier::circuit::{Circuit, Limits};
use assay_verifier::field::{EF, F, signed};
use assay_verifier::sumcheck::contraction::padded_positions;
use assay_verifier::sumcheck::eq::{dot, eq_range};
use assay_verifier::sumcheck::key::{CheckedKey, Key, KeyError, RangeProof, WeightCommitment};
use assay_verifier::sumcheck::pcs::{ColumnOpening, Purpose, observe_root};
use assay_verifier::sumcheck::range::{RangeLayout, transcript};
use assay_verifier::sumcheck::weights::{WeightClaim, WeightStacks};
use assay_verifier::sumcheck::{Step, VerifyError};
use p3_field::{PrimeCharacteristicRing, PrimeField64};

use crate::common::{Numbers, kitchen_sink, verify, weights_of};
use crate::setting::Setting;

/// The cells of each weight tensor as committed, padding included.
pub fn cells_of(circuit: &Circuit, weights: &Weights) -> Vec<Vec<F>> {
    let padded = |(spec, values): (&assay_verifier::circuit::Weight, &Vec<i16>)| {
        let row = spec.padded_row() as usize;
        let mut cells = F::zero_vec(spec.padded_len() as usize);
        for (cells, values) in cells.chunks_mut(row).zip(values.chunks((spec.taps * spec.channels) as usize)) {
            padded_positions(spec).zip(values).for_each(|(at, &value)| cells[at] = signed(value.into()));
        }
        cells
    };
    circuit.weights.iter().zip(weights).map(padded).collect()
}

pub fn commit(circuit: &Circuit, cells: &[Vec<F>]) -> Vec<Committed> {
    let stacks = WeightStacks::new(circuit);
    let commit = |(shape, members): (&assay_verifier::sumcheck::pcs::StackShape, &Vec<usize>)| {
        Committed::new(shape.clone(), |column, to| to.copy_from_slice(&cells[members[column]])).unwrap()
    };
    stacks.shapes.iter().zip(&stacks.members).map(commit).collect()
}

fn value_at(cells: &[F], point: &[EF]) -> EF {
    let cells: Vec<EF> = cells.iter().map(|&cell| cell.into()).collect();
    dot(&eq_range(point, 0, cells.len()), &cells)
}

/// A key for cells that need not be weights, without range proof.
pub fn key_of(circuit: &Circuit, cells: &[Vec<F>], committed: &[Committed]) -> Key {
    let stacks = WeightStacks::new(circuit);
    let roots: Vec<[u8; 32]> = committed.iter().map(Committed::root).collect();
    let point = stacks.stated_point(&circuit.digest().0, &roots);
    let stated = |members: &Vec<usize>| {
        let value = |&member: &usize| {
            let variables = cells[member].len().trailing_zeros() as usize;
            value_at(&cells[member], &point[point.len() - variables..])
        };
        members.iter().map(value).collect()
    };
    let weights =
        stacks.members.iter().zip(roots).map(|(members, root)| WeightCommitment { root, stated: stated(members) });
    Key { circuit: circuit.clone(), weights: weights.collect(), range: None }
}

/// Follows the range proof for any cells; lookups that miss their table count nowhere.
pub fn prove_range(key: &CheckedKey, cells: &[Vec<F>], committed: &[Committed]) -> RangeProof {
    let circuit = key.circuit().circuit();
    let layout = RangeLayout::new(circuit, key.stacks());
    let len = 1 << layout.variables;
    let mut looked_up: Vec<(usize, u8, F)> = Vec::new();
    for &(weight, offset, _) in &layout.tensors {
        let spec = &circuit.weights[weight];
        let row = spec.padded_row() as usize;
        let valid: Vec<usize> = padded_positions(spec).collect();
        for (index, &cell) in cells[weight].iter().enumerate() {
            let inside = index / row < spec.outputs as usize && valid.contains(&(index % row));
            let (bits, value) = if inside { (spec.bits, cell + RangeLayout::shift(spec.bits)) } else { (0, cell) };
            looked_up.push((offset + index, bits, value));
        }
    }
    let mut counts: Vec<Vec<u64>> = layout.tables.iter().map(|&(bits, _)| vec![0; 1 << bits]).collect();
    for &(_, bits, value) in &looked_up {
        let table = layout.tables.iter().position(|&(table, _)| table == bits).unwrap();
        if let Some(count) = counts[table].get_mut(value.as_canonical_u64() as usize) {
            *count += 1;
        }
    }
    let counts: Vec<Vec<F>> =
        counts.iter().map(|counts| counts.iter().map(|&count| F::from_u64(count)).collect()).collect();
    let shape = layout.multiplicities();
    let multiplicities = Committed::new(shape.clone(), |column, to| to.copy_from_slice(&counts[column])).unwrap();
    let mut transcript = transcript(key);
    observe_root(&multiplicities.root(), &mut transcript);
    let mut channel = Channel::new(&mut transcript);
    let mut openings = Vec::new();
    for (column, &variables) in shape.columns.iter().enumerate() {
        let point = channel.transcript.sample_point(variables);
        let value = value_at(&counts[column], &point);
        channel.send(value);
        openings.push(ColumnOpening { column, point, value });
    }
    let (alpha, beta) = (channel.sample(), channel.sample());
    let mut leaves = Fractions { numerators: EF::zero_vec(len), denominators: vec![EF::ONE; len] };
    for &(at, bits, value) in &looked_up {
        leaves.numerators[at] = EF::ONE;
        leaves.denominators[at] = alpha - value - beta * RangeLayout::tag(bits);
    }
    for (&(bits, offset), counts) in layout.tables.iter().zip(&counts) {
        for (entry, &count) in counts.iter().enumerate() {
            leaves.numerators[offset + entry] = EF::from(-count);
            leaves.denominators[offset + entry] = alpha - F::from_usize(entry) - beta * RangeLayout::tag(bits);
        }
    }
    let leaf = lookup::prove(&mut channel, leaves, layout.variables);
    let mut claims = Vec::new();
    for &(weight, _, variables) in &layout.tensors {
        let point = leaf.point[layout.variables - variables..].to_vec();
        let value = value_at(&cells[weight], &point);
        channel.send(value);
        claims.push(WeightClaim { weight, point, value });
    }
    for (column, &(bits, _)) in layout.tables.iter().enumerate() {
        let point = leaf.point[layout.variables - usize::from(bits)..].to_vec();
        let value = value_at(&counts[column], &point);
        channel.send(value);
        openings.push(ColumnOpening { column, point, value });
    }
    let messages = channel.messages;
    let multiplicities_opening = multiplicities.open(&openings, &mut transcript).unwrap();
    let weights = committed.iter().enumerate().map(|(stack, committed)| {
        let commitment = &key.weights()[stack];
        let claims = key.stacks().openings(stack, &commitment.stated, key.stated_point(), &claims).unwrap();
        observe_root(&commitment.root, &mut transcript);
        committed.open(&claims, &mut transcript).unwrap()
    });
    let weights = weights.collect();
    RangeProof { root: multiplicities.root(), messages, multiplicities: multiplicities_opening, weights }
}

/// Publishes a key for cells with a range proof of their own, and checks it.
fn publish(circuit: &Circuit, cells: &[Vec<F>]) -> Result<(), KeyError> {
    let committed = commit(circuit, cells);
    let mut key = key_of(circuit, cells, &committed);
    let checked = CheckedKey::without_range(&key, &Limits::default()).unwrap();
    key.range = Some(prove_range(&checked, cells, &committed));
    CheckedKey::new(&key, &Limits::default()).map(|_| ())
}

#[test]
fn out_of_range_or_padded() {
    // Narrow weights keep the range tables small.
    let mut numbers = Numbers(6);
    let mut circuit = kitchen_sink(7);
    circuit.weights.iter_mut().for_each(|spec| spec.bits = spec.bits.min(7));
    let circuit = &circuit;
    let cells = cells_of(circuit, &weights_of(circuit, &mut numbers));
    assert_eq!(publish(circuit, &cells), Ok(()), "the tests follow the protocol");
    let refused = Err(KeyError::Range(VerifyError::Check(Step::LookupSum)));
    for (weight, spec) in circuit.weights.iter().enumerate() {
        let row = spec.padded_row() as usize;
        let valid: Vec<usize> = padded_positions(spec).collect();
        let half = 1i64 << (spec.bits - 1);
        for value in [half, -half - 1, 1 << 40] {
            let mut cells = cells.clone();
            cells[weight][valid[valid.len() / 2]] = signed(value);
            assert_eq!(publish(circuit, &cells), refused, "weight {weight} of {value}");
        }
        let padding =
            (0..cells[weight].len()).filter(|at| at / row >= spec.outputs as usize || !valid.contains(&(at % row)));
        for at in padding {
            for value in [1, -1, half] {
                let mut cells = cells.clone();
                cells[weight][at] = signed(value);
                assert_eq!(publish(circuit, &cells), refused, "weight {weight}, padding {at} of {value}");
            }
        }
    }
}

/// The range proof speaks of other weights than were committed.
#[test]
fn range_proof_of_other_weights() {
    let setting = Setting::new();
    let circuit = setting.circuit();
    let honest = cells_of(circuit, &setting.weights);
    let mut bad = honest.clone();
    bad[2][0] = signed(1 << 20);
    let committed = commit(circuit, &bad);
    for stated in [&bad, &honest] {
        let mut key = key_of(circuit, stated, &committed);
        let checked = CheckedKey::without_range(&key, &Limits::default()).unwrap();
        key.range = Some(range::prove(&checked, &setting.weights, &committed).unwrap());
        let refused = KeyError::Range(VerifyError::OpenedValue(Purpose::Weights));
        assert_eq!(CheckedKey::new(&key, &Limits::default()).err(), Some(refused));
    }
}

/// A proof under the victim's key by a prover with other weights.
#[test]
fn other_weights() {
    let setting = Setting::new();
    let mut biases = setting.weights.clone();
    biases[1].fill(0);
    biases[4].fill(0);
    let mut permuted = setting.weights.clone();
    permuted[0].swap(0, 1);
    permuted[0].swap(2, 17);
    other_weights_of(&setting, vec![("biases dropped", biases), ("weights permuted", permuted)]);

    let setting = Setting::attention();
    let mut words = setting.weights.clone();
    let (first, second) = words[0].split_at_mut(6);
    first.swap_with_slice(&mut second[..6]);
    other_weights_of(&setting, vec![("two words exchanged", words)]);
}

/// Proofs by provers with other weights: one weight changed in each tensor, and more cases.
fn other_weights_of(setting: &Setting, more: Vec<(&str, Weights)>) {
    let circuit = setting.circuit();
    let mut cases = more;
    for tensor in 0..circuit.weights.len() {
        let mut weights = setting.weights.clone();
        weights[tensor][0] ^= 1;
        cases.push(("one weight changed", weights));
    }
    for (name, weights) in cases {
        let prove = |committed: Vec<Committed>| {
            let prover = Prover::from_parts(setting.key.clone(), weights.clone(), committed);
            verify(&setting.key, &prover.prove(&setting.inputs, b"").unwrap())
        };
        // Everything fits the prover's weights; only the commitment holds others.
        let theirs = commit(circuit, &cells_of(circuit, &setting.weights));
        assert_eq!(prove(theirs), Err(VerifyError::OpenedValue(Purpose::Weights)), "{name}");
        // Openings of a commitment to the prover's own weights do not fit the key's root.
        let own = commit(circuit, &cells_of(circuit, &weights));
        assert_eq!(prove(own), Err(VerifyError::Opening(Purpose::Weights)), "{name}, own commitment");
    }
}

/// The key states values that the commitment does not have: no proof under it verifies.
#[test]
fn stated_values() {
    let setting = Setting::new();
    let circuit = setting.circuit();
    let cells = cells_of(circuit, &setting.weights);
    let committed = commit(circuit, &cells);
    let mut key = key_of(circuit, &cells, &committed);
    key.weights[0].stated[1] += EF::ONE;
    let checked = CheckedKey::without_range(&key, &Limits::default()).unwrap();
    let prover = Prover::from_parts(checked.clone(), setting.weights.clone(), committed);
    let proof = prover.prove(&setting.inputs, b"").unwrap();
    assert_eq!(verify(&checked, &proof), Err(VerifyError::OpenedValue(Purpose::Weights)));
    key.range = prover.prove_range().unwrap().range;
    let refused = KeyError::Range(VerifyError::OpenedValue(Purpose::Weights));
    assert_eq!(CheckedKey::new(&key, &Limits::default()).err(), Some(refused));
}
