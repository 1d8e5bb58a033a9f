//! The report for people: a line for each check, what is known by those that hold, what ended later, and what is not proven.
use std::path::Path;

use assay_verifier::audit::{Bundle, Report, Row, Verdict};

use super::facts::Facts;
use super::later;

/// Widest line.
const WIDTH: usize = 110;
/// Column at which texts start.
const INDENT: usize = 24;

/// The whole report.
pub fn of(path: &Path, bundle: &Bundle, report: &Report) -> String {
    let verdict = if report.holds() { "ALL HOLDS" } else { "REFUSED" };
    let mut text = format!("{verdict}  {}\n\nChecks\n", path.display());
    report.rows.iter().for_each(|row| check(&mut text, row));
    text.push_str("\nWhat is known\n");
    for (label, value) in Facts::new(bundle, report).lines() {
        paragraph(&mut text, &format!("  {label}"), &value);
    }
    let later = later::list(report);
    if !later.is_empty() {
        text.push_str("\nWhat came later, and changes nothing\n");
    }
    for (code, value) in later.iter().map(later::Later::line) {
        paragraph(&mut text, &format!("  {code}"), &value);
    }
    text.push_str("\nWhat is not proven\n");
    report.unproven.iter().for_each(|what| paragraph(&mut text, &format!("  {}", what.code()), what.text()));
    text
}

fn check(text: &mut String, row: &Row) {
    let (mark, why) = match &row.verdict {
        Verdict::Holds => ('✓', None),
        Verdict::Fails(reason) => ('✗', Some(format!("FAILS: {reason}"))),
        Verdict::NotShown(missing) => ('-', Some(format!("not shown: {missing}"))),
    };
    paragraph(text, &format!("{mark} {}", row.check.code()), row.check.text());
    if let Some(why) = why {
        paragraph(text, "", &why);
    }
}

/// A label, and text beside it in lines of limited width. What others wrote may not move the cursor.
fn paragraph(text: &mut String, label: &str, value: &str) {
    let mut line = format!("{label:INDENT$}");
    let mut empty = true;
    for word in value.split_whitespace() {
        let shown = |c: char| if c.is_ascii_graphic() || c.is_alphanumeric() { c } else { '?' };
        let word: String = word.chars().map(shown).collect();
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            text.push_str(line.trim_end());
            text.push('\n');
            line = " ".repeat(INDENT);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(&word);
        empty = false;
    }
    text.push_str(line.trim_end());
    text.push('\n');
}
