//! `PublishModel`: a version of a model enters the registry, with the keys that proofs of it are verified with.
use std::sync::Arc;

use assay_verifier::key::CheckedKey;
use assay_verifier::settlement::model::{Manifest, Model, ModelKey};
use assay_verifier::settlement::parameters::Parameters;
use assay_verifier::settlement::{Versioned, keys};
use assay_verifier::signature::{PublicKey, Signature};
use assay_verifier::wire::Bytes;
use serde::{Deserialize, Serialize};

use super::text::check_name;
use super::{Context, Kind};
use crate::event::Event;
use crate::rejection::{Fault, Rejection};
use crate::state::{State, StoreError, supersede};
use crate::verdicts::check_key;
use crate::work;

/// Most keys of a version.
const KEYS_MAX: usize = 8;

/// Publishes a version. Anyone may hand it in; the publisher's signature is what counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishModel {
    /// What the publisher says.
    pub manifest: Manifest,
    /// The publisher's signature.
    pub signature: Signature,
    /// The files of the manifest's keys, in its order.
    pub keys: Vec<Bytes>,
}

impl Kind for PublishModel {
    fn check(&self, rules: &Parameters) -> Result<(), Rejection> {
        let Manifest { name, version, keys, .. } = &self.manifest;
        check_name(name)?;
        check_name(version)?;
        let distinct = keys.iter().enumerate().all(|(at, key)| !keys.iter().take(at).any(|before| before == key));
        if keys.len() > KEYS_MAX || keys.len() != self.keys.len() || !distinct {
            return Err(Rejection::KeysDiffer);
        }
        let signed = self.manifest.signed(&rules.chain_id, self.signature);
        signed.verify().map_err(|_| Rejection::ManifestSignature)
    }

    fn work(&self, _: &dyn State) -> Result<u64, StoreError> {
        Ok(work::SIGNATURE + self.keys.iter().map(|key| work::key(key.0.len())).sum::<u64>())
    }

    fn execute(&self, _: PublicKey, context: &mut Context<'_>) -> Result<(), Fault> {
        let id = self.manifest.id();
        let record = keys::model(id);
        if context.state.read::<Versioned<Model>>(&record)?.is_some() {
            return Err(Rejection::ModelExists.into());
        }
        let mut registered = Vec::new();
        for (digest, file) in self.manifest.keys.iter().zip(&self.keys) {
            let key = check_key(&file.0)?;
            if key.digest() != *digest {
                return Err(Rejection::KeysDiffer.into());
            }
            registered.push(self.entry(context.rules, &key, file.0.len())?);
            context.verdicts.keep_key(&Arc::new(key));
            context.state.write_bytes(keys::verification_key(*digest), file.0.clone());
        }
        let model = Model { manifest: self.manifest.clone(), signature: self.signature, keys: registered };
        supersede(&mut context.state, record, None, context.block.height, model)?;
        let Manifest { publisher, name, version, .. } = &self.manifest;
        let event = Event::new("publish_model").with("model", id).with("publisher", publisher);
        context.events.push(event.with("name", name).with("version", version));
        Ok(())
    }
}

impl PublishModel {
    /// What the registry says of a key that passed its own checks.
    fn entry(&self, rules: &Parameters, key: &CheckedKey, size: usize) -> Result<ModelKey, Rejection> {
        if Some(key.circuit().circuit().digest()) != self.manifest.program.circuit() {
            return Err(Rejection::KeyOtherCircuit);
        }
        let (hiding, private_input) = match key {
            CheckedKey::Sumcheck(_) => (false, false),
            CheckedKey::Halo2(key) => {
                if !rules.srs.contains(&key.key().srs.digest()) {
                    return Err(Rejection::SrsNotAllowed);
                }
                let visibility = key.key().visibility;
                (visibility.private_input || visibility.private_weights, visibility.private_input)
            }
        };
        let size = u64::try_from(size).unwrap_or(u64::MAX);
        Ok(ModelKey { digest: key.digest(), engine: key.engine(), hiding, private_input, size })
    }
}
