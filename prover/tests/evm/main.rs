//! The contract of the engine `halo2`, run in an EVM: it accepts what the verifier accepts, and nothing else.
mod calls;
mod chain;
mod limits;
mod messages;
mod sample;

use assay_prover::halo2::evm::Contract;
use assay_verifier::halo2::curve::Fr;
use chain::{Chain, Outcome};
use sample::{CONTEXT, Form, Setup};

const SMALL: Form =
    Form { squares: 2, copies: 0, degree: 3, phases: 1, instances: 0, reads: 0, idle: false, permuted: false };
const USUAL: Form =
    Form { squares: 4, copies: 5, degree: 5, phases: 2, instances: 7, reads: 0, idle: true, permuted: true };
const WIDE: Form = Form { squares: 12, copies: 20, degree: 9, instances: 19, reads: 24, ..USUAL };

/// A contract on its chain, and a proof that it accepts.
struct Case {
    setup: Setup,
    contract: Contract,
    chain: Chain,
    instances: Vec<Fr>,
    proof: Vec<u8>,
    data: Vec<u8>,
}

impl Case {
    fn new(form: Form) -> Self {
        let setup = Setup::new(form);
        let contract = setup.contract().unwrap();
        let mut chain = Chain::deploy(contract.creation());
        let (instances, proof) = setup.prove(3, None);
        assert!(setup.verify(&instances, &proof, &CONTEXT));
        let data = contract.calldata(&proof, &instances, &CONTEXT).unwrap();
        assert!(chain.call(&data).accepted());
        Self { setup, contract, chain, instances, proof, data }
    }

    /// Whether the contract accepts a proof as it is stored; the library must say the same.
    fn accepts(&mut self, instances: &[Fr], proof: &[u8], context: &[u8; 32]) -> bool {
        let library = self.setup.verify(instances, proof, context);
        let contract = match self.contract.calldata(proof, instances, context) {
            Ok(data) => self.chain.call(&data).accepted(),
            Err(_) => false,
        };
        assert_eq!(library, contract);
        contract
    }
}

#[test]
fn good_proofs_are_accepted() {
    let forms = [
        ("neither copies nor public values", SMALL),
        ("public values in a gate", Form { squares: 3, instances: 4, ..SMALL }),
        ("one phase", Form { phases: 1, ..USUAL }),
        ("two phases", USUAL),
        ("wide, degree 9", WIDE),
        ("many public values", Form { instances: 1_000, ..USUAL }),
        ("as a network", Form { squares: 30, copies: 30, degree: 9, instances: 794, ..USUAL }),
    ];
    for (name, form) in forms {
        let mut case = Case::new(form);
        let (size, data) = (case.contract.code().len(), case.data.clone());
        assert_eq!(data.len(), case.contract.calldata_size());
        if let Outcome::Returned { gas, execution, .. } = case.chain.call(&data) {
            let (proof, call) = (case.proof.len(), data.len());
            println!("{name}: code {size} B, proof {proof} B, call {call} B, gas {gas}, {execution} of it execution");
        }
        let (instances, proof) = case.setup.prove(4, None);
        assert!(case.accepts(&instances, &proof, &CONTEXT), "{name}");
    }
}
