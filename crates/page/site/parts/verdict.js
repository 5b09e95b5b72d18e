// The verdict in a sentence, and the intervals that it rests on.

/** @import { Comparison, State, Summary } from "../types.js" */

import { html } from "../lib/preact.js";
import { Forest, inPlainWords } from "./forest.js";
import { colour } from "./marks.js";
import { counted, listed, percentSpread } from "./numbers.js";
import { isBegun } from "./progress.js";

/** More pairs than these are not drawn. */
const PAIRS = 12;

/**
 * Why nothing can be said yet.
 * @param {State} state
 */
function reason(state) {
  const { runs, models } = state;
  if (!isBegun(runs)) return "no run has been made.";
  const without = models.filter((model) => !runs.some((run) => run.model === model && run.state === "finished"));
  const lost = without.filter((model) => runs.every((run) => run.model !== model || run.state === "failed"));
  if (lost.length > 0) return `every run of ${listed(lost)} diverged.`;
  if (without.length === models.length) return "no run has finished.";
  if (without.length === 0) return "the finished runs are being compared.";
  return `a comparison needs finished runs of ${models.length === 2 ? "both" : "two"} models, and ${listed(without)} ${without.length === 1 ? "has" : "have"} none yet.`;
}

/**
 * The comparisons, that of the two best models first.
 * @param {Summary} summary
 */
function ordered(summary) {
  const [first, second] = summary.ranking ?? [];
  const isHead = (/** @type {Comparison} */ { a, b }) => first && second && [first.model, second.model].includes(a) && [first.model, second.model].includes(b);
  return [...summary.comparisons].sort((one, other) => Number(isHead(other) ?? false) - Number(isHead(one) ?? false));
}

/**
 * Whether runs have finished that the summary does not hold yet: it takes its time.
 * @param {State} state
 */
export const isBehind = ({ summary, runs }) =>
  summary !== null && runs.filter((run) => run.state === "finished").length > summary.models.reduce((sum, model) => sum + model.runs.length, 0);

/** @param {{ state: State, children?: import("../lib/preact.js").Child }} properties */
export function Verdict({ state, children }) {
  const { summary, runs, models } = state;
  const comparisons = summary ? ordered(summary) : [];
  const [head] = comparisons;
  const planned = runs.length;
  const finished = runs.filter((run) => run.state === "finished").length;
  const isOpen = runs.some((run) => run.state === "waiting" || run.state === "training");
  /** @type {[string, string, string]} */
  let words;
  if (head) {
    const [claim = "", ...rest] = signs(head.verdict).split("; ");
    words = [`${capital(claim)}${/[.!?]$/.test(claim) ? "" : "."}`, rest.length > 0 ? `${capital(rest.join("; "))}` : "", `${few(head)}${inPlainWords(head)}`];
  } else if (models.length === 1 && summary?.models[0]) {
    const [model] = summary.models;
    words = [`${model.name} classifies ${percentSpread(model.accuracy)} of the test images correctly on average (${counted(model.runs.length, "run")}).`, "", "Add a second model to compare."];
  } else {
    words = [`Cannot tell yet: ${reason(state)}`, "", isBegun(runs) ? "" : "Choose models, then press Start: the curves grow, and the verdict sharpens with every finished run."];
  }
  const winner = head ? (head.outcome === "a-better" ? models.indexOf(head.a) : head.outcome === "b-better" ? models.indexOf(head.b) : -1) : -1;
  return html`<section class="verdict-panel" aria-labelledby="verdict-heading" style=${{ "--own": winner >= 0 ? colour(winner) : head ? "var(--grey)" : "var(--axis)" }}>
    <h2 id="verdict-heading">${isOpen && head ? `Verdict so far, ${finished} of ${planned} runs` : "Verdict"}</h2>
    <div role="status" aria-live="polite" aria-atomic="true">
      <p class="claim">${words[0]}</p>
      ${words[1] && html`<p class="rest">${words[1]}</p>`}
    </div>
    ${isBehind(state) && html`<p class="small">Newly finished runs are being compared…</p>`}
    ${words[2] && html`<p class="plain-words">${words[2]}</p>`}
    ${widened(comparisons) && html`<p class="small">${widened(comparisons)}</p>`}
    ${comparisons.length > 0 &&
    html`<${Forest} comparisons=${memoised(comparisons)} history=${state.history} models=${models} />
      <p class="small">
        A dot is the difference of the mean test accuracies, a line the interval that decides: without 0 it tells the models apart, within the shaded region they are practically
        equal.${Object.values(state.history).some((entries) => entries.length > 1) ? " Fainter above: the same with fewer runs." : ""}${comparisons.some((one) => one.interval_covers === "images")
          ? " Dashed: of one run each, which says nothing of other seeds."
          : ""}
      </p>`}
    ${comparisons.length > 1 &&
    html`<details>
      <summary>All ${comparisons.length} pairs in words</summary>
      <ul>
        ${comparisons.map((comparison) => html`<li>${capital(signs(comparison.verdict))}</li>`)}
      </ul>
    </details>`}
    ${children}
  </section>`;
}

/** Minus signs in the place of hyphens before digits, and no line that begins with "%". @param {string} text */
const signs = (text) => text.replaceAll(/(?<=^|[\s([])-(?=\d)/g, "−").replaceAll(/(?<=\d) %/g, "\u00a0%");

/** @param {Comparison} comparison */
const few = ({ runs, outcome, interval_covers }) => (runs === 2 && outcome === "cannot-tell" && interval_covers !== "images" ? "Two runs are too few for a narrow interval. " : "");

/**
 * Why the intervals of several pairs are wider: Holm's method divides what may go wrong among them.
 * @param {Comparison[]} comparisons
 */
function widened(comparisons) {
  const most = Math.max(...comparisons.map((one) => one.confidence));
  const single = 1 - comparisons.length * (1 - most);
  if (comparisons.length < 2 || most - single < 1e-6) return "";
  const percents = (/** @type {number} */ level) => `${Number((100 * level).toFixed(2))}\u00a0%`;
  return `Intervals are wider here (up to ${percents(most)} instead of ${percents(single)}) because several pairs are compared at once.`;
}

/** The same list as long as it holds the same comparisons, so that nothing is drawn again. @type {Comparison[]} */
let lastComparisons = [];

/** @param {Comparison[]} comparisons */
function memoised(comparisons) {
  const some = comparisons.slice(0, PAIRS);
  if (some.length !== lastComparisons.length || some.some((one, index) => one !== lastComparisons[index])) lastComparisons = some;
  return lastComparisons;
}

/** @param {string} text */
const capital = (text) => (text.startsWith("cannot") || text.startsWith("telling") ? text.charAt(0).toUpperCase() + text.slice(1) : text);
