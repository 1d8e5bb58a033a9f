//! The files that go with a contract: its code, a Solidity library that calls it, and what it is.
use sha3::{Digest, Keccak256};

use super::Contract;

const SOLIDITY: &str = include_str!("files/Verifier.sol");
const README: &str = include_str!("files/README.txt");

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub text: String,
}

/// The data of a call, as a file.
pub fn calldata(data: &[u8]) -> File {
    File { name: "calldata.hex", text: format!("0x{}\n", hexadecimal(data)) }
}

/// The files of a contract.
pub fn files(contract: &Contract) -> Vec<File> {
    let shape = &contract.shape;
    let values = [
        ("{{KEY}}", hexadecimal(&contract.key_digest)),
        ("{{CODE_HASH}}", hexadecimal(&Keccak256::digest(&contract.code))),
        ("{{CODE_BYTES}}", contract.code.len().to_string()),
        ("{{VALUES}}", shape.public().to_string()),
        ("{{CALL_BYTES}}", shape.calldata_size().to_string()),
        ("{{PROOF_BYTES}}", shape.proof_size().to_string()),
        ("{{PUBLIC}}", contract.public.text()),
        ("{{POINTS}}", shape.points().to_string()),
        ("{{LAST_POINTS}}", shape.last_points().to_string()),
        ("{{ANSWERS}}", shape.answers.to_string()),
        ("{{INPUTS}}", shape.inputs.to_string()),
        ("{{SCALARS}}", shape.scalars().to_string()),
    ];
    let fill =
        |template: &str| values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(name, value));
    vec![
        File { name: "verifier.bin", text: hexadecimal(&contract.creation()) + "\n" },
        File { name: "verifier.bin-runtime", text: hexadecimal(&contract.code) + "\n" },
        File { name: "Verifier.sol", text: fill(SOLIDITY) },
        File { name: "README.txt", text: fill(README) },
    ]
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
