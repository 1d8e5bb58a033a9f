//! The prover's end of the channel: what is sent is absorbed and recorded.
use assay_verifier::field::EF;
use assay_verifier::transcript::Transcript;

/// Messages of a proof in the making.
pub struct Channel<'a> {
    /// The transcript, also used by the commitment library.
    pub transcript: &'a mut Transcript,
    /// What was sent so far.
    pub messages: Vec<EF>,
}

impl<'a> Channel<'a> {
    /// Starts with no messages.
    pub fn new(transcript: &'a mut Transcript) -> Self {
        Self { transcript, messages: Vec::new() }
    }

    /// Sends one element.
    pub fn send(&mut self, value: EF) {
        self.transcript.absorb(value);
        self.messages.push(value);
    }

    /// Draws a challenge.
    pub fn sample(&mut self) -> EF {
        self.transcript.sample()
    }
}
