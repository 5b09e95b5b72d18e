// Lessons: a question first, then the study, then what happened and why.

/** @import { Catalogue, Lesson, State, Summary, ViewProps } from "../types.js" */

import { html, useEffect, useState } from "../lib/preact.js";
import { Complaint, useCommands } from "../parts/commands.js";
import { Curves } from "../parts/curves.js";
import { checked, inFigures } from "../parts/figures.js";
import { coded, memo } from "../parts/memo.js";
import { counted, isNumber, loss, percent, percentSpread, seconds } from "../parts/numbers.js";
import { Name } from "../parts/marks.js";
import { Progress } from "../parts/progress.js";
import { valueOf, withValue } from "../parts/toml.js";
import { Verdict, isBehind } from "../parts/verdict.js";

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
      ${!lesson && html`<p>Each lesson is a short study that asks for your guess first, then trains the models, then says what happened and why.</p>`}
      <p class="small">${done} of ${lessons.length} done</p>
      <ol>
        ${lessons.map(
          (one) => html`<li key=${one.slug} class=${memory[one.slug]?.done ? "done" : ""}>
            <a href=${address.link({ lesson: one.slug })} aria-current=${one === lesson ? "page" : undefined} onClick=${(/** @type {MouseEvent} */ event) => follow(event, one.slug)}>
              <span class="number" aria-hidden="true">${memory[one.slug]?.done ? "✓" : one.number}</span>
              <span class="what"><span>${one.title}</span>${memory[one.slug]?.done ? html`<span class="visually-hidden"> (done)</span>` : ""}${!lesson && html`<span class="asks">${one.question.text}</span>`}</span>
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
 * A lesson's study but for the number of runs: what is made of it may be begun with fewer.
 * @param {string} text
 */
const withoutRuns = (text) => withValue(text, "", "seeds", null);

/**
 * @param {ViewProps & {
 *   lesson: Lesson, next: Lesson | null, memory: Remembered[string],
 *   note: (slug: string, changes: Partial<Remembered[string]>) => void, follow: (event: MouseEvent, slug: string | null) => void,
 * }} properties
 */
function Open({ engine, state, address, draft, lesson, next, memory, note, follow }) {
  const commands = useCommands();
  const planned = Number(valueOf(lesson.text, "", "seeds") ?? DEFAULT_RUNS);
  const first = Math.min(planned, lesson.start?.seeds ?? planned);
  const isHere = state.study !== null && withoutRuns(state.study.text) === withoutRuns(lesson.text);
  const runs = isHere ? state.runs : NO_RUNS;
  const made = isHere ? new Set(runs.map((run) => run.seed)).size : 0;
  const isFinished = runs.length > 0 && runs.every((run) => run.state === "finished" || run.state === "failed");
  const isWhole = isFinished && made >= planned;
  const isRunning = isHere && (state.study?.running ?? false);
  const isTold = memory.done || isWhole;
  useEffect(() => {
    if (isWhole && memory.choice !== null && !memory.done) note(lesson.slug, { done: true });
  }, [isWhole, memory.choice]);
  const begin = (/** @type {number} */ seeds) =>
    commands.run("start", async () => {
      const text = seeds === planned ? lesson.text : withValue(lesson.text, "", "seeds", String(seeds));
      await engine.call("start", { text });
      draft.edit(text);
    });
  const go = (/** @type {Event} */ event, /** @type {string} */ view) => {
    event.preventDefault();
    address.go(isHere ? { view } : { view, study: lesson.text });
  };
  const isAnswered = memory.choice !== null;
  const view = VIEW_NAMES[/** @type {keyof typeof VIEW_NAMES} */ (lesson.view)] ?? "Compare";
  const chosen = memory.choice === null ? null : lesson.question.choices[memory.choice];
  return html`<article class="lesson" aria-labelledby="lesson-heading">
    <p class="small">Lesson ${lesson.number}${lesson.minutes ? `, about ${lesson.minutes} minutes` : ""}</p>
    <h1 id="lesson-heading">${lesson.title}</h1>
    <section class="panel ask">
      <fieldset disabled=${isAnswered && (isHere || memory.done)}>
        <legend>${coded(lesson.question.text)}</legend>
        ${lesson.question.choices.map((choice, index) => {
          const isChosen = memory.choice === index;
          const mark = isTold && isAnswered ? (choice.right ? "right" : isChosen ? "not" : "") : "";
          return html`<label key=${index} class=${`choice ${mark}`}>
            <input type="radio" name=${`choice-${lesson.slug}`} checked=${isChosen} onChange=${() => note(lesson.slug, { choice: index })} />
            <span
              >${coded(choice.text)}${mark === "right" ? html`<strong> ✓ right</strong>` : mark === "not" ? html`<strong> – your answer</strong>` : ""}${mark &&
              html`<span class="because">${coded(choice.answer)}</span>`}</span
            >
          </label>`;
        })}
      </fieldset>
      <div class="tools">
        ${!isRunning &&
        (made === 0 || !isFinished) &&
        html`<button type="button" class="primary" disabled=${!isAnswered || commands.busy !== null} onClick=${() => begin(isHere ? Math.max(made, first) : first)}>
          ${isHere ? "Go on" : memory.done ? "Start it again" : "Start"}
        </button>`}
        ${!isRunning && isFinished && made < planned && html`<button type="button" class="primary" disabled=${commands.busy !== null} onClick=${() => begin(planned)}>Make all ${planned} runs of each</button>`}
        ${isRunning && html`<button type="button" onClick=${() => commands.run("stop", () => engine.call("stop"))}>Stop</button>`}
        <a class="button" href=${address.link({ view: "change" })} onClick=${(/** @type {Event} */ event) => go(event, "change")}>Look at the study file</a>
        ${!isAnswered && html`<span class="small">Choose an answer first.</span>`}
        ${isAnswered && !isHere && !memory.done && first < planned && html`<span class="small">It begins with ${counted(first, "run")} of each model.</span>`}
      </div>
      <${Complaint} problem=${commands.problem} />
    </section>
    ${isHere &&
    html`<section class="panel" aria-labelledby="happens-heading">
        <h2 id="happens-heading">${isFinished ? "What happened" : "What happens"}</h2>
        <div class="happens">
          <div><${Curves} runs=${state.runs} models=${state.models} trails=${state.trails} quantity="accuracy" /></div>
          <div><${Progress} state=${state} cost=${NO_COST} /></div>
        </div>
        ${isFinished && html`<${Outcome} state=${state} />`}
        ${isWhole && state.summary && !isBehind(state) && html`<${Seen} see=${lesson.see} summary=${state.summary} />`}
        <p class="onward"><a href=${address.link({ view: lesson.view })} onClick=${(/** @type {Event} */ event) => go(event, lesson.view)}>Look at it in ${view}</a></p>
      </section>
      <${Verdict} state=${state} />`}
    ${isTold &&
    html`${!isHere &&
      html`<section>
        <h2>What is seen</h2>
        <p class="again">Another study is open now, so the results of this lesson are not shown. <strong>Start it again to see its results.</strong></p>
        <ul>
          ${lesson.see.map((seen) => html`<li>${coded(seen.text)}</li>`)}
        </ul>
      </section>`}
      <section class="why">
        <h2>Why</h2>
        ${lesson.why.map((paragraph) => html`<p>${coded(paragraph)}</p>`)}
      </section>
      <section class="next">
        <h2>Try next</h2>
        <ol>
          ${lesson.next.map(
            (one) => html`<li>
              ${coded(one.exercise)}
              <details>
                <summary>Answer</summary>
                <p>${coded(one.answer)}</p>
              </details>
            </li>`,
          )}
        </ol>
      </section>
      <${Terms} terms=${lesson.terms} catalogue=${state.catalogue} />
      ${next &&
      html`<p class="onward">
        <a class="button" href=${address.link({ lesson: next.slug })} onClick=${(/** @type {MouseEvent} */ event) => follow(event, next.slug)}>Next: ${next.title}</a>
      </p>`}`}
    <p class="visually-hidden" role="status">${isTold && chosen ? (chosen.right ? "Your answer was right." : "Your answer was not right.") : ""}</p>
  </article>`;
}

/** What was said to be seen, held against the figures of these runs. */
const Seen = memo(
  /** @param {{ see: Lesson["see"], summary: Summary }} properties */
  ({ see, summary }) => html`<ul class="seen">
    ${see.map((seen) => {
      const found = checked(summary, seen.check);
      if (!found) return html`<li>${coded(seen.text)}</li>`;
      return html`<li class=${found.isAsTold ? "as-told" : "other"}>
        <span>${coded(found.isAsTold ? seen.text : seen.otherwise)}</span>
        <span class="small">${inFigures(summary, seen.check)}</span>
      </li>`;
    })}
  </ul>`,
);

/** Runs of each model where a study says nothing. */
const DEFAULT_RUNS = 3;

/** @type {State["runs"]} */
const NO_RUNS = [];

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
      const found = catalogue?.glossary.find((entry) => entry.term.toLowerCase().replaceAll(" ", "-") === term);
      return found ? [found] : [];
    });
    if (known.length === 0) return null;
    return html`<section class="terms">
      <h2>Words</h2>
      <dl>
        ${known.map((entry) => html`<dt>${entry.term}</dt><dd>${coded(entry.meaning)}</dd>`)}
      </dl>
    </section>`;
  },
);
