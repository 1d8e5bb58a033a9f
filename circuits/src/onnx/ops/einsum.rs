//! `Einsum` of one or two tensors, with repeated labels and `...`.
use std::collections::BTreeMap;

use super::contraction::{Label, Operand, contract, reduced};
use super::{Call, Fault, Value};
use crate::graph::Kind;

/// Most axes of a tensor, so that labels stay small.
const AXES_MAX: usize = 32;

pub(super) fn import(call: &mut Call<'_>) -> Result<Vec<Value>, Fault> {
    if call.attributes.find("equation").is_none_or(|attribute| attribute.s.is_none()) {
        return Err(Fault::MissingAttribute("equation"));
    }
    let equation: String = call.attributes.word("equation", "")?.split_whitespace().collect();
    let (inputs, output) = match equation.split_once("->") {
        Some((inputs, output)) => (inputs, Some(output)),
        None => (equation.as_str(), None),
    };
    let inputs: Vec<&str> = inputs.split(',').collect();
    if inputs.len() != call.input_count() {
        return Err(Fault::AttributeValue("equation"));
    }
    let ranks = (0..inputs.len()).map(|input| Ok(call.dims(input)?.len())).collect::<Result<Vec<_>, Fault>>()?;
    let mut names = Names::default();
    let labels = inputs
        .iter()
        .zip(&ranks)
        .map(|(term, &rank)| names.labels(term, Some(rank)).ok_or(Fault::AttributeValue("equation")))
        .collect::<Result<Vec<_>, _>>()?;
    let result = match output {
        Some(output) => names.labels(output, None).ok_or(Fault::AttributeValue("equation"))?,
        None => names.implicit(&labels),
    };
    let known = |label: &Label| labels.iter().flatten().any(|other| other == label);
    let once = |label: &Label| result.iter().filter(|&other| other == label).count() == 1;
    if !result.iter().all(|label| known(label) && once(label)) {
        return Err(Fault::AttributeValue("equation"));
    }
    match &labels[..] {
        [own] => {
            let node = call.node(0)?;
            Ok(vec![Value::Node(reduced(call, node, own, &result)?)])
        }
        [left, right] => {
            let left = Operand { value: call.value(0)?.clone(), labels: left.clone() };
            let right = Operand { value: call.value(1)?.clone(), labels: right.clone() };
            let combine = contract(call, left, right, &result, 1.0)?;
            call.result(combine.axes.clone(), Kind::Combine(combine))
        }
        _ => Err(Fault::Unsupported(format!("an equation of {} tensors", labels.len()))),
    }
}

/// Labels for letters and for the axes that `...` stands for.
#[derive(Default)]
struct Names {
    letters: BTreeMap<char, Label>,
    /// Axes of `...`, counted from the back.
    others: Vec<Label>,
    count: usize,
}

impl Names {
    fn fresh(&mut self) -> Label {
        self.count += 1;
        self.count - 1
    }

    /// Labels of a term; without a rank, `...` stands for as many axes as it does in the longest term.
    fn labels(&mut self, term: &str, rank: Option<usize>) -> Option<Vec<Label>> {
        let (before, after) = match term.split_once("...") {
            Some((before, after)) => (before, Some(after)),
            None => (term, None),
        };
        let letters = before.chars().chain(after.unwrap_or_default().chars());
        letters.clone().all(|letter| letter.is_ascii_alphabetic()).then_some(())?;
        let count = letters.count();
        let others = match (after, rank) {
            (None, None) => 0,
            (None, Some(rank)) => (rank == count).then_some(0)?,
            (Some(_), None) => self.others.len(),
            (Some(_), Some(rank)) => rank.checked_sub(count).filter(|&others| others <= AXES_MAX)?,
        };
        while self.others.len() < others {
            let label = self.fresh();
            self.others.push(label);
        }
        let mut labels: Vec<Label> = before.chars().map(|letter| self.letter(letter)).collect();
        labels.extend(self.others[..others].iter().rev());
        for letter in after.unwrap_or_default().chars() {
            labels.push(self.letter(letter));
        }
        (labels.len() <= AXES_MAX).then_some(labels)
    }

    fn letter(&mut self, letter: char) -> Label {
        if let Some(&label) = self.letters.get(&letter) {
            return label;
        }
        let label = self.fresh();
        self.letters.insert(letter, label);
        label
    }

    /// The result of an equation without `->`: the axes of `...`, then all letters that occur once, in order.
    fn implicit(&self, labels: &[Vec<Label>]) -> Vec<Label> {
        let occurs = |label: &&Label| labels.iter().flatten().filter(|other| other == label).count();
        let once = self.letters.values().filter(|label| occurs(label) == 1);
        self.others.iter().rev().chain(once).copied().collect()
    }
}
