//! Widths of activations that differ from node to node, chosen by patterns on names.
use serde::{Deserialize, Serialize};

use crate::error::CompileError;
use crate::graph::Graph;

/// Widths that a pattern may ask for.
const BITS: std::ops::RangeInclusive<u8> = 8..=16;

/// Bits of the activations of the nodes whose names match a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Width {
    /// `*` stands for any characters, `?` for any one.
    pub pattern: String,
    /// Bits of an activation, 8 to 16.
    pub bits: u8,
}

impl Width {
    fn matches(&self, name: &str) -> bool {
        let (pattern, name): (Vec<char>, Vec<char>) = (self.pattern.chars().collect(), name.chars().collect());
        // For each prefix of the name whether the pattern so far matches it.
        let mut reached = vec![false; name.len() + 1];
        reached[0] = true;
        for &symbol in &pattern {
            let mut next = vec![false; name.len() + 1];
            for at in 0..=name.len() {
                next[at] = match symbol {
                    '*' => reached[at] || at > 0 && next[at - 1],
                    '?' => at > 0 && reached[at - 1],
                    letter => at > 0 && reached[at - 1] && name[at - 1] == letter,
                };
            }
            reached = next;
        }
        reached[name.len()]
    }
}

/// Bits of every node: those of the last pattern that its name matches, else the common ones.
pub(crate) fn of_nodes(graph: &Graph, common: u8, widths: &[Width]) -> Result<Vec<u8>, CompileError> {
    let mut bits = vec![common; graph.nodes.len()];
    for width in widths {
        if !BITS.contains(&width.bits) {
            return Err(CompileError::Width { pattern: width.pattern.clone(), bits: width.bits });
        }
        let mut used = false;
        for (own, _) in bits.iter_mut().zip(&graph.nodes).filter(|(_, node)| width.matches(&node.name)) {
            *own = width.bits;
            used = true;
        }
        if !used {
            return Err(CompileError::Pattern { pattern: width.pattern.clone() });
        }
    }
    Ok(bits)
}

#[cfg(test)]
mod tests {
    use super::Width;

    #[test]
    fn patterns() {
        let matches = |pattern: &str, name| Width { pattern: pattern.into(), bits: 12 }.matches(name);
        for (pattern, name) in
            [("*attn*", "/blocks.0/attn/MatMul"), ("*", ""), ("a?c", "abc"), ("*c", "abcc"), ("a*b*c", "abbc")]
        {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("attn", "/attn"), ("a?c", "ac"), ("*d", "abc"), ("", "a"), ("a*b", "abc")] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
        let long = "a".repeat(5000);
        assert!(!matches(&"*a".repeat(50), &long.replace('a', "b")));
    }
}
