// A test image and what every run answered, in a dialogue.

import { html, useEffect, useRef, useState } from "../../lib/preact.js";
import { imageOf, shareImage } from "../image.js";
import { Name } from "../marks.js";
import { Trouble, colourOf } from "./engine.js";
import { Thumbnail } from "./thumbnails.js";
import { largest, percent } from "./words.js";

/** @import { Address, Calls, Engine, State } from "../../types.js" */
/** @import { Missed } from "./missed.js" */
/** @import { Thumbnails } from "./thumbnails.js" */

/**
 * @param {{ engine: Engine, state: State, address: Address, thumbnails: Thumbnails, classes: readonly string[], image: Missed | null, index: number,
 *   place: number | null, count: number, onStep: (step: number) => void, onClose: () => void }} props
 */
export function AnswersOf({ engine, state, address, thumbnails, classes, image, index, place, count, onStep, onClose }) {
  const dialogue = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const [answer, setAnswer] = useState(/** @type {{ index: number, told: Calls["answers_of"][1] } | null} */ (null));
  const [problem, setProblem] = useState(/** @type {Error | null} */ (null));
  useEffect(() => {
    const element = dialogue.current;
    if (element && !element.open) element.showModal();
    return () => element?.close();
  }, []);
  useEffect(() => {
    let isOpen = true;
    thumbnails.want(index);
    engine.call("answers_of", { index }).then(
      (told) => {
        if (!isOpen) return;
        setProblem(null);
        setAnswer({ index, told });
      },
      (trouble) => isOpen && setProblem(trouble),
    );
    return () => void (isOpen = false);
  }, [index]);
  const told = answer?.index === index ? answer.told : null;
  const label = told?.label ?? image?.label ?? 0;
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    if (event.target instanceof HTMLInputElement || event.target instanceof HTMLElement && event.target.closest(".scroll")) return;
    if (event.key === "ArrowLeft") onStep(-1);
    else if (event.key === "ArrowRight") onStep(1);
    else return;
    event.preventDefault();
  };
  const look = () => {
    const found = thumbnails.get(index);
    if (found) shareImage(imageOf(found.text, found.shape, { kind: "test", index, label }));
    onClose();
    address.go({ view: "inside", image: index });
  };
  return html`<dialog class="answers-of" ref=${dialogue} aria-labelledby="answers-of-title" onClose=${onClose} onKeyDown=${key}
    onClick=${(/** @type {MouseEvent} */ event) => event.target === event.currentTarget && dialogue.current?.close()}>
    <div class="content">
      <header>
        <div class="large"><${Thumbnail} thumbnails=${thumbnails} index=${index} label=${`Test image ${index}`} /></div>
        <div>
          <h2 id="answers-of-title">Test image ${index}</h2>
          <p class="label">Label <b>${classes[label] ?? label}</b></p>
          ${image?.disputed ? html`<p class="small">This label is disputed: people doubt it, and the answer may be correct.</p>` : null}
          ${image ? html`<p class="small">${image.wrongRuns} of ${image.runs} ${image.runs === 1 ? "run" : "runs"} wrong</p>` : null}
          <div class="tools">
            ${place === null ? null : html`<button type="button" class="icon" aria-label="Previous image" disabled=${place === 0} onClick=${() => onStep(-1)}>‹</button><span class="small">${place + 1} of ${count}</span><button type="button" class="icon" aria-label="Next image" disabled=${place === count - 1} onClick=${() => onStep(1)}>›</button>`}
            <button type="button" onClick=${look}>Look inside</button>
            <button type="button" onClick=${() => dialogue.current?.close()}>Close</button>
          </div>
        </div>
      </header>
      <${Trouble} problem=${problem} />
      <div class="models">
        ${told?.models.map(({ name, runs }) => html`<section key=${name} style=${{ "--own": colourOf(state, name) }}>
          <h3><${Name} place=${state.models.indexOf(name)} name=${name} /></h3>
          <div class="scroll" tabindex="0" role="region" aria-label=${`Answers of ${name}`}><table>
            <caption class="unseen">Probability of each class in each run of ${name}</caption>
            <thead><tr><th scope="col">class</th>${runs.map(({ seed }) => html`<th scope="col" key=${seed}>seed ${seed}</th>`)}</tr></thead>
            <tbody>${classes.map((class_, index) => html`<tr key=${index} class=${index === label ? "truth" : ""}><th scope="row">${class_}${index === label ? html`<span aria-hidden="true"> ✓</span><span class="unseen"> (label)</span>` : null}</th>
              ${runs.map(({ seed, probabilities }) => html`<td key=${seed} class="run ${largest(probabilities) === index ? "first" : ""}" style=${{ "--share": probabilities[index] ?? 0 }}>${percent(probabilities[index] ?? 0)}</td>`)}</tr>`)}</tbody>
          </table></div>
        </section>`) ?? (problem ? null : html`<p class="small">Loading the answers…</p>`)}
      </div>
    </div>
  </dialog>`;
}
