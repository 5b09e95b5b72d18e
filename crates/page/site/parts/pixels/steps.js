// What the models saw: the picture's way to the image that they are given, each step with a switch.

import { html, useMemo } from "../../lib/preact.js";
import { bytesOf } from "./bytes.js";
import { Picture } from "./canvas.js";

/** @import { Child } from "../../lib/preact.js" */
/** @import { Prepared } from "../../types.js" */

/** @typedef {"polarity" | "crop" | "scale" | "centre"} StepName */
/** @typedef {Record<StepName, boolean>} Switches */

/** @type {Switches} */
export const ALL_STEPS = { polarity: true, crop: true, scale: true, centre: true };

/** @type {Record<string, { title: string, on: string, off?: string, trap?: string }>} */
const TEXTS = {
  picture: { title: "Your picture", on: "The picture as grey pixels." },
  polarity: {
    title: "Polarity",
    on: "The training digits are light on black. Dark ink on light paper is inverted.",
    off: "The models learned light strokes on black. Dark ink on bright paper lights up almost every input: they have seen nothing like it, yet they must name a class, and often do so with confidence.",
    trap: "Draw it dark on light",
  },
  crop: {
    title: "Crop",
    on: "Keeps the digit and leaves out what is around it: other marks, ruled lines, shadows.",
    off: "Every other mark on the paper stays. The models treat it as a part of the digit, and it shifts the centre of mass.",
    trap: "Add a ruled line",
  },
  scale: {
    title: "Scale",
    on: "Fits the digit into 20 × 20 pixels, keeping its shape, as the makers of MNIST did.",
    off: "The digit keeps its size in the picture. A small one is left with a few faint pixels, a large one fills the image: the models learned strokes of one thickness and digits of one size.",
    trap: "Make it tiny",
  },
  centre: {
    title: "Centre",
    on: "Moves the centre of mass to the middle of 28 × 28 pixels.",
    off: "The digit stays where it was drawn. A dense layer has learned each pixel in its own place, so a model made of dense layers fails first; convolutions with pooling tolerate a shift of a pixel or two.",
    trap: "Move it to a corner",
  },
};

/**
 * @param {{ prepared: Prepared | null, switches: Switches, onSwitch: (name: StepName, isOn: boolean) => void, onTrap: (name: StepName) => void, comparison: Child, isReduced: boolean, isPast: boolean }} props
 *   `isReduced`: pictures are only scaled, as those of other data sets than MNIST's; `isPast`: the pictures are of an earlier drawing
 */
export function Steps({ prepared, switches, onSwitch, onTrap, comparison, isReduced, isPast }) {
  const pictures = useMemo(() => prepared?.steps.map((step) => ({ ...step, bytes: bytesOf(step.pixels) })) ?? [], [prepared]);
  const names = isReduced ? ["picture"] : ["picture", "polarity", "crop", "scale", "centre"];
  const left = /** @type {StepName[]} */ (names.filter((name) => name !== "picture" && !switches[/** @type {StepName} */ (name)]));
  return html`<div class="seen" data-past=${isPast}>
    ${isPast ? html`<p class="small">The pictures are of the last drawing that could be prepared.</p>` : null}
    <ol class="steps">
      ${names.map((name) => {
        const step = pictures.find((other) => other.name === name);
        const text = TEXTS[name] ?? { title: name, on: "" };
        const isOn = name === "picture" || switches[/** @type {StepName} */ (name)];
        return html`<li key=${name} data-on=${isOn}>
          <div class="view" data-small=${!!step && step.width <= 40}>
            ${step
              ? html`<${Picture} pixels=${step.bytes} width=${step.width} height=${step.height} label=${`${text.title}: ${step.width} by ${step.height} pixels`} />`
              : html`<span class="nothing" aria-hidden="true"></span>`}
            ${name === "centre" && step ? html`<span class="cross" aria-hidden="true"></span>` : null}
          </div>
          ${name === "picture"
            ? html`<h3>${text.title}</h3>`
            : html`<label class="switch"><input type="checkbox" role="switch" checked=${isOn} onChange=${(/** @type {Event} */ event) => onSwitch(/** @type {StepName} */ (name), /** @type {HTMLInputElement} */ (event.currentTarget).checked)} /><span class="title">${text.title}</span></label>`}
          <p class="small">${text.on}</p>
          <p class="small size">${step ? html`${step.width} × ${step.height}` : ""}</p>
        </li>`;
      })}
    </ol>
    ${left.length > 0
      ? html`<div class="lesson">
          ${left.map(
            (name) => html`<div key=${name}>
              <h3>${TEXTS[name]?.title} is off</h3>
              <p>${TEXTS[name]?.off}</p>
              <button type="button" class="quiet" onClick=${() => onTrap(name)}>${TEXTS[name]?.trap}</button>
            </div>`,
          )}
          ${comparison}
          <button type="button" class="quiet" onClick=${() => left.forEach((name) => onSwitch(name, true))}>Turn every step on</button>
        </div>`
      : null}
  </div>`;
}

/** What is to be doubted about the picture. @param {{ notes: readonly string[] }} props */
export function Doubts({ notes }) {
  if (notes.length === 0) return null;
  return html`<ul class="doubts" aria-label="Notes on the picture">${notes.map((note) => html`<li key=${note}>${note.charAt(0).toUpperCase()}${note.slice(1)}.</li>`)}</ul>`;
}
