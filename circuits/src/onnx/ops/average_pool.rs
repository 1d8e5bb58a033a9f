//! `AveragePool`: a sum, divided by the number of cells, which differs at the borders unless padding counts.
use super::max_pool::pooled;
use super::window::{Window, windows};
use super::{Call, Fault, Value};
use crate::graph::{Combine, Kind, Term, identity};

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let x = call.node(0)?;
    let from = call.dims(0)?;
    let (view, dims) = pooled(call, x, &from)?;
    let windows = windows(call, &from[2..], &view.sum)?;
    let padding_counts = call.attributes.flag("count_include_pad", false)?;
    let counts = |window: &Window| -> Vec<u32> {
        // With padding every cell counts, even beyond the padding, as in onnxruntime.
        let count = |at| if padding_counts { window.kernel } else { window.real_cells(at) };
        (0..window.output).map(count).collect()
    };
    let counts: Vec<Vec<u32>> = windows.iter().map(counts).collect();
    if counts.iter().all(|counts| counts.iter().all(|&count| count == counts[0])) {
        let cells: f64 = counts.iter().map(|counts| f64::from(counts[0])).product();
        return call.result(dims, Kind::plain(1.0 / cells, view));
    }
    // Rows of the image differ in their counts: one weight for each position.
    let sums = call.add(dims.clone(), Kind::plain(1.0, view))?;
    let mut cells = vec![1.0];
    for counts in &counts {
        cells =
            cells.iter().flat_map(|&cells: &f64| counts.iter().map(move |&count| cells * f64::from(count))).collect();
    }
    let weights = cells.iter().map(|cells| 1.0 / cells).collect();
    let terms = vec![Term::Weighted { over: (2..dims.len()).collect(), weights, view: identity(sums, &dims) }];
    call.result(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias: None }))
}
