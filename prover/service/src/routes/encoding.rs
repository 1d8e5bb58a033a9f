//! Texts for what is bytes elsewhere.
use assay_verifier::signature::Signature;

/// A signature of 128 hexadecimal digits.
pub fn signature(text: &str) -> Option<Signature> {
    let mut bytes = [0; 64];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    let (halves, _) = bytes.as_chunks::<32>();
    Some(Signature([*halves.first()?, *halves.get(1)?]))
}

/// The digits of a signature.
pub fn signature_text(signature: &Signature) -> String {
    hex::encode(signature.0.concat())
}
