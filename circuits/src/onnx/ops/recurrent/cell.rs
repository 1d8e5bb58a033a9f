//! The steps of a recurrent layer in one direction.
use super::direction::Direction;
use crate::graph::{Bias, Combine, Function, Kind, NodeId, Primitive, Term, View, mapped, unit};
use crate::onnx::ops::{Call, Fault};
use crate::tensor::Tensor;

/// What all directions share.
pub struct Cell {
    pub gates: usize,
    pub hidden: usize,
    pub batch: u32,
    pub steps: u32,
    pub clip: f64,
    pub linear_before_reset: bool,
    pub input_forget: bool,
    /// Lengths of the sequences, if they differ.
    pub lengths: Option<Vec<f64>>,
}

/// State after a step; nothing stands for zeros.
#[derive(Clone, Copy, Default)]
pub struct State {
    pub hidden: Option<NodeId>,
    pub cell: Option<NodeId>,
}

impl Cell {
    /// All steps of a direction: outputs in the order of the sequence, and the last state.
    pub fn run(
        &self,
        call: &mut Call<'_>,
        x: NodeId,
        direction: &Direction,
        mut state: State,
    ) -> Result<(Vec<NodeId>, State), Fault> {
        let shares = self.shares(call, x, direction)?;
        let mut outputs = vec![None; self.steps as usize];
        for step in 0..self.steps {
            let at = if direction.backward { self.steps - 1 - step } else { step };
            let next = match self.gates {
                4 => self.lstm(call, shares, at, direction, state)?,
                3 => self.gru(call, shares, at, direction, state)?,
                _ => {
                    let sum = self.gate_sum(call, shares, at, 0..1, direction, state.hidden)?;
                    State { hidden: Some(call.apply(sum, direction.functions[0].clone())?), cell: None }
                }
            };
            let (kept, output) = self.masked(call, at, state, next)?;
            state = kept;
            let dims = vec![1, self.batch, self.hidden as u32];
            outputs[at as usize] = Some(call.reshaped(output, dims)?);
        }
        Ok((outputs.into_iter().flatten().collect(), state))
    }

    /// The input's share of every gate at every step, biases included: `[steps, batch, gates * hidden]`.
    fn shares(&self, call: &mut Call<'_>, x: NodeId, direction: &Direction) -> Result<NodeId, Fault> {
        let from = call.shape(x);
        let rows = self.gates * self.hidden;
        // The last gate of a GRU that resets after its layer takes the recurrent bias inside.
        let inside = if self.gates == 3 && self.linear_before_reset { 2 * self.hidden } else { rows };
        let bias = (0..rows)
            .map(|row| direction.input_bias[row] + if row < inside { direction.recurrent_bias[row] } else { 0.0 })
            .collect();
        let dims = vec![from[0], from[1], rows as u32];
        let view = View {
            source: x,
            axes: dims.clone(),
            sum: vec![from[2]],
            maps: vec![unit(4, 0), unit(4, 1), unit(4, 3)],
            dims: from,
        };
        let terms = vec![Term::Weighted { over: vec![2], weights: direction.input.clone(), view }];
        let bias = Some(Bias { over: vec![2], values: bias });
        call.add(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias }))
    }

    /// The sum of some gates at a step: the input's share and a layer on the state.
    fn gate_sum(
        &self,
        call: &mut Call<'_>,
        shares: NodeId,
        at: u32,
        gates: core::ops::Range<usize>,
        direction: &Direction,
        hidden: Option<NodeId>,
    ) -> Result<NodeId, Fault> {
        let dims = vec![self.batch, (gates.len() * self.hidden) as u32];
        let share = View {
            source: shares,
            axes: dims.clone(),
            sum: Vec::new(),
            dims: call.shape(shares),
            maps: vec![mapped(2, at.into(), &[]), unit(2, 0), mapped(2, (gates.start * self.hidden) as i64, &[(1, 1)])],
        };
        let mut terms = vec![Term::Plain { factor: 1.0, view: share }];
        terms.extend(hidden.map(|hidden| self.layer(gates, direction, hidden)));
        let sum = call.add(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias: None }))?;
        if self.clip < f64::from(f32::MAX) {
            return call.apply(sum, Function::call(Primitive::Clip(-self.clip, self.clip)));
        }
        Ok(sum)
    }

    /// The recurrent layer of some gates.
    fn layer(&self, gates: core::ops::Range<usize>, direction: &Direction, hidden: NodeId) -> Term {
        let size = self.hidden;
        let weights = direction.recurrent[gates.start * size * size..gates.end * size * size].to_vec();
        let view = View {
            source: hidden,
            axes: vec![self.batch, (gates.len() * size) as u32],
            sum: vec![size as u32],
            dims: vec![self.batch, size as u32],
            maps: vec![unit(3, 0), unit(3, 2)],
        };
        Term::Weighted { over: vec![1], weights, view }
    }

    /// One gate of a sum of several.
    fn gate(&self, call: &mut Call<'_>, sum: NodeId, gate: usize) -> Result<NodeId, Fault> {
        call.part(sum, 1, ((gate * self.hidden) as i64, 1, self.hidden as u32))
    }

    fn lstm(
        &self,
        call: &mut Call<'_>,
        shares: NodeId,
        at: u32,
        direction: &Direction,
        state: State,
    ) -> Result<State, Fault> {
        let functions = &direction.functions;
        let sum = self.gate_sum(call, shares, at, 0..4, direction, state.hidden)?;
        let peep = |call: &mut Call<'_>, gate: NodeId, place: usize, cell: Option<NodeId>| match (
            &direction.peepholes,
            cell,
        ) {
            (Some(weights), Some(cell)) => {
                let weights = weights[place * self.hidden..(place + 1) * self.hidden].to_vec();
                let seen = call.scaled(cell, &[1], weights, None)?;
                call.linear(&[(1.0, gate), (1.0, seen)], 0.0)
            }
            _ => Ok(gate),
        };
        let input = self.gate(call, sum, 0)?;
        let input = peep(call, input, 0, state.cell)?;
        let input = call.apply(input, functions[0].clone())?;
        let candidate = self.gate(call, sum, 3)?;
        let candidate = call.apply(candidate, functions[1].clone())?;
        let mut cell = call.times(input, candidate)?;
        if let Some(before) = state.cell {
            let forget = if self.input_forget {
                call.linear(&[(-1.0, input)], 1.0)?
            } else {
                let forget = self.gate(call, sum, 2)?;
                let forget = peep(call, forget, 2, state.cell)?;
                call.apply(forget, functions[0].clone())?
            };
            let kept = call.times(forget, before)?;
            cell = call.linear(&[(1.0, cell), (1.0, kept)], 0.0)?;
        }
        let output = self.gate(call, sum, 1)?;
        let output = peep(call, output, 1, Some(cell))?;
        let output = call.apply(output, functions[0].clone())?;
        let shown = call.apply(cell, functions[2].clone())?;
        Ok(State { hidden: Some(call.times(output, shown)?), cell: Some(cell) })
    }

    fn gru(
        &self,
        call: &mut Call<'_>,
        shares: NodeId,
        at: u32,
        direction: &Direction,
        state: State,
    ) -> Result<State, Fault> {
        let functions = &direction.functions;
        let sum = self.gate_sum(call, shares, at, 0..2, direction, state.hidden)?;
        let update = self.gate(call, sum, 0)?;
        let update = call.apply(update, functions[0].clone())?;
        let reset = self.gate(call, sum, 1)?;
        let reset = call.apply(reset, functions[0].clone())?;
        let candidate = if self.linear_before_reset {
            let share = self.gate_sum(call, shares, at, 2..3, direction, None)?;
            let dims = vec![self.batch, self.hidden as u32];
            let bias = direction.recurrent_bias[2 * self.hidden..].to_vec();
            let terms: Vec<Term> = state.hidden.map(|hidden| self.layer(2..3, direction, hidden)).into_iter().collect();
            let inner = if terms.is_empty() {
                call.constant_node(Tensor { dims: vec![1, self.hidden as u32], values: bias })?
            } else {
                let bias = Some(Bias { over: vec![1], values: bias });
                call.add(dims.clone(), Kind::Combine(Combine { axes: dims, terms, bias }))?
            };
            let inner = call.times(reset, inner)?;
            call.linear(&[(1.0, share), (1.0, inner)], 0.0)?
        } else {
            let seen = match state.hidden {
                Some(hidden) => Some(call.times(reset, hidden)?),
                None => None,
            };
            self.gate_sum(call, shares, at, 2..3, direction, seen)?
        };
        let candidate = call.apply(candidate, functions[1].clone())?;
        // `candidate + update * (before - candidate)`.
        let change = match state.hidden {
            Some(before) => call.linear(&[(1.0, before), (-1.0, candidate)], 0.0)?,
            None => call.linear(&[(-1.0, candidate)], 0.0)?,
        };
        let change = call.times(update, change)?;
        Ok(State { hidden: Some(call.linear(&[(1.0, candidate), (1.0, change)], 0.0)?), cell: None })
    }

    /// The state after a step and its output: sequences that have ended keep their state and put out zeros.
    fn masked(&self, call: &mut Call<'_>, at: u32, before: State, next: State) -> Result<(State, NodeId), Fault> {
        let hidden = next.hidden.ok_or(Fault::MissingInput(0))?;
        let Some(lengths) = &self.lengths else { return Ok((next, hidden)) };
        let goes_on: Vec<f64> = lengths.iter().map(|&length| f64::from(f64::from(at) < length)).collect();
        let mut keep = |before: Option<NodeId>, next: NodeId| {
            let new = call.scaled(next, &[0], goes_on.clone(), None)?;
            let state = match before {
                None => new,
                Some(before) => {
                    let ended = goes_on.iter().map(|goes_on| 1.0 - goes_on).collect();
                    let old = call.scaled(before, &[0], ended, None)?;
                    call.linear(&[(1.0, new), (1.0, old)], 0.0)?
                }
            };
            Ok::<_, Fault>((state, new))
        };
        let (state, output) = keep(before.hidden, hidden)?;
        let cell = match next.cell {
            Some(cell) => Some(keep(before.cell, cell)?.0),
            None => None,
        };
        Ok((State { hidden: Some(state), cell }, output))
    }
}
