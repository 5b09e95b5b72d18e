// Scales and their ticks, as the report's charts have them.

/** @typedef {{ lower: number, upper: number, logarithmic: boolean }} Scale */

/** From this ratio on, the larger values of a linear axis leave the smaller ones no room to be told apart. */
const LOGARITHMIC_FROM_RATIO = 20;
/** Room beyond the outermost values, as a part of their range. */
const PADDING = 0.04;

/**
 * @param {number[]} values
 * @param {number} floor
 * @param {number} ceiling
 * @returns {Scale}
 */
export function linear(values, floor = -Infinity, ceiling = Infinity) {
  const smallest = values.length > 0 ? Math.min(...values) : 0;
  const largest = values.length > 0 ? Math.max(...values) : 1;
  const range = largest - smallest;
  const magnitude = Math.max(Math.abs(smallest), Math.abs(largest));
  const padding = range > magnitude * 1e-6 ? range * PADDING : Math.max(magnitude * 0.02, 0.01);
  return { lower: Math.max(floor, smallest - padding), upper: Math.min(ceiling, largest + padding), logarithmic: false };
}

/**
 * Logarithmic where the ratio is large, else linear.
 * @param {number[]} values
 * @returns {Scale}
 */
export function positive(values) {
  const smallest = Math.min(...values);
  const largest = Math.max(...values);
  if (values.length === 0 || smallest <= 0 || largest / smallest < LOGARITHMIC_FROM_RATIO) return linear(values, 0);
  const padding = (largest / smallest) ** PADDING;
  return { lower: smallest / padding, upper: largest * padding, logarithmic: true };
}

/**
 * Where a value lies between the lower end, 0, and the upper end, 1.
 * @param {Scale} scale
 * @param {number} value
 */
export function fraction({ lower, upper, logarithmic }, value) {
  if (!logarithmic) return (value - lower) / (upper - lower);
  return Math.log(Math.max(value, 1e-300) / lower) / Math.log(upper / lower);
}

/**
 * About so many ticks at round values.
 * @param {Scale} scale
 * @param {number} wanted
 * @returns {{ value: number, label: string }[]}
 */
export function ticks({ lower, upper, logarithmic }, wanted) {
  if (logarithmic) {
    const made = [];
    for (let exponent = Math.floor(Math.log10(lower)); exponent <= Math.ceil(Math.log10(upper)); exponent += 1) {
      for (const digit of [1, 2, 5]) {
        const value = digit * 10 ** exponent;
        if (value >= lower && value <= upper) made.push({ value, label: value.toFixed(Math.max(0, -exponent)) });
      }
    }
    return made;
  }
  const least = (upper - lower) / Math.max(1, wanted);
  const exponent = Math.floor(Math.log10(least));
  const digit = [1, 2, 5, 10].find((digit) => digit * 10 ** exponent >= least * (1 - 1e-9)) ?? 10;
  const step = digit * 10 ** exponent;
  const decimals = Math.max(0, digit === 10 ? -exponent - 1 : -exponent);
  const made = [];
  for (let index = Math.ceil(lower / step - 1e-9); index * step <= upper + step * 1e-9; index += 1) {
    made.push({ value: index * step, label: (index * step).toFixed(decimals).replace(/^-(0(\.0*)?)$/, "$1").replace("-", "−") });
  }
  return made;
}

/**
 * Whole numbers from 0 or 1 on.
 * @param {number} first
 * @param {number} last
 * @param {number} wanted
 */
export function counting(first, last, wanted) {
  const least = Math.max(1, (last - first) / Math.max(1, wanted));
  const power = 10 ** Math.floor(Math.log10(least));
  const step = ([1, 2, 5, 10].find((digit) => digit * power >= least) ?? 10) * power;
  const made = [];
  for (let value = Math.ceil(first / step) * step; value <= last; value += step) made.push(value);
  return made;
}
