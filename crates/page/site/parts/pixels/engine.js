// What several views ask of the engine.

import { html, useEffect, useState } from "../../lib/preact.js";

/** @import { Engine, State } from "../../types.js" */

const DIGITS = Array.from({ length: 10 }, (_, digit) => String(digit));

/** @type {{ text: string, classes: string[] } | null} */
let known = null;

/**
 * The names of the study's classes.
 * @param {Engine} engine
 * @param {State} state
 */
export function useClasses(engine, state) {
  const text = state.study?.text ?? null;
  const [classes, set] = useState(known && known.text === text ? known.classes : DIGITS);
  useEffect(() => {
    if (text === null || known?.text === text) return;
    let isOpen = true;
    engine.call("study", { text }).then(
      (answer) => {
        if (!answer.classes?.length) return;
        known = { text, classes: answer.classes };
        if (isOpen) set(answer.classes);
      },
      () => undefined,
    );
    return () => void (isOpen = false);
  }, [text]);
  return classes;
}

/**
 * Models that have weights, in the order of the study. The engine tells of weights when they change, and not again to a page that is
 * loaded anew: runs that are finished, or have an epoch behind them, have some too.
 * @param {State} state
 */
export const trainedModels = (state) =>
  state.models.filter(
    (model) =>
      state.weights[model] ||
      state.runs.some((run) => run.model === model && (run.state === "finished" || (run.epochs?.length ?? 0) > 0)),
  );

/**
 * The colour of a model, as in the report.
 * @param {State} state
 * @param {string} model
 */
export const colourOf = (state, model) => `var(--model-${Math.max(0, state.models.indexOf(model)) % 7})`;

/** @param {{ problem: { message: string, hint?: string | null } | null }} props */
export function Trouble({ problem }) {
  if (!problem) return null;
  return html`<p class="warning" role="alert">${problem.message}${problem.hint ? html` <span class="hint">${problem.hint}</span>` : null}</p>`;
}

/** A sentence for screen readers, said when it changes. @param {{ text: string }} props */
export const Said = ({ text }) => html`<p class="unseen" role="status" aria-live="polite">${text}</p>`;
