// Lessons: a question first, then the study, then what happened and why.

/** @import { Catalogue, Lesson, State, ViewProps } from "../types.js" */

import { html, useEffect, useState } from "../lib/preact.js";
import { Complaint, useCommands } from "../parts/commands.js";
import { Curves } from "../parts/curves.js";
import { memo } from "../parts/memo.js";
import { counted, isNumber, loss, percent, percentSpread, seconds } from "../parts/numbers.js";
import { Name } from "../parts/marks.js";
import { Progress } from "../parts/progress.js";
import { Verdict } from "../parts/verdict.js";

/** @typedef {Record<string, { choice: number | null, done: boolean }>} Remembered */

const VIEW_NAMES = { compare: "Compare", draw: "Draw", inside: "Inside", errors: "Errors", change: "Change", lessons: "Lessons" };

/** @returns {Remembered} */
function remembered() {
  try {
    return JSON.parse(localStorage.getItem("lessons") ?? "{}");
  } catch {
    return {};
  }
}

/** @param {ViewProps} properties */
export default function Lessons({ engine, state, address, draft }) {
  const [memory, setMemory] = useState(remembered);
  const lessons = state.catalogue?.lessons ?? [];
  const lesson = lessons.find((lesson) => lesson.slug === address.lesson) ?? null;
  const note = (/** @type {string} */ slug, /** @type {Partial<Remembered[string]>} */ changes) => {
    const next = { ...memory, [slug]: { choice: null, done: false, ...memory[slug], ...changes } };
    setMemory(next);
    try {
      localStorage.setItem("lessons", JSON.stringify(next));
    } catch {
      // A browser without storage forgets.
    }
  };
  const done = lessons.filter((lesson) => memory[lesson.slug]?.done).length;
  const follow = (/** @type {MouseEvent} */ event, /** @type {string | null} */ slug) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0) return;
    event.preventDefault();
    address.go({ lesson: slug });
    window.scrollTo(0, 0);
  };
  if (lessons.length === 0) return html`<h1>Lessons</h1><p>This engine has no lessons.</p>`;
  return html`<div class=${`lessons ${lesson ? "open" : ""}`}>
    <nav class="lesson-list" aria-label="Lessons">
      ${lesson ? html`<p class="list-head">Lessons</p>` : html`<h1>Lessons</h1>`}
      ${!lesson && html`<p>Ten short studies. Each asks for your guess first, then trains the models, then says what happened and why.</p>`}
      <p class="small">${done} of ${lessons.length} done</p>
      <ol>
        ${lessons.map(
          (one) => html`<li key=${one.slug} class=${memory[one.slug]?.done ? "done" : ""}>
            <a href=${address.link({ lesson: one.slug })} aria-current=${one === lesson ? "page" : undefined} onClick=${(/** @type {MouseEvent} */ event) => follow(event, one.slug)}>
              <span class="number" aria-hidden="true">${memory[one.slug]?.done ? "✓" : one.number}</span>
              <span>${one.title}${memory[one.slug]?.done ? html`<span class="visually-hidden"> (done)</span>` : ""}</span>
            </a>
          </li>`,
        )}
      </ol>
    </nav>
    ${lesson &&
    html`<${Open}
      key=${lesson.slug}
      ...${{ engine, state, address, draft, lesson }}
      next=${lessons[lessons.indexOf(lesson) + 1] ?? null}
      memory=${memory[lesson.slug] ?? { choice: null, done: false }}
      note=${note}
      follow=${follow}
    />`}
  </div>`;
}

/**
 * @param {ViewProps & {
 *   lesson: Lesson, next: Lesson | null, memory: Remembered[string],
 *   note: (slug: string, changes: Partial<Remembered[string]>) => void, follow: (event: MouseEvent, slug: string | null) => void,
 * }} properties
 */
function Open({ engine, state, address, draft, lesson, next, memory, note, follow }) {
  const commands = useCommands();
  const isHere = state.study?.text === lesson.text;
  const runs = isHere ? state.runs : [];
  const isFinished = runs.length > 0 && runs.every((run) => run.state === "finished" || run.state === "failed");
  const isRunning = isHere && (state.study?.running ?? false);
  const isTold = memory.done || isFinished;
  useEffect(() => {
    if (isFinished && memory.choice !== null && !memory.done) note(lesson.slug, { done: true });
  }, [isFinished, memory.choice]);
  const begin = () =>
    commands.run("start", async () => {
      await engine.call("start", { text: lesson.text });
      draft.edit(lesson.text);
    });
  const go = (/** @type {Event} */ event, /** @type {string} */ view) => {
    event.preventDefault();
    if (!isHere) draft.edit(lesson.text);
    address.go(isHere ? { view } : { view, study: lesson.text });
  };
  const locked = isRunning || isTold;
  const view = VIEW_NAMES[/** @type {keyof typeof VIEW_NAMES} */ (lesson.view)] ?? "Compare";
  return html`<article class="lesson" aria-labelledby="lesson-heading">
    <p class="small">Lesson ${lesson.number}</p>
    <h1 id="lesson-heading">${lesson.title}</h1>
    <section class="panel ask">
      <fieldset disabled=${locked && memory.choice !== null}>
        <legend>${lesson.question}</legend>
        ${lesson.choices.map((choice, index) => {
          const isChosen = memory.choice === index;
          const mark = isTold && memory.choice !== null ? (choice.right ? "right" : isChosen ? "not" : "") : "";
          return html`<label key=${index} class=${`choice ${mark}`}>
            <input type="radio" name=${`choice-${lesson.slug}`} checked=${isChosen} onChange=${() => note(lesson.slug, { choice: index })} />
            <span>${choice.text}${mark === "right" ? html`<strong> ✓ right</strong>` : mark === "not" ? html`<strong> – your guess</strong>` : ""}</span>
          </label>`;
        })}
      </fieldset>
      <div class="tools">
        ${!isHere || (!isRunning && !isFinished)
          ? html`<button type="button" class="primary" disabled=${memory.choice === null || commands.busy !== null} onClick=${begin}>${memory.done ? "Start it again" : "Start"}</button>`
          : ""}
        ${isRunning && html`<button type="button" onClick=${() => commands.run("stop", () => engine.call("stop"))}>Stop</button>`}
        <a class="button" href=${address.link({ view: "change" })} onClick=${(/** @type {Event} */ event) => go(event, "change")}>Look at the study file</a>
        ${memory.choice === null && html`<span class="small">Choose an answer first.</span>`}
      </div>
      <${Complaint} problem=${commands.problem} />
    </section>
    ${lesson.see && html`<p class="see"><strong>What to look at.</strong> ${lesson.see}${" "}<a href=${address.link({ view: lesson.view })} onClick=${(/** @type {Event} */ event) => go(event, lesson.view)}>Open ${view}</a></p>`}
    ${isHere &&
    html`<section class="panel" aria-labelledby="happens-heading">
        <h2 id="happens-heading">${isFinished ? "What happened" : "What happens"}</h2>
        <div class="happens">
          <div><${Curves} runs=${state.runs} models=${state.models} trails=${state.trails} quantity="accuracy" /></div>
          <div><${Progress} state=${state} cost=${NO_COST} /></div>
        </div>
        ${isFinished && html`<${Outcome} state=${state} />`}
      </section>
      <${Verdict} state=${state} />`}
    ${isTold &&
    html`<section class="why">
        <h2>Why</h2>
        ${lesson.why.map((paragraph) => html`<p>${paragraph}</p>`)}
      </section>
      ${lesson.exercises.length > 0 &&
      html`<section class="next">
        <h2>Try next</h2>
        <ol>
          ${lesson.exercises.map(
            (exercise) => html`<li>
              ${exercise.task}
              <details>
                <summary>Answer</summary>
                <p>${exercise.answer}</p>
              </details>
            </li>`,
          )}
        </ol>
      </section>`}
      <${Terms} terms=${lesson.terms} catalogue=${state.catalogue} />
      ${next &&
      html`<p class="onward">
        <a class="button" href=${address.link({ lesson: next.slug })} onClick=${(/** @type {MouseEvent} */ event) => follow(event, next.slug)}>Next: ${next.title}</a>
      </p>`}`}
  </article>`;
}

/** @type {Record<string, number>} */
const NO_COST = {};

/** @param {{ state: State }} properties */
function Outcome({ state }) {
  const { summary, models } = state;
  if (!summary) return null;
  const isTrained = summary.models.some((model) => isNumber(model.learning?.train_accuracy));
  return html`<div class="scroll" role="region" aria-label="Outcome, table" tabindex="0">
    <table>
      <caption>
        Mean ± standard deviation over the runs
      </caption>
      <thead>
        <tr>
          <th scope="col">model</th>
          <th scope="col">test accuracy</th>
          ${isTrained && html`<th scope="col">training accuracy</th>`}
          <th scope="col">test loss</th>
          <th scope="col">training</th>
          <th scope="col">runs</th>
        </tr>
      </thead>
      <tbody>
        ${summary.models.map(
          (model) => html`<tr key=${model.name}>
            <th scope="row"><${Name} place=${models.indexOf(model.name)} name=${model.name} /></th>
            <td>${percentSpread(model.accuracy)}</td>
            ${isTrained && html`<td>${percent(model.learning?.train_accuracy)}</td>`}
            <td>${loss(model.loss?.mean)}</td>
            <td>${seconds(model.train_seconds?.mean)}</td>
            <td>${model.runs.length}</td>
          </tr>`,
        )}
      </tbody>
    </table>
    ${summary.failed.length > 0 && html`<p>${counted(summary.failed.length, "run")} diverged: the loss ceased to be a number.</p>`}
  </div>`;
}

const Terms = memo(
  /** @param {{ terms: string[], catalogue: Catalogue | null }} properties */
  ({ terms, catalogue }) => {
    const known = terms.flatMap((term) => {
      const found = catalogue?.glossary.find((entry) => entry.term.toLowerCase() === term.toLowerCase());
      return found ? [found] : [];
    });
    if (known.length === 0) return null;
    return html`<section class="terms">
      <h2>Words</h2>
      <dl>
        ${known.map((entry) => html`<dt>${entry.term}</dt><dd>${entry.meaning}</dd>`)}
      </dl>
    </section>`;
  },
);
