//! Where everything lies: committed columns, activation lanes and lookup leaves.
//!
//! Three flat index spaces are laid out from the description alone, each a list of blocks, padded to a power of two:
//! - *columns*: the witness, committed as one stack: limbs, signs, looked-up values, multiplicities;
//! - *lanes*: one for each cell of each rescaled tensor;
//! - *leaves*: one for each lookup and each table entry.
//!
//! A block is `rows` times `2^log_inner`; only the first `inner` cells of a row are valid. Blocks are ordered by decreasing
//! `log_inner`, so each offset is a multiple of its row length.
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::eq::eq_range;
use crate::circuit::{CheckedCircuit, Op};
use crate::field::EF;

/// Fewest variables of the witness stack.
const STACK_VARIABLES_MIN: usize = 8;

/// A run of rows in one of the index spaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Number of rows.
    pub rows: usize,
    /// Valid cells in each row.
    pub inner: usize,
    /// Logarithm of the padded row length.
    pub log_inner: usize,
    /// Index of the first cell.
    pub offset: usize,
}

impl Block {
    fn new(rows: usize, inner: usize) -> Self {
        let log_inner = inner.next_power_of_two().trailing_zeros() as usize;
        Self { rows, inner, log_inner, offset: 0 }
    }

    /// Number of cells, padding included.
    pub fn len(&self) -> usize {
        self.rows.saturating_mul(self.row_len())
    }

    /// Whether there are no cells.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Padded length of a row.
    pub fn row_len(&self) -> usize {
        1usize.checked_shl(u32::try_from(self.log_inner).unwrap_or(u32::MAX)).unwrap_or_default()
    }

    /// Equality weights of the block's rows at a point of the whole space.
    pub fn row_weights(&self, point: &[EF]) -> Vec<EF> {
        let split = point.len().saturating_sub(self.log_inner);
        let high = point.get(..split).unwrap_or_default();
        eq_range(
            high,
            self.offset.checked_shr(u32::try_from(self.log_inner).unwrap_or(u32::MAX)).unwrap_or_default(),
            self.rows,
        )
    }

    /// Equality weights of a row's valid cells at a point of the whole space.
    pub fn inner_weights(&self, point: &[EF]) -> Vec<EF> {
        eq_range(self.inner_point(point), 0, self.inner)
    }

    /// The coordinates of a point of the whole space that address cells within a row.
    pub fn inner_point<'a>(&self, point: &'a [EF]) -> &'a [EF] {
        point.get(point.len().saturating_sub(self.log_inner)..).unwrap_or_default()
    }
}

/// Lookup tables. The order is that of the tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableKind {
    /// `0 .. 2^bits`.
    Range(u8),
    /// Pairs of an excess in `-2^(bits-1) .. 2^(bits-1)` and its sign.
    Saturation(u8),
    /// Pairs of `0 .. 2^bits` and whether it is zero.
    Zero(u8),
    /// Pairs of argument and value of a function table.
    Function(u32),
}

/// A limb column.
#[derive(Clone, Debug)]
pub struct Limb {
    /// Index of the column.
    pub column: usize,
    /// Position of its least significant bit.
    pub shift: u32,
}

/// The columns of one node.
#[derive(Clone, Debug)]
pub enum NodeColumns {
    /// Inputs and affine nodes commit nothing.
    None,
    /// A rescaled tensor.
    Rescale {
        /// Index of the column with the sign of the excess.
        sign: usize,
        /// Limbs of the offset above the range's low end.
        offset: Vec<Limb>,
        /// Limbs of the remainder.
        remainder: Vec<Limb>,
        /// Its lanes.
        lanes: Block,
        /// Its leaves for excess and sign.
        excess: Block,
    },
    /// A looked-up tensor.
    Lookup {
        /// Index of the column of values.
        value: usize,
        /// Its leaves.
        leaves: Block,
    },
    /// A quotient or root.
    Bracket {
        /// Limbs of the value above the least one that can be committed.
        value: Vec<Limb>,
        /// The two expressions that must not be negative.
        checks: [Check; 2],
    },
    /// A maximum.
    Max {
        /// Index of the column of values.
        value: usize,
        /// Index of the column that tells which cells of the source equal the maximum.
        equal: usize,
        /// Leaves for differences and equality, one for each cell of the source.
        pairs: Block,
        /// Leaves for the number of equal cells, minus one.
        counts: Block,
    },
}

impl NodeColumns {
    /// The leaves that are not those of a limb.
    fn leaves(&self) -> Vec<&Block> {
        match self {
            Self::None => Vec::new(),
            Self::Rescale { excess: leaves, .. } | Self::Lookup { leaves, .. } => alloc::vec![leaves],
            Self::Bracket { checks, .. } => checks.iter().map(|check| &check.leaves).collect(),
            Self::Max { pairs, counts, .. } => alloc::vec![pairs, counts],
        }
    }
}

/// The check that an expression is in a range: its lower limbs are committed, the top one is what remains.
#[derive(Clone, Debug)]
pub struct Check {
    /// Limbs below the top one.
    pub lower: Vec<Limb>,
    /// Position of the top limb's least significant bit.
    pub shift: u32,
    /// The range table's tag.
    pub tag: u64,
    /// The top limb's leaves.
    pub leaves: Block,
}

/// A limb column's leaves.
#[derive(Clone, Debug)]
pub struct LimbLeaves {
    /// Index of the column.
    pub column: usize,
    /// The range table's tag.
    pub tag: u64,
    /// Where the leaves lie.
    pub leaves: Block,
}

/// A table's columns.
#[derive(Clone, Debug)]
pub struct TableColumns {
    /// Which table.
    pub kind: TableKind,
    /// Logarithm of its number of entries.
    pub bits: u8,
    /// Tells its entries from other tables'.
    pub tag: u64,
    /// Index of the column of multiplicities.
    pub multiplicity: usize,
    /// Its leaves.
    pub leaves: Block,
}

/// The layout of a circuit.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Blocks of the committed columns.
    pub columns: Vec<Block>,
    /// Number of variables of the witness stack.
    pub stack_variables: usize,
    /// Number of variables of the lane space; 0 if nothing is rescaled.
    pub lane_variables: usize,
    /// Number of variables of the leaf space.
    pub leaf_variables: usize,
    /// For each node its columns.
    pub nodes: Vec<NodeColumns>,
    /// All limb columns.
    pub limbs: Vec<LimbLeaves>,
    /// All tables.
    pub tables: Vec<TableColumns>,
}

/// Widths of the limbs that a value of `width` bits is cut into: full limbs, then what remains.
pub fn limb_widths(width: u8, limb_bits: u8) -> Vec<u8> {
    let full = width.checked_div(limb_bits).unwrap_or_default();
    let rest = width.checked_rem(limb_bits).unwrap_or_default();
    let mut widths = alloc::vec![limb_bits; full.into()];
    widths.extend((rest > 0).then_some(rest));
    widths
}

impl Layout {
    /// Lays out a circuit.
    pub fn new(checked: &CheckedCircuit) -> Self {
        let circuit = checked.circuit();
        let kinds = table_kinds(checked);
        let tags: BTreeMap<TableKind, u64> = kinds.keys().copied().zip(1u64..).collect();
        let tag = |kind| tags.get(&kind).copied().unwrap_or_default();
        let mut columns = Vec::new();
        let mut leaves = Vec::new();
        let mut lanes = Vec::new();
        let mut limbs = Vec::new();
        let tables = kinds
            .iter()
            .map(|(&kind, &bits)| {
                let entries = 1usize.checked_shl(bits.into()).unwrap_or_default();
                let multiplicity = push(&mut columns, Block::new(1, entries));
                (kind, bits, multiplicity, push(&mut leaves, Block::new(1, entries)))
            })
            .collect::<Vec<_>>();
        let mut nodes = Vec::new();
        for (id, node) in circuit.nodes.iter().enumerate() {
            let block = Block::new(node.rows as usize, node.inner as usize);
            // Commits limbs of the given widths; returns them with the position after the last one.
            let mut cut = |widths: &[u8], columns: &mut Vec<Block>, leaves: &mut Vec<Block>| -> (Vec<Limb>, u32) {
                let mut position = 0u32;
                let commit = |&width: &u8| {
                    let column = push(columns, block.clone());
                    limbs.push((column, tag(TableKind::Range(width)), push(leaves, block.clone())));
                    let shift = position;
                    position = position.saturating_add(width.into());
                    Limb { column, shift }
                };
                (widths.iter().map(commit).collect(), position)
            };
            let widths = |width: u8| limb_widths(width, circuit.limb_bits);
            nodes.push(match &node.op {
                Op::Input(_) | Op::Affine(_) => Placed::None,
                Op::Rescale { shift, bits, .. } => {
                    let (offset, _) = cut(&widths(*bits), &mut columns, &mut leaves);
                    let (remainder, _) = cut(&widths(*shift), &mut columns, &mut leaves);
                    let sign = push(&mut columns, block.clone());
                    let excess = push(&mut leaves, block.clone());
                    Placed::Rescale { sign, offset, remainder, lanes: push(&mut lanes, block), excess }
                }
                Op::Lookup { .. } => {
                    Placed::Lookup { value: push(&mut columns, block.clone()), leaves: push(&mut leaves, block) }
                }
                Op::Quotient { .. } | Op::Root(_) => {
                    let bracket = checked.bracket(id);
                    let (value, _) = cut(&widths(bracket.map_or(1, |bracket| bracket.bits)), &mut columns, &mut leaves);
                    let check_widths = widths(bracket.map_or(1, |bracket| bracket.check_bits));
                    let (top, lower) = check_widths.split_last().unwrap_or((&1, &[]));
                    let mut check = || {
                        let (lower, shift) = cut(lower, &mut columns, &mut leaves);
                        (lower, shift, tag(TableKind::Range(*top)), push(&mut leaves, block.clone()))
                    };
                    Placed::Bracket { value, checks: [check(), check()] }
                }
                Op::Max { source } => {
                    let cells = circuit
                        .nodes
                        .get(*source as usize)
                        .map_or(block.clone(), |source| Block::new(source.rows as usize, source.inner as usize));
                    Placed::Max {
                        value: push(&mut columns, block.clone()),
                        equal: push(&mut columns, cells.clone()),
                        pairs: push(&mut leaves, cells),
                        counts: push(&mut leaves, block),
                    }
                }
            });
        }
        let stack_variables = place(&mut columns).max(STACK_VARIABLES_MIN);
        let lane_variables = place(&mut lanes);
        let leaf_variables = place(&mut leaves).max(1);
        let leaf = |index: usize| leaves.get(index).cloned().unwrap_or(Block::new(0, 0));
        let lane = |index: usize| lanes.get(index).cloned().unwrap_or(Block::new(0, 0));
        Self {
            stack_variables,
            lane_variables,
            leaf_variables,
            nodes: nodes
                .into_iter()
                .map(|placed| match placed {
                    Placed::None => NodeColumns::None,
                    Placed::Rescale { sign, offset, remainder, lanes, excess } => {
                        NodeColumns::Rescale { sign, offset, remainder, lanes: lane(lanes), excess: leaf(excess) }
                    }
                    Placed::Lookup { value, leaves } => NodeColumns::Lookup { value, leaves: leaf(leaves) },
                    Placed::Bracket { value, checks } => NodeColumns::Bracket {
                        value,
                        checks: checks.map(|(lower, shift, tag, leaves)| Check {
                            lower,
                            shift,
                            tag,
                            leaves: leaf(leaves),
                        }),
                    },
                    Placed::Max { value, equal, pairs, counts } => {
                        NodeColumns::Max { value, equal, pairs: leaf(pairs), counts: leaf(counts) }
                    }
                })
                .collect(),
            limbs: limbs
                .into_iter()
                .map(|(column, tag, index)| LimbLeaves { column, tag, leaves: leaf(index) })
                .collect(),
            tables: tables
                .into_iter()
                .map(|(kind, bits, multiplicity, index)| TableColumns {
                    kind,
                    bits,
                    tag: tag(kind),
                    multiplicity,
                    leaves: leaf(index),
                })
                .collect(),
            columns,
        }
    }

    /// Tag of a table of the layout.
    pub fn tag(&self, kind: TableKind) -> u64 {
        self.tables.iter().find(|table| table.kind == kind).map_or(0, |table| table.tag)
    }

    /// Number of cells of the witness stack that are in use.
    pub fn stack_len(&self) -> usize {
        space_len(self.columns.iter())
    }

    /// Number of leaves that are in use.
    pub fn leaves_len(&self) -> usize {
        let nodes = self.nodes.iter().flat_map(NodeColumns::leaves);
        let limbs = self.limbs.iter().map(|limb| &limb.leaves);
        space_len(limbs.chain(nodes).chain(self.tables.iter().map(|table| &table.leaves)))
    }

    /// Number of lanes that are in use.
    pub fn lanes_len(&self) -> usize {
        space_len(self.nodes.iter().filter_map(|node| match node {
            NodeColumns::Rescale { lanes, .. } => Some(lanes),
            _ => None,
        }))
    }
}

/// A node's blocks before they have offsets.
enum Placed {
    None,
    Rescale { sign: usize, offset: Vec<Limb>, remainder: Vec<Limb>, lanes: usize, excess: usize },
    Lookup { value: usize, leaves: usize },
    Bracket { value: Vec<Limb>, checks: [(Vec<Limb>, u32, u64, usize); 2] },
    Max { value: usize, equal: usize, pairs: usize, counts: usize },
}

fn push(space: &mut Vec<Block>, block: Block) -> usize {
    space.push(block);
    space.len().saturating_sub(1)
}

fn space_len<'a>(blocks: impl Iterator<Item = &'a Block>) -> usize {
    blocks.map(|block| block.offset.saturating_add(block.len())).max().unwrap_or_default()
}

/// Gives blocks their offsets, long rows first; returns the number of variables of the space.
fn place(blocks: &mut [Block]) -> usize {
    let mut order: Vec<&mut Block> = blocks.iter_mut().collect();
    order.sort_by_key(|block| core::cmp::Reverse(block.log_inner));
    let mut offset = 0usize;
    for block in order {
        block.offset = offset;
        offset = offset.saturating_add(block.len());
    }
    offset.next_power_of_two().trailing_zeros() as usize
}

/// All tables that the circuit looks up, with the logarithm of their sizes.
fn table_kinds(checked: &CheckedCircuit) -> BTreeMap<TableKind, u8> {
    let circuit = checked.circuit();
    let mut kinds = BTreeMap::new();
    for (id, node) in circuit.nodes.iter().enumerate() {
        match &node.op {
            Op::Input(_) | Op::Affine(_) => {}
            Op::Rescale { shift, bits, .. } => {
                for width in
                    limb_widths(*bits, circuit.limb_bits).into_iter().chain(limb_widths(*shift, circuit.limb_bits))
                {
                    kinds.insert(TableKind::Range(width), width);
                }
                if let Some(saturation) = checked.saturation(id) {
                    kinds.insert(TableKind::Saturation(saturation.bits), saturation.bits);
                }
            }
            Op::Quotient { .. } | Op::Root(_) => {
                let Some(bracket) = checked.bracket(id) else { continue };
                for width in [bracket.bits, bracket.check_bits] {
                    for width in limb_widths(width, circuit.limb_bits) {
                        kinds.insert(TableKind::Range(width), width);
                    }
                }
            }
            Op::Max { .. } => {
                let Some(maximum) = checked.maximum(id) else { continue };
                kinds.insert(TableKind::Zero(maximum.bits), maximum.bits);
                kinds.insert(TableKind::Range(maximum.count_bits), maximum.count_bits);
            }
            Op::Lookup { table, .. } => {
                let entries = circuit.tables.get(*table as usize).map_or(1, |table| table.values.len());
                kinds.insert(TableKind::Function(*table), entries.trailing_zeros().try_into().unwrap_or_default());
            }
        }
    }
    kinds
}
