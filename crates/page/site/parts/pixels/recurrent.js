// A recurrent layer reads its input step by step, and its state fills.

import { html } from "../../lib/preact.js";
import { Picture, useDrawing } from "./canvas.js";
import { palette, place } from "./colours.js";
import { Player } from "./player.js";
import { Probe, channelImage } from "./probe.js";
import { figure } from "./words.js";

/** @import { Place } from "./probe.js" */
/** @import { SharedImage } from "../image.js" */
/** @import { Layer, Values } from "./network.js" */

/** Milliseconds of a step. */
const PACE = 160;

/**
 * @param {{ layer: Layer, states: Values, image: SharedImage, isFirst: boolean, step: number, onStep: (step: number) => void }} props
 */
export function Recurrent({ layer, states, image, isFirst, step, onStep }) {
  const [steps = 1, units = 1] = states.shape;
  const at = Math.min(step, steps - 1);
  const isBoth = layer.text.includes("bidirectional");
  const state = states.values.subarray(at * units, (at + 1) * units);
  const low = Math.min(...state);
  const high = Math.max(...state);
  const text = `step ${at} of 0–${steps - 1}`;
  const readsRows = isFirst && steps === image.height;
  return html`<div class="recurrent">
    <div class="filling">
      ${readsRows
        ? html`<figure class="reads"><div class="ground"><${Picture} pixels=${image.pixels} width=${image.width} height=${image.height} label=${`The image, row ${at} marked`} />
            <span class="mark row" aria-hidden="true" style=${{ top: `${(100 * at) / steps}%`, height: `${100 / steps}%` }}></span></div><figcaption>Row ${at} is read</figcaption></figure>`
        : null}
      <div class="axes"><span class="across small" aria-hidden="true">unit 0–${units - 1} →</span><span class="down small" aria-hidden="true">step 0–${steps - 1} →</span>
      <${Probe} width=${units} height=${steps} at=${null} frame=${{ top: at, left: 0, rows: 1, columns: units }}
        label=${`States: ${steps} steps by ${units} units; step ${at} from ${figure(low)} to ${figure(high)}`} caption=${html`State of ${units} units after each step: a row for each step, a column for each unit${isBoth ? "; the second half reads from the last step to the first" : ""}`}
        draw=${() => channelImage(states.values, units, steps, 1, 0, layer.most, isBoth ? Infinity : (at + 1) * units)} inputs=${[states, at]}
        onAt=${(/** @type {Place} */ { y }) => onStep(y)} /></div>
    </div>
    <${Player} count=${steps} at=${at} onAt=${onStep} label="Step" text=${text} play="Play" pace=${PACE} />
    <figure><${Strip} values=${state} most=${layer.most} label=${`State after step ${at}: ${units} values from ${figure(low)} to ${figure(high)}`} /><figcaption>State after step ${at}, a bar for each unit: ${figure(low)} to ${figure(high)}</figcaption></figure>
  </div>`;
}

/**
 * Values as bars up and down.
 * @param {{ values: Float32Array, most: number, label: string }} props
 */
export function Strip({ values, most, label }) {
  const ref = useDrawing(
    (canvas) => {
      const ratio = devicePixelRatio;
      const [width, height] = [Math.max(1, Math.round(canvas.clientWidth * ratio)), Math.round(72 * ratio)];
      [canvas.width, canvas.height] = [width, height];
      const context = canvas.getContext("2d");
      if (!context) return;
      const { scale, grid } = palette();
      context.fillStyle = grid;
      context.fillRect(0, Math.round(height / 2), width, Math.max(1, Math.round(ratio)));
      const side = width / values.length;
      const gap = side > 3 * ratio ? ratio : 0;
      values.forEach((value, index) => {
        const from = place(Math.sign(value) * 0.75, 1);
        context.fillStyle = `rgb(${scale[from]} ${scale[from + 1]} ${scale[from + 2]})`;
        const length = (value / (most || 1)) * (height / 2);
        context.fillRect(index * side, height / 2, Math.max(0.5, side - gap), -length);
      });
    },
    [values, most],
  );
  return html`<canvas ref=${ref} class="strip-bars" role="img" aria-label=${label}></canvas>`;
}
