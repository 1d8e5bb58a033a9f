//! Small grey images as text.
use console::{measure_text_width, style};

/// Characters from black to white; each pixel is two of them, which makes it about square.
const SHADES: [&str; 5] = ["··", "░░", "▒▒", "▓▓", "██"];
/// Space between images.
const GAP: usize = 3;

/// An image with lines of text below it.
pub struct Picture {
    /// Brightness of the pixels from 0 to 1, row-major.
    pub pixels: Vec<f64>,
    /// Number of pixels in a row.
    pub width: usize,
    /// Lines of text.
    pub caption: Vec<String>,
}

/// Lines of text that show images side by side.
pub fn side_by_side(pictures: &[Picture]) -> Vec<String> {
    let height = pictures.iter().map(|picture| picture.lines().len()).max().unwrap_or(0);
    let line = |place: usize| {
        let part = |picture: &Picture| {
            let text = picture.lines().get(place).cloned().unwrap_or_default();
            let space = (2 * picture.width + GAP).saturating_sub(measure_text_width(&text));
            text + &" ".repeat(space)
        };
        pictures.iter().map(part).collect::<String>().trim_end().to_owned()
    };
    (0..height).map(line).collect()
}

impl Picture {
    fn lines(&self) -> Vec<String> {
        let shade = |pixel: &f64| match ((pixel * SHADES.len() as f64) as usize).min(SHADES.len() - 1) {
            0 => style(SHADES[0]).dim().to_string(),
            level => SHADES[level].into(),
        };
        let rows = self.pixels.chunks(self.width.max(1)).map(|row| row.iter().map(shade).collect());
        rows.chain(self.caption.iter().cloned()).collect()
    }
}
