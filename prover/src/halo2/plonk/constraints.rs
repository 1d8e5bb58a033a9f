//! The gates' polynomials as steps over rows: each common part is computed once, and parts without columns once for a proof.
use std::collections::HashMap;

use assay_verifier::halo2::curve::Fr;
use halo2_proofs::arithmetic::Field;
use halo2_proofs::plonk::{ConstraintSystem, Expression};

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A fixed column.
    Fixed(usize),
    /// An advice column.
    Advice(usize),
    /// An instance column.
    Instance(usize),
}

/// What a step takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operand {
    /// The result of a step.
    Register(usize),
    /// A column's cell on the row itself, before or after.
    Cell(Source, i32),
}

/// One step, for every row.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// The sum of two.
    Add(Operand, Operand),
    /// The difference of two.
    Subtract(Operand, Operand),
    /// The product of two.
    Multiply(Operand, Operand),
    /// A multiple by a scalar.
    Scale(Operand, usize),
    /// The sum with a scalar.
    Shift(Operand, usize),
}

/// A step and the register that takes its result, or a constraint.
#[derive(Clone, Copy, Debug)]
pub enum Line {
    /// Computes.
    Step(Step, usize),
    /// What must be zero.
    Constraint(Operand),
}

/// Something that is the same for all rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Scalar {
    Constant(Fr),
    Challenge(usize),
    Negated(usize),
    Sum(usize, usize),
    Product(usize, usize),
}

/// The gates of a constraint system.
pub struct Constraints {
    scalars: Vec<Scalar>,
    /// Steps and constraints in order.
    pub lines: Vec<Line>,
    /// Number of registers.
    pub registers: usize,
}

/// What a part of an expression is.
#[derive(Clone, Copy)]
enum Part {
    Scalar(usize),
    Rows(Operand),
}

#[derive(Default)]
struct Builder {
    scalars: Vec<Scalar>,
    known_scalars: HashMap<Scalar, usize>,
    lines: Vec<Line>,
    known: HashMap<Key, Operand>,
}

#[derive(PartialEq, Eq, Hash)]
enum Key {
    Add(Operand, Operand),
    Subtract(Operand, Operand),
    Multiply(Operand, Operand),
    Scale(Operand, usize),
    Shift(Operand, usize),
}

impl Constraints {
    /// Of a constraint system.
    pub fn new(cs: &ConstraintSystem<Fr>) -> Self {
        let mut builder = Builder::default();
        for polynomial in cs.gates().iter().flat_map(|gate| gate.polynomials()) {
            let operand = match builder.part(polynomial) {
                Part::Rows(operand) => operand,
                Part::Scalar(_) => unreachable!("constraints have columns"),
            };
            builder.lines.push(Line::Constraint(operand));
        }
        let (lines, registers) = share_registers(builder.lines);
        Self { scalars: builder.scalars, lines, registers }
    }

    /// All scalars, once the challenges are known.
    pub fn scalars(&self, challenges: &[Fr]) -> Vec<Fr> {
        let mut values: Vec<Fr> = Vec::with_capacity(self.scalars.len());
        for scalar in &self.scalars {
            values.push(match *scalar {
                Scalar::Constant(value) => value,
                Scalar::Challenge(index) => challenges[index],
                Scalar::Negated(a) => -values[a],
                Scalar::Sum(a, b) => values[a] + values[b],
                Scalar::Product(a, b) => values[a] * values[b],
            });
        }
        values
    }
}

impl Builder {
    fn part(&mut self, expression: &Expression<Fr>) -> Part {
        let cell = |source, rotation| Part::Rows(Operand::Cell(source, rotation));
        match expression {
            Expression::Constant(value) => self.scalar(Scalar::Constant(*value)),
            Expression::Challenge(challenge) => self.scalar(Scalar::Challenge(challenge.index())),
            Expression::Fixed(query) => cell(Source::Fixed(query.column_index()), query.rotation().0),
            Expression::Advice(query) => cell(Source::Advice(query.column_index()), query.rotation().0),
            Expression::Instance(query) => cell(Source::Instance(query.column_index()), query.rotation().0),
            Expression::Selector(_) => unreachable!("there are no virtual selectors"),
            Expression::Negated(of) => {
                let of = self.part(of);
                self.negated(of)
            }
            Expression::Sum(a, b) => match (&**a, &**b) {
                (a, Expression::Negated(b)) => {
                    let [a, b] = [self.part(a), self.part(b)];
                    self.difference(a, b)
                }
                (a, b) => {
                    let [a, b] = [self.part(a), self.part(b)];
                    self.sum(a, b)
                }
            },
            Expression::Product(a, b) => {
                let [a, b] = [self.part(a), self.part(b)];
                self.product(a, b)
            }
            Expression::Scaled(of, by) => {
                let [of, by] = [self.part(of), self.scalar(Scalar::Constant(*by))];
                self.product(of, by)
            }
        }
    }

    fn negated(&mut self, of: Part) -> Part {
        match of {
            Part::Scalar(a) => self.scalar(Scalar::Negated(a)),
            Part::Rows(_) => {
                let minus = self.scalar(Scalar::Constant(-Fr::ONE));
                self.product(of, minus)
            }
        }
    }

    fn sum(&mut self, a: Part, b: Part) -> Part {
        match (a, b) {
            (Part::Scalar(a), Part::Scalar(b)) => self.scalar(Scalar::Sum(a, b)),
            (Part::Rows(rows), Part::Scalar(scalar)) | (Part::Scalar(scalar), Part::Rows(rows)) => {
                if self.scalars[scalar] == Scalar::Constant(Fr::ZERO) {
                    return Part::Rows(rows);
                }
                self.step(Key::Shift(rows, scalar), Step::Shift(rows, scalar))
            }
            (Part::Rows(a), Part::Rows(b)) => self.step(Key::Add(a, b), Step::Add(a, b)),
        }
    }

    fn difference(&mut self, a: Part, b: Part) -> Part {
        match (a, b) {
            (Part::Rows(a), Part::Rows(b)) => self.step(Key::Subtract(a, b), Step::Subtract(a, b)),
            _ => {
                let b = self.negated(b);
                self.sum(a, b)
            }
        }
    }

    fn product(&mut self, a: Part, b: Part) -> Part {
        match (a, b) {
            (Part::Scalar(a), Part::Scalar(b)) => self.scalar(Scalar::Product(a, b)),
            (Part::Rows(rows), Part::Scalar(scalar)) | (Part::Scalar(scalar), Part::Rows(rows)) => {
                if self.scalars[scalar] == Scalar::Constant(Fr::ONE) {
                    return Part::Rows(rows);
                }
                self.step(Key::Scale(rows, scalar), Step::Scale(rows, scalar))
            }
            (Part::Rows(a), Part::Rows(b)) => self.step(Key::Multiply(a, b), Step::Multiply(a, b)),
        }
    }

    fn scalar(&mut self, scalar: Scalar) -> Part {
        let next = self.scalars.len();
        let index = *self.known_scalars.entry(scalar).or_insert(next);
        if index == next {
            self.scalars.push(scalar);
        }
        Part::Scalar(index)
    }

    /// A step's result; registers are as many as steps for now.
    fn step(&mut self, key: Key, step: Step) -> Part {
        let next = self.known.len();
        let operand = *self.known.entry(key).or_insert(Operand::Register(next));
        if operand == Operand::Register(next) {
            self.lines.push(Line::Step(step, next));
        }
        Part::Rows(operand)
    }
}

impl Step {
    fn operands(&self) -> [Option<Operand>; 2] {
        match *self {
            Self::Add(a, b) | Self::Subtract(a, b) | Self::Multiply(a, b) => [Some(a), Some(b)],
            Self::Scale(a, _) | Self::Shift(a, _) => [Some(a), None],
        }
    }

    fn renamed(self, name: impl Fn(Operand) -> Operand) -> Self {
        match self {
            Self::Add(a, b) => Self::Add(name(a), name(b)),
            Self::Subtract(a, b) => Self::Subtract(name(a), name(b)),
            Self::Multiply(a, b) => Self::Multiply(name(a), name(b)),
            Self::Scale(a, scalar) => Self::Scale(name(a), scalar),
            Self::Shift(a, scalar) => Self::Shift(name(a), scalar),
        }
    }
}

/// Uses registers again once their result is taken for the last time, so that those in use stay in the cache.
fn share_registers(mut lines: Vec<Line>) -> (Vec<Line>, usize) {
    let taken = |line: &Line| match line {
        Line::Step(step, _) => step.operands(),
        Line::Constraint(operand) => [Some(*operand), None],
    };
    let mut last: HashMap<usize, usize> = HashMap::new();
    for (at, line) in lines.iter().enumerate() {
        for operand in taken(line).into_iter().flatten() {
            if let Operand::Register(register) = operand {
                last.insert(register, at);
            }
        }
    }
    let mut places: HashMap<usize, usize> = HashMap::new();
    let (mut free, mut count) = (Vec::new(), 0);
    for (at, line) in lines.iter_mut().enumerate() {
        let operands = taken(line);
        let name = |operand: Operand| match operand {
            Operand::Register(register) => Operand::Register(places[&register]),
            cell => cell,
        };
        // A step's own register is none of its operands'.
        match line {
            Line::Step(step, to) => {
                let place = free.pop().unwrap_or_else(|| {
                    count += 1;
                    count - 1
                });
                *step = step.renamed(name);
                places.insert(*to, place);
                *to = place;
            }
            Line::Constraint(operand) => *operand = name(*operand),
        }
        let mut done: Vec<usize> = operands
            .into_iter()
            .flatten()
            .filter_map(|operand| match operand {
                Operand::Register(register) if last[&register] == at => Some(places[&register]),
                _ => None,
            })
            .collect();
        done.dedup();
        free.extend(done);
    }
    (lines, count)
}
