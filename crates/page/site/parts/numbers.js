// Figures as text, as the report has them.

/** @import { Spread } from "../types.js" */

export const MISSING = "–";

const GROUPED = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/**
 * `1,199,882`.
 * @param {number} value
 */
export const thousands = (value) => GROUPED.format(value);

/**
 * With so many decimals, never as minus nothing.
 * @param {number} value
 * @param {number} decimals
 */
export function fixed(value, decimals) {
  if (!Number.isFinite(value)) return "not finite";
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/**
 * A fraction as `98.22 %`.
 * @param {number | null | undefined} fraction
 */
export const percent = (fraction) => (isNumber(fraction) ? `${fixed(100 * fraction, 2)}\u00a0%` : MISSING);

/**
 * Four decimals.
 * @param {number | null | undefined} value
 */
export const loss = (value) => (isNumber(value) ? fixed(value, 4) : MISSING);

/**
 * `98.22 ± 0.08 %`
 * @param {Spread | null | undefined} spread
 */
export function percentSpread(spread) {
  if (!spread || !isNumber(spread.mean)) return MISSING;
  const deviation = spread.standard_deviation;
  return isNumber(deviation) ? `${fixed(100 * spread.mean, 2)} ± ${fixed(100 * deviation, 2)}\u00a0%` : percent(spread.mean);
}

/**
 * Seconds as a clock's noise leaves them: `2.91 s`, `15.9 s`, `340 s`.
 * @param {number | null | undefined} value
 */
export function seconds(value) {
  if (!isNumber(value)) return MISSING;
  return `${fixed(value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0)} s`;
}

/**
 * A time that is left, in words: `12 s`, `3 min 20 s`, `2 h 5 min`.
 * @param {number} value
 */
export function duration(value) {
  const whole = Math.max(1, Math.round(value));
  if (whole < 60) return `${whole} s`;
  if (whole < 600) return `${Math.floor(whole / 60)} min ${10 * Math.floor((whole % 60) / 10)} s`;
  if (whole < 3600) return `${Math.round(whole / 60)} min`;
  return `${Math.floor(whole / 3600)} h ${Math.round((whole % 3600) / 60)} min`;
}

/**
 * `2.6 million`, `235,146`.
 * @param {number} value
 */
export const short = (value) => (value < 999_950 ? thousands(value) : `${fixed(value / 1e6, value < 99.95e6 ? 1 : 0)} million`);

/**
 * `1 run`, `3 runs`.
 * @param {number} count
 * @param {string} noun
 */
export const counted = (count, noun) => `${thousands(count)} ${noun}${count === 1 ? "" : "s"}`;

/**
 * `a, b and c`.
 * @param {string[]} items
 */
export const listed = (items) => (items.length < 2 ? (items[0] ?? "nothing") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`);

/**
 * `28×28×1`.
 * @param {number[]} shape
 */
export const shape = (shape) => shape.join("×");

/**
 * The unit of a measure, and what a difference of it is multiplied by.
 * @param {string} measure
 */
export const unitOf = (measure) => (measure === "log-loss" ? { unit: "nats", scale: 1, decimals: 4 } : { unit: "points", scale: 100, decimals: 2 });

/**
 * A difference with its sign: `+0.83`, `−2.39`.
 * @param {number} value
 * @param {number} decimals
 */
export function signed(value, decimals) {
  const text = fixed(value, decimals);
  return value > 0 && Number(text) !== 0 ? `+${text}` : text;
}

/**
 * The heading of a study: its title, else its models.
 * @param {{ title: string | null, dataset: string, models: { name: string }[] } | null} answer
 */
export function headingOf(answer) {
  if (!answer) return "";
  const names = answer.models.map((model) => model.name);
  return answer.title || `${names.length > 3 ? `${names.length} models` : listed(names)} compared on ${answer.dataset}`;
}

/**
 * A name for files that are saved of a study.
 * @param {string} heading
 */
export const fileName = (heading) => heading.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 60) || "study";

/** @param {unknown} value @returns {value is number} */
export const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/** @param {number[]} values */
export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
