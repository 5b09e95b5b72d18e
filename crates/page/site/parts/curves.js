// Curves over the epochs: each run thin, the mean thick, the band from the smallest to the largest run.

/** @import { Epoch, Run, State } from "../types.js" */

import { html, useMemo, useRef, useState } from "../lib/preact.js";
import { counting, fraction, linear, positive, ticks } from "./axis.js";
import { Mark, Name, colour } from "./marks.js";
import { Details, memo, textWidth, useWidth } from "./memo.js";
import { counted, fixed, isNumber, mean, MISSING } from "./numbers.js";

/** Points of accuracy below the lowest validation that a trail may take the axis to. */
const TRAIL_BELOW = 12;

/** @typedef {"accuracy" | "loss"} Quantity */

/**
 * @typedef {object} Curve
 * @property {string} model
 * @property {number} place
 * @property {[number, number][][]} runs the points of each run
 * @property {{ epoch: number, mean: number, low: number, high: number, runs: number }[]} means
 */

/** @typedef {{ place: number, points: [number, number][] }} Trail */

/**
 * What is drawn of the epochs.
 * @param {Run[]} runs
 * @param {string[]} models
 * @param {Quantity} quantity
 * @returns {Curve[]}
 */
function curvesOf(runs, models, quantity) {
  return models.map((model, place) => {
    /** @type {Map<number, number[]>} */
    const byEpoch = new Map();
    const drawn = runs
      .filter((run) => run.model === model)
      .map((run) => {
        const points = pointsOf(run.epochs, quantity);
        for (const [epoch, value] of points) {
          const values = byEpoch.get(epoch);
          if (values) values.push(value);
          else byEpoch.set(epoch, [value]);
        }
        return points;
      });
    const means = [...byEpoch]
      .sort(([one], [other]) => one - other)
      .map(([epoch, values]) => ({ epoch, mean: mean(values), low: Math.min(...values), high: Math.max(...values), runs: values.length }));
    return { model, place, runs: drawn, means };
  });
}

/**
 * @param {Epoch[]} epochs
 * @param {Quantity} quantity
 * @returns {[number, number][]}
 */
const pointsOf = (epochs, quantity) =>
  epochs.flatMap((epoch) => {
    const value = quantity === "accuracy" ? scaled(epoch.validation_accuracy, 100) : epoch.validation_loss;
    return isNumber(value) ? [/** @type {[number, number]} */ ([epoch.epoch, value])] : [];
  });

/**
 * Training since the last validation, of the runs that are being made.
 * @param {Run[]} runs
 * @param {string[]} models
 * @param {State["trails"]} trails
 * @param {Quantity} quantity
 * @returns {Trail[]}
 */
const trailsOf = (runs, models, trails, quantity) =>
  runs.flatMap((run) => {
    if (run.state !== "training") return [];
    const since = run.epochs.at(-1)?.epoch ?? 0;
    const own = (trails[run.id] ?? []).filter(([x]) => x > since);
    if (own.length === 0) return [];
    const points = own.map(([x, accuracy, loss]) => /** @type {[number, number]} */ ([x, quantity === "accuracy" ? 100 * accuracy : loss]));
    return [{ place: models.indexOf(run.model), points: [...pointsOf(run.epochs.slice(-1), quantity), ...points] }];
  });

/**
 * The same curves as long as no run has another epoch: steps come ten times a second.
 * @param {Run[]} runs
 * @param {string[]} models
 * @param {Quantity} quantity
 */
function useCurves(runs, models, quantity) {
  const last = useRef(/** @type {{ runs: Run[], models: string[], quantity: Quantity, curves: Curve[] } | null} */ (null));
  const { current } = last;
  const isSame =
    current !== null &&
    current.quantity === quantity &&
    current.models === models &&
    current.runs.length === runs.length &&
    current.runs.every((run, index) => run.epochs === runs[index]?.epochs);
  if (isSame) return current.curves;
  const curves = curvesOf(runs, models, quantity);
  last.current = { runs, models, quantity, curves };
  return curves;
}

/**
 * @param {number | null} value
 * @param {number} by
 */
const scaled = (value, by) => (isNumber(value) ? by * value : null);

/**
 * @param {Quantity} quantity
 * @param {number | undefined} value
 */
const shown = (quantity, value) => (value === undefined ? MISSING : quantity === "accuracy" ? `${fixed(value, 2)} %` : fixed(value, 4));

/**
 * @param {{ runs: Run[], models: string[], trails: State["trails"], quantity: Quantity }} properties
 */
function Chart({ runs, models, trails, quantity }) {
  const [element, width] = useWidth();
  const curves = useCurves(runs, models, quantity);
  const open = useMemo(() => trailsOf(runs, models, trails, quantity), [runs, models, trails, quantity]);
  const last = Math.max(1, ...runs.map((run) => Math.max(run.total_epochs, run.epochs.length)));
  return html`<div class="chart" ref=${element}>${width > 0 && html`<${Plot} curves=${curves} trails=${open} last=${last} quantity=${quantity} width=${width} />`}</div>
    <${Table} curves=${curves} quantity=${quantity} />`;
}

export const Curves = memo(Chart);

/**
 * @param {{ curves: Curve[], trails: Trail[], last: number, quantity: Quantity, width: number }} properties
 */
function Plot({ curves, trails, last, quantity, width }) {
  const [epoch, setEpoch] = useState(/** @type {number | null} */ (null));
  const narrow = width < 520;
  const height = narrow ? 260 : Math.round(Math.min(400, Math.max(300, width * 0.48)));
  const longest = Math.max(48, ...curves.map((curve) => textWidth(curve.model, "600 12.5px")));
  const [left, right] = [58, narrow ? 14 : Math.min(0.4 * width, longest + 82)];
  const frame = { left, right: width - right, top: 12, bottom: height - 44 };
  const newest = scaleOf(curves, trails, quantity);
  const scale = useMemo(() => newest, [newest.lower, newest.upper, newest.logarithmic]);
  const x = (/** @type {number} */ value) => frame.left + (value / last) * (frame.right - frame.left);
  const y = (/** @type {number} */ value) => frame.bottom - fraction(scale, value) * (frame.bottom - frame.top);
  const isEmpty = trails.length === 0 && curves.every((curve) => curve.means.length === 0);
  const epochs = [...new Set(curves.flatMap((curve) => curve.means.map((value) => value.epoch)))].sort((one, other) => one - other);
  const at = epoch === null ? undefined : epochs.reduce((best, one) => (Math.abs(one - epoch) < Math.abs(best - epoch) ? one : best), epochs[0] ?? 0);
  const name = quantity === "accuracy" ? "validation accuracy (%)" : `validation loss (nats${scale.logarithmic ? ", log scale" : ""})`;
  const read = (/** @type {number} */ where) =>
    curves
      .map((curve) => ({ curve, value: curve.means.find((value) => value.epoch === where) }))
      .filter(({ value }) => value)
      .map(({ curve, value }) => `${curve.model} ${shown(quantity, value?.mean)}${(value?.runs ?? 1) > 1 ? ` (${counted(value?.runs ?? 0, "run")})` : ""}`)
      .join(", ");
  const move = (/** @type {PointerEvent} */ event) => {
    const box = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
    setEpoch(((event.clientX - box.left - frame.left) / (frame.right - frame.left)) * last);
  };
  const key = (/** @type {KeyboardEvent} */ event) => {
    const index = at === undefined ? -1 : epochs.indexOf(at);
    const next = { ArrowRight: index + 1, ArrowUp: index + 1, ArrowLeft: index - 1, ArrowDown: index - 1, Home: 0, End: epochs.length - 1 }[event.key];
    if (event.key === "Escape") setEpoch(null);
    if (next === undefined || epochs.length === 0) return;
    event.preventDefault();
    setEpoch(epochs[Math.max(0, Math.min(epochs.length - 1, next))] ?? null);
  };
  const now = at ?? epochs.at(-1);
  const slider =
    now === undefined
      ? { role: "img", "aria-label": `${name} over the epochs: no epoch is finished yet` }
      : {
          role: "slider",
          tabindex: 0,
          "aria-label": `${name}, by epoch`,
          "aria-valuemin": epochs[0],
          "aria-valuemax": epochs.at(-1),
          "aria-valuenow": now,
          "aria-valuetext": `epoch ${now}: ${read(now)}`,
        };
  return html`<svg
      class="plot"
      viewBox=${`0 0 ${width} ${height}`}
      width=${width}
      height=${height}
      ...${slider}
      onPointerMove=${move}
      onPointerDown=${move}
      onPointerLeave=${() => setEpoch(null)}
      onBlur=${() => setEpoch(null)}
      onKeyDown=${key}
    >
      <clipPath id=${`frame-${quantity}`}><rect x=${frame.left} y=${frame.top - 6} width=${frame.right - frame.left + 6} height=${frame.bottom - frame.top + 6} /></clipPath>
      ${ticks(scale, narrow ? 4 : 6).map(
        (tick) => html`<line x1=${frame.left} x2=${frame.right} y1=${y(tick.value)} y2=${y(tick.value)} stroke="var(--grid)" />
          <text class="tick" x=${frame.left - 8} y=${y(tick.value) + 4} text-anchor="end">${tick.label}</text>`,
      )}
      ${counting(0, last, narrow ? 6 : 10).map(
        (value) => html`<line x1=${x(value)} x2=${x(value)} y1=${frame.bottom} y2=${frame.bottom + 4} stroke="var(--axis)" />
          <text class="tick" x=${x(value)} y=${frame.bottom + 18} text-anchor="middle">${value}</text>`,
      )}
      <line x1=${frame.left} x2=${frame.right} y1=${frame.bottom} y2=${frame.bottom} stroke="var(--axis)" />
      <text class="axis" x=${(frame.left + frame.right) / 2} y=${height - 6} text-anchor="middle">epoch</text>
      <text class="axis" transform=${`translate(12 ${(frame.top + frame.bottom) / 2}) rotate(-90)`} text-anchor="middle">${name}</text>
      ${isEmpty && html`<text class="axis" x=${(frame.left + frame.right) / 2} y=${(frame.top + frame.bottom) / 2} text-anchor="middle">Curves grow here.</text>`}
      <g clip-path=${`url(#frame-${quantity})`}>
        <${Lines} curves=${curves} scale=${scale} last=${last} left=${frame.left} right=${frame.right} top=${frame.top} bottom=${frame.bottom} />
        ${trails.map((trail) => html`<path d=${line(trail.points, x, y)} fill="none" stroke=${colour(trail.place)} stroke-width="1.25" stroke-dasharray="5 4" opacity="0.85" />`)}
        ${at !== undefined && html`<line x1=${x(at)} x2=${x(at)} y1=${frame.top} y2=${frame.bottom} stroke="var(--axis)" stroke-dasharray="2 3" />`}
      </g>
      ${!narrow && ends(curves, x, y, frame, quantity)}
    </svg>
    <p class="readout small">
      ${at !== undefined
        ? html`<span>epoch ${at}</span>${curves.map((curve) => {
            const value = curve.means.find((value) => value.epoch === at);
            return value && html`<span><${Name} place=${curve.place} name=${curve.model} /> ${shown(quantity, value.mean)}${value.runs > 1 ? ` (${value.runs} runs)` : ""}</span>`;
          })}`
        : narrow
          ? curves.map((curve) => html`<${Name} place=${curve.place} name=${curve.model} />`)
          : "Thin: a run; thick: the mean; band: smallest to largest run; dashed: training in this epoch."}
    </p>`;
}

/**
 * @param {[number, number][]} points
 * @param {(value: number) => number} x
 * @param {(value: number) => number} y
 */
const line = (points, x, y) => points.map(([px, py], index) => `${index ? "L" : "M"}${x(px).toFixed(1)} ${y(py).toFixed(1)}`).join("");

/** What changes with an epoch alone. */
const Lines = memo(
  /** @param {{ curves: Curve[], scale: import("./axis.js").Scale, last: number, left: number, right: number, top: number, bottom: number }} properties */
  ({ curves, scale, last, left, right, top, bottom }) => {
    const x = (/** @type {number} */ value) => left + (value / last) * (right - left);
    const y = (/** @type {number} */ value) => bottom - fraction(scale, value) * (bottom - top);
    return html`<g>
      ${curves.map((curve) => band(curve, x, y))}
      ${curves.map((curve) => {
        // All runs of a model in one path.
        const runs = curve.runs.length > 1 ? curve.runs.filter((points) => points.length > 1) : [];
        return runs.length > 0 && html`<path d=${runs.map((points) => line(points, x, y)).join("")} fill="none" stroke=${colour(curve.place)} stroke-width="1" opacity="0.55" />`;
      })}
      ${curves.map((curve) => {
        const points = curve.means.map((value) => /** @type {[number, number]} */ ([value.epoch, value.mean]));
        return html`<path d=${line(points, x, y)} fill="none" stroke=${colour(curve.place)} stroke-width="2.75" stroke-linejoin="round" />`;
      })}
      ${curves.map((curve) => curve.means.length <= 24 && curve.means.map((value) => html`<${Mark} place=${curve.place} x=${x(value.epoch)} y=${y(value.mean)} radius=${4} />`))}
    </g>`;
  },
);

/**
 * @param {Curve} curve
 * @param {(value: number) => number} x
 * @param {(value: number) => number} y
 */
function band({ means, place }, x, y) {
  if (means.every((value) => value.runs < 2)) return null;
  const upper = means.map((value) => `${x(value.epoch).toFixed(1)} ${y(value.high).toFixed(1)}`);
  const lower = means.map((value) => `${x(value.epoch).toFixed(1)} ${y(value.low).toFixed(1)}`).reverse();
  return html`<path d=${`M${[...upper, ...lower].join("L")}Z`} fill=${colour(place)} fill-opacity="0.18" stroke=${colour(place)} stroke-opacity="0.25" stroke-width=${means.length === 1 ? 3 : 0} />`;
}

/**
 * Names and last values at the right end of the curves, apart from each other.
 * @param {Curve[]} curves
 * @param {(value: number) => number} x
 * @param {(value: number) => number} y
 * @param {{ right: number, top: number, bottom: number }} frame
 * @param {Quantity} quantity
 */
function ends(curves, x, y, frame, quantity) {
  const placed = curves
    .flatMap((curve) => {
      const last = curve.means.at(-1);
      return last ? [{ curve, last, at: y(last.mean) }] : [];
    })
    .sort((one, other) => one.at - other.at);
  const step = 18;
  let free = frame.top + 4;
  for (const label of placed) {
    label.at = Math.max(label.at, free);
    free = label.at + step;
  }
  let most = frame.bottom;
  for (const label of [...placed].reverse()) {
    label.at = Math.min(label.at, most);
    most = label.at - step;
  }
  return placed.map(
    ({ curve, last, at }) => html`<path d=${`M${x(last.epoch) + 6} ${y(last.mean)}L${frame.right + 8} ${at}`} stroke=${colour(curve.place)} stroke-opacity="0.4" fill="none" />
      <text class="end" x=${frame.right + 12} y=${at + 4}><tspan class="strong">${curve.model}</tspan> ${shown(quantity, last.mean)}</text>`,
  );
}

/**
 * @param {Curve[]} curves
 * @param {Trail[]} trails
 * @param {Quantity} quantity
 */
function scaleOf(curves, trails, quantity) {
  const validated = curves.flatMap((curve) => curve.means.flatMap((value) => [value.low, value.high]));
  // Once there are validation values, a trail's first steps are cut off rather than all else made flat.
  const latest = trails.flatMap((trail) => {
    const last = trail.points.at(-1);
    return last ? [last[1]] : [];
  });
  const values = validated.length > 0 ? validated : trails.flatMap((trail) => trail.points.map(([, value]) => value));
  if (quantity === "loss" && values.length === 0) return { lower: 0, upper: 2.5, logarithmic: false };
  if (quantity === "loss") return positive(validated.length > 0 ? [...validated, ...latest.filter((value) => value < 2 * Math.max(...validated))] : values);
  if (values.length === 0) return { lower: 0, upper: 100, logarithmic: false };
  const lowest = validated.length > 0 ? Math.min(...validated) : 0;
  const spread = validated.length > 0 ? Math.max(...validated) - lowest : 100;
  return linear([...values, ...latest.filter((value) => value >= lowest - Math.max(TRAIL_BELOW, spread))], 0, 100);
}

/**
 * The same as a table, for whoever reads and does not look.
 * @param {{ curves: Curve[], quantity: Quantity }} properties
 */
function Table({ curves, quantity }) {
  const epochs = [...new Set(curves.flatMap((curve) => curve.means.map((value) => value.epoch)))].sort((one, other) => one - other);
  if (epochs.length === 0) return null;
  const word = quantity === "accuracy" ? "Validation accuracy" : "Validation loss in nats";
  return html`<${Details} summary=${`${word} as a table`}>
    <div class="scroll" role="region" aria-label=${`${word}, table`} tabindex="0">
      <table>
        <caption>
          ${word}: mean of the runs, and from the smallest to the largest
        </caption>
        <thead>
          <tr>
            <th scope="col">epoch</th>
            ${curves.map((curve) => html`<th scope="col">${curve.model}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${epochs.map(
            (epoch) => html`<tr>
              <th scope="row">${epoch}</th>
              ${curves.map((curve) => {
                const value = curve.means.find((value) => value.epoch === epoch);
                return html`<td>${shown(quantity, value?.mean)}${value && value.runs > 1 ? ` (${fixed(value.low, quantity === "accuracy" ? 2 : 4)} to ${fixed(value.high, quantity === "accuracy" ? 2 : 4)})` : ""}</td>`;
              })}
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
  <//>`;
}
