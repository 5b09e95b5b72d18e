//! Arrays of Python. `mnist_study/_arrays.py` makes one of two things of whatever it is given: a buffer of numbers with a shape, or a list of
//! strings.

use crate::refused;
use containers::arrays::{Array, Values};
use pyo3::{
    buffer::{Element, PyBuffer},
    prelude::*,
};

/// An array, each element converted once, whatever its strides.
pub(crate) fn array(name: &str, values: &Bound<'_, PyAny>) -> PyResult<Array> {
    let name = name.to_owned();
    if let Ok(texts) = values.extract::<Vec<String>>() {
        return Ok(Array { name, shape: vec![texts.len()], values: Values::Strings(texts) });
    }
    let found = None
        .or_else(|| numbers::<f64>(values, |value| value))
        .or_else(|| numbers::<f32>(values, f64::from))
        .or_else(|| numbers::<i64>(values, |value| value as f64))
        .or_else(|| numbers::<u64>(values, |value| value as f64))
        .or_else(|| numbers::<i32>(values, f64::from))
        .or_else(|| numbers::<u32>(values, f64::from))
        .or_else(|| numbers::<i16>(values, f64::from))
        .or_else(|| numbers::<u16>(values, f64::from))
        .or_else(|| numbers::<i8>(values, f64::from))
        .or_else(|| numbers::<u8>(values, f64::from));
    let (shape, numbers) = found.ok_or_else(|| not_numbers(&name))??;
    Ok(Array { name, shape, values: Values::Numbers(numbers) })
}

/// Pixels from 0 to 255 and their array's shape.
pub(crate) fn pixels(name: &str, values: &Bound<'_, PyAny>) -> PyResult<(Vec<usize>, Vec<u8>)> {
    let buffer = PyBuffer::<u8>::get(values).map_err(|_| not_numbers(name))?;
    Ok((buffer.shape().to_vec(), buffer.to_vec(values.py())?))
}

fn not_numbers(name: &str) -> PyErr {
    refused(format!("{name}: an array of numbers or a list of strings expected, another type found"))
}

type Numbers = (Vec<usize>, Vec<f64>);

/// None where the elements are of another type.
fn numbers<T: Element>(values: &Bound<'_, PyAny>, convert: fn(T) -> f64) -> Option<PyResult<Numbers>> {
    let buffer = PyBuffer::<T>::get(values).ok()?;
    let shape = buffer.shape().to_vec();
    let elements = buffer.to_vec(values.py());
    Some(elements.map(|elements| (shape, elements.into_iter().map(convert).collect())))
}
