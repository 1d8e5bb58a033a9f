//! Lookup tables: ranges, saturation and functions, one after the other under their tags.
use std::collections::BTreeMap;

use assay_verifier::circuit::{Circuit, TableId};
use assay_verifier::halo2::shape::{SLOTS, Shape};

use super::program::{Kind, Program};

/// One table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// `0 .. 2^bits`.
    Range(u8),
    /// The last limb of a rescaled value with the excess above it, and on which side it saturates.
    Saturation {
        /// Width of the last limb.
        limb: u8,
        /// Width of the excesses.
        excess: u8,
    },
    /// A function.
    Function(TableId),
    /// `0 .. 2^bits`, and zero once more with a flag.
    Flag(u8),
}

/// An entry: argument and value.
pub type Entry = (i64, i64);

impl Table {
    /// Number of entries.
    pub fn len(&self, circuit: &Circuit) -> usize {
        match *self {
            Self::Range(bits) => 1 << bits,
            Self::Flag(bits) => (1 << bits) + 1,
            Self::Saturation { limb, excess } => 1 << (limb + excess),
            Self::Function(id) => circuit.tables[id as usize].values.len(),
        }
    }

    /// All entries.
    pub fn entries(self, circuit: &Circuit) -> Box<dyn Iterator<Item = Entry> + '_> {
        match self {
            Self::Range(bits) => Box::new((0..1i64 << bits).map(|argument| (argument, 0))),
            Self::Flag(bits) => Box::new((0..1i64 << bits).map(|argument| (argument, 0)).chain([(0, 1)])),
            Self::Saturation { limb, excess } => {
                let side = move |argument: i64| (argument >> limb) - (1 << (excess - 1));
                let side = move |argument| match side(argument) {
                    0 => 0,
                    below if below < 0 => 1,
                    _ => 2,
                };
                Box::new((0..1i64 << (limb + excess)).map(move |argument| (argument, side(argument))))
            }
            Self::Function(id) => {
                let table = &circuit.tables[id as usize];
                let entry = |(position, value): (i64, &i32)| (table.low + position, i64::from(*value));
                Box::new((0i64..).zip(&table.values).map(entry))
            }
        }
    }
}

/// The tables that the slots of a block's cells are looked up in.
pub fn slots(kind: &Kind, limb_bits: u8) -> [Table; SLOTS] {
    let nothing = Table::Range(0);
    match kind {
        Kind::Free | Kind::Plain { .. } => [nothing; SLOTS],
        Kind::Number { bits, flagged, .. } => {
            let [a, b, c, d] = limbs(*bits, limb_bits);
            match d {
                Table::Range(bits) if *flagged > 0 => [a, b, c, Table::Flag(bits)],
                _ => [a, b, c, d],
            }
        }
        Kind::Rescale(rescale) => {
            let low = rescale.low_bits(limb_bits);
            let top = Table::Saturation { limb: rescale.bits - low, excess: rescale.excess_bits };
            let [a, b, ..] = limbs(rescale.shift, limb_bits);
            let [c, d, e, _] = limbs(low, limb_bits);
            if rescale.wide { [c, d, e, top] } else { [a, b, c, top] }
        }
        Kind::Function { table, .. } => [nothing, nothing, nothing, Table::Function(*table)],
    }
}

fn limbs(bits: u8, limb_bits: u8) -> [Table; SLOTS] {
    std::array::from_fn(|slot| Table::Range(bits.saturating_sub(slot as u8 * limb_bits).min(limb_bits)))
}

/// All tables of a program, in the order of their tags.
#[derive(Clone, Debug)]
pub struct Tables {
    tables: Vec<Table>,
    /// For each table its tag and the position of its first entry.
    places: BTreeMap<Table, (usize, usize)>,
    /// Number of entries.
    pub len: usize,
}

impl Tables {
    /// The tables that a program looks up.
    pub fn new(program: &Program, circuit: &Circuit, limb_bits: u8) -> Self {
        let mut used = std::collections::BTreeSet::from([Table::Range(0)]);
        for block in &program.blocks {
            used.extend(slots(&block.kind, limb_bits));
        }
        let mut tables = Self { tables: used.into_iter().collect(), places: BTreeMap::new(), len: 0 };
        for (tag, table) in tables.tables.iter().enumerate() {
            tables.places.insert(*table, (tag, tables.len));
            tables.len += table.len(circuit);
        }
        tables
    }

    /// A table's tag. The empty range, which unused rows are looked up in, has tag zero.
    pub fn tag(&self, table: Table) -> usize {
        self.places[&table].0
    }

    /// The position of a table's entry among all. The side tells entries of one argument apart where there are two.
    pub fn position(&self, table: Table, (argument, side): Entry, circuit: &Circuit) -> usize {
        let place = match table {
            Table::Function(id) => argument - circuit.tables[id as usize].low,
            Table::Flag(bits) if side == 1 => 1 << bits,
            _ => argument,
        };
        self.places[&table].1 + place as usize
    }

    /// All entries with their tags.
    pub fn entries<'a>(&'a self, circuit: &'a Circuit) -> impl Iterator<Item = (usize, Entry)> + 'a {
        self.tables.iter().enumerate().flat_map(|(tag, table)| table.entries(circuit).map(move |entry| (tag, entry)))
    }
}

/// Where an entry is: which table of the shape and which row.
pub fn place(shape: &Shape, rows: usize, position: usize) -> (usize, usize) {
    debug_assert!(position < usize::from(shape.tables) * rows);
    (position / rows, position % rows)
}
