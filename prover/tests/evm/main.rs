//! The contract of the engine `halo2`, run in an EVM: it accepts what the verifier accepts, and nothing else.
mod calls;
mod chain;
#[allow(dead_code, reason = "the engines' tests share it")]
#[path = "../common/mod.rs"]
mod common;
mod hidden;
mod keys;
mod limits;
mod messages;
mod sample;
mod statement;

use assay_prover::halo2::evm::{Call, Contract, EvmError};
use chain::{Chain, Outcome};
use sample::{CONTEXT, Form, Setup};
use statement::Proven;

const SMALL: Form = Form {
    squares: 2,
    copies: 0,
    degree: 3,
    phases: 1,
    instances: 0,
    instance_rows: 1024,
    weights: 0,
    inputs: 0,
    reads: 0,
    idle: false,
    permuted: false,
};
const USUAL: Form =
    Form { squares: 4, copies: 5, degree: 5, phases: 2, instances: 7, idle: true, permuted: true, ..SMALL };
const WIDE: Form = Form { squares: 12, copies: 20, degree: 9, instances: 19, reads: 24, ..USUAL };
const HIDING: Form = Form { weights: 2, inputs: 1, ..USUAL };

/// A contract on its chain, and a proof that it accepts.
struct Case {
    setup: Setup,
    contract: Contract,
    chain: Chain,
    proven: Proven,
    data: Vec<u8>,
}

impl Case {
    fn new(form: Form) -> Self {
        let setup = Setup::new(form);
        let proven = setup.prove(3, None);
        let contract = setup.contract(&proven.weights).unwrap();
        let mut chain = Chain::deploy(contract.creation());
        assert!(setup.verify(&proven, &CONTEXT));
        let data = call(&contract, &proven, &CONTEXT).unwrap();
        assert!(chain.call(&data).accepted());
        Self { setup, contract, chain, proven, data }
    }

    /// Whether the contract accepts a proof as it is stored; the verifier must say the same.
    fn accepts(&mut self, proven: &Proven, context: &[u8; 32]) -> bool {
        let verifier = self.setup.verify(proven, context);
        let contract = match call(&self.contract, proven, context) {
            Ok(data) => self.chain.call(&data).accepted(),
            Err(_) => false,
        };
        assert_eq!(verifier, contract);
        contract
    }
}

/// The data of a call.
fn call(contract: &Contract, proven: &Proven, context: &[u8; 32]) -> Result<Vec<u8>, EvmError> {
    let Proven { inputs, instances, proof, .. } = proven;
    contract.calldata(&Call { context, inputs, instances, proof })
}

#[test]
fn good_proofs_are_accepted() {
    let forms = [
        ("neither copies nor public values", SMALL),
        ("public values in a gate", Form { squares: 3, instances: 4, ..SMALL }),
        ("one phase", Form { phases: 1, ..USUAL }),
        ("two phases", USUAL),
        ("hidden columns", HIDING),
        ("only hidden inputs", Form { weights: 0, inputs: 4, ..USUAL }),
        ("wide, degree 9", WIDE),
        ("many public values", Form { instances: 1_000, ..USUAL }),
        ("public values in three columns", Form { instances: 19, instance_rows: 8, ..USUAL }),
        ("as a network", Form { squares: 30, copies: 30, degree: 9, instances: 794, ..USUAL }),
    ];
    for (name, form) in forms {
        let mut case = Case::new(form);
        let (size, data) = (case.contract.code().len(), case.data.clone());
        assert_eq!(data.len(), case.contract.calldata_size());
        if let Outcome::Returned { gas, execution, .. } = case.chain.call(&data) {
            let (proof, call) = (case.proven.proof.len(), data.len());
            println!("{name}: code {size} B, proof {proof} B, call {call} B, gas {gas}, {execution} of it execution");
        }
        let mut proven = case.setup.prove(4, None);
        if form.weights == 0 {
            assert!(case.accepts(&proven, &CONTEXT), "{name}");
        } else {
            // The other witness has other weights.
            proven.weights.clone_from(&case.proven.weights);
            assert!(!case.accepts(&proven, &CONTEXT), "{name}");
        }
    }
}
