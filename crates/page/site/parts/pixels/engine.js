// What several views ask of the engine.

import { html, useEffect, useState } from "../../lib/preact.js";
import { colour } from "../marks.js";
import { coded } from "../memo.js";

/** @import { Address, Answer, Engine, State } from "../../types.js" */

const DIGITS = Array.from({ length: 10 }, (_, digit) => String(digit));

/** @type {{ text: string, classes: string[], image: number[] } | null} */
let known = null;

/** Height, width and channels of the study's images, where they are known. */
export const imageShape = () => known?.image ?? null;

/**
 * The names of the study's classes.
 * @param {Engine} engine
 * @param {State} state
 */
export function useClasses(engine, state) {
  const text = state.study?.text ?? null;
  const [classes, set] = useState(known && known.text === text ? known.classes : DIGITS);
  useEffect(() => {
    if (!text || known?.text === text) return;
    let isOpen = true;
    engine.call("study", { text }).then(
      (answer) => {
        if (!answer.classes?.length) return;
        known = { text, classes: answer.classes, image: answer.image };
        if (isOpen) set(answer.classes);
      },
      () => undefined,
    );
    return () => void (isOpen = false);
  }, [text]);
  return classes;
}

/**
 * Models that have weights, in the order of the study. Where the engine has told of none, those that have begun.
 * @param {State} state
 */
export function trainedModels(state) {
  const told = state.models.filter((model) => state.weights[model]);
  if (told.length > 0) return told;
  return state.models.filter((model) =>
    state.runs.some((run) => run.model === model && (run.state === "finished" || (run.epochs?.length ?? 0) > 0 || (run.step?.step ?? 0) > 0)),
  );
}

/**
 * What each model says of an image, in the order of the study.
 * @param {Engine} engine
 * @param {string} image
 * @param {readonly string[]} order
 * @returns {Promise<Answer[]>}
 */
export async function answersTo(engine, image, order) {
  const { models } = await engine.call("answer", { image });
  const named = models.map((answer) => ({ ...answer, name: answer.name ?? /** @type {Answer & { model?: string }} */ (answer).model }));
  /** @param {Answer} answer */
  const place = ({ name }) => (order.includes(name) ? order.indexOf(name) : order.length);
  return named.sort((one, other) => place(one) - place(other));
}

/**
 * The colour of a model, as in the report.
 * @param {State} state
 * @param {string} model
 */
export const colourOf = (state, model) => colour(state.models.indexOf(model));

/** How many test images there are, once it is known. @type {number | null} */
let count = null;

/**
 * The place of a test image, at random.
 * @param {Engine} engine
 */
export async function randomIndex(engine) {
  if (count === null) {
    const answer = /** @type {{ count?: number }} */ (/** @type {unknown} */ (await engine.call("images", { indices: [0] })));
    count = answer.count ?? 10_000;
  }
  return Math.floor(Math.random() * count);
}

/** With a capital and a stop. @param {string} text */
const sentence = (text) => coded(`${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?…]$/.test(text) ? "" : "."}`);

/** What to do where no model has weights. @param {{ state: State, address: Address }} props */
export function NoModel({ state, address }) {
  const compare = html`<a href=${address.link({ view: "compare" })}>Compare</a>`;
  const isReused = state.runs.some((run) => run.state === "finished");
  return html`<div class="empty"><p>${isReused
    ? html`<strong>No model has weights here.</strong> The finished runs were read from records, which hold results and no weights. Start a run with another seed in ${compare} to train a model.`
    : html`<strong>No model has been trained yet.</strong> Start a study in ${compare}. The models answer here as soon as training begins.`}</p></div>`;
}

/** @param {{ problem: { message: string, hint?: string | null } | null }} props */
export function Trouble({ problem }) {
  if (!problem) return null;
  return html`<p class="warning" role="alert">${sentence(problem.message)}${problem.hint ? html` <span class="hint">${sentence(problem.hint)}</span>` : null}</p>`;
}

/** A sentence for screen readers, said when it changes. @param {{ text: string }} props */
export const Said = ({ text }) => html`<p class="unseen" role="status" aria-live="polite">${text}</p>`;

/** Milliseconds of rest before a changing text is said. */
const REST = 700;

/** As above, but only once the text rests: of what changes with every move. @param {{ text: string }} props */
export function SaidAtRest({ text }) {
  const [said, set] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => set(text), REST);
    return () => clearTimeout(timer);
  }, [text]);
  return html`<${Said} text=${said} />`;
}
