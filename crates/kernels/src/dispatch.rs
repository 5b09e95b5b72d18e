//! The choice of an instruction set, made once at start.

#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
use crate::vector::Neon;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use crate::vector::Simd128;
#[cfg(target_arch = "x86_64")]
use crate::vector::{Avx2, Avx512};
use crate::{
    Element,
    vector::{PortableF32, PortableF64, Vector},
};

/// An algorithm with its arguments, ready to run on any vector.
pub trait Kernel<E: Element> {
    type Output;
    /// Implementations must be `#[inline(always)]`, and all that they call, so that the instructions of the caller
    /// reach the innermost loop.
    ///
    /// # Safety
    /// The vector's instructions exist on this machine, and the arguments satisfy the kernel.
    unsafe fn run<V: Vector<Element = E>>(self) -> Self::Output;
}

/// The vector instructions that the kernels use. A value exists only where its instructions do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InstructionSet(Choice);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Choice {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
    Neon,
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Simd128,
}

/// A name that is no instruction set of this program, or one that this machine lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("kernels `{requested}`: expected one of {available} on this machine")]
pub struct UnknownInstructionSet {
    /// What was asked for.
    pub requested: String,
    /// What there is, separated by commas.
    pub available: String,
}

impl InstructionSet {
    /// The plain implementation, which runs everywhere.
    pub const PORTABLE: Self = Self(Choice::Portable);

    /// Every instruction set of this machine that there are kernels for, fastest first; the last is portable.
    #[allow(clippy::vec_init_then_push, reason = "what comes before the last depends on the target")]
    pub fn available() -> Vec<Self> {
        let mut sets = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("fma")
            {
                sets.push(Self(Choice::Avx512));
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                sets.push(Self(Choice::Avx2));
            }
        }
        #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
        sets.push(Self(Choice::Neon));
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        sets.push(Self(Choice::Simd128));
        sets.push(Self::PORTABLE);
        sets
    }

    /// The fastest of [`Self::available`].
    pub fn detect() -> Self {
        Self::available()[0]
    }

    /// The set of that name.
    ///
    /// # Errors
    /// When the name is unknown or the machine lacks the instructions: a forced set is never replaced in silence.
    pub fn named(name: &str) -> Result<Self, UnknownInstructionSet> {
        Self::available().into_iter().find(|set| set.name() == name).ok_or_else(|| UnknownInstructionSet {
            requested: name.to_owned(),
            available: Self::available().iter().map(|set| set.name()).collect::<Vec<_>>().join(", "),
        })
    }

    /// A set of this machine that gives the bits of the one of that name: that one itself, or in the place of WebAssembly's vectors the
    /// portable implementation, which has four lanes as they have, and rounds products and sums apart as they do.
    ///
    /// # Errors
    /// As [`Self::named`].
    pub fn with_bits_of(name: &str) -> Result<Self, UnknownInstructionSet> {
        let sets = Self::available();
        let same = sets.into_iter().find(|set| bits_of(set.name()) == bits_of(name));
        Self::named(name).or_else(|unknown| same.ok_or(unknown))
    }

    /// Whether what this set computes has the bits of the set of that name.
    pub fn has_bits_of(self, name: &str) -> bool {
        bits_of(self.name()) == bits_of(name)
    }

    /// Whether these are AVX-512's vectors.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    pub(crate) fn is_avx512(self) -> bool {
        matches!(self.0, Choice::Avx512)
    }

    /// The name in records and in `MNIST_STUDY_KERNELS`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Choice::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Choice::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Choice::Avx512 => "avx512",
            #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
            Choice::Neon => "neon",
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            // The results' last digits differ between the two, and a record must tell them apart.
            Choice::Simd128 if cfg!(target_feature = "relaxed-simd") => "relaxed-simd",
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Choice::Simd128 => "simd128",
        }
    }

    /// Runs `work` compiled for these instructions: what the compiler inlines into it may use them, so it should be
    /// `#[inline(always)]` throughout. Results do not depend on the set, since the compiler never fuses or reorders
    /// operations of its own accord.
    #[inline]
    pub fn run<R>(self, work: impl FnOnce() -> R) -> R {
        match self.0 {
            // SAFETY: a value of this type exists only where its instructions do.
            #[cfg(target_arch = "x86_64")]
            Choice::Avx2 => unsafe { with_avx2(work) },
            // SAFETY: likewise.
            #[cfg(target_arch = "x86_64")]
            Choice::Avx512 => unsafe { with_avx512(work) },
            // What the other sets need is enabled for the whole program.
            _ => work(),
        }
    }

    #[inline]
    pub(crate) fn run_f32<K: Kernel<f32>>(self, kernel: K) -> K::Output {
        // SAFETY: a value of this type exists only where its instructions do; each kernel's safe entry point has
        // checked its arguments.
        unsafe {
            match self.0 {
                Choice::Portable => kernel.run::<PortableF32>(),
                #[cfg(target_arch = "x86_64")]
                Choice::Avx2 => run_avx2(kernel),
                #[cfg(target_arch = "x86_64")]
                Choice::Avx512 => run_avx512(kernel),
                // Enabled for the whole program, so that every function may use it; so is WebAssembly's below.
                #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
                Choice::Neon => kernel.run::<Neon>(),
                #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
                Choice::Simd128 => kernel.run::<Simd128>(),
            }
        }
    }

    #[inline]
    pub(crate) fn run_f64<K: Kernel<f64>>(kernel: K) -> K::Output {
        // SAFETY: plain Rust runs everywhere; each kernel's safe entry point has checked its arguments.
        unsafe { kernel.run::<PortableF64>() }
    }
}

/// Sets that give the same bits give the same name.
fn bits_of(name: &str) -> &str {
    if name == "simd128" { "portable" } else { name }
}

/// # Safety
/// The machine has AVX-512 F, BW, DQ and VL.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,fma")]
unsafe fn run_avx512<K: Kernel<f32>>(kernel: K) -> K::Output {
    // SAFETY: the caller's promise.
    unsafe { kernel.run::<Avx512>() }
}

/// # Safety
/// The machine has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn run_avx2<K: Kernel<f32>>(kernel: K) -> K::Output {
    // SAFETY: the caller's promise.
    unsafe { kernel.run::<Avx2>() }
}

/// # Safety
/// The machine has AVX-512 F, BW, DQ and VL.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,fma")]
unsafe fn with_avx512<R>(work: impl FnOnce() -> R) -> R {
    work()
}

/// # Safety
/// The machine has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn with_avx2<R>(work: impl FnOnce() -> R) -> R {
    work()
}
