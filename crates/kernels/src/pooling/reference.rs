//! Pooling by its definition: what the kernels are held against.

use crate::{Element, sliding::Sliding};

/// As [`super::maximum`].
pub fn maximum_reference<E: Element>(windows: &Sliding, input: &[E], output: &mut [E], winners: &mut [E]) {
    for (at, (output, winner)) in output.iter_mut().zip(winners).enumerate() {
        let mut best: Option<(E, usize)> = None;
        for (tap, pixel) in taps(windows, at).enumerate() {
            let value = input[pixel];
            let keep = best.is_some_and(|(best, _)| value <= best || best.is_nan());
            if !keep {
                best = Some((value, tap));
            }
        }
        let (value, tap) = best.expect("a window has taps");
        *output = value;
        *winner = E::from_f64(tap as f64);
    }
}

/// As [`super::maximum_backward`].
pub fn maximum_backward_reference<E: Element>(
    windows: &Sliding,
    winners: &[E],
    d_output: &[E],
    d_input: &mut [E],
) {
    d_input.fill(E::ZERO);
    for (at, (gradient, winner)) in d_output.iter().zip(winners).enumerate() {
        for (tap, pixel) in taps(windows, at).enumerate() {
            if *winner == E::from_f64(tap as f64) {
                d_input[pixel] += *gradient;
            }
        }
    }
}

/// As [`super::average`].
pub fn average_reference<E: Element>(windows: &Sliding, input: &[E], output: &mut [E]) {
    for (at, output) in output.iter_mut().enumerate() {
        let sum: E = taps(windows, at).map(|pixel| input[pixel]).sum();
        *output = sum / E::from_f64(windows.taps() as f64);
    }
}

/// As [`super::average_backward`].
pub fn average_backward_reference<E: Element>(windows: &Sliding, d_output: &[E], d_input: &mut [E]) {
    d_input.fill(E::ZERO);
    for (at, gradient) in d_output.iter().enumerate() {
        for pixel in taps(windows, at) {
            d_input[pixel] += *gradient / E::from_f64(windows.taps() as f64);
        }
    }
}

/// The pixels of the window of the output `at`.
fn taps(windows: &Sliding, at: usize) -> impl Iterator<Item = usize> {
    let size = *windows.size();
    let (rows, columns) = (windows.output_height(), windows.output_width());
    let (position, channel) = (at / size.channels, at % size.channels);
    let (image, y, x) = (position / columns / rows, position / columns % rows, position % columns);
    (0..size.kernel_height * size.kernel_width).map(move |tap| {
        let row = y * size.stride + tap / size.kernel_width * size.dilation;
        let column = x * size.stride + tap % size.kernel_width * size.dilation;
        ((image * size.height + row) * size.width + column) * size.channels + channel
    })
}
