// The intervals that decide, a row a pair, and fainter above each how it stood with fewer runs.

/** @import { Comparison, Interval, State } from "../types.js" */

import { html } from "../lib/preact.js";
import { pairOf } from "../store.js";
import { fraction, linear, ticks } from "./axis.js";
import { colour } from "./marks.js";
import { memo, textWidth, useWidth } from "./memo.js";
import { counted, fixed, signed, unitOf } from "./numbers.js";

/** Earlier intervals that are drawn of a pair. */
const EARLIER = 8;
const ROW = 34;
const STEP = 9;

/**
 * The first model that is better; -1 where none is.
 * @param {{ a: string, b: string, outcome: Comparison["outcome"] }} comparison
 * @param {string[]} models
 */
const winner = ({ a, b, outcome }, models) => (outcome === "a-better" ? models.indexOf(a) : outcome === "b-better" ? models.indexOf(b) : -1);

/**
 * @param {Comparison} comparison
 */
export function outcomeWords({ a, b, outcome }) {
  if (outcome === "a-better") return `${a} is better`;
  if (outcome === "b-better") return `${b} is better`;
  return outcome === "practically-equal" ? "practically equal" : "not told apart";
}

/**
 * @param {{ comparisons: Comparison[], history: State["history"], models: string[] }} properties
 */
function Drawn({ comparisons, history, models }) {
  const [element, width] = useWidth();
  return html`<div class="forest" ref=${element}>${width > 0 && html`<${Strips} ...${{ comparisons, history, models, width }} />`}</div>`;
}

export const Forest = memo(Drawn);

/**
 * @param {{ comparisons: Comparison[], history: State["history"], models: string[], width: number }} properties
 */
function Strips({ comparisons, history, models, width }) {
  const [first] = comparisons;
  if (!first) return null;
  const { unit, scale: by, decimals } = unitOf(first.measure);
  const longest = Math.max(...comparisons.map((comparison) => textWidth(nameOf(comparison), "600 13px")));
  // Names that leave the lines too little room stand above them.
  const narrow = width < 620 || longest + 24 > 0.3 * width;
  const left = narrow ? 12 : longest + 24;
  const right = narrow ? width - 12 : width - 200;
  const margin = by * first.equivalence_margin;
  const ends = comparisons.flatMap(({ interval }) => interval.map((end) => by * end));
  const [least, most] = [Math.min(0, -margin, ...ends), Math.max(0, margin, ...ends)];
  // Earlier, wider intervals may take as much room again on either side; what lies beyond is cut off with an arrow.
  const room = most - least;
  const earlier = (/** @type {Comparison} */ comparison) => (history[pairOf(comparison)] ?? []).filter((entry) => entry.runs < comparison.runs).slice(-EARLIER);
  const before = comparisons.flatMap((comparison) => earlier(comparison).flatMap(({ interval }) => interval.map((end) => by * end)));
  const scale = linear([least, most, ...before.map((end) => Math.max(least - room, Math.min(most + room, end)))]);
  const x = (/** @type {number} */ value) => left + Math.max(-0.5, Math.min(1.5, fraction(scale, value))) * (right - left);
  const clamp = (/** @type {number} */ value) => Math.max(left, Math.min(right, x(value)));
  let y = 10;
  const rows = comparisons.map((comparison) => {
    const past = earlier(comparison);
    const isLong = narrow && textWidth(nameOf(comparison), "600 13px") + 8 + textWidth(span(comparison, by, decimals), "13px") > width - 24;
    const words = isLong ? 35 : narrow ? 18 : 0;
    const row = { comparison, past, isLong, words, top: y + words, at: y + words + past.length * STEP + (past.length > 0 ? 12 : 14) };
    y = row.at + (narrow ? 20 : ROW - 9);
    return row;
  });
  const bottom = y + 2;
  const height = bottom + 44;
  const strip = (/** @type {Interval | Comparison} */ { interval, difference }, /** @type {number} */ at, /** @type {string} */ stroke, /** @type {boolean} */ isNow, /** @type {string} */ covers) => {
    const [low, high] = interval.map((end) => by * end);
    if (low === undefined || high === undefined || !Number.isFinite(low) || !Number.isFinite(high)) return null;
    const cap = isNow ? 6 : 2.5;
    const end = (/** @type {number} */ value, /** @type {number} */ way) => {
      const px = clamp(value);
      return x(value) === px ? `M${px} ${at - cap}v${2 * cap}` : `M${px - way * 5} ${at - cap}L${px} ${at}L${px - way * 5} ${at + cap}`;
    };
    return html`<g fill="none" stroke=${stroke} stroke-width=${isNow ? 3 : 1.5}>
      <path d=${`M${clamp(low)} ${at}H${clamp(high)}`} stroke-dasharray=${covers === "images" ? "6 4" : undefined} />
      <path d=${end(low, -1) + end(high, 1)} />
      <circle cx=${clamp(by * difference)} cy=${at} r=${isNow ? 5 : 2} fill=${stroke} stroke="none" />
    </g>`;
  };
  const words = comparisons.map((comparison) => figures(comparison)).join("; ");
  return html`<svg class="plot" viewBox=${`0 0 ${width} ${height}`} width=${width} height=${height} role="img" aria-label=${`Differences with their intervals. ${words}`}>
    ${ticks(scale, width < 620 ? 4 : 7).map(
      (tick) => html`<line x1=${x(tick.value)} x2=${x(tick.value)} y1="4" y2=${bottom} stroke="var(--grid)" />
        <text class="tick" x=${x(tick.value)} y=${bottom + 17} text-anchor="middle">${tick.label}</text>`,
    )}
    <rect x=${Math.min(x(-margin), x(0) - 2)} width=${Math.max(4, x(margin) - x(-margin))} y="4" height=${bottom - 4} fill="var(--grid)" />
    <line x1=${x(0)} x2=${x(0)} y1="4" y2=${bottom} stroke="var(--axis)" stroke-width="1.5" />
    <line x1=${left} x2=${right} y1=${bottom} y2=${bottom} stroke="var(--axis)" />
    <text class="axis" x=${(left + right) / 2} y=${bottom + 36} text-anchor="middle">${width < 620 ? `${unit} (right of 0: the first is better)` : `${unit} of test ${first.measure}; right of 0 the first of a pair is better`}</text>
    ${rows.map(({ comparison, past, isLong, words, top, at }) => {
      const place = winner(comparison, models);
      const stroke = place < 0 ? "var(--grey)" : colour(place);
      const pair = nameOf(comparison);
      return html`<g>
        ${narrow && html`<rect x="0" width=${width} y=${top - words - 1} height=${words + 1} fill="var(--sheet)" />`}
        ${past.map((entry, index) => {
          const was = winner({ ...comparison, outcome: entry.outcome }, models);
          return html`<g class="earlier" opacity=${0.35 + (0.4 * (index + 1)) / past.length}>
            ${strip(entry, top + index * STEP + 4, was < 0 ? "var(--grey)" : colour(was), false, entry.covers)}
          </g>`;
        })}
        ${strip(comparison, at, stroke, true, comparison.interval_covers)}
        ${narrow
          ? html`<text class="pair" x=${left} y=${top - (isLong ? 21 : 4)}
              ><tspan class="strong">${pair}</tspan> ${isLong ? html`<tspan x=${left} dy="17">${span(comparison, by, decimals)}</tspan>` : span(comparison, by, decimals)}</text
            >${!isLong && width >= 620 && html`<text class="tick" x=${right} y=${top - 4} text-anchor="end">${outcomeWords(comparison)}, ${counted(comparison.runs, "run")}</text>`}`
          : html`<text class="pair strong" x=${left - 14} y=${at + 5} text-anchor="end">${pair}</text>
              <text class="pair" x=${right + 16} y=${at - 2}>${span(comparison, by, decimals)}</text>
              <text class="tick" x=${right + 16} y=${at + 15}>${outcomeWords(comparison)}, ${counted(comparison.runs, "run")}</text>`}
      </g>`;
    })}
  </svg>`;
}

/** @param {Comparison} comparison */
const nameOf = ({ a, b }) => `${a} − ${b}`;

/**
 * @param {Comparison} comparison
 * @param {number} by
 * @param {number} decimals
 */
const span = ({ difference, interval: [low, high] }, by, decimals) =>
  `${signed(by * difference, decimals)} [${signed(by * low, decimals)}, ${signed(by * high, decimals)}]`;

/** @param {Comparison} comparison */
function figures(comparison) {
  const { unit, scale, decimals } = unitOf(comparison.measure);
  const [low, high] = comparison.interval;
  return `${comparison.a} minus ${comparison.b}: ${fixed(scale * comparison.difference, decimals)} ${unit}, from ${fixed(scale * low, decimals)} to ${fixed(scale * high, decimals)}, ${outcomeWords(comparison)}`;
}

/**
 * What an interval means, without a technical term.
 * @param {Comparison} comparison
 */
export function inPlainWords(comparison) {
  const { a, b, measure, interval, outcome, interval_covers, confidence, equivalence_margin } = comparison;
  const { unit, scale, decimals } = unitOf(measure);
  const [low, high] = measure === "log-loss" ? [-interval[1], -interval[0]] : interval;
  const amount = (/** @type {number} */ value) => fixed(scale * value, decimals);
  const level = `${fixed(100 * confidence, 2).replace(/\.?0+$/, "")}\u00a0% confidence`;
  const again =
    interval_covers === "images"
      ? "Tested on other images"
      : interval_covers === "folds"
        ? "Trained and tested again on other divisions of such images"
        : "Trained again with other seeds and tested on other images";
  const wins = (/** @type {string} */ better, /** @type {string} */ worse, /** @type {number} */ least, /** @type {number} */ most) =>
    `${again}, ${better} would be expected to beat ${worse} by ${amount(least)} to ${amount(most)} ${unit}, at ${level}.`;
  const meaning =
    outcome === "a-better"
      ? wins(a, b, low, high)
      : outcome === "b-better"
        ? wins(b, a, -high, -low)
        : outcome === "practically-equal"
          ? `${again}, ${a} and ${b} would be expected to stay within ${String(Number((scale * equivalence_margin).toFixed(6)))} ${unit} of each other.`
          : `${again}, either may turn out better: anything from ${b} ahead by ${amount(-low)} ${unit} to ${a} ahead by ${amount(high)} ${unit} would be no surprise, at ${level}.`;
  return interval_covers === "images"
    ? `${meaning} Trained with other seeds, the order may change: one run of each does not show by how much.`
    : meaning;
}
