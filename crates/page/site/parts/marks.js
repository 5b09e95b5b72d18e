// The colour and the mark by which a model is known in every chart: those of the report.

import { html } from "../lib/preact.js";

/**
 * The colour of the model at a place.
 * @param {number} place
 */
export const colour = (place) => `var(--model-${(place < 0 ? 4 : place) % 7})`;

/**
 * The colour of the model at a place where a line is to be weaker.
 * @param {number} place
 */
export const weak = (place) => `var(--training-${(place < 0 ? 4 : place) % 7})`;

const CORNERS = [
  [],
  [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]],
  [[0, -1.25], [1.15, 0.85], [-1.15, 0.85]],
  [[0, -1.35], [1.35, 0], [0, 1.35], [-1.35, 0]],
  [[0, 1.25], [1.15, -0.85], [-1.15, -0.85]],
];

/**
 * The mark of the model at a place, within an SVG.
 * @param {{ place: number, x: number, y: number, radius?: number, hollow?: boolean }} properties
 */
export function Mark({ place, x, y, radius = 4, hollow = false }) {
  const corners = CORNERS[place % 5] ?? [];
  const paint = hollow ? { fill: "var(--paper)", stroke: colour(place), "stroke-width": 1.5 } : { fill: colour(place) };
  if (corners.length === 0) return html`<circle cx=${x} cy=${y} r=${radius} ...${paint} />`;
  const points = corners.map(([dx = 0, dy = 0]) => `${(x + dx * radius).toFixed(1)},${(y + dy * radius).toFixed(1)}`).join(" ");
  return html`<polygon points=${points} ...${paint} />`;
}

/**
 * A model's name with its mark before it.
 * @param {{ place: number, name: string }} properties
 */
export function Name({ place, name }) {
  return html`<span class="model-name"
    ><svg class="model-mark" viewBox="-7 -7 14 14" aria-hidden="true"><${Mark} place=${place} x=${0} y=${0} radius=${5} /></svg>${name}</span
  >`;
}
