//! Attacks on what is hidden: publishers and clients that swap what they committed to, and what proofs must not show.
use assay_prover::halo2::prove::{Tools, commit};
use assay_prover::halo2::secret::Secret;
use assay_verifier::halo2::curve::{Fr, G1, G1Affine};
use assay_verifier::halo2::hiding::{combine, verify};
use assay_verifier::halo2::transcript::{Reader, Writer};
use assay_verifier::halo2::{self, VerifyError, verify as verify_messages};
use assay_verifier::statement::{Argument, Inputs};
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::halo2curves::group::{Curve, Group};
use halo2_proofs::transcript::{Transcript, TranscriptWrite};
use rand_core::OsRng;

use crate::common::{Numbers, inputs_of, weights_of};
use crate::real::{Made, proven, small};
use crate::samples::{Form, HIDDEN, USUAL, evaluated, lay_out, witness};

const HIDING: Form = Form { visibility: HIDDEN, ..USUAL };

/// The publisher proves with other weights than the key commits to; everything else is right.
#[test]
fn other_weights() {
    let made = Made::new(HIDING);
    let circuit = small();
    let tools = made.prover.tools();
    let inputs = inputs_of(&circuit, &mut Numbers(5));
    let mut weights = weights_of(&circuit, &mut Numbers(11));
    for changed in [false, true] {
        if changed {
            weights[2][7] += if weights[2][7] == 0 { 1 } else { -weights[2][7].signum() };
        }
        let setting = lay_out(&circuit, &weights, HIDING);
        let first = witness(&setting, &evaluated(&setting, &inputs));
        let public = first.instance.clone();
        let forged = Tools { setting: &setting, ..tools }.prove_witness(first, b"context").unwrap();
        let verdict = verify_messages(made.key(), &forged.inputs, &public, b"context", &forged.proof);
        assert_eq!(verdict, if changed { Err(VerifyError::Hidden) } else { Ok(()) });
    }
}

/// The publisher has the right weights but not the key's secret, or a client another salt than the statement's.
#[test]
fn other_secrets() {
    let made = Made::new(HIDING);
    let inputs = inputs_of(&small(), &mut Numbers(5));
    let evaluation = made.prover.evaluate(&inputs).unwrap();
    let secret = Secret::random();
    // The commitments still differ in the blinding rows only, but not by what the prover answers for.
    let forged = Tools { weights: Some(&secret), ..made.prover.tools() }.prove(&evaluation, b"context").unwrap();
    let public: Vec<i64> = made
        .prover
        .tools()
        .setting
        .checked
        .circuit()
        .outputs
        .iter()
        .flat_map(|port| evaluation.nodes[port.node as usize].clone())
        .collect();
    let verdict = verify_messages(made.key(), &forged.inputs, &public, b"context", &forged.proof);
    assert_eq!(verdict, Err(VerifyError::Hidden));
}

/// An answer can name its inputs before it is proven; proofs with that commitment differ in all else.
#[test]
fn committed_before() {
    let made = Made::new(HIDING);
    let evaluation = made.prover.evaluate(&inputs_of(&small(), &mut Numbers(5))).unwrap();
    let committed = made.prover.commit(&evaluation).unwrap();
    let [one, other] = [0, 1].map(|_| {
        let proven = made.prover.prove_evaluation(&evaluation, Some(&committed), b"context").unwrap();
        assert_eq!(proven.proof.statement.inputs, Inputs::Private(committed.commitment.clone()));
        let Argument::Halo2(halo2::Argument { messages }) = &proven.proof.argument else {
            panic!("the engine is halo2")
        };
        assert_eq!(made.verdict_of(&proven.proof.statement, messages), Ok(()));
        messages.clone()
    });
    // Fixed columns that hold nothing are zero everywhere.
    let mut words = one.chunks(32).filter(|word| *word != [0; 32]);
    assert!(words.all(|word| other.chunks(32).all(|other| other != word)));
    assert_ne!(made.prover.commit(&evaluation).unwrap().commitment, committed.commitment, "the salt is fresh");
    assert!(Made::new(USUAL).prover.commit(&evaluation).is_none());
}

/// Proofs of one statement have no word in common, and none that shows a hidden column without its blinding factors.
#[test]
fn proofs_differ() {
    for form in [HIDING, USUAL] {
        let made = Made::new(form);
        let (_, other) = proven(&made.prover, 5);
        assert_eq!(made.messages.len(), other.len());
        let pairs = made.messages.chunks_exact(32).zip(other.chunks_exact(32));
        let same: Vec<(usize, &[u8])> =
            pairs.enumerate().filter(|(_, (one, other))| one == other).map(|(word, (one, _))| (word, one)).collect();
        // Fixed columns that hold nothing are zero everywhere; no commitment is.
        assert!(same.iter().all(|(_, word)| *word == [0; 32]), "{same:?}");
        assert!(same.len() < made.key().key().fixed.len(), "{same:?}");
        let tools = made.prover.tools();
        let columns = &witness(tools.setting, &made.prover.evaluate(&inputs_of(&small(), &mut Numbers(5))).unwrap());
        let bare = columns.weights.iter().chain(&columns.inputs).chain(columns.lanes.iter().map(|lane| &lane.values));
        let bare: Vec<Vec<i64>> = bare.chain(&columns.reads).chain(&columns.counts).cloned().collect();
        for point in commit(tools.params, tools.pk, &bare, &vec![Vec::new(); bare.len()]) {
            let shown = made.messages.chunks_exact(32).any(|word| word == point.0);
            assert!(!shown && !made.key().key().weights.contains(&point), "a commitment without blinding");
        }
    }
}

/// Commitments to two columns by a publisher who knows what is in them: contents are multiples of `content`.
struct Publisher {
    rows: Vec<G1Affine>,
    content: G1,
    inner: Vec<G1Affine>,
    outer: Vec<G1Affine>,
    /// What the commitments differ by in the blinding rows, column by column.
    differences: Vec<Vec<Fr>>,
}

const WORDS: [[u8; 32]; 1] = [[9; 32]];

impl Publisher {
    /// The columns' contents differ by these multiples.
    fn new(contents: [Fr; 2]) -> Self {
        let point = || G1::random(OsRng);
        let rows: Vec<G1Affine> = (0..3).map(|_| point().to_affine()).collect();
        let content = point();
        let outer: Vec<G1> = (0..2).map(|_| point()).collect();
        let differences: Vec<Vec<Fr>> = (0..2).map(|_| rows.iter().map(|_| Fr::random(OsRng)).collect()).collect();
        let span =
            |factors: &[Fr]| rows.iter().zip(factors).fold(G1::identity(), |sum, (row, factor)| sum + row * factor);
        let inner =
            (0..2).map(|at| (outer[at] + content * contents[at] + span(&differences[at])).to_affine()).collect();
        let outer = outer.iter().map(|point| point.to_affine()).collect();
        Self { rows, content, inner, outer, differences }
    }

    fn span(&self, factors: &[Fr]) -> G1 {
        self.rows.iter().zip(factors).fold(G1::identity(), |sum, (row, factor)| sum + row * factor)
    }

    fn random(&self) -> Vec<Fr> {
        self.rows.iter().map(|_| Fr::random(OsRng)).collect()
    }

    /// The answers of a prover that follows the protocol.
    fn answer(&self, g: Fr, c: Fr, mask: &[Fr]) -> Vec<Fr> {
        let [one, two] = &self.differences[..] else { panic!("two columns") };
        (0..mask.len()).map(|at| mask[at] + c * (one[at] + g * two[at])).collect()
    }

    /// Sends a mask and answers that may depend on both challenges, and verifies.
    fn run(&self, mask: impl Fn(Fr) -> G1, answers: impl Fn(Fr, Fr) -> Vec<Fr>) -> bool {
        let mut writer = Writer::new(&WORDS);
        let g = *writer.squeeze_challenge_scalar::<()>();
        writer.write_point(mask(g).to_affine()).unwrap();
        let c = *writer.squeeze_challenge_scalar::<()>();
        for answer in answers(g, c) {
            writer.write_scalar(answer).unwrap();
        }
        let proof = writer.proof();
        verify(&mut Reader::new(&WORDS, &proof), &self.inner, &self.outer, &self.rows)
            .expect("messages are well-formed")
    }
}

#[test]
fn honest_differences() {
    let publisher = Publisher::new([Fr::ZERO; 2]);
    let mask = publisher.random();
    assert!(publisher.run(|_| publisher.span(&mask), |g, c| publisher.answer(g, c, &mask)));
    // Answers to other challenges, and answers that are used again.
    assert!(!publisher.run(|_| publisher.span(&mask), |g, c| publisher.answer(g, c + Fr::ONE, &mask)));
    assert!(!publisher.run(|_| publisher.span(&mask), |g, c| publisher.answer(g + Fr::ONE, c, &mask)));
    assert!(!publisher.run(|_| publisher.span(&publisher.random()), |g, c| publisher.answer(g, c, &mask)));
}

/// Contents differ; whatever the publisher guesses before a challenge is drawn does not help.
#[test]
fn swapped_contents() {
    let guess = Fr::random(OsRng);
    // With `g = guess` the contents' differences would cancel.
    let publisher = Publisher::new([-guess, Fr::ONE]);
    assert_eq!(
        combine(guess, &publisher.inner, &publisher.outer),
        publisher.span(&publisher.answer(guess, Fr::ONE, &[Fr::ZERO; 3]))
    );
    let mask = publisher.random();
    assert!(!publisher.run(|_| publisher.span(&mask), |g, c| publisher.answer(g, c, &mask)));
    assert!(!publisher.run(|_| publisher.span(&mask), |_, c| publisher.answer(guess, c, &mask)));
    // The mask made from answers and both challenges guessed, or from the drawn `g` and `c` guessed.
    let answers = publisher.random();
    let difference = |g| combine(g, &publisher.inner, &publisher.outer);
    let prepared = |g: Fr| publisher.span(&answers) - difference(g) * guess;
    assert!(!publisher.run(|_| prepared(guess), |_, _| answers.clone()));
    assert!(!publisher.run(prepared, |_, _| answers.clone()));
    // The mask takes what the answers cannot make: right for one challenge only.
    let outside = |g: Fr| publisher.content * (g - guess);
    assert!(!publisher.run(|g| publisher.span(&mask) - outside(g) * guess, |g, c| publisher.answer(g, c, &mask)));
    // A mask that is chosen when `c` is known would be enough: this is what the order of the messages is for.
    let cheat = |g: Fr, c: Fr| publisher.span(&answers) - difference(g) * c;
    assert_eq!(publisher.span(&answers), difference(guess) * guess + cheat(guess, guess));
}

/// A column less in either list, and messages that are missing.
#[test]
fn malformed() {
    let publisher = Publisher::new([Fr::ZERO; 2]);
    let Publisher { inner, outer, rows, .. } = &publisher;
    let run = |proof: &[u8], inner: &[G1Affine]| verify(&mut Reader::new(&WORDS, proof), inner, outer, rows);
    for len in [0, 31, 32, 64, 127] {
        assert_eq!(run(&vec![0; len], inner), None, "{len}");
    }
    assert_eq!(run(&[0; 256], &inner[..1]), None);
}
