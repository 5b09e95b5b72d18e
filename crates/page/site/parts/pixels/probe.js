// A map large enough to point at: a place is chosen with the pointer or the arrow keys.

import { html } from "../../lib/preact.js";
import { useDrawing, put } from "./canvas.js";
import { mapped, palette, place } from "./colours.js";
import { figure } from "./words.js";

/** @typedef {{ y: number, x: number }} Place */

/**
 * @param {{
 *   width: number, height: number, label: string, caption: string, draw: () => ImageData, inputs: readonly unknown[],
 *   at: Place | null, onAt?: (place: Place) => void, frame?: { top: number, left: number, rows: number, columns: number } | null, onLeave?: () => void,
 * }} props `frame`: what is marked in the place of `at`, in pixels of the map
 */
export function Probe({ width, height, label, caption, draw, inputs, at, onAt, frame, onLeave }) {
  const ref = useDrawing((canvas) => put(canvas, draw()), inputs);
  const mark = frame ?? (at ? { top: at.y, left: at.x, rows: 1, columns: 1 } : null);
  /** @param {PointerEvent} event */
  const point = (event) => {
    const bounds = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
    const x = Math.floor(((event.clientX - bounds.left) / bounds.width) * width);
    const y = Math.floor(((event.clientY - bounds.top) / bounds.height) * height);
    if (x >= 0 && y >= 0 && x < width && y < height && (x !== at?.x || y !== at?.y)) onAt?.({ y, x });
  };
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    const [down = 0, right = 0] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [];
    if (!down && !right) return;
    event.preventDefault();
    const from = at ?? { y: 0, x: 0 };
    onAt?.({ y: Math.max(0, Math.min(height - 1, from.y + down)), x: Math.max(0, Math.min(width - 1, from.x + right)) });
  };
  return html`<figure class="probe-map">
    <div class="ground" style=${{ aspectRatio: `${width} / ${height}`, "--aspect": width / height }} data-points=${!!onAt} onPointerMove=${onAt ? point : undefined} onPointerDown=${onAt ? point : undefined} onPointerLeave=${onLeave}
      tabindex=${onAt ? 0 : undefined} role=${onAt ? "application" : "img"} aria-roledescription=${onAt ? "map: arrow keys choose a place" : undefined} aria-label=${label} onKeyDown=${onAt ? key : undefined}>
      <canvas ref=${ref} width=${width} height=${height} class="pixelated" aria-hidden="true"></canvas>
      ${mark
        ? html`<span class="mark" aria-hidden="true" style=${{ top: `${(100 * mark.top) / height}%`, left: `${(100 * mark.left) / width}%`, height: `${(100 * mark.rows) / height}%`, width: `${(100 * mark.columns) / width}%` }}></span>`
        : null}
    </div>
    <figcaption>${caption}</figcaption>
  </figure>`;
}

/**
 * A map of values of an image with channels.
 * @param {ArrayLike<number>} values
 * @param {number} width
 * @param {number} height
 * @param {number} channels
 * @param {number} channel
 * @param {number} most
 * @param {number} [shown] So many are drawn; the others are faint.
 */
export function channelImage(values, width, height, channels, channel, most, shown = Infinity) {
  const image = mapped(values, width, height, most, channel, channels);
  for (let index = Math.max(0, shown); index < width * height; index++) image.data[4 * index + 3] = 40;
  return image;
}

/** What a colour means. @param {{ low: number, high: number, most: number }} props */
export function Legend({ low, high, most }) {
  const ref = useDrawing(
    (canvas) => {
      const { scale } = palette();
      const image = new ImageData(96, 1);
      for (let index = 0; index < 96; index++) {
        const from = place(low + ((high - low) * index) / 95, most);
        image.data.set(scale.subarray(from, from + 4), 4 * index);
      }
      put(canvas, image);
    },
    [low, high, most],
  );
  return html`<span class="legend"><span class="unseen">values from </span>${figure(low)}<canvas ref=${ref} width="96" height="1" aria-hidden="true"></canvas><span class="unseen"> to </span>${figure(high)}</span>`;
}
