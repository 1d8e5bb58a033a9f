//! The constraint system's rows, filled in: what the library makes keys and proofs from.
use std::collections::HashMap;
use std::sync::Mutex;

use assay_circuits::eval::Weights;
use assay_verifier::circuit::CheckedCircuit;
use assay_verifier::halo2::config::{Columns, WeightColumns};
use assay_verifier::halo2::curve::Fr;
use assay_verifier::halo2::shape::{Features, Shape, Visibility};
use halo2_proofs::circuit::{Cell, Layouter, Region, SimpleFloorPlanner, Value};
use halo2_proofs::plonk::{Advice, Circuit, Column, ConstraintSystem, Error, Fixed};

use super::copies::copies;
use super::field;
use super::fixed::Filler;
use super::layout::{Layout, Line, Place};
use super::program::Program;
use super::witness::{Challenges, First, Second};

/// Everything of a model that does not change from proof to proof.
pub struct Setting {
    /// The description.
    pub checked: CheckedCircuit,
    /// Values of its weights.
    pub weights: Weights,
    /// What is hidden.
    pub visibility: Visibility,
    /// Everything that is to be shown.
    pub program: Program,
    /// Where.
    pub layout: Layout,
}

impl Setting {
    /// The parameters of the constraint system.
    pub fn params(&self) -> Params {
        let shape = self.layout.shape;
        Params(Some((shape, Features::of(&self.checked, &shape, self.visibility), self.visibility)))
    }
}

/// Parameters that the constraint system is configured from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Params(pub Option<(Shape, Features, Visibility)>);

/// One circuit, with a witness or without.
pub struct Synthesis<'a> {
    setting: &'a Setting,
    first: Option<First>,
    /// Fixed cells and copies are wanted too.
    structure: bool,
    /// Made when the challenges are known.
    second: Mutex<Option<Second>>,
}

impl<'a> Synthesis<'a> {
    /// The structure alone.
    pub fn structure(setting: &'a Setting) -> Self {
        Self { setting, first: None, structure: true, second: Mutex::new(None) }
    }

    /// A witness to prove.
    pub fn witness(setting: &'a Setting, first: First) -> Self {
        Self { setting, first: Some(first), structure: false, second: Mutex::new(None) }
    }

    /// Structure and witness, to check them against each other.
    pub fn both(setting: &'a Setting, first: First) -> Self {
        Self { setting, first: Some(first), structure: true, second: Mutex::new(None) }
    }
}

impl Circuit<Fr> for Synthesis<'_> {
    type Config = Columns;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = Params;

    fn without_witnesses(&self) -> Self {
        Self::structure(self.setting)
    }

    fn params(&self) -> Params {
        self.setting.params()
    }

    fn configure_with_params(meta: &mut ConstraintSystem<Fr>, params: Params) -> Columns {
        let (shape, features, visibility) = params.0.expect("a setting has parameters");
        Columns::configure(meta, shape, features, visibility)
    }

    fn configure(_: &mut ConstraintSystem<Fr>) -> Columns {
        unreachable!("configured with parameters")
    }

    fn synthesize(&self, columns: Columns, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        let instances = columns.instances.clone();
        let public = layouter.assign_region(|| "all", |mut region| Ok(self.assign(&columns, &mut region)))?;
        for (cell, column, row) in public {
            layouter.constrain_instance(cell, instances[usize::from(column)], row);
        }
        Ok(())
    }
}

impl Synthesis<'_> {
    /// Assigns everything; returns the cells that equal public values.
    fn assign(&self, columns: &Columns, region: &mut Region<'_, Fr>) -> Vec<(Cell, u8, usize)> {
        let mut cells = HashMap::new();
        if self.structure {
            self.fixed(columns, region, &mut cells);
        }
        let drawn = self.drawn(columns, region);
        if drawn.is_none() || self.structure {
            self.first(columns, region, &mut cells);
        }
        if self.structure || drawn.is_some() {
            self.second(columns, region, drawn, &mut cells);
        }
        if self.structure { self.copies(region, &cells) } else { Vec::new() }
    }

    fn drawn(&self, columns: &Columns, region: &Region<'_, Fr>) -> Option<Challenges> {
        let mut values = [Fr::zero(); 3];
        for (value, challenge) in values.iter_mut().zip([columns.beta, columns.eta, columns.theta]) {
            let mut known = None;
            region.get_challenge(challenge).map(|drawn| known = Some(drawn));
            *value = known?;
        }
        let [beta, eta, theta] = values;
        Some(Challenges { beta, eta, theta })
    }

    fn fixed(&self, columns: &Columns, region: &mut Region<'_, Fr>, cells: &mut HashMap<Place, Cell>) {
        let Setting { checked, weights, program, layout, .. } = self.setting;
        let set = |column: Column<Fixed>, row: usize, value: Fr| {
            let cell = region.assign_fixed(column, row, value);
            if column == columns.machine.constants {
                cells.insert(Place { line: Line::Constants, row }, cell);
            }
        };
        Filler { program, layout, circuit: checked.circuit(), columns, set }.fill(weights);
    }

    fn first(&self, columns: &Columns, region: &mut Region<'_, Fr>, cells: &mut HashMap<Place, Cell>) {
        let first = self.first.as_ref();
        let mut put = Put { region, cells, structure: self.structure, rows: self.setting.layout.rows };
        for (at, lane) in columns.lanes.iter().enumerate() {
            let values = first.map(|first| &first.lanes[at]);
            let line = at as u8;
            for (slot, &limb) in lane.limbs.iter().enumerate() {
                let line = (slot + 1 == lane.limbs.len()).then_some(Line::Argument(line));
                put.small(limb, line, values.map(|values| &values.limbs[slot]));
            }
            put.small(lane.value, Some(Line::Value(line)), values.map(|values| &values.values));
            put.small(lane.side, Some(Line::Side(line)), values.map(|values| &values.sides));
        }
        for (at, &column) in columns.reads.iter().enumerate() {
            put.small(column, Some(Line::Read(at as u8)), first.map(|first| &first.reads[at]));
        }
        for (at, table) in columns.tables.iter().enumerate() {
            put.small(table.count, None, first.map(|first| &first.counts[at]));
        }
        if let WeightColumns::Private { columns: weights, .. } = &columns.weights {
            for (at, &column) in weights.iter().enumerate() {
                put.small(column, None, first.map(|first| &first.weights[at]));
            }
        }
        for (at, &column) in columns.inputs.iter().enumerate() {
            put.small(column, Some(Line::Input(at as u8)), first.map(|first| &first.inputs[at]));
        }
    }

    fn second(
        &self,
        columns: &Columns,
        region: &mut Region<'_, Fr>,
        drawn: Option<Challenges>,
        cells: &mut HashMap<Place, Cell>,
    ) {
        let Setting { checked, program, layout, .. } = self.setting;
        let mut made = self.second.lock().expect("no thread panics with the lock");
        if let (Some(first), Some(drawn)) = (&self.first, drawn) {
            *made = Some(Second::new(checked, program, layout, first, drawn));
        }
        let second = made.as_ref();
        let mut put = Put { region, cells, structure: self.structure, rows: layout.rows };
        put.large(columns.equation, Some(Line::Equation), second.map(|second| &second.equation));
        put.large(columns.power, Some(Line::Power), second.map(|second| &second.power));
        if let Some(squared) = columns.squared {
            put.large(squared, None, second.map(|second| &second.squared));
        }
        put.large(columns.left, Some(Line::Left), second.map(|second| &second.left));
        put.large(columns.right, Some(Line::Right), second.map(|second| &second.right));
        put.large(columns.dot, Some(Line::Dot), second.map(|second| &second.dot));
        put.rows += 1;
        for (at, &column) in columns.sums.iter().enumerate() {
            put.large(column, None, second.map(|second| &second.sums[at]));
        }
    }

    fn copies(&self, region: &mut Region<'_, Fr>, cells: &HashMap<Place, Cell>) -> Vec<(Cell, u8, usize)> {
        let mut public = Vec::new();
        let Setting { checked, program, layout, .. } = self.setting;
        copies(program, layout, checked.circuit(), &mut |from, to| match (from.line, to.line) {
            (Line::Instance(column), _) => public.push((cells[&to], column, from.row)),
            (_, Line::Instance(column)) => public.push((cells[&from], column, to.row)),
            _ => region.constrain_equal(cells[&from], cells[&to]),
        });
        public
    }
}

/// Assigns columns, and keeps the cells that copies need.
struct Put<'r, 'a> {
    region: &'r mut Region<'a, Fr>,
    cells: &'r mut HashMap<Place, Cell>,
    structure: bool,
    rows: usize,
}

impl Put<'_, '_> {
    fn small(&mut self, column: Column<Advice>, line: Option<Line>, values: Option<&Vec<i64>>) {
        self.column(column, line, |row| values.map(|values| field(values[row])));
    }

    fn large(&mut self, column: Column<Advice>, line: Option<Line>, values: Option<&Vec<Fr>>) {
        self.column(column, line, |row| values.map(|values| values[row]));
    }

    fn column(&mut self, column: Column<Advice>, line: Option<Line>, value: impl Fn(usize) -> Option<Fr>) {
        for row in 0..self.rows {
            let value = value(row).map_or(Value::unknown(), Value::known);
            let assigned = self.region.assign_advice(column, row, value);
            if let Some(line) = line.filter(|_| self.structure) {
                self.cells.insert(Place { line, row }, assigned.cell());
            }
        }
    }
}
