// Numbers as a person reads them.

/** @param {number} fraction */
export function percent(fraction) {
  const text = (100 * fraction).toFixed(1);
  if (text === "100.0" && fraction < 1) return "> 99.9 %";
  if (text === "0.0" && fraction > 0) return "< 0.1 %";
  return `${text} %`;
}

/** Three digits that count. @param {number | undefined} value */
export function figure(value) {
  if (value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1000 || size < 0.001 ? value.toExponential(1) : value.toFixed(Math.max(0, 2 - Math.floor(Math.log10(size))));
  return text.replaceAll("-", "−").replace("e+", "e");
}

/** With its sign. @param {number} value */
export const signed = (value) => (value > 0 ? `+${figure(value)}` : figure(value));

/**
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
export const counted = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

/** @param {readonly number[]} shape */
export const sized = (shape) => shape.join(" × ");

/** The place of the largest. @param {ArrayLike<number>} values */
export function largest(values) {
  let best = 0;
  for (let index = 1; index < values.length; index++) {
    if (/** @type {number} */ (values[index]) > /** @type {number} */ (values[best])) best = index;
  }
  return best;
}
