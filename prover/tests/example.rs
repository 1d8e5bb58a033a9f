//! The worked example of `PROTOCOL.md`: the figures that it gives are those of the code.
use assay_prover::sumcheck::Prover;
use assay_verifier::circuit::Circuit;
use assay_verifier::key::Key;
use assay_verifier::sumcheck::pcs::observe_root;
use assay_verifier::sumcheck::transcript;
use assay_verifier::wire;

const PAGE: &str = include_str!("../../verifier/PROTOCOL.md");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The circuit as the page writes it.
fn circuit(example: &str) -> Circuit {
    let text: String = example.split("```").nth(1).unwrap().lines().skip(1).collect();
    let bytes: Vec<u8> =
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect();
    let config = bincode::config::standard().with_fixed_int_encoding();
    bincode::serde::decode_from_slice(&bytes, config).unwrap().0
}

#[test]
fn the_figures_are_those_of_the_code() {
    let example = PAGE.split("## 17. A worked example").nth(1).unwrap();
    let mut missing = Vec::new();
    let mut says = |figure: String| {
        if !example.contains(&figure) {
            missing.push(figure);
        }
    };
    let circuit = circuit(example);
    says(circuit.digest().to_string());
    let prover = Prover::new(circuit, vec![vec![1, -2, 3, 7]]).unwrap();
    let key = Key::from(prover.prove_range().unwrap());
    says(hex(&key.as_sumcheck().unwrap().weights[0].root));
    says(key.digest().to_string());
    says(format!("The file has {} bytes", wire::encode(&key).len()));
    let proof = prover.prove(&[vec![5, -3]], b"hi").unwrap();
    assert_eq!(proof.statement.outputs, [[3, 0]]);
    let argument = proof.argument.as_sumcheck().unwrap();
    says(hex(&argument.root));
    let mut transcript = transcript(&proof.statement);
    observe_root(&argument.root, &mut transcript);
    says(hex(&wire::bytes(&transcript.sample_point(1))[8..]));
    let [statement, messages, witness, weights] = [
        wire::bytes(&proof.statement).len(),
        argument.messages.len(),
        wire::bytes(&argument.witness).len(),
        wire::bytes(&argument.weights).len(),
    ];
    says(format!("= {statement}` bytes"));
    says(format!("= {messages}` messages"));
    says(
        format!("{} + {witness} + {weights} = {}` bytes", 16 * messages, wire::encode(&proof).len())
            .replacen(" +", ") +", 1),
    );
    assert!(missing.is_empty(), "the page does not say: {missing:#?}");
}
