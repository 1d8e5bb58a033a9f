//! Layers whose result is only read in parts (queries, keys and values from one product) are computed in these parts.
//!
//! The parts are what reads them anyway, and each pads to a power of two by itself.
use crate::graph::{Bias, Combine, Graph, Kind, Term, View};
use crate::tensor::strides;

pub(super) fn run(graph: &mut Graph) -> usize {
    let readers = graph.readers();
    let mut changes = 0;
    for (id, readers) in readers.iter().enumerate() {
        let Kind::Combine(layer) = &graph.nodes[id].kind else { continue };
        let is_layer =
            layer.terms.iter().any(|term| matches!(term, Term::Weighted { view, .. } if !view.sum.is_empty()));
        if !is_layer || layer.axes != graph.nodes[id].dims {
            continue;
        }
        let parts: Option<Vec<Combine>> = readers.iter().map(|&reader| part(graph, id, reader as usize)).collect();
        let Some(parts) = parts.filter(|parts| !parts.is_empty()) else { continue };
        let cells = |axes: &[u32]| axes.iter().map(|&axis| u64::from(axis)).product::<u64>();
        if parts.iter().map(|part| cells(&part.axes)).sum::<u64>() > cells(&layer.axes) {
            continue;
        }
        for (&reader, part) in readers.iter().zip(parts) {
            graph.nodes[reader as usize].kind = Kind::Combine(part);
            changes += 1;
        }
    }
    changes
}

/// What a reader takes from the layer, if it takes some cells along each axis and does nothing else.
fn part(graph: &Graph, id: usize, reader: usize) -> Option<Combine> {
    let Kind::Combine(layer) = &graph.nodes[id].kind else { return None };
    let Kind::Combine(Combine { axes, terms, bias: None }) = &graph.nodes.get(reader)?.kind else { return None };
    let [Term::Plain { factor, view }] = &terms[..] else { return None };
    let cut = Cut::of(view, axes).filter(|_| *factor == 1.0 && view.dims == layer.axes)?;
    let terms = layer.terms.iter().map(|term| cut.term(term, &layer.axes)).collect();
    let bias = layer.bias.as_ref().map(|bias| {
        let values = cut.chosen(&layer.axes, &bias.over).into_iter().map(|at| bias.values[at]).collect();
        Bias { over: bias.over.clone(), values }
    });
    Some(Combine { axes: axes.clone(), terms, bias })
}

/// Which cells are taken along each axis: the first and how many.
struct Cut(Vec<(u32, u32)>);

impl Cut {
    fn of(view: &View, axes: &[u32]) -> Option<Self> {
        (view.sum.is_empty() && view.dims.len() == axes.len()).then_some(())?;
        let ranges = view.maps.iter().enumerate().map(|(axis, map)| {
            let own = map.table.is_empty()
                && map.coefficients.iter().enumerate().all(|(other, &c)| c == i64::from(other == axis));
            let first = u32::try_from(map.offset).ok().filter(|_| own)?;
            (first.checked_add(axes[axis])? <= view.dims[axis]).then_some((first, axes[axis]))
        });
        Some(Self(ranges.collect::<Option<_>>()?))
    }

    /// The flat positions, along some axes of the layer, of the cells that are taken.
    fn chosen(&self, axes: &[u32], over: &[usize]) -> Vec<usize> {
        let lengths: Vec<u32> = over.iter().map(|&axis| axes[axis]).collect();
        let mut chosen = vec![0usize];
        for (&axis, step) in over.iter().zip(strides(&lengths)) {
            let (first, length) = self.0[axis];
            chosen = chosen
                .iter()
                .flat_map(|&base| (first..first + length).map(move |i| base + i as usize * step))
                .collect();
        }
        chosen
    }

    fn term(&self, term: &Term, axes: &[u32]) -> Term {
        match term {
            Term::Plain { factor, view } => Term::Plain { factor: *factor, view: self.view(view) },
            Term::Product { factor, left, right } => {
                Term::Product { factor: *factor, left: self.view(left), right: self.view(right) }
            }
            Term::Weighted { over, weights, view } => {
                let length: usize = view.sum.iter().map(|&length| length as usize).product();
                let rows = self.chosen(axes, over);
                let weights = rows.iter().flat_map(|&row| weights[row * length..][..length].iter().copied()).collect();
                Term::Weighted { over: over.clone(), weights, view: self.view(view) }
            }
            Term::Selected { rows, over, table, view } => {
                let columns = self.chosen(axes, over);
                let length = table.len() / *rows as usize;
                let table = table.chunks_exact(length).flat_map(|row| columns.iter().map(|&at| row[at])).collect();
                Term::Selected { rows: *rows, over: over.clone(), table, view: self.view(view) }
            }
        }
    }

    /// A view of the layer with its axes shortened.
    fn view(&self, view: &View) -> View {
        let mut view = view.clone();
        for map in &mut view.maps {
            let moved: i64 = self.0.iter().zip(&map.coefficients).map(|(&(first, _), &c)| i64::from(first) * c).sum();
            map.offset += moved;
        }
        view.axes = self.0.iter().map(|&(_, length)| length).collect();
        view
    }
}
