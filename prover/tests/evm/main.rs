//! The contract of the engine `halo2`, run in an EVM: it accepts what the verifier accepts, and nothing else.
mod chain;
mod sample;

use chain::{Chain, Outcome};
use sample::{CONTEXT, Form, Setup};

/// Circuits from the smallest to the widest.
fn forms() -> [(&'static str, Form); 5] {
    let small = Form { squares: 2, degree: 3, phases: 1, ..Form::default() };
    let usual = Form { squares: 4, copies: 5, degree: 5, phases: 2, instances: 7, idle: true, permuted: true };
    [
        ("neither copies nor public values", small),
        ("public values in a gate", Form { squares: 3, instances: 4, ..small }),
        ("one phase", Form { phases: 1, ..usual }),
        ("two phases", usual),
        ("wide, degree 9", Form { squares: 12, copies: 20, degree: 9, instances: 19, ..usual }),
    ]
}

#[test]
fn good_proofs_are_accepted() {
    for (name, form) in forms() {
        let setup = Setup::new(form);
        let contract = setup.contract().unwrap();
        let mut chain = Chain::deploy(contract.creation());
        for seed in [3, 4] {
            let (instances, proof) = setup.prove(seed, None);
            assert!(setup.verify(&instances, &proof, &CONTEXT), "{name}");
            let data = contract.calldata(&proof, &instances, &CONTEXT).unwrap();
            assert_eq!(data.len(), contract.calldata_size());
            let outcome = chain.call(&data);
            assert!(outcome.accepted(), "{name}");
            if let (Outcome::Returned { gas, execution, .. }, 3) = (outcome, seed) {
                println!(
                    "{name}: code {} bytes, proof {} bytes, call {} bytes, gas {gas}, of it execution {execution}",
                    contract.code().len(),
                    proof.len(),
                    data.len(),
                );
            }
        }
    }
}
