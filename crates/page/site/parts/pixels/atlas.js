// Many small pictures on one canvas, as a list box: one is chosen by a click or with the arrow keys.

import { html, useEffect, useRef, useState } from "../../lib/preact.js";
import { drawSoon } from "./canvas.js";
import { mapped, paint, palette, place, textOn, whenColoursChange } from "./colours.js";
import { figure } from "./words.js";

/** @import { Layer, Values } from "./network.js" */

/**
 * The width of an element, followed.
 * @param {import("../../lib/preact.js").Ref<HTMLElement | null>} ref
 */
export function useWidth(ref) {
  const [width, set] = useState(0);
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const observer = new ResizeObserver(() => set(Math.floor(element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return width;
}

/** What makes a number unique on the page. */
let last = 0;

/**
 * @param {{
 *   count: number, cell: (width: number) => [number, number], gap: number, draw: (context: CanvasRenderingContext2D, index: number, x: number, y: number, width: number, height: number) => void, prepare?: () => void,
 *   inputs: readonly unknown[], label: string, labelOf: (index: number) => string, selected: number | null, onSelect: (index: number) => void,
 * }} props `cell` has the size of a cell for the width that there is; `prepare` is called once before cells are drawn
 */
export function Atlas({ count, cell, gap, draw, prepare, inputs, label, labelOf, selected, onSelect }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const [id] = useState(() => `atlas-${++last}`);
  const [hovered, setHovered] = useState(/** @type {number | null} */ (null));
  const width = useWidth(box);
  const [cellWidth, cellHeight] = cell(Math.max(1, width));
  const columns = Math.max(1, Math.min(count, Math.floor((width + gap) / (cellWidth + gap))));
  const rows = Math.ceil(count / columns);
  const [wide, high] = [columns * (cellWidth + gap) - gap, rows * (cellHeight + gap) - gap];
  const newest = useRef(/** @type {(() => void) | null} */ (null));
  newest.current = () => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context || width === 0) return;
    const ratio = devicePixelRatio;
    const [deviceWidth, deviceHeight] = [Math.round(wide * ratio), Math.round(high * ratio)];
    if (element.width !== deviceWidth) element.width = deviceWidth;
    if (element.height !== deviceHeight) element.height = deviceHeight;
    context.clearRect(0, 0, deviceWidth, deviceHeight);
    context.imageSmoothingEnabled = false;
    prepare?.();
    /** @param {number} value */
    const snapped = (value) => Math.round(value * ratio);
    for (let index = 0; index < count; index++) {
      const x = (index % columns) * (cellWidth + gap);
      const y = Math.floor(index / columns) * (cellHeight + gap);
      draw(context, index, snapped(x), snapped(y), snapped(x + cellWidth) - snapped(x), snapped(y + cellHeight) - snapped(y));
    }
  };
  const soon = () => void (canvas.current && drawSoon(canvas.current, () => newest.current?.()));
  useEffect(soon, [width, columns, count, ...inputs]);
  useEffect(() => whenColoursChange(soon), []);

  /** @param {PointerEvent | MouseEvent} event */
  const at = (event) => {
    const bounds = /** @type {HTMLCanvasElement} */ (canvas.current).getBoundingClientRect();
    const column = Math.floor((event.clientX - bounds.left) / (cellWidth + gap));
    const row = Math.floor((event.clientY - bounds.top) / (cellHeight + gap));
    const index = row * columns + column;
    return column >= 0 && column < columns && row >= 0 && index < count ? index : null;
  };
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    const from = selected ?? 0;
    const next = { ArrowLeft: from - 1, ArrowRight: from + 1, ArrowUp: from - columns, ArrowDown: from + columns, Home: 0, End: count - 1, Enter: from, " ": from }[event.key];
    if (next === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (selected === null) onSelect(0);
    else if (next >= 0 && next < count) onSelect(next);
  };
  /** @param {number | null} index */
  const frame = (index) =>
    index === null || index >= count
      ? null
      : {
          left: `${(index % columns) * (cellWidth + gap)}px`,
          top: `${Math.floor(index / columns) * (cellHeight + gap)}px`,
          width: `${cellWidth}px`,
          height: `${cellHeight}px`,
        };
  const chosen = frame(selected);
  const over = frame(hovered);
  return html`<div class="atlas" ref=${box}>
    <div
      class="box"
      tabindex="0"
      role="listbox"
      aria-label=${label}
      aria-activedescendant=${selected === null ? undefined : `${id}-option`}
      onKeyDown=${key}
      onClick=${(/** @type {MouseEvent} */ event) => {
        const index = at(event);
        if (index !== null) onSelect(index);
      }}
      onPointerMove=${(/** @type {PointerEvent} */ event) => setHovered(at(event))}
      onPointerLeave=${() => setHovered(null)}
      style=${{ width: `${wide}px`, height: `${high}px` }}
    >
      <canvas ref=${canvas} aria-hidden="true" style=${{ width: `${wide}px`, height: `${high}px` }}></canvas>
      ${over ? html`<span class="over" style=${over} aria-hidden="true"></span>` : null}
      <span
        role="option"
        id=${`${id}-option`}
        class=${chosen ? "chosen" : "unseen"}
        style=${chosen ?? {}}
        aria-selected=${selected !== null}
        aria-posinset=${(selected ?? 0) + 1}
        aria-setsize=${count}
        aria-label=${labelOf(selected ?? 0)}
      ></span>
    </div>
    <p class="small reading" aria-hidden="true">${hovered !== null ? labelOf(hovered) : selected !== null ? labelOf(selected) : ""}</p>
  </div>`;
}

/** The size of a small picture of so many, where there is so much room. @param {number} count @param {number} room */
const cellOf = (count, room) => Math.min(count <= 8 ? 76 : count <= 32 ? 60 : count <= 64 ? 48 : 38, Math.max(32, Math.floor(room / Math.min(count, 7)) - 4));

/** Low, mean and high of a map. @param {Values} values @param {number} map */
export function rangeOf({ values, shape }, map) {
  const [height = 0, width = 0, channels = 1] = shape;
  let [low, high, sum] = [Infinity, -Infinity, 0];
  for (let index = map; index < values.length; index += channels) {
    const value = values[index] ?? 0;
    low = Math.min(low, value);
    high = Math.max(high, value);
    sum += value;
  }
  return { low, high, mean: sum / (height * width) };
}

/**
 * A part of a canvas, with a thin border.
 * @param {CanvasRenderingContext2D} context
 * @param {HTMLCanvasElement} source
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 * @param {number} top Of the part.
 * @param {number} rows Of the part.
 */
export function framed(context, source, x, y, width, height, top, rows) {
  context.drawImage(source, 0, top, source.width, rows, x, y, width, height);
  context.strokeStyle = palette().grid;
  context.lineWidth = 1;
  context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
}

/** @type {HTMLCanvasElement | null} */
let hidden = null;

/**
 * An image on a canvas that nobody sees, to be drawn larger. The next call draws over it.
 * @param {ImageData} image
 */
export function canvasWith(image) {
  hidden ??= document.createElement("canvas");
  hidden.width = image.width;
  hidden.height = image.height;
  hidden.getContext("2d")?.putImageData(image, 0, 0);
  return hidden;
}

/**
 * A layer's maps, steps or values.
 * @param {{ layer: Layer, values: Values, selected: number | null, onSelect: (index: number) => void }} props `values`: the layer's, or all states
 */
export function LayerAtlas({ layer: { text, most }, values: layer, selected, onSelect }) {
  const { shape, count } = layer;
  const shared = { count, selected, onSelect, inputs: [layer] };
  /** @type {HTMLCanvasElement} */
  let sheet;
  if (layer.isImage) {
    const [height = 1, width = 1, maps = 1] = shape;
    return html`<${Atlas}
      ...${shared}
      cell=${(/** @type {number} */ room) => [width, height].map((side) => Math.max(8, Math.round((cellOf(count, room) * side) / Math.max(width, height))))}
      gap=${4}
      label=${`${maps} maps of ${text}`}
      labelOf=${(/** @type {number} */ map) => {
        const { low, high, mean } = rangeOf(layer, map);
        return `map ${map}: ${figure(low)} to ${figure(high)}, mean ${figure(mean)}`;
      }}
      draw=${(/** @type {CanvasRenderingContext2D} */ context, /** @type {number} */ map, /** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ w, /** @type {number} */ h) =>
        framed(context, sheet, x, y, w, h, map * height, height)}
      prepare=${() => {
        // All maps, one below the other.
        const image = new ImageData(width, height * maps);
        const words = new Uint32Array(image.data.buffer);
        for (let map = 0; map < maps; map++) paint(words, map * width * height, layer.values, width * height, most, map, maps);
        sheet = canvasWith(image);
      }}
    />`;
  }
  if (shape.length === 2) {
    const [steps = 1, features = 1] = shape;
    const feature = /^(lstm|gru|rnn)\b/.test(text) ? "unit" : "feature";
    return html`<p class="small of-axes">Row: step (0–${steps - 1}, from the top). Column: ${feature} (0–${features - 1}).</p><${Atlas}
      ...${shared}
      cell=${(/** @type {number} */ room) => [room, Math.max(3, Math.min(10, Math.round(112 / steps)))]}
      gap=${0}
      label=${`${steps} steps of ${text}`}
      labelOf=${(/** @type {number} */ step) => {
        const row = layer.values.subarray(step * features, (step + 1) * features);
        return `step ${step}: ${features} values, ${figure(Math.min(...row))} to ${figure(Math.max(...row))}`;
      }}
      draw=${(/** @type {CanvasRenderingContext2D} */ context, /** @type {number} */ step, /** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ w, /** @type {number} */ h) =>
        context.drawImage(sheet, 0, step, features, 1, x, y, w, h)}
      prepare=${() => void (sheet = canvasWith(mapped(layer.values, features, steps, most)))}
    />`;
  }
  return html`<${Atlas}
    ...${shared}
    cell=${(/** @type {number} */ room) => (count <= 16 ? [Math.max(18, Math.min(40, Math.floor(room / count) - 1)), 24] : count <= 256 ? [15, 15] : [9, 9])}
    gap=${1}
    label=${`${count} values of ${text}`}
    labelOf=${(/** @type {number} */ unit) => `unit ${unit}: ${figure(layer.values[unit])}`}
    draw=${(/** @type {CanvasRenderingContext2D} */ context, /** @type {number} */ unit, /** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ w, /** @type {number} */ h) => {
      const { scale } = palette();
      const from = place(layer.values[unit] ?? 0, most);
      context.fillStyle = `rgb(${scale[from]} ${scale[from + 1]} ${scale[from + 2]})`;
      context.fillRect(x, y, w, h);
      if (count > 16) return;
      context.fillStyle = textOn(from);
      context.font = `600 ${Math.round(0.5 * h)}px "DejaVu Sans", Verdana, system-ui, sans-serif`;
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillText(String(unit), x + w / 2, y + h / 2 + 1);
    }}
  />`;
}
