//! Bytes of an image to numbers of 0..=1.

use crate::{Element, InstructionSet, check_length, dispatch::Kernel, vector::Vector};

/// Asks the caches for bytes that will be read soon, where the processor can be asked.
///
/// A batch's images lie anywhere among 47 MB: their lines, asked for all at once, arrive one behind the other instead of
/// one after the other.
pub fn prefetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    for line in bytes.chunks(64) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86-64 has the instruction, and it reads nothing that the program could see.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}

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
    check_length!(output, [pixels.len()]);
    E::dispatch(set, Scale { pixels, output });
}
