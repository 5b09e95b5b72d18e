// What the last layer adds up for a class, and what the softmax makes of the sums.

import { html, useMemo } from "../../lib/preact.js";
import { Term } from "./convolution.js";
import { Later } from "./later.js";
import { addendsOf } from "./network.js";
import { figure, percent, signed } from "./words.js";

/** @import { Layer } from "./network.js" */

/** Addends that are listed. */
const LISTED = 12;

/**
 * @param {{ layer: Layer, layers: readonly Layer[], classes: readonly string[], probabilities: readonly number[], chosen: number, onChoose: (chosen: number) => void }} props
 */
export function LastLayer({ layer, layers, classes, probabilities, chosen, onChoose }) {
  const read = useMemo(() => addendsOf(layers, layer), [layers, layer]);
  const { weights, values } = layer;
  const [from = 0, to = 0] = weights?.shape ?? [];
  const output = Math.min(chosen, Math.max(0, values.length - 1));
  const terms = useMemo(() => {
    if (!read || !weights) return [];
    return Array.from({ length: from }, (_, unit) => {
      const [value, weight] = [read.values[unit] ?? 0, weights.values[unit * to + output] ?? 0];
      return { unit, value, weight, product: value * weight };
    }).sort((one, other) => Math.abs(other.product) - Math.abs(one.product));
  }, [read, layer, output]);
  const listed = terms.slice(0, LISTED);
  const rest = terms.slice(LISTED).reduce((sum, { product }) => sum + product, 0);
  const bias = weights?.bias?.[output] ?? 0;
  const most = Math.max(Math.abs(listed[0]?.product ?? 0), Math.abs(rest), Math.abs(bias));
  const total = values.reduce((sum, value) => sum + Math.exp(value - layer.high), 0);
  const name = classes[output] ?? output;
  return html`<div class="last">
    <fieldset class="segments classes"><legend class="small">Class</legend>
      ${Array.from(values, (_, index) => html`<label key=${index}><input type="radio" name="last-class" checked=${index === output} onChange=${() => onChoose(index)} /><span>${classes[index] ?? index}</span></label>`)}
    </fieldset>
    ${read
      ? html`<div class="scroll" tabindex="0" role="region" aria-label=${`What adds up to the logit of ${name}`}><table class="addends">
          <caption>What adds up to the logit of ${name}: the ${listed.length} largest of ${from} products</caption>
          <thead><tr><th scope="col">from</th><th scope="col">value</th><th scope="col">weight</th><th scope="col" class="words">value × weight</th></tr></thead>
          <tbody>
            ${listed.map(({ unit, value, weight, product }) => html`<tr key=${unit}><th scope="row">${read.nameOf(unit)}<span class="factors" aria-hidden="true">${figure(value)} × ${figure(weight)}</span></th><td>${figure(value)}</td><td>${figure(weight)}</td><td class="term-cell"><${Term} value=${product} most=${most} /></td></tr>`)}
            ${terms.length > LISTED ? html`<tr><th scope="row">the other ${terms.length - LISTED}</th><td></td><td></td><td class="term-cell"><${Term} value=${rest} most=${most} /></td></tr>` : null}
            <tr><th scope="row">bias</th><td></td><td></td><td class="term-cell"><${Term} value=${bias} most=${most} /></td></tr>
          </tbody>
          <tfoot><tr><th scope="row">logit of ${name}</th><td></td><td></td><td><b>${signed(values[output] ?? 0)}</b></td></tr></tfoot>
        </table></div>`
      : html`<p class="small">The input of this layer is not among the layers shown, so its products cannot be listed.</p>`}
    <p>Softmax: e to the power of each logit, divided by the sum of all. For ${name}: e<sup>${figure(values[output] ?? 0)}</sup> divided by the sum is <b>${percent(Math.exp((values[output] ?? 0) - layer.high) / total)}</b>.</p>
    <${Later} summary="Logits and probabilities as a table" content=${() => html`<div class="scroll" tabindex="0" role="region" aria-label="Logits and probabilities"><table>
      <caption>From logits to probabilities</caption>
      <thead><tr><th scope="col">class</th><th scope="col">logit</th><th scope="col">probability</th></tr></thead>
      <tbody>${Array.from(values, (value, index) => html`<tr key=${index}><th scope="row">${classes[index] ?? index}</th><td>${figure(value)}</td><td>${percent(probabilities[index] ?? 0)}</td></tr>`)}</tbody>
    </table></div>`} />
  </div>`;
}
