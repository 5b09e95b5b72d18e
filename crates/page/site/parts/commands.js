// Calls that a button makes: one at a time, their problems in words.

/** @import { Engine, ProblemFields } from "../types.js" */

import { html, useState } from "../lib/preact.js";
import { coded } from "./memo.js";

/**
 * @typedef {{ busy: string | null, problem: ProblemFields | null, run: (name: string, work: () => Promise<unknown>) => Promise<void>, clear: () => void }} Commands
 */

/** @returns {Commands} */
export function useCommands() {
  const [busy, setBusy] = useState(/** @type {string | null} */ (null));
  const [problem, setProblem] = useState(/** @type {ProblemFields | null} */ (null));
  return {
    busy,
    problem,
    clear: () => setProblem(null),
    async run(name, work) {
      setBusy(name);
      setProblem(null);
      try {
        await work();
      } catch (error) {
        setProblem(/** @type {ProblemFields} */ (error));
      } finally {
        setBusy(null);
      }
    },
  };
}

/** @param {{ problem: { message: string, hint?: string | null, line?: number | null } | null }} properties */
export function Complaint({ problem }) {
  return html`<div role="alert">
    ${problem &&
    html`<p class="warning">
      <strong>${problem.line ? `Line ${problem.line}: ` : ""}${coded(problem.message)}</strong>${problem.hint && html`<br />${coded(problem.hint)}`}
    </p>`}
  </div>`;
}
