//! An expression with everything that follows from it and the shapes around it.
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::check::Budget;
use super::{Circuit, CircuitError, Expr, Gather, Indices, Node, Op, Pairing, Range, Term, View};

/// A checked expression: its views worked out, and the values that it can take.
#[derive(Clone, Debug)]
pub struct Expression {
    /// The expression.
    pub expr: Expr,
    /// For each term its views: none for a bias or a selection, two for a product, else one.
    gathers: Vec<Vec<Gather>>,
    /// For each product what its factors share.
    pairings: Vec<Option<Pairing>>,
    /// The values that it can take.
    pub range: Range,
}

impl Expression {
    /// The worked-out views of a term.
    pub fn gathers(&self, term: usize) -> &[Gather] {
        self.gathers.get(term).map_or(&[], Vec::as_slice)
    }

    /// What the factors of a term share, if it is a product.
    pub fn pairing(&self, term: usize) -> Option<&Pairing> {
        self.pairings.get(term)?.as_ref()
    }
}

/// What an expression may refer to.
pub(super) struct Scope<'a> {
    pub circuit: &'a Circuit,
    /// The node that has the expression.
    pub id: usize,
    pub node: &'a Node,
    /// Values of the earlier nodes.
    pub ranges: &'a [Range],
    /// Values of the node itself, where it is checked against itself.
    pub own: Option<Range>,
    pub budget: &'a mut Budget,
    pub weights_used: &'a mut BTreeSet<u32>,
}

impl<'a> Scope<'a> {
    fn fail(&self, reason: &'static str) -> CircuitError {
        CircuitError::Node { node: self.id, reason }
    }

    /// Checks an expression and works it out.
    pub fn expression(&mut self, expr: &Expr) -> Result<Expression, CircuitError> {
        let overflow = CircuitError::Overflow { node: self.id };
        if expr.terms.is_empty() {
            return Err(self.fail("an expression without terms"));
        }
        let mut total = Range::new(expr.constant.into(), expr.constant.into()).ok_or(overflow.clone())?;
        let (mut gathers, mut pairings) = (Vec::new(), Vec::new());
        for term in &expr.terms {
            let Worked { gathers: used, pairing, range } = self.term(term)?;
            total = range.and_then(|range| total.plus(range)).ok_or(overflow.clone())?;
            gathers.push(used);
            pairings.push(pairing);
        }
        Ok(Expression { expr: expr.clone(), gathers, pairings, range: total })
    }

    fn term(&mut self, term: &Term) -> Result<Worked, CircuitError> {
        let single = |gather, range| Worked { gathers: alloc::vec![gather], pairing: None, range };
        Ok(match term {
            Term::Linear { coefficient, view } => {
                let (gather, range) = self.view(view)?;
                single(gather, range.sum(view.sum_len()).and_then(|range| range.times(*coefficient)))
            }
            Term::Contract { coefficient, weight, view } => {
                // Before the view is worked out: the weight bounds how much it sums.
                let weight = self.weight(*weight, view.sum_len())?;
                let (gather, range) = self.view(view)?;
                let range = range.product(weight).and_then(|range| range.sum(view.sum_len()));
                single(gather, range.and_then(|range| range.times(*coefficient)))
            }
            Term::Bias { coefficient, weight } => {
                let range = self.weight(*weight, 1)?.times(*coefficient);
                Worked { gathers: Vec::new(), pairing: None, range }
            }
            Term::Select { coefficient, weight, indices } => {
                let range = self.selection(*weight, indices)?.times(*coefficient);
                Worked { gathers: Vec::new(), pairing: None, range }
            }
            Term::Product { coefficient, left, right } => {
                // First the views: they show that the axes are no longer than the node.
                let (a, b) = (self.view(left)?, self.view(right)?);
                let pairing = Pairing::new(left, right, self.node.inner)
                    .ok_or(self.fail("a product of views with other axes"))?;
                let range = a.1.product(b.1).and_then(|range| range.sum(pairing.summed as u64));
                Worked {
                    gathers: alloc::vec![a.0, b.0],
                    pairing: Some(pairing),
                    range: range.and_then(|range| range.times(*coefficient)),
                }
            }
        })
    }

    /// The tensor that a node refers to, and its values.
    pub fn source(&self, source: u32) -> Option<(&'a Node, Range)> {
        let from = usize::try_from(source).ok()?;
        let range = self.ranges.get(from).copied().or(if from == self.id { self.own } else { None })?;
        Some((self.circuit.nodes.get(from)?, range))
    }

    /// Works out a view; returns the range of what it reads, padding included.
    pub fn view(&mut self, view: &View) -> Result<(Gather, Range), CircuitError> {
        let (source, range) = self.source(view.source).ok_or(self.fail("a view's source is not an earlier node"))?;
        let gather = Gather::new(view, self.node, source, self.budget.places)
            .ok_or(self.fail("a view does not fit its shapes, or is too large"))?;
        let tables = view.maps.iter().fold(0u64, |all, map| all.saturating_add(map.table.len() as u64));
        let places = gather.places().saturating_add(self.lengths(view.sum_len())).saturating_add(tables);
        let reads = gather.reads().max(self.node.len());
        self.budget.charge(places, reads).ok_or(self.fail("views read too many cells"))?;
        Ok((gather, range.with_zero()))
    }

    /// Rows, inner length and number of summed cells together. Claims on a term hold a weight for each of them, also where
    /// its view passes an axis on and so has few places.
    fn lengths(&self, summed: u64) -> u64 {
        u64::from(self.node.rows).saturating_add(self.node.inner.into()).saturating_add(summed)
    }

    /// The range of a weight that fits the node and the number of summed cells.
    fn weight(&mut self, weight: u32, sum_len: u64) -> Result<Range, CircuitError> {
        let fail = self.fail("weight does not fit");
        let spec = self.circuit.weights.get(weight as usize).ok_or(fail.clone())?;
        self.weights_used.insert(weight);
        let fits =
            spec.outputs == self.node.inner && u64::from(spec.taps).checked_mul(spec.channels.into()) == Some(sum_len);
        fits.then(|| Range::signed(spec.bits)).flatten().ok_or(fail)
    }

    /// The range of a weight from which each row of the node takes one of its own.
    fn selection(&mut self, weight: u32, indices: &Indices) -> Result<Range, CircuitError> {
        let fail = self.fail("a selection does not fit its weight");
        let spec = self.circuit.weights.get(weight as usize).ok_or(fail.clone())?;
        self.weights_used.insert(weight);
        let rows = u64::from(self.node.rows);
        let inside = match indices {
            Indices::Constant(indices) => {
                indices.len() as u64 == rows && indices.iter().all(|&index| index < spec.outputs)
            }
            Indices::Input(input) => self.source(*input).is_some_and(|(source, range)| {
                matches!(source.op, Op::Input(_))
                    && source.len() == rows
                    && range.low >= 0
                    && range.high < i64::from(spec.outputs)
            }),
        };
        self.budget.charge(self.lengths(0), self.node.len()).ok_or(self.fail("views read too many cells"))?;
        let fits = inside && spec.taps == 1 && spec.channels == self.node.inner;
        fits.then(|| Range::signed(spec.bits)).flatten().ok_or(fail)
    }
}

/// One term worked out.
struct Worked {
    gathers: Vec<Gather>,
    pairing: Option<Pairing>,
    /// Nothing if it overflows.
    range: Option<Range>,
}
