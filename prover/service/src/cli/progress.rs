//! Progress of long work, on standard error; hidden where that is not a terminal.
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Shows what is going on until it is dropped.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Work of unknown length.
    pub fn spinner(message: impl Into<String>) -> Self {
        Self::start(ProgressBar::new_spinner(), "{spinner} {msg} ({elapsed})", message.into())
    }

    /// Work in steps.
    pub fn steps(count: u64, message: impl Into<String>) -> Self {
        Self::start(ProgressBar::new(count), "{spinner} {bar:30} {pos}/{len} {msg} ({elapsed})", message.into())
    }

    /// A text that grows, with a remark below it.
    pub fn text() -> Self {
        Self::start(ProgressBar::new_spinner(), "{msg}\n{spinner} {prefix} ({elapsed})", String::new())
    }

    /// Whether nobody sees it.
    pub fn hidden(&self) -> bool {
        self.bar.is_hidden()
    }

    /// Shows a text and the remark below it.
    pub fn write(&self, text: &str, remark: String) {
        self.bar.set_message(text.to_owned());
        self.bar.set_prefix(remark);
    }

    fn start(bar: ProgressBar, template: &str, message: String) -> Self {
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(message);
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar }
    }

    /// Goes to a step and says what it is.
    pub fn at(&self, step: u64, message: impl Into<String>) {
        self.bar.set_position(step);
        self.bar.set_message(message.into());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
