//! The float graph: what a model computes, in a handful of kinds, before any number is rounded.
//!
//! Most of ONNX is a [`Combine`]: a sum of terms that read tensors through affine index maps, the same [`View`]s that
//! circuits use but over *logical* axes. A convolution is a weighted term with summed axes, an average a plain one, a
//! concatenation two terms with padding around them. Passes are algebra on these terms ([`passes`]), and lowering is
//! translation.
//!
//! # Shapes
//! Logical shapes are ONNX's (`[batch, channel, height, width]`), row-major. In which order a circuit's node holds
//! them is not decided here.
mod element;
pub mod eval;
mod function;
pub mod passes;
mod primitive;
mod view;

pub use assay_verifier::circuit::{AxisMap, View};
pub use element::Element;
pub use function::{Function, is_whole};
pub(crate) use passes::summed_values;
pub use primitive::{Library, Primitive, Whole};
pub use view::{broadcast, identity, is_identity, mapped, reduction, unit};

use std::collections::BTreeMap;

use crate::tensor::Tensor;

/// Position of a node in [`Graph::nodes`].
pub type NodeId = u32;

/// A model as a list of nodes in topological order.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// Named results.
    pub outputs: Vec<(String, NodeId)>,
}

/// One tensor and how it is computed.
#[derive(Clone, Debug)]
pub struct Node {
    /// Name of the ONNX node that it comes from.
    pub name: String,
    /// Shape.
    pub dims: Vec<u32>,
    /// How it is computed.
    pub kind: Kind,
}

/// How a tensor is computed.
#[derive(Clone, Debug)]
pub enum Kind {
    /// An input of the model.
    Input {
        /// Its name.
        name: String,
        /// Whether its users are image operators, which read all channels of a pixel together.
        channels_last: bool,
        /// What its cells are.
        element: Element,
    },
    /// A constant. Mostly they become weights, biases and factors while a model is imported.
    Constant(Vec<f64>),
    /// A sum of terms.
    Combine(Combine),
    /// A function of each cell.
    Function {
        /// The argument.
        source: NodeId,
        /// The function.
        function: Function,
    },
    /// The largest cell over the view's summed axes; padding is never the largest.
    Max(View),
    /// `numerator / denominator`, cell by cell; neither view has summed axes.
    Divide {
        /// What is divided.
        numerator: View,
        /// What it is divided by.
        denominator: View,
    },
    /// `exp(x) / sum exp(x)` along an axis, or the logarithm of it.
    Softmax {
        /// The source.
        source: NodeId,
        /// Along which axis the results add up to 1.
        axis: usize,
        /// Whether the result is the logarithm.
        logarithm: bool,
    },
    /// `(x - mean) / sqrt(variance + epsilon)` over some axes; without the mean, `x / sqrt(mean of squares + epsilon)`.
    Normalize {
        /// The source.
        source: NodeId,
        /// The axes over which mean and variance are taken, ascending.
        axes: Vec<usize>,
        /// Whether the mean is subtracted.
        centred: bool,
        /// What keeps the root away from zero.
        epsilon: f64,
    },
    /// The same cells in the same order under another shape.
    Reshape(NodeId),
    /// The axes in another order: axis `i` of the result is axis `order[i]` of the source.
    Transpose {
        /// The source.
        source: NodeId,
        /// Which axis goes where.
        order: Vec<usize>,
    },
}

/// A sum of terms and a bias.
#[derive(Clone, Debug)]
pub struct Combine {
    /// The result's axes as the terms see them: its shape, or a refinement of it (an axis split into several).
    pub axes: Vec<u32>,
    /// The terms; the `axes` of all their views are the ones above.
    pub terms: Vec<Term>,
    /// A constant summand.
    pub bias: Option<Bias>,
}

/// One summand of a [`Combine`].
#[derive(Clone, Debug)]
pub enum Term {
    /// `factor * sum_s x[view(p, s)]`.
    Plain {
        /// Multiplier.
        factor: f64,
        /// Which cells.
        view: View,
    },
    /// `sum_s W[p(over), s] * x[view(p, s)]`.
    Weighted {
        /// Which of the result's axes choose the weights, ascending.
        over: Vec<usize>,
        /// Weights, row-major over those axes, then the summed ones.
        weights: Vec<f64>,
        /// Which cells.
        view: View,
    },
    /// `W[x[view(p)], p(over)]`: the row of a table that a whole number chooses. The view has no summed axes.
    Selected {
        /// Number of rows of the table.
        rows: u32,
        /// Which of the result's axes the columns are, ascending.
        over: Vec<usize>,
        /// The table, row-major.
        table: Vec<f64>,
        /// Which cells choose the rows.
        view: View,
    },
    /// `factor * sum_s a[left(p, s)] * b[right(p, s)]`; both views have the same summed axes.
    Product {
        /// Multiplier.
        factor: f64,
        /// First factor.
        left: View,
        /// Second factor.
        right: View,
    },
}

/// A constant that depends on some of the result's axes.
#[derive(Clone, Debug)]
pub struct Bias {
    /// Which axes, ascending.
    pub over: Vec<usize>,
    /// Values, row-major over those axes.
    pub values: Vec<f64>,
}

impl Graph {
    /// Adds a node.
    pub fn add(&mut self, name: &str, dims: Vec<u32>, kind: Kind) -> NodeId {
        self.nodes.push(Node { name: name.into(), dims, kind });
        (self.nodes.len() - 1) as NodeId
    }

    /// The node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }

    /// For each input that chooses rows of tables, the number of rows of the smallest.
    pub fn rows_chosen(&self) -> BTreeMap<String, u32> {
        let mut all = BTreeMap::new();
        let combines = self.nodes.iter().filter_map(|node| match &node.kind {
            Kind::Combine(combine) => Some(combine),
            _ => None,
        });
        for term in combines.flat_map(|combine| &combine.terms) {
            if let Term::Selected { rows, view, .. } = term
                && let Kind::Input { name, .. } = &self.node(view.source).kind
            {
                let least = all.entry(name.clone()).or_insert(*rows);
                *least = (*least).min(*rows);
            }
        }
        all
    }

    /// For each node, the nodes that read it; outputs count as readers beyond the last node.
    pub fn readers(&self) -> Vec<Vec<NodeId>> {
        let mut readers = vec![Vec::new(); self.nodes.len()];
        for (id, node) in self.nodes.iter().enumerate() {
            for source in node.kind.sources() {
                readers[source as usize].push(id as NodeId);
            }
        }
        for (_, node) in &self.outputs {
            readers[*node as usize].push(self.nodes.len() as NodeId);
        }
        readers
    }
}

impl Kind {
    /// A combination of one plain term.
    pub fn plain(factor: f64, view: View) -> Self {
        let axes = view.axes.clone();
        Self::Combine(Combine { axes, terms: vec![Term::Plain { factor, view }], bias: None })
    }

    /// The tensors that it reads.
    pub fn sources(&self) -> Vec<NodeId> {
        match self {
            Self::Input { .. } | Self::Constant(_) => Vec::new(),
            Self::Combine(combine) => combine.terms.iter().flat_map(Term::views).map(|view| view.source).collect(),
            Self::Function { source, .. } | Self::Reshape(source) | Self::Transpose { source, .. } => vec![*source],
            Self::Softmax { source, .. } | Self::Normalize { source, .. } => vec![*source],
            Self::Max(view) => vec![view.source],
            Self::Divide { numerator, denominator } => vec![numerator.source, denominator.source],
        }
    }

    /// Replaces the tensors that it reads.
    pub fn map_sources(&mut self, map: &dyn Fn(NodeId) -> NodeId) {
        match self {
            Self::Input { .. } | Self::Constant(_) => {}
            Self::Combine(combine) => {
                for view in combine.terms.iter_mut().flat_map(Term::views_mut) {
                    view.source = map(view.source);
                }
            }
            Self::Function { source, .. }
            | Self::Reshape(source)
            | Self::Transpose { source, .. }
            | Self::Softmax { source, .. }
            | Self::Normalize { source, .. } => *source = map(*source),
            Self::Max(view) => view.source = map(view.source),
            Self::Divide { numerator, denominator } => {
                numerator.source = map(numerator.source);
                denominator.source = map(denominator.source);
            }
        }
    }
}

impl Combine {
    /// Adds a constant summand to the one that is there.
    pub fn add_bias(&mut self, more: Bias) {
        self.bias = Some(match self.bias.take() {
            None => more,
            Some(bias) => passes::sum(&self.axes, &bias, &more),
        });
    }
}

impl Term {
    /// The views: two for a product, else one.
    pub fn views(&self) -> Vec<&View> {
        match self {
            Self::Plain { view, .. } | Self::Weighted { view, .. } | Self::Selected { view, .. } => vec![view],
            Self::Product { left, right, .. } => vec![left, right],
        }
    }

    /// The views, to be changed.
    pub fn views_mut(&mut self) -> Vec<&mut View> {
        match self {
            Self::Plain { view, .. } | Self::Weighted { view, .. } | Self::Selected { view, .. } => vec![view],
            Self::Product { left, right, .. } => vec![left, right],
        }
    }
}

impl Bias {
    /// A bias from a constant that broadcasts to the shape.
    pub fn broadcast(constant: &Tensor, dims: &[u32]) -> Self {
        let skip = dims.len() - constant.dims.len();
        let over = (0..constant.dims.len()).filter(|&axis| constant.dims[axis] != 1).map(|axis| axis + skip).collect();
        Self { over, values: constant.values.clone() }
    }
}
