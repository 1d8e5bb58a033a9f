//! Sliding windows over an image's spatial axes: kernel, strides, dilations, padding.
use super::{Call, Fault};
use crate::graph::{AxisMap, mapped};

/// The windows along one spatial axis.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Length of the axis.
    pub input: u32,
    /// Number of cells in a window.
    pub kernel: u32,
    /// Distance between windows.
    pub stride: u32,
    /// Distance between the cells of a window.
    pub dilation: u32,
    /// Padding before the first cell.
    pub before: u32,
    /// Padding after the last cell.
    pub after: u32,
    /// Number of windows.
    pub output: u32,
}

impl Window {
    /// The coordinate as a function of the window (axis `output`) and the place in it (axis `tap`) among `axes` axes.
    pub fn map(&self, axes: usize, output: usize, tap: usize) -> AxisMap {
        let parts = [(output, self.stride.into()), (tap, self.dilation.into())];
        mapped(axes, -i64::from(self.before), &parts)
    }

    /// Number of cells of the window at `position` that are not padding.
    pub fn real_cells(&self, position: u32) -> u32 {
        let start = i64::from(position) * i64::from(self.stride) - i64::from(self.before);
        let inside =
            |tap: &u32| (0..i64::from(self.input)).contains(&(start + i64::from(*tap) * i64::from(self.dilation)));
        (0..self.kernel).filter(inside).count() as u32
    }
}

/// The windows of a convolution or pool over the axes after batch and channel.
pub fn windows(call: &Call<'_>, spatial: &[u32], kernel: &[u32]) -> Result<Vec<Window>, Fault> {
    let count = spatial.len();
    let list = |name: &'static str, default: i64, length: usize| -> Result<Vec<u32>, Fault> {
        let values = call.attributes.ints(name).map_or_else(|| vec![default; length], <[i64]>::to_vec);
        let small = |value: i64| u32::try_from(value).ok().filter(|&value| value < 1 << 24);
        let values: Option<Vec<u32>> = values.into_iter().map(small).collect();
        values.filter(|values| values.len() == length).ok_or(Fault::AttributeValue(name))
    };
    let (strides, dilations) = (list("strides", 1, count)?, list("dilations", 1, count)?);
    let pads = list("pads", 0, 2 * count)?;
    if strides.contains(&0) || dilations.contains(&0) || kernel.contains(&0) || kernel.len() != count {
        return Err(Fault::AttributeValue("strides, dilations or kernel_shape"));
    }
    let ceil = call.attributes.flag("ceil_mode", false)?;
    let auto = call.attributes.word("auto_pad", "NOTSET")?;
    (0..count)
        .map(|axis| {
            let (input, stride, dilation) = (spatial[axis], strides[axis], dilations[axis]);
            let mut window = Window { input, kernel: kernel[axis], stride, dilation, before: 0, after: 0, output: 0 };
            let span = (u64::from(window.kernel) - 1) * u64::from(dilation) + 1;
            match auto {
                "NOTSET" | "" => (window.before, window.after) = (pads[axis], pads[axis + count]),
                "VALID" => {}
                "SAME_UPPER" | "SAME_LOWER" => {
                    let output = u64::from(input).div_ceil(stride.into());
                    let total = ((output - 1) * u64::from(stride) + span).saturating_sub(input.into());
                    let total = u32::try_from(total).map_err(|_| Fault::AttributeValue("auto_pad"))?;
                    let (less, more) = (total / 2, total - total / 2);
                    (window.before, window.after) = if auto == "SAME_UPPER" { (less, more) } else { (more, less) };
                }
                _ => return Err(Fault::AttributeValue("auto_pad")),
            }
            window.output =
                outputs(&window, span, ceil).ok_or_else(|| Fault::Shapes(vec![spatial.to_vec(), kernel.to_vec()]))?;
            Ok(window)
        })
        .collect()
}

/// Number of windows; nothing if not one fits.
fn outputs(window: &Window, span: u64, ceil: bool) -> Option<u32> {
    let padded = u64::from(window.input) + u64::from(window.before) + u64::from(window.after);
    let room = padded.checked_sub(span)?;
    let stride = u64::from(window.stride);
    let mut steps = if ceil { room.div_ceil(stride) } else { room / stride };
    // A window that would begin in the padding after the last cell is left out.
    if ceil && steps * stride >= u64::from(window.input) + u64::from(window.before) {
        steps -= 1;
    }
    u32::try_from(steps + 1).ok()
}
