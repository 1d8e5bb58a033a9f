//! Contracts for keys of circuits, whatever is hidden.
use assay_prover::halo2::evm::{Contract, EvmError};
use assay_prover::halo2::secret::Secret;
use assay_prover::halo2::{Prover, choose};
use assay_verifier::circuit::{CheckedCircuit, Limits};
use assay_verifier::halo2::VerifyError;
use assay_verifier::halo2::curve::Bn256;
use assay_verifier::halo2::shape::Visibility;
use assay_verifier::halo2::srs::{Origin, Point2, Srs};
use assay_verifier::statement::{Argument, Proof};
use halo2_proofs::poly::kzg::commitment::ParamsKZG;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::chain::{Chain, Outcome};
use super::common::{Numbers, inputs_of, kitchen_sink, weights_of};

fn prover(visibility: Visibility) -> Prover {
    let circuit = kitchen_sink(8);
    let weights = weights_of(&circuit, &mut Numbers(1));
    let checked = CheckedCircuit::new(circuit, &Limits::default()).unwrap();
    let shape = choose::choose(&checked, visibility).unwrap();
    let params = ParamsKZG::<Bn256>::setup(shape.k.into(), ChaCha20Rng::seed_from_u64(2));
    let srs = Srs { tau_g2: Point2::new(&params.s_g2()), origin: Origin::Insecure };
    let secret = visibility.private_weights.then(Secret::random);
    Prover::new(checked, weights, (shape, visibility), (params, srs), secret).unwrap()
}

#[test]
fn circuits_have_contracts_whatever_is_hidden() {
    for (private_input, private_weights) in [(false, false), (false, true), (true, false), (true, true)] {
        let visibility = Visibility { private_input, private_weights };
        let prover = prover(visibility);
        let inputs = inputs_of(prover.key().circuit().circuit(), &mut Numbers(3));
        let Proof { statement, argument } = prover.prove(&inputs, b"context").unwrap().proof;
        let Argument::Halo2(argument) = argument else { panic!("another engine") };
        let contract = Contract::of_key(prover.key()).unwrap();
        let data = contract.calldata_of(prover.key(), &statement, &argument).unwrap();
        let mut chain = Chain::deploy(contract.creation());
        let outcome = chain.call(&data);
        assert!(outcome.accepted());
        if let Outcome::Returned { gas, .. } = outcome {
            let (code, proof, call) = (contract.code().len(), argument.messages.len(), data.len());
            println!("{visibility:?}: code {code} B, proof {proof} B, call {call} B, gas {gas}");
        }
        for word in 0..data.len() / 32 {
            let mut tampered = data.clone();
            tampered[32 * word + 31] ^= 1;
            assert!(!chain.call(&tampered).accepted(), "word {word}");
        }

        let mut other = statement.clone();
        other.outputs[0][0] ^= 1;
        let refused = contract.calldata_of(prover.key(), &other, &argument).unwrap_err();
        assert!(matches!(refused, EvmError::Statement(VerifyError::Argument | VerifyError::PortRange { .. })));
        let files = contract.files();
        assert!(files[3].text.contains("output \""));
        assert_eq!(files[3].text.contains("input \""), !private_input);
    }
}
