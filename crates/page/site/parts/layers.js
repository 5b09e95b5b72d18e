// A network as a row of blocks: height and width say a layer's shape, the depth of colour its share of the parameters.

/** @import { LayerFields } from "../types.js" */
/** @import { Child } from "../lib/preact.js" */

import { html } from "../lib/preact.js";
import { colour } from "./marks.js";
import { memo, useWidth } from "./memo.js";
import { counted, shape, thousands } from "./numbers.js";

/** Layers that change values and no shape: they are ticks below the block before them. */
const POINTWISE = /^(relu|leaky relu|gelu|silu|tanh|sigmoid|batchnorm|layernorm|dropout|position)\b/;
/** Where a residual layer's two ways meet. */
const SUM = /^(residual )?sum\b/;

/**
 * @typedef {{ x: number, width: number, height: number, shape: number[], layer: string, title: string, share: number, ticks: string[], from: number | null }} Block
 */

const TALLEST = 60;
const SLANT = 0.22;

/**
 * @param {number[]} shape
 * @param {number} rows of the data set's images
 */
function size(shape, rows) {
  const [first = 1, second = 1, third = 1] = shape;
  const tall = (/** @type {number} */ count) => 8 + (TALLEST - 8) * Math.min(1, count / rows);
  if (shape.length === 3) {
    const height = tall(Math.max(first, second));
    return { height, width: 3 + 2.6 * Math.log2(third + 1) + SLANT * height };
  }
  if (shape.length === 2) return { height: tall(first), width: 4 + 3.2 * Math.log2(second + 1) };
  return { height: 8 + (TALLEST - 8) * Math.min(1, Math.log2(first + 1) / 11), width: 6 };
}

/**
 * @param {LayerFields[]} layers
 * @param {number[]} image
 */
function blocks(layers, image) {
  const rows = image[0] ?? 28;
  const all = layers.reduce((sum, layer) => sum + layer.parameters, 0);
  /** @type {Block[]} */
  const made = [{ x: 0, ...size(image, rows), shape: image, layer: "image", title: `image: ${shape(image)}`, share: 0, ticks: [], from: null }];
  /** Where each residual layer begins: the block before its first. @type {Map<string, number>} */
  const begins = new Map();
  for (const { layer, position, output, parameters } of layers) {
    const parts = position.split(".");
    for (let depth = 1; depth < parts.length; depth += 1) {
      const outer = parts.slice(0, depth).join(".");
      if (!begins.has(outer)) begins.set(outer, made.length - 1);
    }
    const last = made.at(-1);
    if (!last || parts.includes("shortcut")) continue;
    const share = all > 0 ? parameters / all : 0;
    if (POINTWISE.test(layer)) {
      last.ticks.push(layer);
      last.title += `; ${layer}`;
      last.share += share;
      continue;
    }
    const of = parameters > 0 ? `, ${counted(parameters, "parameter")}` : "";
    const isSum = SUM.test(layer);
    made.push({
      x: 0,
      ...(isSum ? { width: 9, height: 9 } : size(output, rows)),
      shape: output,
      layer,
      title: `${layer}: ${shape(output)}${of}`,
      share,
      ticks: [],
      from: isSum ? (begins.get(position) ?? null) : null,
    });
  }
  return made;
}

/**
 * @param {{ layers: LayerFields[], image: number[], place: number, name: string }} properties
 */
function Drawn({ layers, image, place, name }) {
  const [element, width] = useWidth();
  const all = blocks(layers, image);
  const wanted = all.reduce((sum, block) => sum + block.width, 0);
  const gaps = Math.max(1, all.length - 1);
  const room = Math.max(40, width - 4);
  // Gaps give way first, then the blocks.
  const gap = Math.max(2, Math.min(22, (room - wanted) / gaps));
  const scale = Math.min(1.25, (room - gap * gaps) / wanted);
  let x = 2;
  for (const block of all) {
    block.x = x;
    block.width *= scale;
    x += block.width + gap;
  }
  const top = all.some((block) => block.from !== null) ? 20 : 14;
  const middle = top + TALLEST / 2;
  const bottom = top + TALLEST + 8;
  const words = `Layers of ${name}: ${layers.map((layer) => layer.layer).join(", ")}`;
  return html`<div class="schema" ref=${element}>
    ${width > 0 &&
    html`<svg class="drawing" viewBox=${`0 0 ${width} ${bottom + 18}`} width=${width} height=${bottom + 18} role="img" aria-label=${words}>
      <line x1=${2} x2=${x - gap} y1=${middle} y2=${middle} stroke="var(--axis)" stroke-width="1" />
      ${all.map((block) => arc(block, all, top))} ${all.map((block) => drawn(block, place, middle))}
      ${labels(all).map(([at, text]) => html`<text x=${at} y=${bottom + 12} text-anchor="middle">${text}</text>`)}
    </svg>`}
  </div>`;
}

export const Layers = memo(Drawn);

/**
 * A residual's short way.
 * @param {Block} block
 * @param {Block[]} all
 * @param {number} top
 */
function arc(block, all, top) {
  const start = block.from === null ? undefined : all[block.from];
  if (!start) return null;
  const [from, to] = [start.x + start.width, block.x + block.width / 2];
  const middle = top + TALLEST / 2;
  return html`<path
    d=${`M${from + 1} ${middle} L${from + 1} ${top - 4} Q${from + 1} ${top - 10} ${from + 7} ${top - 10} L${to - 6} ${top - 10} Q${to} ${top - 10} ${to} ${top - 4} L${to} ${middle - 4}`}
    fill="none"
    stroke="var(--axis)"
  />`;
}

/**
 * @param {Block} block
 * @param {number} place
 * @param {number} middle
 */
function drawn(block, place, middle) {
  const { x, width, height, shape, layer, title, share, ticks } = block;
  const isImage = layer === "image";
  const own = isImage ? "var(--axis)" : colour(place);
  const fill = `color-mix(in srgb, ${own} ${Math.round(14 + 66 * Math.sqrt(share))}%, var(--paper))`;
  const side = `color-mix(in srgb, ${own} ${Math.round(30 + 60 * Math.sqrt(share))}%, var(--paper))`;
  const [y, base] = [middle - height / 2, middle + height / 2];
  const paint = { stroke: own, "stroke-width": 1, "stroke-linejoin": "round" };
  /** @type {Child} */
  let body;
  if (SUM.test(layer)) {
    const radius = Math.min(width, height) / 2;
    const [cx, r] = [x + width / 2, radius - 1];
    body = html`<circle cx=${cx} cy=${middle} r=${radius} fill="var(--paper)" ...${paint} />
      <path d=${`M${cx - r} ${middle}H${cx + r}M${cx} ${middle - r}V${middle + r}`} ...${paint} />`;
  } else if (shape.length === 3) {
    const depth = Math.min(SLANT * height, width * 0.6);
    const right = x + width - depth;
    body = html`<path d=${`M${x} ${y + depth}H${right}V${base}H${x}Z`} fill=${fill} ...${paint} />
      <path d=${`M${x} ${y + depth}L${x + depth} ${y}H${x + width}L${right} ${y + depth}Z`} fill=${fill} ...${paint} />
      <path d=${`M${right} ${y + depth}L${x + width} ${y}V${base - depth}L${right} ${base}Z`} fill=${side} ...${paint} />`;
  } else if (shape.length === 2) {
    const rows = Math.min(shape[0] ?? 1, 9);
    const lines = Array.from({ length: rows - 1 }, (_, row) => `M${x} ${y + ((row + 1) * height) / rows}h${width}`).join("");
    body = html`<rect x=${x} y=${y} width=${width} height=${height} fill=${fill} ...${paint} />
      <path d=${lines} stroke=${own} stroke-width="0.75" opacity="0.7" />
      ${layer.startsWith("attention") && html`<path d=${`M${x} ${y}L${x + width} ${base}M${x} ${base}L${x + width} ${y}`} stroke=${own} stroke-width="1.25" />`}`;
  } else {
    body = html`<rect x=${x} y=${y} width=${width} height=${height} rx="1.5" fill=${fill} ...${paint} />`;
  }
  const centre = x + width / 2;
  const loop =
    /^(lstm|gru|rnn)\b/.test(layer) &&
    html`<path d=${`M${centre + 2} ${y}C${centre + 12} ${y - 13} ${centre - 12} ${y - 13} ${centre - 3} ${y - 2}`} fill="none" stroke=${own} stroke-width="1.25" />
      <path d=${`M${centre - 7} ${y - 4}L${centre - 2.5} ${y - 0.5}L${centre - 2} ${y - 6.5}Z`} fill=${own} />`;
  return html`<g>
    <title>${title}</title>
    ${body}${loop}
    ${ticks.map((_, index) => html`<rect x=${x + index * 4} y=${base + 3} width="2.5" height="2.5" fill=${own} />`)}
  </g>`;
}

/**
 * Shapes below the blocks, where there is room: the last one first.
 * @param {Block[]} all
 * @returns {[number, string][]}
 */
function labels(all) {
  /** @type {[number, string][]} */
  const placed = [];
  /** @type {[number, number][]} */
  const taken = [];
  const order = [all.at(-1), all[0], ...all.slice(1, -1)];
  let before = "";
  for (const block of order) {
    if (!block || SUM.test(block.layer)) continue;
    const text = block.shape.length === 1 ? thousands(block.shape[0] ?? 0) : shape(block.shape);
    const half = text.length * 3.1 + 3;
    const end = all.at(-1);
    const right = end ? end.x + end.width + 4 : half;
    const at = Math.max(half - 2, Math.min(block.x + block.width / 2, Math.max(right, 2 * half) - half + 6));
    if (text === before || taken.some(([from, to]) => at - half < to && at + half > from)) continue;
    placed.push([at, text]);
    taken.push([at - half, at + half]);
    if (block !== end) before = text;
  }
  return placed;
}
