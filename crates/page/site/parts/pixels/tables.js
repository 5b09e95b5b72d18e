// A layer's numbers as tables.

import { html } from "../../lib/preact.js";
import { rangeOf } from "./atlas.js";
import { Later } from "./later.js";
import { figure } from "./words.js";

/** @import { Layer, Values } from "./network.js" */

/** Cells of a table. */
const MOST = 4096;

/**
 * @param {{ caption: string, rows: number, columns: number, valueAt: (row: number, column: number) => number, row: string, column: string }} props
 */
function Grid({ caption, rows, columns, valueAt, row, column }) {
  const shown = Math.min(rows, Math.max(1, Math.floor(MOST / columns)));
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${caption}>
    <table class="numbers">
      <caption>${caption}${shown < rows ? `: the first ${shown} of ${rows} ${row}s` : ""}</caption>
      <thead><tr><td></td>${Array.from({ length: columns }, (_, index) => html`<th scope="col" key=${index}><span class="unseen">${column} </span>${index}</th>`)}</tr></thead>
      <tbody>${Array.from({ length: shown }, (_, at) => html`<tr key=${at}><th scope="row"><span class="unseen">${row} </span>${at}</th>${Array.from({ length: columns }, (_, index) => html`<td key=${index}>${figure(valueAt(at, index))}</td>`)}</tr>`)}</tbody>
    </table>
  </div>`;
}

/** @param {{ layer: Layer, told: Values, selected: number }} props `told`: the layer's values, or all states */
export function LayerTables({ layer: { text }, told: layer, selected }) {
  const { shape, values, count } = layer;
  if (layer.isImage) {
    const [height = 0, width = 0, maps = 1] = shape;
    return html`<div class="tables">
      <${Later} summary=${`Map ${selected} as a table`} content=${() => html`<${Grid} caption=${`Map ${selected} of ${text}`} rows=${height} columns=${width} row="row" column="column"
        valueAt=${(/** @type {number} */ y, /** @type {number} */ x) => values[(y * width + x) * maps + selected] ?? 0} />`} />
      <${Later} summary="All maps as a table" content=${() => html`<${Grid} caption=${`Maps of ${text}: lowest, mean and highest value`} rows=${count} columns=${3} row="map" column="lowest, mean, highest:"
        valueAt=${(/** @type {number} */ map, /** @type {number} */ column) => {
          const { low, mean, high } = rangeOf(layer, map);
          return [low, mean, high][column] ?? 0;
        }} />`} />
    </div>`;
  }
  const [steps = 0, features = 1] = shape.length === 2 ? shape : [count, 1];
  const isSequence = shape.length === 2;
  return html`<div class="tables">
    <${Later} summary=${isSequence ? `Step ${selected} as a table` : "The values as a table"} content=${() => html`<${Grid} caption=${isSequence ? `Step ${selected} of ${text}` : `Values of ${text}`} rows=${isSequence ? features : steps} columns=${1} row="unit" column="value"
      valueAt=${(/** @type {number} */ unit) => values[isSequence ? selected * features + unit : unit] ?? 0} />`} />
  </div>`;
}
