//! A small assembler: it counts the stack, resolves labels and keeps a pool of constants.
//!
//! The modulus of the scalar field lies at the bottom of the stack and in the word at address 0 for the whole program, so
//! that [`Assembler::modulus`] is one byte wherever the stack is not deep. Code that a label or a loop joins must leave the
//! stack as it found it; the count relies on it.
use assay_verifier::halo2::curve::Fr;
use halo2_proofs::halo2curves::ff::{Field, PrimeField};

use super::EvmError;

/// The instructions in use, by their byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Op {
    Add = 0x01,
    Sub = 0x03,
    Mod = 0x06,
    AddMod = 0x08,
    MulMod = 0x09,
    Lt = 0x10,
    Eq = 0x14,
    IsZero = 0x15,
    And = 0x16,
    Shl = 0x1b,
    Shr = 0x1c,
    Keccak256 = 0x20,
    CallValue = 0x34,
    CallDataLoad = 0x35,
    CallDataSize = 0x36,
    CallDataCopy = 0x37,
    CodeSize = 0x38,
    CodeCopy = 0x39,
    Pop = 0x50,
    MLoad = 0x51,
    MStore = 0x52,
    MStore8 = 0x53,
    JumpI = 0x57,
    Gas = 0x5a,
    JumpDest = 0x5b,
    Push0 = 0x5f,
    Return = 0xf3,
    StaticCall = 0xfa,
    Revert = 0xfd,
}

impl Op {
    /// How many items it takes from the stack, and how many it leaves.
    fn effect(self) -> (usize, usize) {
        match self {
            Self::AddMod | Self::MulMod => (3, 1),
            Self::Add
            | Self::Sub
            | Self::Mod
            | Self::Lt
            | Self::Eq
            | Self::And
            | Self::Shl
            | Self::Shr
            | Self::Keccak256 => (2, 1),
            Self::IsZero | Self::MLoad | Self::CallDataLoad => (1, 1),
            Self::CallValue | Self::CallDataSize | Self::CodeSize | Self::Gas | Self::Push0 => (0, 1),
            Self::CallDataCopy | Self::CodeCopy => (3, 0),
            Self::MStore | Self::MStore8 | Self::JumpI | Self::Return | Self::Revert => (2, 0),
            Self::Pop => (1, 0),
            Self::JumpDest => (0, 0),
            Self::StaticCall => (6, 1),
        }
    }
}

/// A place in the code.
#[derive(Clone, Copy, Debug)]
pub struct Label(usize);

/// An item of the stack, counted from the bottom.
#[derive(Clone, Copy, Debug)]
pub struct Slot(usize);

/// A program in the making.
pub struct Assembler {
    code: Vec<u8>,
    labels: Vec<usize>,
    uses: Vec<(usize, Label)>,
    depth: usize,
    overflow: bool,
    fail: Label,
    pool_start: usize,
    pool: Vec<[u8; 32]>,
}

/// Items that the machine's stack holds.
const STACK_LIMIT: usize = 1024;

impl Assembler {
    /// An empty program; its constants will lie in memory from `pool_start` on.
    pub fn new(pool_start: usize) -> Self {
        let mut new = Self {
            code: Vec::new(),
            labels: Vec::new(),
            uses: Vec::new(),
            depth: 0,
            overflow: false,
            fail: Label(0),
            pool_start,
            pool: Vec::new(),
        };
        new.fail = new.label();
        new
    }

    /// Puts the modulus where the rest expects it; the stack is empty.
    pub fn start(&mut self) {
        let modulus = self.next_slot();
        // The modulus is one more than the largest scalar.
        self.push_bytes(&big_endian(&-Fr::ONE));
        self.push(1);
        self.op(Op::Add);
        self.dup(modulus);
        self.op(Op::Push0);
        self.op(Op::MStore);
    }

    /// Ends the program with the word 1.
    pub fn accept(&mut self) {
        self.push(1);
        self.store(0);
        self.push(32);
        self.ops(&[Op::Push0, Op::Return]);
    }

    /// Adds an instruction.
    pub fn op(&mut self, op: Op) {
        self.code.push(op as u8);
        let (pops, pushes) = op.effect();
        self.overflow |= pops > self.depth;
        self.depth = self.depth.saturating_sub(pops) + pushes;
        self.overflow |= self.depth > STACK_LIMIT;
    }

    /// Adds instructions.
    pub fn ops(&mut self, ops: &[Op]) {
        for op in ops {
            self.op(*op);
        }
    }

    /// Pushes a number, in as few bytes as it has.
    pub fn push(&mut self, number: usize) {
        self.push_bytes(&number.to_be_bytes());
    }

    /// Pushes at most 32 bytes, big-endian, without their leading zeros.
    pub fn push_bytes(&mut self, bytes: &[u8]) {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let significant = &bytes[zeros..];
        self.op(Op::Push0);
        if !significant.is_empty() {
            self.code.pop();
            self.code.push(Op::Push0 as u8 + significant.len() as u8);
            self.code.extend_from_slice(significant);
        }
    }

    /// The item that the next push makes.
    pub fn next_slot(&self) -> Slot {
        Slot(self.depth)
    }

    /// The top item.
    pub fn top_slot(&self) -> Slot {
        Slot(self.depth.saturating_sub(1))
    }

    /// Items on the stack.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Pushes a copy of an item.
    pub fn dup(&mut self, slot: Slot) {
        let distance = self.depth.saturating_sub(slot.0);
        self.overflow |= !(1..=16).contains(&distance);
        self.code.push(0x7f_u8.wrapping_add(distance as u8));
        self.depth += 1;
    }

    /// Exchanges the top item with the one that lies `distance` below it.
    pub fn swap(&mut self, distance: usize) {
        self.overflow |= !(1..=16).contains(&distance) || distance >= self.depth;
        self.code.push(0x8f_u8.wrapping_add(distance as u8));
    }

    /// Moves the top item to where `slot` is, in its place.
    pub fn replace(&mut self, slot: Slot) {
        self.swap(self.depth.saturating_sub(slot.0 + 1));
        self.op(Op::Pop);
    }

    /// Multiplies an item by a constant, in its place.
    pub fn scale(&mut self, slot: Slot, factor: &Fr) {
        self.modulus();
        self.dup(slot);
        self.constant(factor);
        self.op(Op::MulMod);
        self.replace(slot);
    }

    /// Pushes the modulus of the scalar field.
    pub fn modulus(&mut self) {
        if self.depth <= 16 {
            self.dup(Slot(0));
        } else {
            self.ops(&[Op::Push0, Op::MLoad]);
        }
    }

    /// Pushes the word of memory at an address.
    pub fn load(&mut self, address: usize) {
        self.push(address);
        self.op(Op::MLoad);
    }

    /// Takes the top item into memory.
    pub fn store(&mut self, address: usize) {
        self.push(address);
        self.op(Op::MStore);
    }

    /// Pushes a constant: numbers of few bytes, and such below the modulus, in the code, others once in the pool.
    pub fn constant(&mut self, constant: &Fr) {
        const SHORT: usize = 29;
        let bytes = big_endian(constant);
        let negated = big_endian(&-*constant);
        if bytes[..SHORT].iter().all(|byte| *byte == 0) {
            self.push_bytes(&bytes);
        } else if negated[..SHORT].iter().all(|byte| *byte == 0) {
            self.push_bytes(&negated);
            self.modulus();
            self.op(Op::Sub);
        } else {
            let address = self.pooled(bytes);
            self.load(address);
        }
    }

    fn pooled(&mut self, bytes: [u8; 32]) -> usize {
        let index = self.pool.iter().position(|pooled| *pooled == bytes).unwrap_or_else(|| {
            self.pool.push(bytes);
            self.pool.len() - 1
        });
        self.pool_start + 32 * index
    }

    /// A place that is not known yet.
    pub fn label(&mut self) -> Label {
        self.labels.push(usize::MAX);
        Label(self.labels.len() - 1)
    }

    /// Puts a label here; what follows need not be code.
    pub fn bind(&mut self, label: Label) {
        self.labels[label.0] = self.code.len();
    }

    /// Pushes a place.
    pub fn push_label(&mut self, label: Label) {
        self.code.push(Op::Push0 as u8 + 2);
        self.uses.push((self.code.len(), label));
        self.code.extend_from_slice(&[0, 0]);
        self.depth += 1;
    }

    /// Goes on only if the top item is not zero.
    pub fn require(&mut self) {
        self.op(Op::IsZero);
        self.refuse();
    }

    /// Goes on only if the top item is zero.
    pub fn refuse(&mut self) {
        self.push_label(self.fail);
        self.op(Op::JumpI);
    }

    /// Runs `body` for addresses from `start` to before `end`, upwards.
    pub fn each(&mut self, start: usize, end: usize, step: usize, body: impl FnOnce(&mut Self, Slot)) {
        if start >= end {
            return;
        }
        let counter = self.next_slot();
        self.push(start);
        let again = self.label();
        self.bind(again);
        self.op(Op::JumpDest);
        body(self, counter);
        self.push(step);
        self.op(Op::Add);
        self.push(end);
        self.dup(counter);
        self.op(Op::Lt);
        self.push_label(again);
        self.ops(&[Op::JumpI, Op::Pop]);
    }

    /// Runs `body` for the words from before `end` to `start`, downwards. `start` is not 0.
    pub fn each_down(&mut self, start: usize, end: usize, step: usize, body: impl FnOnce(&mut Self, Slot)) {
        if start >= end {
            return;
        }
        let counter = self.next_slot();
        self.push(end - step);
        let again = self.label();
        self.bind(again);
        self.op(Op::JumpDest);
        body(self, counter);
        self.push(step);
        self.swap(1);
        self.op(Op::Sub);
        self.dup(counter);
        self.push(start - 1);
        self.op(Op::Lt);
        self.push_label(again);
        self.ops(&[Op::JumpI, Op::Pop]);
    }

    /// Calls a precompiled contract; what it refuses is refused.
    pub fn call(&mut self, contract: usize, input: (usize, usize), output: (usize, usize)) {
        for number in [output.1, output.0, input.1, input.0, contract] {
            self.push(number);
        }
        self.ops(&[Op::Gas, Op::StaticCall]);
        self.require();
    }

    /// Copies from the code to memory, from a label to the end of the code or over a length.
    pub fn copy_code(&mut self, to: usize, from: Label, length: Option<usize>) {
        match length {
            Some(length) => self.push(length),
            None => {
                self.push_label(from);
                self.ops(&[Op::CodeSize, Op::Sub]);
            }
        }
        self.push_label(from);
        self.push(to);
        self.op(Op::CodeCopy);
    }

    /// The program: the code, its refusal, the `data` and the constants, where the two labels will be.
    pub fn finish(mut self, data: &[u8], data_label: Label, pool_label: Label) -> Result<Vec<u8>, EvmError> {
        self.bind(self.fail);
        self.ops(&[Op::JumpDest, Op::Push0, Op::Push0, Op::Revert]);
        if self.overflow {
            return Err(EvmError::Stack);
        }
        self.bind(data_label);
        self.code.extend_from_slice(data);
        self.bind(pool_label);
        self.code.extend(self.pool.iter().flatten());
        if self.code.len() > super::CODE_LIMIT {
            return Err(EvmError::CodeSize { size: self.code.len() });
        }
        for (place, label) in &self.uses {
            let target = self.labels[label.0] as u16;
            self.code[*place..*place + 2].copy_from_slice(&target.to_be_bytes());
        }
        Ok(self.code)
    }
}

/// The code that deploys a contract: it returns what lies behind it.
pub fn creation(code: &[u8]) -> Vec<u8> {
    let [high, low] = (code.len() as u16).to_be_bytes();
    // PUSH2 length, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN.
    let mut creation = vec![0x61, high, low, 0x80, 0x60, 10, 0x5f, 0x39, 0x5f, 0xf3];
    creation.extend_from_slice(code);
    creation
}

/// A scalar as a word of the machine.
pub fn big_endian(scalar: &Fr) -> [u8; 32] {
    let mut bytes = scalar.to_repr();
    bytes.as_mut().reverse();
    bytes
}
