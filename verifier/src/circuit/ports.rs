//! Checks that inputs and outputs fit their nodes.
use alloc::collections::BTreeSet;
use alloc::string::String;

use super::{Circuit, CircuitError, Node, Op, Port};

/// Inputs name all input nodes once; shapes and orders fit.
pub(super) fn check_ports(circuit: &Circuit) -> Result<(), CircuitError> {
    let mut inputs = BTreeSet::new();
    for port in &circuit.inputs {
        let node = check_port(circuit, port)?;
        if !matches!(node.op, Op::Input(_)) || !inputs.insert(port.node) {
            return Err(CircuitError::Port { name: port.name.clone(), reason: "not an input node, or named twice" });
        }
    }
    if circuit.nodes.iter().filter(|node| matches!(node.op, Op::Input(_))).count() != inputs.len() {
        return Err(CircuitError::Port { name: String::new(), reason: "an input node without a name" });
    }
    if circuit.outputs.is_empty() {
        return Err(CircuitError::Port { name: String::new(), reason: "no output" });
    }
    for port in &circuit.outputs {
        check_port(circuit, port)?;
    }
    let names: BTreeSet<(bool, &str)> = circuit
        .inputs
        .iter()
        .map(|port| (true, port.name.as_str()))
        .chain(circuit.outputs.iter().map(|port| (false, port.name.as_str())))
        .collect();
    if names.len() != circuit.inputs.len().saturating_add(circuit.outputs.len()) {
        return Err(CircuitError::Port { name: String::new(), reason: "two ports of one name" });
    }
    Ok(())
}

fn check_port<'a>(circuit: &'a Circuit, port: &Port) -> Result<&'a Node, CircuitError> {
    let fail = |reason| CircuitError::Port { name: port.name.clone(), reason };
    let node = circuit.nodes.get(port.node as usize).ok_or(fail("no such node"))?;
    if super::view::product(&port.dims) != node.len() {
        return Err(fail("shape differs from the node's"));
    }
    let mut order = port.order.clone();
    order.sort_unstable();
    let permutation =
        order.len() == port.dims.len() && order.iter().enumerate().all(|(i, &axis)| i == usize::from(axis));
    if !permutation || port.dims.len() > 16 || port.name.len() > 256 {
        return Err(fail("order is not a permutation of at most 16 axes, or name too long"));
    }
    Ok(node)
}
