//! Integer sums: terms with their scale, range and shape, before they become a node.
use assay_verifier::circuit::{Expr, NodeId, Range, Term, View};

use super::builder::{Builder, excess_bits};
use super::layout::Layout;
use super::{EXCESS_MAX, Placed};

/// The terms of a node to be: an exact integer for every cell.
#[derive(Clone)]
pub struct Sum {
    /// The expression.
    pub expr: Expr,
    /// The values that it can take.
    pub range: Range,
    /// The real value is `integer * 2^-scale`.
    pub scale: i32,
    /// Rows and inner length.
    pub shape: (u32, u32),
    /// How the cells are held.
    pub layout: Layout,
    /// Whether it is exact: no factor was rounded and nothing was multiplied.
    pub is_light: bool,
}

impl Sum {
    /// A tensor as it is.
    pub fn identity(builder: &Builder, placed: &Placed) -> Self {
        let shape = builder.shape(placed.node);
        let view = View::identity(placed.node, shape.0, shape.1);
        Self {
            expr: Expr { constant: 0, terms: vec![Term::Linear { coefficient: 1, view }] },
            range: builder.range(placed.node).with_zero(),
            scale: placed.scale,
            shape,
            layout: placed.layout.clone(),
            is_light: true,
        }
    }

    /// The sum times an integer; nothing if it gets too large.
    pub fn times(mut self, factor: i64) -> Option<Self> {
        self.expr.constant = self.expr.constant.checked_mul(factor)?;
        for term in &mut self.expr.terms {
            let (Term::Linear { coefficient, .. }
            | Term::Contract { coefficient, .. }
            | Term::Bias { coefficient, .. }
            | Term::Select { coefficient, .. }
            | Term::Product { coefficient, .. }) = term;
            *coefficient = coefficient.checked_mul(factor)?;
        }
        self.range = self.range.times(factor)?;
        Some(self)
    }

    /// The sum plus an integer in every cell.
    pub fn plus(mut self, constant: i64) -> Option<Self> {
        self.expr.constant = self.expr.constant.checked_add(constant)?;
        self.range = self.range.plus(Range { low: constant, high: constant })?;
        Some(self)
    }

    /// The same real values at a finer scale, if it is not that fine already.
    pub fn at_least(self, scale: i32) -> Option<Self> {
        let finer = u32::try_from(scale - self.scale).unwrap_or(0);
        if finer == 0 {
            return Some(self);
        }
        let mut sum = self.times(1i64.checked_shl(finer).filter(|factor| *factor > 0)?)?;
        sum.scale = scale;
        Some(sum)
    }

    /// Whether it has linear terms only, as an affine node must.
    pub fn is_linear(&self) -> bool {
        self.expr.terms.iter().all(|term| matches!(term, Term::Linear { .. }))
    }

    /// Makes it a node without rescaling; it must be [linear](Self::is_linear).
    pub fn affine(self, builder: &mut Builder) -> Placed {
        let node: NodeId = builder.affine(self.shape, self.expr, self.range);
        Placed { node, layout: self.layout, scale: self.scale }
    }

    /// The finest scale, at most `wanted`, at which a rescale to `bits` bits from `low` is within the circuit's bounds.
    /// `low` is given for a scale.
    pub fn feasible(&self, wanted: i32, bits: u8, low: impl Fn(i32) -> i64) -> Option<i32> {
        let sum_at = |scale: i32| self.clone().at_least(scale);
        (0..40).map(|coarser| wanted - coarser).find(|&scale| {
            sum_at(scale).is_some_and(|sum| {
                let shift = u8::try_from(sum.scale - scale).ok();
                let width = shift.and_then(|shift| excess_bits(sum.range, shift, low(scale), bits));
                width.is_some_and(|width| width <= EXCESS_MAX)
            })
        })
    }

    /// Makes it a node that is rescaled to the scale and clamped to `2^bits` values from `low`; the scale must be
    /// [`feasible`](Self::feasible).
    pub fn rescaled(self, builder: &mut Builder, scale: i32, low: i64, bits: u8) -> Option<Placed> {
        let sum = self.at_least(scale)?;
        let shift = u8::try_from(sum.scale - scale).ok()?;
        let node = builder.rescale(sum.shape, sum.expr, shift, low, bits);
        Some(Placed { node, layout: sum.layout, scale })
    }
}
