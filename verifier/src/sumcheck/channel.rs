//! What passes between prover and verifier: field elements, in the order of the protocol.
//!
//! The verifier is written over this one type: it receives elements, samples challenges and asserts. Every element received
//! is absorbed before it is returned, so that no challenge can come before what it must bind.
use alloc::vec::Vec;
use p3_field::PrimeCharacteristicRing;

use super::{Step, VerifyError};
use crate::field::EF;
use crate::transcript::Transcript;

/// The verifier's end.
pub struct Channel<'a> {
    /// The transcript, also used by the commitment library.
    pub transcript: &'a mut Transcript,
    messages: core::slice::Iter<'a, EF>,
}

impl<'a> Channel<'a> {
    /// Reads the messages of a proof.
    pub fn new(transcript: &'a mut Transcript, messages: &'a [EF]) -> Self {
        Self { transcript, messages: messages.iter() }
    }

    /// Receives one element.
    ///
    /// # Errors
    /// The proof holds too few.
    pub fn receive(&mut self) -> Result<EF, VerifyError> {
        let value = *self.messages.next().ok_or(VerifyError::MessagesTooFew)?;
        self.transcript.absorb(value);
        Ok(value)
    }

    /// Receives several elements.
    ///
    /// # Errors
    /// The proof holds too few.
    pub fn receive_many(&mut self, count: usize) -> Result<Vec<EF>, VerifyError> {
        (0..count).map(|_| self.receive()).collect()
    }

    /// Draws a challenge.
    pub fn sample(&mut self) -> EF {
        self.transcript.sample()
    }

    /// Fails at a step unless the value is zero.
    ///
    /// # Errors
    /// The value is not zero.
    pub fn assert_zero(&self, value: EF, step: Step) -> Result<(), VerifyError> {
        if value == EF::ZERO { Ok(()) } else { Err(VerifyError::Check(step)) }
    }

    /// Ends the exchange.
    ///
    /// # Errors
    /// Messages are left over.
    pub fn finish(self) -> Result<(), VerifyError> {
        if self.messages.len() == 0 { Ok(()) } else { Err(VerifyError::MessagesTooMany) }
    }
}
