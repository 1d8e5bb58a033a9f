//! Documents of Nitro's format.
use alloc::string::String;
use alloc::vec::Vec;

use super::{Claims, Keys, Template, chain};
use crate::settlement::node::Platform;
use crate::tee::cbor::{ARRAY, BYTES, MAP, TEXT, UNSIGNED, head};
use crate::tee::{Evidence, nitro};
use crate::wire::Bytes;

/// A document before it is signed.
#[derive(Clone)]
pub struct NitroDraft {
    keys: Keys,
    /// Its certificates, root first.
    pub chain: [Template; 3],
    /// The enclave.
    pub module_id: String,
    /// When it was made.
    pub timestamp_ms: u64,
    /// Registers from the first one on.
    pub registers: Vec<Vec<u8>>,
    /// In the field for user data.
    pub user_data: Option<Vec<u8>>,
    /// In the field for a nonce.
    pub nonce: Option<Vec<u8>>,
}

impl NitroDraft {
    pub(super) fn new(keys: Keys, claims: &Claims) -> Self {
        Self {
            keys,
            chain: chain(Platform::Nitro, claims),
            module_id: "simulated".into(),
            timestamp_ms: claims.time_ms,
            registers: claims.registers.clone(),
            user_data: Some(claims.binding.digest.into()),
            nonce: Some(claims.binding.nonce.into()),
        }
    }

    /// Signs the document.
    pub fn sign(&self) -> Evidence {
        let [root, authority, leaf] = self.keys.issue(&self.chain);
        let mut registers = head(MAP, length(self.registers.len()));
        for (number, register) in (0..).zip(&self.registers) {
            registers.extend(head(UNSIGNED, number));
            registers.extend(bytes(register));
        }
        let optional = |field: &Option<Vec<u8>>| field.as_ref().map_or([0xf6].to_vec(), |field| bytes(field));
        let payload = [
            head(MAP, 9),
            text("module_id"),
            text(&self.module_id),
            text("digest"),
            text("SHA384"),
            text("timestamp"),
            head(UNSIGNED, self.timestamp_ms),
            text("pcrs"),
            registers,
            text("certificate"),
            bytes(&leaf),
            text("cabundle"),
            head(ARRAY, 2),
            bytes(&root),
            bytes(&authority),
            text("public_key"),
            optional(&None),
            text("user_data"),
            optional(&self.user_data),
            text("nonce"),
            optional(&self.nonce),
        ]
        .concat();
        let Keys([.., key]) = &self.keys;
        let signature = key.sign(&nitro::signed(&payload));
        let parts = [head(ARRAY, 4), bytes(&nitro::PROTECTED), head(MAP, 0), bytes(&payload), bytes(&signature)];
        Evidence::Nitro(nitro::Document(Bytes(parts.concat())))
    }
}

fn length(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

fn bytes(bytes: &[u8]) -> Vec<u8> {
    [head(BYTES, length(bytes.len())), bytes.to_vec()].concat()
}

fn text(text: &str) -> Vec<u8> {
    [head(TEXT, length(text.len())), text.as_bytes().to_vec()].concat()
}
