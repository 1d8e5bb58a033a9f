//! What commands print: text for people, or one JSON object for programs.
use std::fmt::Display;
use std::io::{Write, stderr, stdout};
use std::time::Duration;

use console::{measure_text_width, style};
use serde::Serialize;

/// Widest line of text.
const WIDTH_MAX: usize = 96;
/// Column at which the values of fields start.
const LABEL_WIDTH: usize = 14;

/// Who reads the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// People.
    Text,
    /// Programs.
    Json,
}

/// Standard output in one of the formats. A reader that goes away is no error.
pub struct Output {
    format: Format,
}

impl Output {
    /// Output in a format.
    pub fn new(format: Format) -> Self {
        Self { format }
    }

    /// A line of text.
    pub fn line(&self, text: impl Display) {
        if self.format == Format::Text {
            let _ = writeln!(stdout().lock(), "{text}");
        }
    }

    /// A part of a line of text, which is shown at once.
    pub fn part(&self, text: impl Display) {
        if self.format == Format::Text {
            let mut stdout = stdout().lock();
            let _ = write!(stdout, "{text}").and_then(|()| stdout.flush());
        }
    }

    /// A heading with an empty line before it.
    pub fn heading(&self, text: &str) {
        self.line(format_args!("\n{}", style(text).bold()));
    }

    /// Text in lines of limited width.
    pub fn paragraph(&self, text: &str) {
        wrap(text, WIDTH_MAX).iter().for_each(|line| self.line(line));
    }

    /// A label and its value.
    pub fn field(&self, label: &str, value: impl Display) {
        for (number, line) in wrap(&value.to_string(), WIDTH_MAX - LABEL_WIDTH).iter().enumerate() {
            let label = format!("{:LABEL_WIDTH$}", if number == 0 { label } else { "" });
            self.line(format_args!("{}{line}", style(label).dim()));
        }
    }

    /// A table. Columns are as wide as their widest cell; those whose name starts with `>` are aligned to the right.
    pub fn table(&self, columns: &[&str], rows: &[Vec<String>]) {
        let names: Vec<&str> = columns.iter().map(|column| column.trim_start_matches('>')).collect();
        let width = |place: usize| {
            let cells = rows.iter().filter_map(|row| row.get(place)).map(|cell| measure_text_width(cell));
            cells.max().unwrap_or(0).max(measure_text_width(names[place]))
        };
        let widths: Vec<usize> = (0..columns.len()).map(width).collect();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let pad = |(place, cell): (usize, &str)| {
                let space = " ".repeat(widths[place].saturating_sub(measure_text_width(cell)));
                if columns[place].starts_with('>') { format!("{space}{cell}") } else { format!("{cell}{space}") }
            };
            let padded: Vec<String> = cells.enumerate().map(pad).collect();
            padded.join("  ").trim_end().to_owned()
        };
        self.line(style(line(&mut names.iter().copied())).dim());
        rows.iter().for_each(|row| self.line(line(&mut row.iter().map(String::as_str))));
    }

    /// The JSON object.
    pub fn json(&self, value: &impl Serialize) {
        if self.format == Format::Json {
            let mut text = serde_json::to_string(value).unwrap_or_default();
            text.push('\n');
            let _ = stdout().lock().write_all(text.as_bytes());
        }
    }

    /// A remark on standard error, in either format.
    pub fn note(&self, text: impl Display) {
        let _ = writeln!(stderr().lock(), "{} {text}", style("note:").for_stderr().yellow());
    }

    /// What went wrong and what to do next, on standard error.
    pub fn error(&self, what: &str, next: Option<&str>) {
        let mut stderr = stderr().lock();
        let _ = writeln!(stderr, "{} {what}", style("error:").for_stderr().red().bold());
        if let Some(next) = next {
            let _ = writeln!(stderr, "{}  {next}", style("next:").for_stderr().cyan());
        }
    }
}

/// Breaks text at spaces.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && measure_text_width(&line) + 1 + measure_text_width(word) > width {
                lines.push(std::mem::take(&mut line));
            } else if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

/// Milliseconds, for JSON.
pub fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// A duration for people.
pub fn duration(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds if seconds < 0.01 => format!("{:.1} ms", seconds * 1e3),
        seconds if seconds < 1.0 => format!("{:.0} ms", seconds * 1e3),
        seconds if seconds < 100.0 => format!("{seconds:.1} s"),
        seconds => format!("{:.0} min", seconds / 60.0),
    }
}

/// A number of bytes for people, in powers of 1000.
pub fn bytes(count: u64) -> String {
    match count as f64 {
        size if size < 1e3 => format!("{count} bytes"),
        size if size < 1e4 => format!("{:.1} kB", size / 1e3),
        size if size < 1e6 => format!("{:.0} kB", size / 1e3),
        size if size < 1e9 => format!("{:.1} MB", size / 1e6),
        size => format!("{:.2} GB", size / 1e9),
    }
}

/// A number with its thousands set apart.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
