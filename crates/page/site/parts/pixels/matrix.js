// A confusion matrix whose cells are buttons; one of them is in the order of Tab, the arrow keys go to the others.

import { html, useRef, useState } from "../../lib/preact.js";

/** @import { Errors } from "../../types.js" */

/** A matrix of more classes would neither be read nor quickly drawn. */
const MOST_CLASSES = 30;
/** Pairs of classes that are listed in its place. */
const LISTED = 30;

/** @param {number} value */
const average = (value) => (Number.isInteger(value) ? String(value) : value >= 10 ? value.toFixed(0) : value.toFixed(1));

/** @param {number} value */
const change = (value) => (value > 0 ? `+${average(value)}` : `−${average(-value)}`);

/**
 * @param {{
 *   errors: Errors, model: number, other: number | null, colours: readonly string[], chosen: { label: number, answer: number } | null,
 *   onChoose: (chosen: { label: number, answer: number } | null) => void,
 * }} props `other`: the matrix shows how many more images the model takes so than this one
 */
export function Matrix({ errors, model, other, colours, chosen, onChoose }) {
  const { classes } = errors;
  const [focus, setFocus] = useState(chosen ?? { label: 0, answer: 0 });
  const table = useRef(/** @type {HTMLTableElement | null} */ (null));
  const count = classes.length;
  /** @param {number} which @param {number} label @param {number} answer */
  const mean = (which, label, answer) => (errors.models[which]?.confusion[label]?.[answer] ?? 0) / Math.max(1, errors.models[which]?.seeds.length ?? 1);
  /** @param {number} label @param {number} answer */
  const valueAt = (label, answer) => mean(model, label, answer) - (other === null ? 0 : mean(other, label, answer));
  let largest = 1;
  for (let label = 0; label < count; label++) for (let answer = 0; answer < count; answer++) if (label !== answer) largest = Math.max(largest, Math.abs(valueAt(label, answer)));
  const name = errors.models[model]?.name ?? "";
  const otherName = other === null ? "" : (errors.models[other]?.name ?? "");
  if (count > MOST_CLASSES) return html`<${Largest} errors=${errors} name=${name} valueAt=${valueAt} chosen=${chosen} onChoose=${onChoose} isDifference=${other !== null} />`;
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    const [down = 0, right = 0] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [];
    const next = { label: focus.label + down, answer: focus.answer + right };
    if (event.key === "Home") next.answer = 0;
    else if (event.key === "End") next.answer = count - 1;
    else if (!down && !right) return;
    event.preventDefault();
    if (next.label < 0 || next.answer < 0 || next.label >= count || next.answer >= count) return;
    setFocus(next);
    /** @type {HTMLElement | null | undefined} */ (table.current?.querySelector(`[data-place="${next.label}-${next.answer}"]`))?.focus();
  };
  /** @param {number} label @param {number} answer @param {number} value */
  const told = (label, answer, value) => {
    if (other !== null) return `label ${classes[label]}, answer ${classes[answer]}: ${value === 0 ? "as many" : `${average(Math.abs(value))} ${value > 0 ? "more" : "fewer"}`} with ${name} than with ${otherName}`;
    return label === answer ? `label ${classes[label]}: ${average(value)} correct` : `label ${classes[label]}, answer ${classes[answer]}: ${average(value)}`;
  };
  return html`<div class="scroll matrix-scroll">
    <table class="matrix cells" style=${count > 12 ? { minWidth: `${2.2 * (count + 1)}rem` } : {}} ref=${table} role="grid" aria-label=${other === null ? `Confusion matrix of ${name}` : `Confusion of ${name} minus that of ${otherName}`} onKeyDown=${key}>
      <thead><tr role="row"><td role="gridcell"><span class="unseen">label, then answers</span></td>${classes.map((class_, answer) => html`<th scope="col" role="columnheader" key=${answer} title=${class_}>${class_}</th>`)}</tr></thead>
      <tbody>
        ${classes.map((class_, label) => html`<tr role="row" key=${label}>
          <th scope="row" role="rowheader" title=${class_}>${class_}</th>
          ${classes.map((_, answer) => {
            const value = valueAt(label, answer);
            const isRight = label === answer;
            const isChosen = chosen?.label === label && chosen.answer === answer;
            const own = value < 0 ? colours[other ?? model] : colours[model];
            return html`<td role="gridcell" key=${answer} class=${isRight && other === null ? "right" : ""} aria-selected=${isChosen}
              style=${{ "--own": own, "--share": isRight && other === null ? 0 : Math.sqrt(Math.min(1, Math.abs(value) / largest)) }}>
              <button type="button" class="cell" data-place=${`${label}-${answer}`} tabindex=${focus.label === label && focus.answer === answer ? 0 : -1} aria-label=${told(label, answer, value)} title=${told(label, answer, value)}
                onFocus=${() => setFocus({ label, answer })} onClick=${() => onChoose(isChosen ? null : { label, answer })}>${value === 0 ? "" : other === null ? (isRight ? value.toFixed(0) : average(value)) : change(value)}</button></td>`;
          })}
        </tr>`)}
      </tbody>
    </table>
  </div>`;
}

/**
 * The pairs of classes that are confused most.
 * @param {{ errors: Errors, name: string, valueAt: (label: number, answer: number) => number, chosen: { label: number, answer: number } | null,
 *   onChoose: (chosen: { label: number, answer: number } | null) => void, isDifference: boolean }} props
 */
function Largest({ errors: { classes }, name, valueAt, chosen, onChoose, isDifference }) {
  const pairs = classes.flatMap((_, label) => classes.flatMap((__, answer) => (label === answer || valueAt(label, answer) === 0 ? [] : [{ label, answer, value: valueAt(label, answer) }])));
  pairs.sort((one, other) => Math.abs(other.value) - Math.abs(one.value));
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${`Largest confusions of ${name}`}><table>
    <caption>The ${Math.min(LISTED, pairs.length)} largest confusions of ${name}</caption>
    <thead><tr><th scope="col">label</th><th scope="col" class="words">answer</th><th scope="col">images</th><td></td></tr></thead>
    <tbody>${pairs.slice(0, LISTED).map(({ label, answer, value }) => {
      const isChosen = chosen?.label === label && chosen.answer === answer;
      return html`<tr key=${`${label}-${answer}`}><th scope="row">${classes[label]}</th><td class="words">${classes[answer]}</td><td>${isDifference ? change(value) : average(value)}</td>
        <td><button type="button" aria-pressed=${isChosen} aria-label=${`Show: images with label ${classes[label]} and answer ${classes[answer]}`} onClick=${() => onChoose(isChosen ? null : { label, answer })}>Show</button></td></tr>`;
    })}</tbody>
  </table></div>`;
}
