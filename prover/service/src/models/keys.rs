//! Keys of a circuit, by either engine.
use assay_prover::file::{CheckedFile, FileError};
use assay_prover::halo2::choose::choose;
use assay_prover::halo2::secret::Secret;
use assay_prover::{halo2, sumcheck};
use assay_verifier::halo2::shape::Visibility;
use assay_verifier::key::{Engine, Key};
use thiserror::Error;

use super::record::Wanted;
use super::strings::{StringError, Strings};

/// Why there is no key.
#[derive(Debug, Error)]
pub enum KeysError {
    /// The circuit's file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The engine `sumcheck`.
    #[error(transparent)]
    Sumcheck(#[from] sumcheck::ProveError),
    /// The engine `halo2`.
    #[error(transparent)]
    Halo2(#[from] halo2::keygen::KeygenError),
    /// The circuit cannot be laid out.
    #[error("the engine halo2 cannot lay this circuit out: {0}")]
    Layout(String),
    /// The reference string.
    #[error(transparent)]
    String(#[from] StringError),
    /// The engine hides nothing.
    #[error("the engine sumcheck hides nothing: ask for halo2 if inputs or weights are to be private")]
    Hiding,
}

/// A key, with what hides the weights in it.
pub struct Made {
    /// The key.
    pub key: Key,
    /// The seed.
    pub secret: Option<[u8; 32]>,
}

/// Makes a key.
///
/// # Errors
/// The engine cannot do it.
pub fn make(file: &CheckedFile, wanted: Wanted, strings: &Strings) -> Result<Made, KeysError> {
    let Wanted { engine, private_input, private_weights } = wanted;
    match engine {
        Engine::Sumcheck if private_input || private_weights => Err(KeysError::Hiding),
        Engine::Sumcheck => {
            let key = Key::from(file.clone().prover()?.prove_range()?);
            Ok(Made { key, secret: None })
        }
        Engine::Halo2 => {
            let visibility = Visibility { private_input, private_weights };
            let circuit = file.circuit().clone();
            let shape = choose(&circuit, visibility).map_err(|error| KeysError::Layout(error.to_string()))?;
            let string = strings.cut(shape.k.into())?;
            let secret = private_weights.then(Secret::random);
            let seed = secret.as_ref().map(|secret| secret.0);
            let weights = file.file().weights.clone();
            let prover = halo2::Prover::new(circuit, weights, (shape, visibility), string, secret)?;
            Ok(Made { key: Key::from(prover.key().key().clone()), secret: seed })
        }
    }
}
