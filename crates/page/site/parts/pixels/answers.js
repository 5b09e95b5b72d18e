// What models answer, as bars side by side.

import { html } from "../../lib/preact.js";
import { Name } from "../marks.js";
import { largest, percent } from "./words.js";

/** @import { Answer } from "../../types.js" */

/**
 * The classes, surest first or as they are.
 * @param {readonly number[]} probabilities
 * @param {boolean} isRanked
 */
function ranks(probabilities, isRanked) {
  const order = probabilities.map((_, index) => index);
  if (isRanked) order.sort((one, other) => (probabilities[other] ?? 0) - (probabilities[one] ?? 0) || one - other);
  const rank = new Array(order.length).fill(0);
  order.forEach((index, place) => (rank[index] = place));
  return rank;
}

/**
 * @param {{ probabilities: readonly number[], classes: readonly string[], colour: string, isRanked: boolean, truth?: number | null, most?: number }} props
 */
export function Bars({ probabilities, classes, colour, isRanked, truth = null, most = 10 }) {
  const rank = ranks(probabilities, isRanked);
  const rows = Math.min(probabilities.length, isRanked ? most : probabilities.length);
  const first = largest(probabilities);
  return html`<ul class="bars" style=${{ "--own": colour, "--rows": rows }}>
    ${probabilities.map((probability, index) =>
      rank[index] < rows
        ? html`<li key=${index} class=${index === first ? "first" : ""} style=${{ "--rank": rank[index], "--share": probability }}>
            <span class="name" title=${classes[index] ?? index}>${classes[index] ?? index}${truth === index ? html`<span class="truth"><span class="unseen"> (label)</span></span>` : null}</span>
            <span class="track"><span class="fill"></span></span>
            <span class="number">${percent(probability)}</span>
          </li>`
        : null,
    )}
  </ul>`;
}

/**
 * @param {{ answer: Answer, place: number, classes: readonly string[], colour: string, isRanked: boolean, truth: number | null }} props
 */
export function AnswerCard({ answer, place, classes, colour, isRanked, truth }) {
  const first = largest(answer.probabilities);
  const when = answer.finished ? `seed ${answer.seed}, trained` : `seed ${answer.seed}, epoch ${answer.epoch}, step ${answer.step}: still training`;
  return html`<section class="answer" style=${{ "--own": colour }} aria-label=${answer.name}>
    <h3><${Name} place=${place} name=${answer.name} /></h3>
    <p class="says"><span class="class" data-long=${(classes[first] ?? "").length > 3}>${classes[first] ?? first}</span> <span class="sure">${percent(answer.probabilities[first] ?? 0)}</span></p>
    <${Bars} probabilities=${answer.probabilities} classes=${classes} colour=${colour} isRanked=${isRanked} truth=${truth} />
    <p class="small">${when}</p>
  </section>`;
}

/**
 * Who says what, in a sentence.
 * @param {readonly Answer[]} answers
 * @param {readonly string[]} classes
 */
export function agreement(answers, classes) {
  if (answers.length === 0) return "";
  const said = answers.map(({ probabilities }) => largest(probabilities));
  const one = said[0] ?? 0;
  const least = Math.min(...answers.map(({ probabilities }) => probabilities[one] ?? 0));
  if (answers.length === 1) return `${answers[0]?.name} answers ${classes[one] ?? one} with ${percent(least)}.`;
  if (said.every((other) => other === one)) {
    return `${answers.length === 2 ? "Both models answer" : `All ${answers.length} models answer`} ${classes[one] ?? one}; the least sure gives it ${percent(least)}.`;
  }
  const parts = answers.map(({ name, probabilities }, index) => {
    const best = said[index] ?? 0;
    return `${name} answers ${classes[best] ?? best} (${percent(probabilities[best] ?? 0)})`;
  });
  return `The models disagree: ${parts.join(", ")}.`;
}
