// Canvases that are drawn in batches of frames.

import { html, useEffect, useLayoutEffect, useRef } from "../../lib/preact.js";
import { mapped, pictured, whenColoursChange } from "./colours.js";

/** Milliseconds of a frame that are drawn in. */
const BUDGET = 8;

/** @type {Map<HTMLCanvasElement, () => void>} */
const waiting = new Map();
let isAsked = false;

/**
 * Has a canvas drawn with one of the next frames.
 * @param {HTMLCanvasElement} canvas
 * @param {() => void} draw
 */
export function drawSoon(canvas, draw) {
  waiting.set(canvas, draw);
  if (isAsked) return;
  isAsked = true;
  requestAnimationFrame(frame);
}

function frame() {
  const end = performance.now() + BUDGET;
  for (const [canvas, draw] of waiting) {
    waiting.delete(canvas);
    if (canvas.isConnected) draw();
    if (performance.now() > end) break;
  }
  isAsked = waiting.size > 0;
  if (isAsked) requestAnimationFrame(frame);
}

/**
 * A canvas's ref; it is drawn again when an input or the colours change.
 * @param {(canvas: HTMLCanvasElement) => void} draw
 * @param {readonly unknown[]} inputs
 */
export function useDrawing(draw, inputs) {
  const ref = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const newest = useRef(draw);
  newest.current = draw;
  const soon = () => {
    const canvas = ref.current;
    if (canvas) drawSoon(canvas, () => newest.current(canvas));
  };
  useLayoutEffect(soon, inputs);
  useEffect(() => whenColoursChange(soon), []);
  return ref;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {ImageData} image
 */
export function put(canvas, image) {
  if (canvas.width !== image.width) canvas.width = image.width;
  if (canvas.height !== image.height) canvas.height = image.height;
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}

/**
 * A picture of bytes, grey or coloured.
 * @param {{ pixels: Uint8Array, width: number, height: number, label: string, class?: string }} props
 */
export function Picture({ pixels, width, height, label, ...rest }) {
  const ref = useDrawing((canvas) => put(canvas, pictured(pixels, width, height)), [pixels, width, height]);
  return html`<canvas ref=${ref} width=${width} height=${height} role=${label ? "img" : undefined} aria-label=${label || undefined}
    aria-hidden=${label ? undefined : "true"} class="pixelated ${rest.class ?? ""}"></canvas>`;
}

/**
 * A map of values in the page's scale.
 * @param {{ values: ArrayLike<number>, width: number, height: number, most: number, start?: number, step?: number, label: string, class?: string, style?: object }} props
 */
export function Heat({ values, width, height, most, start = 0, step = 1, label, ...rest }) {
  const ref = useDrawing(
    (canvas) => put(canvas, mapped(values, width, height, most, start, step)),
    [values, width, height, most, start, step],
  );
  return html`<canvas ref=${ref} width=${width} height=${height} role=${label ? "img" : undefined} aria-label=${label || undefined}
    aria-hidden=${label ? undefined : "true"} class="pixelated ${rest.class ?? ""}" style=${rest.style}></canvas>`;
}
