// A window moves over a layer's input; what is under it, times the weights, adds up to one value of the output.

import { html, useMemo } from "../../lib/preact.js";
import { Atlas, canvasWith, framed } from "./atlas.js";
import { mapped, palette, place as colourAt, textOn } from "./colours.js";
import { SaidAtRest } from "./engine.js";
import { Player } from "./player.js";
import { Probe, channelImage } from "./probe.js";
import { channelSum, under, weightAt, worked } from "./network.js";
import { figure, signed } from "./words.js";

/** @import { Layer, Window } from "./network.js" */
/** @import { Place } from "./probe.js" */

/** Channels that are listed. */
const LISTED = 10;

/** @param {ArrayLike<number>} values */
function mostOf(values) {
  let most = 0;
  for (let index = 0; index < values.length; index++) most = Math.max(most, Math.abs(values[index] ?? 0));
  return most;
}

/** Where a map has its strongest value. @param {Layer} layer @param {number} map @returns {Place} */
export function strongest({ values, shape }, map) {
  const [, width = 1, maps = 1] = shape;
  let best = map;
  for (let index = map; index < values.length; index += maps) if (Math.abs(values[index] ?? 0) > Math.abs(values[best] ?? 0)) best = index;
  const place = Math.floor(best / maps);
  return { y: Math.floor(place / width), x: place % width };
}

/**
 * @param {{ layer: Layer, window: Window, output: number, at: Place | null, onAt: (at: Place) => void, channel: number | null, onChannel: (channel: number) => void, onOutput: (output: number) => void }} props
 */
export function Convolution({ layer, window, output, at: wanted, onAt, channel, onChannel, onOutput }) {
  const [height = 1, width = 1, outputs = 1] = layer.shape;
  const [inputHeight = 1, inputWidth = 1, inputChannels = 1] = window.input.shape;
  const at = useMemo(() => wanted ?? strongest(layer, output), [wanted, layer, output]);
  const y = Math.min(at.y, height - 1);
  const x = Math.min(at.x, width - 1);
  const { filters } = layer;
  const reads = window.isPooling ? 1 : window.channels;
  const first = window.first(output);
  const sums = useMemo(
    () => (filters ? Array.from({ length: reads }, (_, index) => channelSum(window, filters, output, y, x, index)) : []),
    [layer, window, output, y, x],
  );
  const order = useMemo(() => sums.map((_, index) => index).sort((one, other) => Math.abs(sums[other] ?? 0) - Math.abs(sums[one] ?? 0)), [sums]);
  const chosen = channel !== null && channel < reads ? channel : (order[0] ?? 0);
  const inputMost = useMemo(() => mostOf(window.input.values), [window]);
  const weightMost = useMemo(() => (filters ? mostOf(filters.values) : 1), [layer]);
  const value = layer.values[(y * width + x) * outputs + output] ?? 0;
  const cells = Array.from({ length: window.rows * window.columns }, (_, index) => {
    const [row, column] = [Math.floor(index / window.columns), index % window.columns];
    const input = under(window, y, x, row, column, first + chosen);
    const weight = filters ? weightAt(filters, output, row, column, chosen) : 1;
    return { row, column, input, weight, product: input * weight };
  });
  const isSpelledOut = window.columns <= 7;
  const bias = filters?.bias?.[output] ?? null;
  const frame = { top: y * window.stride - window.top, left: x * window.stride - window.left, rows: (window.rows - 1) * window.dilation + 1, columns: (window.columns - 1) * window.dilation + 1 };
  const inputName = window.input.name === "the image" ? "the image" : `${"text" in window.input ? window.input.text : window.input.name}${inputChannels > 1 ? `, map ${first + chosen}` : ""}`;
  const share = sums[chosen] ?? 0;
  const others = sums.reduce((sum, one) => sum + one, 0) - share;
  const largestCell = window.isPooling && layer.word === "maxpool" ? cells.reduce((best, cell, index) => (cell.input > (cells[best]?.input ?? -Infinity) ? index : best), 0) : -1;
  const most = filters ? Math.max(1e-9, mostOf(cells.map(({ product }) => product))) : inputMost;
  const { scale } = palette();
  /** @param {number} amount @param {number} strongest */
  const tint = (amount, strongest) => {
    const from = colourAt(0.6 * amount, strongest);
    return { background: `rgb(${scale[from]} ${scale[from + 1]} ${scale[from + 2]})`, color: textOn(from) };
  };
  return html`<div class="convolution">
    <div class="trio">
      <${Probe}
        width=${inputWidth} height=${inputHeight} at=${null} frame=${frame} label=${`Input: ${inputName}, with the window marked`} caption=${html`Input: ${inputName}`}
        draw=${() => channelImage(window.input.values, inputWidth, inputHeight, inputChannels, first + chosen, inputMost)} inputs=${[window, first + chosen]}
        onAt=${(/** @type {Place} */ place) => onAt({
          y: Math.max(0, Math.min(height - 1, Math.round((place.y + window.top - frame.rows / 2) / window.stride))),
          x: Math.max(0, Math.min(width - 1, Math.round((place.x + window.left - frame.columns / 2) / window.stride))),
        })}
      />
      <figure class="window">
        <div class="cells" data-spelled=${isSpelledOut} style=${{ "--columns": window.columns }} aria-hidden="true">
          ${cells.map((cell, index) => html`<span key=${index} class="product" data-largest=${index === largestCell} style=${tint(filters ? cell.product : cell.input, most)}>
            ${isSpelledOut ? (filters ? html`<span>${figure(cell.input)}</span><span>× ${figure(cell.weight)}</span>` : html`<span>${figure(cell.input)}</span>`) : null}
          </span>`)}
        </div>
        <figcaption>${filters ? `Window × weights of filter ${output}${reads > 1 ? `, channel ${chosen}` : ""}` : "Values under the window"}</figcaption>
      </figure>
      <${Probe}
        width=${width} height=${height} at=${{ y, x }} onAt=${onAt}
        label=${`Output: ${filters ? "filter" : "map"} ${output}, row ${y}, column ${x}: ${figure(value)}`} caption=${html`Output: ${filters ? "filter" : "map"} ${output}, row ${y}, column ${x}`}
        draw=${() => channelImage(layer.values, width, height, outputs, output, layer.most)} inputs=${[layer, output]}
      />
    </div>
    <${SaidAtRest} text=${`Row ${y}, column ${x}: ${figure(value)}`} />
    <p class="sum">
      ${filters
        ? html`${reads > 1 ? html`Channel ${chosen}: <b>${signed(share)}</b>, the other ${reads - 1} channels: <b>${signed(others)}</b>` : html`Sum of the products: <b>${signed(share)}</b>`}${bias === null ? null : html`, bias: <b>${signed(bias)}</b>`}. Together <b>${figure(worked(window, layer, output, y, x))}</b>, the output at row ${y}, column ${x}.`
        : html`The ${layer.word === "maxpool" ? "largest" : "mean"} of the ${cells.length} values is <b>${figure(value)}</b>, the output at row ${y}, column ${x}.`}
    </p>
    <${Player} count=${height * width} at=${y * width + x} onAt=${(/** @type {number} */ place) => onAt({ y: Math.floor(place / width), x: place % width })}
      label="Position of the window" text=${`row ${y} of 0–${height - 1}, column ${x} of 0–${width - 1}`} play="Slide the window" pace=${Math.max(16, Math.min(120, 9000 / (height * width)))} />
    ${reads > 1 && filters
      ? html`<div class="channels">
          <h3>What each input channel adds here</h3>
          <ul class="terms">
            ${order.slice(0, LISTED).map((index) => html`<li key=${index}><button type="button" class="cell" aria-pressed=${index === chosen} onClick=${() => onChannel(index)}>
              <span class="name">channel ${first + index}</span><${Term} value=${sums[index] ?? 0} most=${Math.abs(sums[order[0] ?? 0] ?? 0)} /></button></li>`)}
          </ul>
          ${reads > LISTED ? html`<p class="small">The other ${reads - LISTED} channels add ${signed(order.slice(LISTED).reduce((sum, index) => sum + (sums[index] ?? 0), 0))} together.</p>` : null}
        </div>`
      : null}
    ${filters && outputs > 1
      ? html`<div class="filters"><h3>Filters${reads > 1 ? `: weights for channel ${chosen}` : ""}</h3>
          <${Atlas} count=${outputs} cell=${() => (window.rows === 1 && window.columns === 1 ? [18, 18] : [33, 33])} gap=${7} selected=${output} onSelect=${onOutput} inputs=${[layer, chosen]} label="Filters"
            labelOf=${(/** @type {number} */ filter) => `filter ${filter}: ${Array.from({ length: window.rows * window.columns }, (_, index) => figure(weightAt(filters, filter, Math.floor(index / window.columns), index % window.columns, chosen))).join(", ")}`}
            draw=${(/** @type {CanvasRenderingContext2D} */ context, /** @type {number} */ filter, /** @type {number} */ left, /** @type {number} */ top, /** @type {number} */ w, /** @type {number} */ h) => {
              const weights = Float32Array.from({ length: window.rows * window.columns }, (_, index) => weightAt(filters, filter, Math.floor(index / window.columns), index % window.columns, chosen));
              framed(context, canvasWith(mapped(weights, window.columns, window.rows, weightMost)), left, top, w, h, 0, window.rows);
            }} />
        </div>`
      : null}
    <details><summary>The sum as a table</summary>
      <div class="scroll" tabindex="0" role="region" aria-label="The sum"><table>
        <caption>Row ${y}, column ${x} of ${filters ? "filter" : "map"} ${output}${reads > 1 ? `, channel ${chosen}` : ""}</caption>
        <thead><tr><th scope="col">place in the window</th><th scope="col">input</th>${filters ? html`<th scope="col">weight</th><th scope="col">product</th>` : null}</tr></thead>
        <tbody>${cells.map((cell, index) => html`<tr key=${index}><th scope="row">row ${cell.row}, column ${cell.column}</th><td>${figure(cell.input)}</td>${filters ? html`<td>${figure(cell.weight)}</td><td>${figure(cell.product)}</td>` : null}</tr>`)}</tbody>
      </table></div>
    </details>
  </div>`;
}

/** A bar to the right of its middle where it adds, to the left where it takes away. @param {{ value: number, most: number }} props */
export function Term({ value, most }) {
  const share = most > 0 ? Math.min(1, Math.abs(value) / most) : 0;
  return html`<span class="term-bar" data-sign=${value < 0 ? "minus" : "plus"} style=${{ "--share": share }} aria-hidden="true"><span></span></span><span class="number">${signed(value)}</span>`;
}
