//! Reading the call: its length, the range of every scalar, that points are on the curve, and the challenges.
//!
//! The challenges are the transcript's of the verifier, word for word: see its module `halo2::transcript`.
use assay_verifier::halo2::curve::Fr;

use super::assembler::{Assembler, Op, big_endian};
use super::hiding;
use super::memory::{Memory, Tail};
use super::public::Public;
use super::shape::Shape;

/// The base field's modulus.
const BASE_MODULUS: [u8; 32] = [
    0x30, 0x64, 0x4e, 0x72, 0xe1, 0x31, 0xa0, 0x29, 0xb8, 0x50, 0x45, 0xb6, 0x81, 0x81, 0x58, 0x5d, 0x97, 0x81, 0x6a,
    0x91, 0x68, 0x71, 0xca, 0x8d, 0x3c, 0x20, 0x8c, 0x16, 0xd8, 0x7c, 0xfd, 0x47,
];

/// What the transcript starts with.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// The key's digest.
    pub key_digest: [u8; 32],
    /// The library's own digest of the key.
    pub transcript_repr: Fr,
}

/// Refuses value and calls of another length, before anything is on the stack.
pub fn check_call(asm: &mut Assembler, size: usize) {
    asm.op(Op::CallValue);
    asm.refuse();
    asm.push(size);
    asm.ops(&[Op::CallDataSize, Op::Eq]);
    asm.require();
}

/// Refuses scalars that are not reduced; they lie in memory.
pub fn check_scalars(asm: &mut Assembler, start: usize, end: usize) {
    asm.each(start, end, 32, |asm, at| {
        asm.modulus();
        asm.dup(at);
        asm.ops(&[Op::MLoad, Op::Lt]);
        asm.require();
    });
}

/// Refuses points that are not on the curve, infinity, or whose coordinates are not reduced; they lie in memory.
pub fn check_points(asm: &mut Assembler, start: usize, end: usize) {
    let modulus = asm.next_slot();
    asm.push_bytes(&BASE_MODULUS);
    asm.each(start, end, 64, |asm, at| {
        let x = asm.next_slot();
        asm.dup(at);
        asm.op(Op::MLoad);
        let y = asm.next_slot();
        asm.dup(at);
        asm.push(32);
        asm.ops(&[Op::Add, Op::MLoad]);
        for slot in [modulus, y, y] {
            asm.dup(slot);
        }
        asm.op(Op::MulMod);
        for slot in [modulus, modulus, x, modulus, x, x] {
            asm.dup(slot);
        }
        asm.ops(&[Op::MulMod, Op::MulMod]);
        asm.push(3);
        asm.ops(&[Op::AddMod, Op::Eq]);
        for coordinate in [x, y] {
            asm.dup(modulus);
            asm.dup(coordinate);
            asm.ops(&[Op::Lt, Op::And]);
        }
        asm.require();
        asm.ops(&[Op::Pop, Op::Pop]);
    });
    asm.op(Op::Pop);
}

/// The transcript as a contract follows it.
struct Chain<'a> {
    asm: &'a mut Assembler,
    /// Where the pending bytes start.
    buffer: usize,
    /// How many those are.
    pending: usize,
    /// How much of the call was absorbed.
    absorbed: usize,
}

impl Chain<'_> {
    fn word(&mut self, word: &[u8; 32]) {
        self.asm.push_bytes(word);
        self.asm.store(self.buffer + self.pending);
        self.pending += 32;
    }

    /// Absorbs the next bytes of the call.
    fn next(&mut self, size: usize) {
        if size > 0 {
            self.asm.push(size);
            self.asm.push(self.absorbed);
            self.asm.push(self.buffer + self.pending);
            self.asm.op(Op::CallDataCopy);
        }
        self.pending += size;
        self.absorbed += size;
    }

    /// Draws a challenge into memory, or lets it go.
    fn challenge(&mut self, to: Option<usize>) {
        if self.pending == 32 {
            self.asm.push(1);
            self.asm.push(self.buffer + 32);
            self.asm.op(Op::MStore8);
            self.pending = 33;
        }
        let hash = self.asm.next_slot();
        self.asm.push(self.pending);
        self.asm.push(self.buffer);
        self.asm.op(Op::Keccak256);
        if let Some(to) = to {
            self.asm.modulus();
            self.asm.dup(hash);
            self.asm.op(Op::Mod);
            self.asm.store(to);
        }
        self.asm.store(self.buffer);
        self.pending = 32;
    }
}

/// Checks all messages and draws all challenges.
pub fn read(asm: &mut Assembler, shape: &Shape, public: &Public, memory: &Memory, tail: &Tail, start: &Start) {
    let proof = &memory.proof;
    asm.push(shape.proof_size());
    asm.push(shape.instances_start() + 32 * shape.public());
    asm.push(proof.start);
    asm.op(Op::CallDataCopy);
    if shape.inputs > 0 {
        asm.push(64 * shape.inputs);
        asm.push(32);
        asm.push(memory.inputs);
        asm.op(Op::CallDataCopy);
    }
    // Commitments to inputs lie right before the proof.
    check_points(asm, memory.inputs, proof.advice_evals);
    check_points(asm, proof.opening[0], proof.answers);
    check_scalars(asm, proof.advice_evals, proof.opening[0]);
    check_scalars(asm, proof.answers, proof.end);

    let mut chain = Chain { asm, buffer: tail.scratch, pending: 0, absorbed: 0 };
    chain.word(&start.key_digest);
    chain.next(32);
    hiding::compress(chain.asm, (memory.inputs, shape.inputs), chain.buffer + chain.pending);
    chain.pending += 32 * shape.inputs;
    chain.absorbed = shape.instances_start();
    chain.word(&big_endian(&start.transcript_repr));
    let instances = chain.buffer + chain.pending;
    chain.next(32 * shape.public());
    check_scalars(chain.asm, instances, instances + 32 * shape.public());
    public.check(chain.asm, instances);
    for phase in &shape.phases {
        chain.next(64 * phase.advice.len());
        for challenge in &phase.challenges {
            chain.challenge(Some(memory.challenges[*challenge]));
        }
    }
    // The challenge of the library's own lookups, of which there are none.
    chain.challenge(None);
    chain.challenge(Some(memory.beta));
    chain.challenge(Some(memory.gamma));
    chain.next(64 * (shape.permutation.len() + 1));
    chain.challenge(Some(memory.y));
    chain.next(64 * shape.quotient);
    chain.challenge(Some(memory.x));
    chain.next(32 * shape.scalars());
    chain.challenge(Some(memory.mu));
    chain.challenge(Some(memory.nu));
    chain.next(64);
    chain.challenge(Some(memory.u));
    if shape.hidden > 0 {
        chain.next(64);
        chain.challenge(Some(memory.g));
        chain.next(64);
        chain.challenge(Some(memory.c));
    }
}
