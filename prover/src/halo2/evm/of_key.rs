//! Contracts and calls for keys and proofs of ours.
use assay_verifier::circuit::Port as CircuitPort;
use assay_verifier::digest::digest;
use assay_verifier::halo2::curve::{Fr, G1Affine, Point};
use assay_verifier::halo2::key::CheckedKey;
use assay_verifier::halo2::{Argument, field, instance_columns, verify_statement};
use assay_verifier::statement::{Inputs, Statement};

use super::{Call, Contract, EvmError, Hidden, OpeningKey, Port, Public};

impl Contract {
    /// Writes the contract for a key.
    ///
    /// # Errors
    /// The key is outside the limits, or its contract would be.
    pub fn of_key(key: &CheckedKey) -> Result<Self, EvmError> {
        let params = key.params();
        let opening = OpeningKey { g1: G1Affine::generator(), g2: params.g2(), s_g2: params.s_g2() };
        let hidden = Hidden {
            weights: key.weights().to_vec(),
            inputs: key.key().shape.inputs.into(),
            blinding: key.blinding().to_vec(),
        };
        let description = key.circuit().circuit();
        let inputs = description.inputs.iter().filter(|_| !key.key().visibility.private_input);
        let ports: Vec<Port> = inputs
            .map(|port| describe(key, "input", port))
            .chain(description.outputs.iter().map(|port| describe(key, "output", port)))
            .collect();
        let zeros = vec![Fr::default(); ports.iter().map(|port| port.values).sum()];
        let columns = instance_columns(&zeros).into_iter().map(<[Fr]>::len).collect();
        Self::new(key.vk(), &opening, &hidden, &Public { columns, ports }, key.digest().0)
    }

    /// The data of a call for a proof under the contract's key, which must verify.
    ///
    /// # Errors
    /// The proof does not verify.
    pub fn calldata_of(
        &self,
        key: &CheckedKey,
        statement: &Statement,
        argument: &Argument,
    ) -> Result<Vec<u8>, EvmError> {
        verify_statement(key, statement, argument).map_err(EvmError::Statement)?;
        let description = key.circuit().circuit();
        let (inputs, public) = match &statement.inputs {
            Inputs::Public(tensors) => (Vec::new(), tensors.as_slice()),
            Inputs::Private(commitment) => (commitment.0.iter().map(|point| Point(*point)).collect(), &[][..]),
        };
        let ports = description.inputs.iter().zip(public).chain(description.outputs.iter().zip(&statement.outputs));
        let instances: Vec<Fr> = ports.flat_map(|(port, values)| port.to_node_order(values)).map(field).collect();
        let context = digest("assay context v1", &statement.context);
        let call = Call { context: &context, inputs: &inputs, instances: &instances, proof: &argument.messages };
        self.calldata(&call)
    }
}

fn describe(key: &CheckedKey, kind: &str, port: &CircuitPort) -> Port {
    Port {
        name: format!(
            "{kind} {:?} of shape {:?}, axes from the slowest {:?}, integers times 2^{}",
            port.name,
            port.dims,
            port.order,
            -i32::from(port.scale),
        ),
        values: port.dims.iter().map(|dim| *dim as usize).product(),
        range: key.circuit().range(port.node),
    }
}
