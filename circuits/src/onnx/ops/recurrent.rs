//! `RNN`, `GRU` and `LSTM`, unrolled: the input's share of all gates is one layer over the whole sequence, then there
//! is a layer and the gates for each step.
use super::unary::hard_sigmoid;
use super::{Call, Fault, Value};
use crate::graph::{Bias, Combine, Function, Kind, Library, NodeId, Primitive, Term, View, mapped, unit};
use crate::tensor::Tensor;

/// Longest sequence.
const STEPS_MAX: u32 = 1024;

/// What all directions share.
struct Cell {
    gates: usize,
    hidden: usize,
    batch: u32,
    steps: u32,
    clip: f64,
    linear_before_reset: bool,
    input_forget: bool,
    /// Lengths of the sequences, if they differ.
    lengths: Option<Vec<f64>>,
}

/// Constants of one direction.
struct Direction {
    input: Vec<f64>,
    recurrent: Vec<f64>,
    input_bias: Vec<f64>,
    recurrent_bias: Vec<f64>,
    peepholes: Option<Vec<f64>>,
    functions: Vec<Function>,
    backward: bool,
}

/// State after a step; nothing stands for zeros.
#[derive(Clone, Copy, Default)]
struct State {
    hidden: Option<NodeId>,
    cell: Option<NodeId>,
}

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    let gates = match call.operator {
        "LSTM" => 4,
        "GRU" => 3,
        _ => 1,
    };
    let mut x = call.node(0)?;
    let batch_first = call.attributes.flag("layout", false)?;
    if batch_first {
        x = call.transposed(x, &[1, 0, 2])?;
    }
    let from = call.shape(x);
    let weights = call.constant(1)?.clone();
    let recurrent = call.constant(2)?.clone();
    let fail = || Fault::Shapes(vec![from.clone(), weights.dims.clone(), recurrent.dims.clone()]);
    let (&[steps, batch, inputs], &[directions, rows, columns], &[_, _, hidden]) =
        (&from[..], &weights.dims[..], &recurrent.dims[..])
    else {
        return Err(fail());
    };
    let way = call.attributes.word("direction", "forward")?;
    let wanted = if way == "bidirectional" { 2 } else { 1 };
    let fits = directions == wanted
        && columns == inputs
        && u64::from(rows) == gates as u64 * u64::from(hidden)
        && recurrent.dims == [directions, rows, hidden];
    if !fits {
        return Err(fail());
    }
    if steps > STEPS_MAX {
        return Err(Fault::Unsupported(format!("a sequence of more than {STEPS_MAX} steps")));
    }
    let lengths = match call.optional(4)? {
        Some(lengths) if lengths.values.len() != batch as usize => return Err(Fault::InputValue(4)),
        Some(lengths) => Some(lengths.values.clone()).filter(|all| all.iter().any(|&one| one != f64::from(steps))),
        None => None,
    };
    let cell = Cell {
        gates,
        hidden: hidden as usize,
        batch,
        steps,
        clip: call.attributes.float("clip", f64::from(f32::MAX))?,
        linear_before_reset: call.attributes.flag("linear_before_reset", false)?,
        input_forget: call.attributes.flag("input_forget", false)?,
        lengths,
    };
    let (mut sequences, mut last_hidden, mut last_cell) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..directions as usize {
        let direction = Direction::new(call, &cell, number, &weights, &recurrent, way == "reverse" || number == 1)?;
        let state = State {
            hidden: initial(call, 5, number, batch_first)?,
            cell: if call.operator == "LSTM" { initial(call, 6, number, batch_first)? } else { None },
        };
        let (outputs, state) = cell.run(call, x, &direction, state)?;
        sequences.push(call.joined(&outputs, 0)?);
        last_hidden.extend(state.hidden);
        last_cell.extend(state.cell);
    }
    let mut results = vec![Value::Node(joined(call, &sequences, [steps, batch, hidden], batch_first)?)];
    for last in [last_hidden, last_cell] {
        if last.len() == directions as usize {
            results.push(Value::Node(joined(call, &last, [1, batch, hidden], batch_first)?));
        }
    }
    Ok(results)
}

/// Results of all directions: `[steps, directions, batch, hidden]`, without the steps if there is one, with the batch
/// first if so wanted.
fn joined(
    call: &mut Call<'_>,
    parts: &[NodeId],
    [steps, batch, hidden]: [u32; 3],
    batch_first: bool,
) -> Result<NodeId, Fault> {
    let mut all = Vec::with_capacity(parts.len());
    for &part in parts {
        all.push(call.reshaped(part, vec![steps, 1, batch, hidden])?);
    }
    let directions = parts.len() as u32;
    let whole = call.joined(&all, 1)?;
    // The final states have no axis of steps; a sequence of one step does.
    let is_state = call.shape(parts[0]).len() == 2;
    match (is_state, batch_first) {
        (false, false) => Ok(whole),
        (false, true) => call.transposed(whole, &[2, 0, 1, 3]),
        (true, false) => call.reshaped(whole, vec![directions, batch, hidden]),
        (true, true) => {
            let whole = call.transposed(whole, &[0, 2, 1, 3])?;
            call.reshaped(whole, vec![batch, directions, hidden])
        }
    }
}

/// The initial state of a direction, if one is given.
fn initial(call: &mut Call<'_>, input: usize, number: usize, batch_first: bool) -> Result<Option<NodeId>, Fault> {
    if !call.has(input) {
        return Ok(None);
    }
    if matches!(call.value(input)?, Value::Constant(tensor) if tensor.values.iter().all(|&value| value == 0.0)) {
        return Ok(None);
    }
    let node = call.node(input)?;
    let node = if batch_first { call.transposed(node, &[1, 0, 2])? } else { node };
    let part = call.part(node, 0, (number as i64, 1, 1))?;
    let dims = call.shape(part)[1..].to_vec();
    call.reshaped(part, dims).map(Some)
}

impl Direction {
    fn new(
        call: &Call<'_>,
        cell: &Cell,
        number: usize,
        weights: &Tensor,
        recurrent: &Tensor,
        backward: bool,
    ) -> Result<Self, Fault> {
        let rows = cell.gates * cell.hidden;
        let part =
            |values: &[f64], length: usize| values.get(number * length..(number + 1) * length).map(<[f64]>::to_vec);
        let directions = weights.dims[0] as usize;
        let bias = match call.optional(3)? {
            Some(bias) => part(&bias.values, 2 * rows).ok_or(Fault::InputValue(3))?,
            None => vec![0.0; 2 * rows],
        };
        let peepholes = match call.optional(7)? {
            Some(all) if call.operator == "LSTM" => {
                Some(part(&all.values, 3 * cell.hidden).ok_or(Fault::InputValue(7))?)
            }
            _ => None,
        };
        Ok(Self {
            input: part(&weights.values, weights.values.len() / directions).ok_or(Fault::InputValue(1))?,
            recurrent: part(&recurrent.values, recurrent.values.len() / directions).ok_or(Fault::InputValue(2))?,
            input_bias: bias[..rows].to_vec(),
            recurrent_bias: bias[rows..].to_vec(),
            peepholes,
            functions: functions(call, number)?,
            backward,
        })
    }
}

/// The activation functions of a direction.
fn functions(call: &Call<'_>, number: usize) -> Result<Vec<Function>, Fault> {
    let defaults: &[&str] = match call.operator {
        "LSTM" => &["Sigmoid", "Tanh", "Tanh"],
        "GRU" => &["Sigmoid", "Tanh"],
        _ => &["Tanh"],
    };
    let count = defaults.len();
    let names: Vec<String> = match call.attributes.find("activations") {
        None => defaults.iter().map(|&name| name.to_owned()).collect(),
        Some(given) => {
            let all = given.strings.iter().map(|name| String::from_utf8_lossy(name).into_owned());
            all.skip(number * count).take(count).collect()
        }
    };
    if names.len() != count {
        return Err(Fault::AttributeValue("activations"));
    }
    let list = |name: &str| call.attributes.find(name).map_or(&[][..], |attribute| &attribute.floats);
    let (alphas, betas) = (list("activation_alpha"), list("activation_beta"));
    let at =
        |values: &[f32], place: usize, default: f64| values.get(number * count + place).map_or(default, |&v| v.into());
    let named = |(place, name): (usize, &String)| {
        let (alpha, beta) = (|default| at(alphas, place, default), |default| at(betas, place, default));
        Ok(match name.to_lowercase().as_str() {
            "relu" => Function::call(Primitive::Relu),
            "tanh" => Function::call(Primitive::Library(Library::Tanh)),
            "sigmoid" => Function::call(Primitive::Sigmoid),
            "affine" => Function::affine(alpha(1.0), beta(0.0)),
            "leakyrelu" => Function::call(Primitive::LeakyRelu(alpha(0.01))),
            "scaledtanh" => {
                let inner =
                    Function::Call(Primitive::Library(Library::Tanh), Box::new(Function::affine(beta(1.0), 0.0)));
                Function::Product(vec![Function::Constant(alpha(1.0)), inner])
            }
            "hardsigmoid" => hard_sigmoid(alpha(0.2), beta(0.5)),
            "elu" => Function::call(Primitive::Elu(alpha(1.0))),
            "softsign" => super::unary::softsign(),
            "softplus" => Function::call(Primitive::Softplus),
            _ => return Err(Fault::Unsupported(format!("the activation {name:?}"))),
        })
    };
    names.iter().enumerate().map(named).collect()
}

impl Cell {
    /// All steps of a direction: outputs in the order of the sequence, and the last state.
    fn run(
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
