//! Scattering claims: each claim's weights are added to the cells of its tensor, then passed on through affine nodes.
use assay_verifier::circuit::{CheckedCircuit, Gather, Op, Pass, Term};
use assay_verifier::field::{EF, signed};
use assay_verifier::sumcheck::claims::Claim;
use p3_field::PrimeCharacteristicRing;

/// The weights that a list of claims puts on the cells of every tensor that is not affine.
pub fn scatter(checked: &CheckedCircuit, claims: &[Claim<'_>]) -> Vec<Vec<EF>> {
    let nodes = &checked.circuit().nodes;
    let mut weights: Vec<Vec<EF>> = vec![Vec::new(); nodes.len()];
    let cells = |weights: &mut Vec<Vec<EF>>, node: usize| {
        if weights[node].is_empty() {
            weights[node] = EF::zero_vec(nodes[node].len() as usize);
        }
    };
    for claim in claims {
        cells(&mut weights, claim.source);
        let inner = nodes[claim.source].inner as usize;
        scatter_claim(claim, inner, &mut weights[claim.source]);
    }
    for (id, node) in nodes.iter().enumerate().rev() {
        let Op::Affine(expr) = &node.op else { continue };
        let own = std::mem::take(&mut weights[id]);
        if own.is_empty() {
            continue;
        }
        for (index, term) in expr.terms.iter().enumerate() {
            let Term::Linear { coefficient, view } = term else { continue };
            let source = view.source as usize;
            cells(&mut weights, source);
            let gather = &checked.expressions(id)[0].gathers(index)[0];
            let inner = [node.inner as usize, nodes[source].inner as usize];
            push(gather, signed(*coefficient).into(), &own, inner, &mut weights[source]);
        }
    }
    weights
}

fn scatter_claim(claim: &Claim<'_>, source_inner: usize, cells: &mut [EF]) {
    let Some(gather) = claim.gather else {
        for (row, &weight) in cells.chunks_exact_mut(source_inner).zip(claim.rows.iter()) {
            let weight = claim.coefficient * weight;
            row.iter_mut().zip(claim.inner.iter()).for_each(|(cell, &inner)| *cell += weight * inner);
        }
        return;
    };
    let all: EF = claim.inner.iter().copied().sum();
    let free = if gather.inner == 1 { std::slice::from_ref(&all) } else { &*claim.inner };
    for (row, &weight) in claim.rows.iter().enumerate() {
        // Claims on one factor of a product count each shared index once: the other weights are zero.
        if weight == EF::ZERO {
            continue;
        }
        let weight = claim.coefficient * weight;
        match gather.pass {
            Pass::Output { offset } => {
                for (place, &tap) in gather.taps(row, 0).zip(claim.taps.iter()) {
                    let Some(place) = place else { continue };
                    let start = place * source_inner + offset;
                    let factor = weight * tap;
                    let row = &mut cells[start..start + gather.channels];
                    row.iter_mut().zip(claim.inner.iter()).for_each(|(cell, &inner)| *cell += factor * inner);
                }
            }
            Pass::Channel { offset } => {
                for (o, &inner) in free.iter().enumerate() {
                    let factor = weight * inner;
                    for (place, taps) in gather.taps(row, o).zip(claim.taps.chunks_exact(gather.channels)) {
                        let Some(place) = place else { continue };
                        let start = place * source_inner + offset;
                        let row = &mut cells[start..start + gather.channels];
                        row.iter_mut().zip(taps).for_each(|(cell, &tap)| *cell += factor * tap);
                    }
                }
            }
            Pass::None => {
                for (o, &inner) in free.iter().enumerate() {
                    let factor = weight * inner;
                    for (place, &tap) in gather.taps(row, o).zip(claim.taps.iter()) {
                        let Some(place) = place else { continue };
                        cells[place] += factor * tap;
                    }
                }
            }
        }
    }
}

/// Passes weights of a result on to the source of one of its views.
fn push(gather: &Gather, coefficient: EF, own: &[EF], [inner, source_inner]: [usize; 2], cells: &mut [EF]) {
    for (row, weights) in own.chunks_exact(inner).enumerate() {
        for (o, &weight) in weights.iter().enumerate() {
            let weight = coefficient * weight;
            let free = if gather.inner == 1 { 0 } else { o };
            for place in gather.taps(row, free).flatten() {
                match gather.pass {
                    Pass::None => cells[place] += weight,
                    Pass::Output { offset } => cells[place * source_inner + offset + o] += weight,
                    Pass::Channel { offset } => {
                        let start = place * source_inner + offset;
                        cells[start..start + gather.channels].iter_mut().for_each(|cell| *cell += weight);
                    }
                }
            }
        }
    }
}
