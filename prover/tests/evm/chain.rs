//! A chain of one contract.
use revm::primitives::{AccountInfo, Address, Bytecode, ExecutionResult, Output, SpecId, TxKind, U256};
use revm::{Evm, InMemoryDB};

/// A machine with the contract at one address.
pub struct Chain {
    state: InMemoryDB,
    contract: Address,
}

/// What a call did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It returned this word, for so much gas: in all, and without the transaction's own.
    Returned { word: Vec<u8>, gas: u64, execution: u64 },
    /// It reverted without a word.
    Reverted,
}

impl Outcome {
    /// Whether it says that the proof is valid.
    pub fn accepted(&self) -> bool {
        match self {
            Self::Returned { word, .. } => {
                assert_eq!(U256::from_be_slice(word), U256::from(1));
                true
            }
            Self::Reverted => false,
        }
    }
}

impl Chain {
    /// Deploys the contract by a transaction.
    pub fn deploy(creation: Vec<u8>) -> Self {
        let mut state = InMemoryDB::default();
        // The transactions' sender, who needs something to pay with.
        state.insert_account_info(Address::ZERO, AccountInfo::from_balance(U256::from(1_000)));
        let mut evm = Evm::builder()
            .with_ref_db(&mut state)
            .with_spec_id(SpecId::CANCUN)
            .modify_tx_env(|tx| {
                tx.transact_to = TxKind::Create;
                tx.data = creation.into();
            })
            .build();
        let result = evm.transact().unwrap().result;
        drop(evm);
        let ExecutionResult::Success { output: Output::Create(code, Some(contract)), .. } = result else {
            panic!("not deployed: {result:?}");
        };
        let code = Bytecode::new_raw(code);
        state.insert_account_info(
            contract,
            AccountInfo { code_hash: code.hash_slow(), code: Some(code), ..AccountInfo::default() },
        );
        Self { state, contract }
    }

    /// Calls the contract with value.
    pub fn pay(&mut self, data: &[u8], value: u64) -> Outcome {
        let mut evm = Evm::builder()
            .with_ref_db(&self.state)
            .with_spec_id(SpecId::CANCUN)
            .modify_tx_env(|tx| {
                tx.transact_to = TxKind::Call(self.contract);
                tx.data = data.to_vec().into();
                tx.value = U256::from(value);
                tx.gas_limit = 30_000_000;
            })
            .build();
        match evm.transact().unwrap().result {
            ExecutionResult::Success { output, gas_used, .. } => {
                let zeros = data.iter().filter(|byte| **byte == 0).count() as u64;
                let execution = gas_used - 21_000 - 4 * zeros - 16 * (data.len() as u64 - zeros);
                Outcome::Returned { word: output.into_data().to_vec(), gas: gas_used, execution }
            }
            ExecutionResult::Revert { output, .. } => {
                assert!(output.is_empty());
                Outcome::Reverted
            }
            // Nothing that a call can bring may make it fail in another way, with all its gas gone.
            ExecutionResult::Halt { reason, .. } => panic!("halted: {reason:?}"),
        }
    }

    /// Calls the contract.
    pub fn call(&mut self, data: &[u8]) -> Outcome {
        self.pay(data, 0)
    }
}
