// Attention: how much each step looks at each other step, a head at a time.

import { html } from "../../lib/preact.js";
import { pictured } from "./colours.js";
import { Later } from "./later.js";
import { Probe, channelImage } from "./probe.js";
import { tokensOf } from "./network.js";
import { largest, percent } from "./words.js";

/** @import { Place } from "./probe.js" */
/** @import { SharedImage } from "../image.js" */
/** @import { Layer } from "./network.js" */

/**
 * @param {{ layer: Layer, layers: readonly Layer[], image: SharedImage, query: number, onQuery: (query: number) => void }} props
 */
export function Attention({ layer, layers, image, query, onQuery }) {
  const { attention } = layer;
  if (!attention) return null;
  const [heads = 1, queries = 1, keys = 1] = attention.shape;
  const at = Math.min(query, queries - 1);
  const tokens = tokensOf(layers, queries, image);
  const name = tokens?.name ?? "step";
  const size = queries * keys;
  /** @param {number} head */
  const weightsOf = (head) => attention.values.subarray(head * size + at * keys, head * size + (at + 1) * keys);
  return html`<div class="attention">
    <p>Each ${name} (the query) attends to every ${name} (the keys) with weights that add up to 1. Query: <label class="inline"><span class="unseen">${name}</span>
      <input type="number" min="0" max=${queries - 1} value=${at} onInput=${(/** @type {Event} */ event) => {
        const next = Number(/** @type {HTMLInputElement} */ (event.currentTarget).value);
        if (Number.isInteger(next) && next >= 0 && next < queries) onQuery(next);
      }} /></label> of 0 to ${queries - 1}; or point at a ${name} in a picture.</p>
    <div class="heads">
      ${Array.from({ length: heads }, (_, head) => {
        const weights = weightsOf(head);
        const best = largest(weights);
        const most = Math.max(...weights);
        return html`<section key=${head} aria-label=${`Head ${head}`}>
          <h3>Head ${head}</h3>
          ${tokens ? html`<${Overlay} image=${image} tokens=${tokens} weights=${weights} query=${at} onQuery=${onQuery} label=${`Head ${head}: ${name} ${at} attends most to ${name} ${best}, ${percent(most)}`} />` : null}
          <${Probe} width=${keys} height=${queries} at=${null} frame=${{ top: at, left: 0, rows: 1, columns: keys }} label=${`Head ${head}: weights of ${queries} ${name} by ${keys}`}
            caption=${html`${name} ${at} attends most to ${name} ${best}: ${percent(most)}`} draw=${() => channelImage(attention.values.subarray(head * size, (head + 1) * size), keys, queries, 1, 0, mostOf(attention.values))} inputs=${[layer, head]} onAt=${(/** @type {Place} */ { y }) => onQuery(y)} />
        </section>`;
      })}
    </div>
    <p class="small">In each matrix, rows are queries and columns are keys; the stronger the colour, the larger the weight.${tokens ? ` On the image: what ${name} ${at}, outlined, attends to.` : ""}</p>
    <${Later} summary=${`Weights of ${name} ${at} as a table`} content=${() => html`<div class="scroll" tabindex="0" role="region" aria-label="Weights"><table>
      <caption>Attention weights of ${name} ${at}</caption>
      <thead><tr><th scope="col">${name}</th>${Array.from({ length: heads }, (_, head) => html`<th scope="col" key=${head}>head ${head}</th>`)}</tr></thead>
      <tbody>${Array.from({ length: keys }, (_, key) => html`<tr key=${key}><th scope="row">${key}</th>${Array.from({ length: heads }, (_, head) => html`<td key=${head}>${percent(weightsOf(head)[key] ?? 0)}</td>`)}</tr>`)}</tbody>
    </table></div>`} />
  </div>`;
}

/** @param {Float32Array} values */
const mostOf = (values) => values.reduce((most, value) => Math.max(most, value), 0);

/**
 * The image, bright where the weights are.
 * @param {{ image: SharedImage, tokens: { rows: number, columns: number }, weights: Float32Array, query: number, onQuery: (query: number) => void, label: string }} props
 */
function Overlay({ image, tokens, weights, query, onQuery, label }) {
  const { height, width } = image;
  const [high, wide] = [height / tokens.rows, width / tokens.columns];
  const draw = () => {
    // The image is dark in either scheme.
    const colour = [86, 180, 233];
    const picture = pictured(image.pixels, width, height);
    const most = Math.max(...weights) || 1;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const token = Math.min(tokens.rows - 1, Math.floor(y / high)) * tokens.columns + Math.min(tokens.columns - 1, Math.floor(x / wide));
        const part = 0.75 * ((weights[token] ?? 0) / most);
        for (let channel = 0; channel < 3; channel++) {
          const at = 4 * (y * width + x) + channel;
          picture.data[at] = (1 - part) * 0.8 * (picture.data[at] ?? 0) + part * (colour[channel] ?? 0);
        }
      }
    }
    return picture;
  };
  return html`<${Probe} width=${width} height=${height} at=${null} label=${label} caption="" draw=${draw} inputs=${[image, weights, tokens.rows]}
    frame=${{ top: Math.floor(query / tokens.columns) * high, left: (query % tokens.columns) * wide, rows: high, columns: wide }}
    onAt=${(/** @type {Place} */ { y, x }) => onQuery(Math.min(tokens.rows - 1, Math.floor(y / high)) * tokens.columns + Math.min(tokens.columns - 1, Math.floor(x / wide)))} />`;
}

