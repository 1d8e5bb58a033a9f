//! What the fuzz targets do with their bytes. The verifier's tests replay the corpora through the same functions.
//!
//! In this folder: `cargo +nightly fuzz run --fuzz-dir . verify -- -max_total_time=600 -rss_limit_mb=2048`. What is found goes to
//! `corpus/` as a small file once it is fixed.
use std::sync::OnceLock;

use assay_verifier::audit::{Bundle, Evidence, Ledger, Question, Trust, audit as audit_bundle};
use assay_verifier::circuit::{CheckedCircuit, Circuit, Limits};
use assay_verifier::fetched::SignedFetched;
use assay_verifier::field::{EF, F};
use assay_verifier::key::{CheckedKey, Key};
use assay_verifier::proxied::{self, Exchange};
use assay_verifier::receipt::{SignedReceipt, Subject};
use assay_verifier::settlement::light::{Root, validators_hash};
use assay_verifier::signature::SigningKey;
use assay_verifier::statement::{Argument as AnyArgument, Proof};
use assay_verifier::sumcheck::pcs::Opening;
use assay_verifier::sumcheck::weights::WeightStacks;
use assay_verifier::sumcheck::{self, Argument, key::WeightCommitment};
use assay_verifier::wire::Bytes;
use assay_verifier::{verify as verify_proof, wire};
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
use p3_whir::QueryOpenings;

const KEY: &[u8] = include_bytes!("golden/key.bin");
const PROOF: &[u8] = include_bytes!("golden/proof.bin");
const HALO2_KEY: &[u8] = include_bytes!("golden/halo2_key.bin");
const HALO2_PROOF: &[u8] = include_bytes!("golden/halo2_proof.bin");
/// By the first byte; where there is none, the bytes themselves are the bundle.
const BUNDLES: [Option<&[u8]>; 8] = [
    Some(include_bytes!("golden/sumcheck.assay")),
    Some(include_bytes!("golden/halo2.assay")),
    Some(include_bytes!("golden/vanilla.assay")),
    None,
    Some(include_bytes!("golden/enclave.assay")),
    Some(include_bytes!("golden/upstream.assay")),
    Some(include_bytes!("golden/sampled.assay")),
    None,
];

/// Decodes a key, which must have that one encoding, and checks it.
pub fn decode_key(data: &[u8]) {
    if let Ok(key) = wire::decode::<Key>(data) {
        assert!(wire::encode(&key) == data, "two encodings of one key");
        let _ = CheckedKey::new(&key, &Limits::default());
    }
}

/// Decodes a receipt, and a record of fetched data: each must have that one encoding. A receipt is compared with an exchange of its own words.
pub fn decode_signed(data: &[u8]) {
    if let Ok(record) = wire::decode::<SignedFetched>(data) {
        assert!(wire::encode(&record) == data, "two encodings of one record");
        let _ = record.verify();
    }
    let Ok(signed) = wire::decode::<SignedReceipt>(data) else { return };
    assert!(wire::encode(&signed) == data, "two encodings of one receipt");
    let receipt = &signed.receipt;
    let Subject::Upstream(forwarded) = &receipt.subject else { return };
    let exchange = Exchange {
        chain_id: &receipt.chain_id,
        node: receipt.node,
        path: &forwarded.path,
        model: &forwarded.model,
        request: data,
        forwarded: data,
        origin: None,
        status: forwarded.status,
        response: data,
        window_ms: (0, u64::MAX),
    };
    assert!(proxied::verify(&signed, &exchange).is_err(), "a receipt that has its own digest in it");
}

/// Decodes a proof, which must have that one encoding, and verifies it under the golden key of its engine.
pub fn decode_proof(data: &[u8]) {
    if let Ok(proof) = wire::decode::<Proof>(data) {
        assert!(wire::encode(&proof) == data, "two encodings of one proof");
        let (key, golden) = match proof.argument {
            AnyArgument::Sumcheck(_) => (&golden().0, PROOF),
            AnyArgument::Halo2(_) => (&halo2_golden().0, HALO2_PROOF),
        };
        assert!(verify_proof(key, &proof).is_err() || data == golden, "another proof is accepted");
    }
}

/// Decodes a description and checks it; if it is a circuit, a key for it is checked up to its commitments.
pub fn check_circuit(data: &[u8]) {
    let config = bincode::config::standard().with_fixed_int_encoding().with_little_endian().with_limit::<{ 1 << 24 }>();
    let Ok((circuit, _)) = bincode::serde::decode_from_slice::<Circuit, _>(data, config) else { return };
    let limits = Limits::default();
    if CheckedCircuit::new(circuit.clone(), &limits).is_err() {
        return;
    }
    let stacks = WeightStacks::new(&circuit);
    let commitment = |members: &Vec<usize>| WeightCommitment { root: [0; 32], stated: vec![EF::ZERO; members.len()] };
    let weights = stacks.members.iter().map(commitment).collect();
    let _ = sumcheck::key::CheckedKey::without_range(&sumcheck::key::Key { circuit, weights, range: None }, &limits);
}

/// Changes the golden key and proof as the bytes say, and verifies. Only what is unchanged may be accepted.
pub fn verify(data: &[u8]) {
    let (checked, key, proof) = golden();
    let mut choices = Choices(data);
    let mut changed_key = sumcheck_key(key).clone();
    let mut changed = proof.clone();
    let what = choices.byte() % 8;
    let mut edits = 0;
    while !choices.0.is_empty() && edits < 8 {
        edits += 1;
        match what {
            0 => change_bytes(&mut choices, &mut changed),
            1 => change_statement(&mut choices, &mut changed),
            2 => change_messages(&mut choices, &mut argument(&mut changed).messages),
            3 => change_opening(&mut choices, &mut argument(&mut changed).witness),
            4 => change_openings(&mut choices, &mut argument(&mut changed).weights),
            5 => change_key(&mut choices, &mut changed_key),
            6 => change_range(&mut choices, &mut changed_key),
            _ => {
                change_messages(&mut choices, &mut argument(&mut changed).messages);
                change_opening(&mut choices, &mut argument(&mut changed).witness);
            }
        }
    }
    if wire::bytes(&changed_key) != wire::bytes(sumcheck_key(key)) {
        // The key is checked as it is; then, without its range proof, the proof is verified as one for that key.
        assert!(sumcheck::key::CheckedKey::new(&changed_key, &Limits::default()).is_err(), "another key is accepted");
        if let Ok(checked) = sumcheck::key::CheckedKey::without_range(&changed_key, &Limits::default()) {
            let checked = CheckedKey::from(checked);
            let same = checked.digest() == proof.statement.key;
            changed.statement.key = checked.digest();
            assert!(verify_proof(&checked, &changed).is_err() || same, "a proof is accepted under another key");
        }
        return;
    }
    let same = wire::encode(&changed) == PROOF;
    assert_eq!(verify_proof(checked, &changed).is_ok(), same, "what is accepted is not what was proven");
}

/// Changes the golden key or proof of the engine `halo2` as the bytes say, and verifies. Only what is unchanged may be accepted.
pub fn verify_halo2(data: &[u8]) {
    let (checked, key, proof) = halo2_golden();
    let mut choices = Choices(data);
    let what = choices.byte() % 3;
    let (mut changed_key, mut changed) = (wire::encode(key), proof.clone());
    let mut edits = 0;
    while !choices.0.is_empty() && edits < 8 {
        edits += 1;
        match (what, &mut changed.argument) {
            (0, _) => change_bytes(&mut choices, &mut changed),
            (1, AnyArgument::Halo2(argument)) => {
                change_list(&mut choices, &mut argument.messages, |choices, byte| *byte = choices.byte());
            }
            _ => {
                let at = choices.below(changed_key.len());
                changed_key[at] ^= choices.byte();
            }
        }
    }
    if changed_key == HALO2_KEY {
        let same = wire::encode(&changed) == HALO2_PROOF;
        assert_eq!(verify_proof(checked, &changed).is_ok(), same, "what is accepted is not what was proven");
        return;
    }
    // A changed key may be one; then the proof is verified as one for that key.
    let Ok(other) = wire::decode::<Key>(&changed_key) else { return };
    if let Ok(other) = CheckedKey::new(&other, &Limits::default()) {
        changed.statement.key = other.digest();
        assert!(verify_proof(&other, &changed).is_err(), "a proof is accepted under another key");
    }
}

/// Changes the bytes of a golden bundle as the bytes say, or takes them for one, and audits. What holds is what did.
pub fn audit(data: &[u8]) {
    let mut choices = Choices(data);
    let golden = BUNDLES.get(usize::from(choices.byte() % 8)).copied().flatten();
    let mut bytes = golden.unwrap_or(choices.0).to_vec();
    let mut edits = 0;
    while golden.is_some() && !choices.0.is_empty() && edits < 8 {
        edits += 1;
        let at = usize::from(choices.byte()) << 16 | choices.below(1 << 16);
        let at = at % bytes.len().max(1);
        match choices.byte() % 8 {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, choices.byte()),
            2 if !bytes.is_empty() => _ = bytes.remove(at),
            _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= choices.byte()),
        }
    }
    let Ok(bundle) = wire::decode::<Bundle>(&bytes) else { return };
    assert!(wire::encode(&bundle) == bytes, "two encodings of one bundle");
    let key = SigningKey::from_seed([9; 32]).public();
    let root = Root::Validators(validators_hash(&[(key.0, 10)]).expect("a validator"));
    let trust = Trust { chain_id: "assay-golden-1".into(), root, genesis: None };
    let holds = audit_bundle(&bundle, &trust, &Question::default()).holds();
    assert!(holds || golden.is_none_or(|golden| golden != bytes), "a golden bundle is refused");
    if holds {
        let golden = golden.expect("a bundle is hit by chance");
        let golden: Bundle = wire::decode(golden).expect("the golden bundle decodes");
        // What no signature covers may differ in headers and proofs of inclusion; and what may be withheld.
        assert!(bundle.receipt == golden.receipt && (bundle.request == golden.request || bundle.request.is_none()));
        assert!(bundle.records == golden.records || bundle.records.is_empty(), "other fetched data is accepted");
        let withheld = matches!(bundle.evidence, Evidence::Signature) && !matches!(golden.evidence, Evidence::Proof(_));
        assert!(same_evidence(&bundle.evidence, &golden.evidence) || withheld, "other evidence is accepted");
        let sample = |bundle: &Bundle| bundle.ledger.as_ref().and_then(|ledger| ledger.sample.clone());
        if let (Some(found), Some(golden)) = (sample(&bundle), sample(&golden)) {
            assert!(found.record.value == golden.record.value, "another sample is accepted");
            assert!(found.proof == golden.proof || found.proof.is_none(), "another proof is accepted");
        }
        let records = |bundle: Bundle| {
            let Ledger { settlement, model, node, rules, attestation, .. } = bundle.ledger?;
            let of_enclave = attestation
                .map(|found| [found.attestation, found.evidence, found.measurement, found.rules].map(Some))
                .unwrap_or_default();
            let all = [settlement, model, Some(node), Some(rules)].into_iter().chain(of_enclave);
            Some(all.map(|record| record.map(|record| record.value)).collect::<Vec<_>>())
        };
        assert!(records(bundle) == records(golden), "another record is accepted");
    }
}

/// Bodies of an exchange may each be withheld.
fn same_evidence(found: &Evidence, golden: &Evidence) -> bool {
    match (found, golden) {
        (Evidence::Exchange(found), Evidence::Exchange(golden)) => {
            let same = |found: &Option<Bytes>, golden: &Option<Bytes>| found.is_none() || found == golden;
            same(&found.forwarded, &golden.forwarded) && same(&found.response, &golden.response)
        }
        (found, golden) => found == golden,
    }
}

type Golden = (CheckedKey, Key, Proof);

fn golden() -> &'static Golden {
    static GOLDEN: OnceLock<Golden> = OnceLock::new();
    GOLDEN.get_or_init(|| decoded(KEY, PROOF))
}

fn halo2_golden() -> &'static Golden {
    static GOLDEN: OnceLock<Golden> = OnceLock::new();
    GOLDEN.get_or_init(|| decoded(HALO2_KEY, HALO2_PROOF))
}

fn decoded(key: &[u8], proof: &[u8]) -> Golden {
    let key: Key = wire::decode(key).expect("the golden key decodes");
    let checked = CheckedKey::new(&key, &Limits::default()).expect("the golden key is one");
    (checked, key, wire::decode(proof).expect("the golden proof decodes"))
}

/// The first golden files are of the engine `sumcheck`.
fn sumcheck_key(key: &Key) -> &sumcheck::key::Key {
    key.as_sumcheck().expect("the golden key is of sumcheck")
}

fn argument(proof: &mut Proof) -> &mut Argument {
    proof.argument.as_sumcheck_mut().expect("the golden proof is of sumcheck")
}

/// Choices read from bytes; zero when there are none left.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    fn below(&mut self, bound: usize) -> usize {
        let value = usize::from(self.byte()) << 8 | usize::from(self.byte());
        value % bound.max(1)
    }

    fn word(&mut self) -> u64 {
        let mut word = [0; 8];
        word.iter_mut().for_each(|byte| *byte = self.byte());
        u64::from_le_bytes(word)
    }

    fn base(&mut self) -> F {
        match self.byte() % 4 {
            0 => F::ZERO,
            1 => F::ONE,
            2 => F::NEG_ONE,
            _ => F::from_u64(self.word()),
        }
    }

    fn element(&mut self) -> EF {
        EF::from_basis_coefficients_fn(|_| self.base())
    }
}

/// Sets, drops, repeats or exchanges members of a list.
fn change_list<T: Clone>(choices: &mut Choices<'_>, list: &mut Vec<T>, member: impl FnOnce(&mut Choices<'_>, &mut T)) {
    let at = choices.below(list.len());
    match choices.byte() % 6 {
        0 => list.truncate(at),
        1 => {
            if let Some(first) = list.get(at).cloned() {
                list.insert(at, first);
            }
        }
        2 if !list.is_empty() => {
            let other = choices.below(list.len());
            list.swap(at, other);
        }
        _ => {
            if let Some(found) = list.get_mut(at) {
                member(choices, found);
            }
        }
    }
}

fn change_bytes(choices: &mut Choices<'_>, proof: &mut Proof) {
    let mut bytes = wire::encode(proof);
    let at = choices.below(bytes.len());
    bytes[at] ^= choices.byte();
    if let Ok(decoded) = wire::decode(&bytes) {
        *proof = decoded;
    }
}

fn change_statement(choices: &mut Choices<'_>, proof: &mut Proof) {
    let statement = &mut proof.statement;
    let integers = |choices: &mut Choices<'_>, list: &mut Vec<i64>| {
        change_list(choices, list, |choices, value| *value = choices.word().cast_signed());
    };
    match choices.byte() % 4 {
        0 => {
            let Some(inputs) = statement.inputs.public_mut() else { return };
            change_list(choices, inputs, integers);
        }
        1 => change_list(choices, &mut statement.outputs, integers),
        2 => change_list(choices, &mut statement.context, |choices, byte| *byte = choices.byte()),
        _ => {
            let at = choices.below(32);
            argument(proof).root[at] ^= choices.byte();
        }
    }
}

fn change_messages(choices: &mut Choices<'_>, messages: &mut Vec<EF>) {
    change_list(choices, messages, |choices, value| *value = choices.element());
}

fn change_openings(choices: &mut Choices<'_>, openings: &mut Vec<Opening>) {
    change_list(choices, openings, change_opening);
}

fn change_opening(choices: &mut Choices<'_>, opening: &mut Opening) {
    let element = |choices: &mut Choices<'_>, value: &mut EF| *value = choices.element();
    let base = |choices: &mut Choices<'_>, value: &mut F| *value = choices.base();
    let pair = |choices: &mut Choices<'_>, pair: &mut [EF; 2]| pair[choices.below(2)] = choices.element();
    let whir = &mut opening.whir;
    match choices.byte() % 12 {
        0 => change_list(choices, &mut whir.initial_ood_answers, element),
        1 => change_list(choices, &mut whir.initial_sumcheck.polynomial_evaluations, pair),
        2 => change_list(choices, &mut whir.initial_sumcheck.pow_witnesses, base),
        3 => change_list(choices, &mut whir.rounds, |choices, round| match choices.byte() % 5 {
            0 => round.commitment = None,
            1 => change_list(choices, &mut round.ood_answers, element),
            2 => round.pow_witness = choices.base(),
            3 => change_rows(choices, &mut round.openings),
            _ => change_list(choices, &mut round.sumcheck.polynomial_evaluations, pair),
        }),
        4 => {
            let Some(poly) = &whir.final_poly else { return };
            let mut values = poly.as_slice().to_vec();
            change_list(choices, &mut values, element);
            // The library's constructor asserts the length; its decoder does not.
            let config = bincode::config::standard();
            let bytes = bincode::serde::encode_to_vec(&(values, ()), config).unwrap_or_default();
            if let Ok((poly, _)) = bincode::serde::decode_from_slice(&bytes, config) {
                whir.final_poly = Some(poly);
            }
        }
        5 => whir.final_poly = None,
        6 => whir.final_pow_witness = choices.base(),
        7 => change_rows(choices, &mut whir.final_openings),
        8 => match &mut whir.final_sumcheck {
            Some(data) => change_list(choices, &mut data.polynomial_evaluations, pair),
            None => whir.final_sumcheck = Some(whir.initial_sumcheck.clone()),
        },
        9 => whir.final_sumcheck = None,
        10 => whir.rounds.push(p3_whir::WhirRoundProof {
            commitment: None,
            ood_answers: Vec::new(),
            pow_witness: F::ZERO,
            openings: whir.final_openings.clone(),
            sumcheck: whir.initial_sumcheck.clone(),
        }),
        _ => change_list(choices, &mut opening.evals, |choices, batch| {
            let (mut current, mut next) = (batch.current().to_vec(), batch.next().to_vec());
            match choices.byte() % 3 {
                0 => change_list(choices, &mut current, element),
                1 => next.push(choices.element()),
                _ => std::mem::swap(&mut current, &mut next),
            }
            // The library's constructor refuses empty batches; its decoder does not.
            let config = bincode::config::standard();
            let bytes = bincode::serde::encode_to_vec(&(current, next), config).unwrap_or_default();
            if let Ok((changed, _)) = bincode::serde::decode_from_slice(&bytes, config) {
                *batch = changed;
            }
        }),
    }
}

fn change_rows<P: Clone + Siblings>(choices: &mut Choices<'_>, rows: &mut QueryOpenings<F, EF, P>) {
    match rows {
        QueryOpenings::Base(shared) => match choices.byte() % 3 {
            0 => shared.proof.change(choices),
            1 => {
                *rows = QueryOpenings::Extension(p3_whir::SharedProofOpening {
                    rows: shared.rows.iter().map(|row| row.iter().map(|&cell| cell.into()).collect()).collect(),
                    proof: shared.proof.clone(),
                })
            }
            _ => change_list(choices, &mut shared.rows, |choices, row| {
                change_list(choices, row, |choices, cell| *cell = choices.base());
            }),
        },
        QueryOpenings::Extension(shared) => match choices.byte() % 3 {
            0 => shared.proof.change(choices),
            1 => {
                *rows =
                    QueryOpenings::Base(p3_whir::SharedProofOpening { rows: Vec::new(), proof: shared.proof.clone() })
            }
            _ => change_list(choices, &mut shared.rows, |choices, row| {
                change_list(choices, row, |choices, cell| *cell = choices.element());
            }),
        },
    }
}

/// A Merkle proof that is shared by several rows.
trait Siblings {
    fn change(&mut self, choices: &mut Choices<'_>);
}

impl Siblings for assay_verifier::sumcheck::pcs::MultiProof {
    fn change(&mut self, choices: &mut Choices<'_>) {
        change_list(choices, &mut self.sibling_hashes, |choices, hash| {
            let at = choices.below(32);
            hash[at] ^= choices.byte();
        });
    }
}

fn change_key(choices: &mut Choices<'_>, key: &mut sumcheck::key::Key) {
    match choices.byte() % 3 {
        0 => change_list(choices, &mut key.weights, |choices, commitment| match choices.byte() % 2 {
            0 => {
                let at = choices.below(32);
                commitment.root[at] ^= choices.byte();
            }
            _ => change_list(choices, &mut commitment.stated, |choices, value| *value = choices.element()),
        }),
        _ => {
            let config = bincode::config::standard().with_fixed_int_encoding().with_limit::<{ 1 << 24 }>();
            let mut bytes = wire::bytes(&key.circuit);
            let at = choices.below(bytes.len());
            bytes[at] ^= choices.byte();
            if let Ok((circuit, _)) = bincode::serde::decode_from_slice(&bytes, config) {
                key.circuit = circuit;
            }
        }
    }
}

fn change_range(choices: &mut Choices<'_>, key: &mut sumcheck::key::Key) {
    let Some(range) = &mut key.range else { return };
    match choices.byte() % 5 {
        0 => key.range = None,
        1 => {
            let at = choices.below(32);
            range.root[at] ^= choices.byte();
        }
        2 => change_messages(choices, &mut range.messages),
        3 => change_opening(choices, &mut range.multiplicities),
        _ => change_openings(choices, &mut range.weights),
    }
}
