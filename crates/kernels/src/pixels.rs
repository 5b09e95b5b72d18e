//! Bytes of an image to numbers of 0..=1.

use crate::{Element, InstructionSet, check_length, dispatch::Kernel, vector::Vector};

/// `output = pixels / 255`, a true division, as Keras and NumPy have it; overwrites.
///
/// # Panics
/// When the lengths differ.
pub fn scale_pixels<E: Element>(set: InstructionSet, pixels: &[u8], output: &mut [E]) {
    struct Scale<'a, E> {
        pixels: &'a [u8],
        output: &'a mut [E],
    }
    impl<E: Element> Kernel<E> for Scale<'_, E> {
        type Output = ();
        #[inline(always)]
        unsafe fn run<V: Vector<Element = E>>(self) {
            let mut at = 0;
            while at < self.pixels.len() {
                let count = V::LANES.min(self.pixels.len() - at);
                // SAFETY: `count` elements from `at` on lie within both slices.
                unsafe {
                    V::load_bytes(self.pixels.as_ptr().add(at), count)
                        .div(V::splat(V::Element::from_f64(255.0)))
                        .store_first(self.output.as_mut_ptr().add(at), count);
                }
                at += count;
            }
        }
    }
    check_length!(output, pixels.len());
    E::dispatch(set, Scale { pixels, output });
}
