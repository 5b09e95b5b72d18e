// How far the runs are: a row a model, a cell a run, and the time that is left.

/** @import { Run, State, Summary } from "../types.js" */

import { html } from "../lib/preact.js";
import { Name, colour } from "./marks.js";
import { Details, coded, memo } from "./memo.js";
import { counted, duration, fixed, isNumber, mean, percent, percentSpread, seconds, short } from "./numbers.js";

/** Runs that are told in words at once. */
const TOLD = 8;

/**
 * The part of a run that is done, from 0 to 1.
 * @param {Run} run
 */
export function done(run) {
  if (run.state === "finished" || run.state === "failed") return 1;
  const epochs = run.epochs.length;
  const within = run.step && run.step.epoch > epochs ? run.step.step / run.step.steps : 0;
  return Math.min(1, (epochs + within) / Math.max(1, run.total_epochs));
}

/**
 * Whether a run of the plan has begun.
 * @param {Run[]} runs
 */
export const isBegun = (runs) => runs.some((run) => run.state !== "waiting");

/**
 * Seconds until every run is done; null while nothing tells.
 * @param {State} state
 * @param {Record<string, number>} cost multiply-adds of each model
 */
export function timeLeft(state, cost) {
  const perEpoch = Object.fromEntries(
    state.models.flatMap((model) => {
      const epochs = state.runs.filter((run) => run.model === model).flatMap((run) => run.epochs.map((epoch) => epoch.train_seconds));
      const known = epochs.filter((time) => time > 0);
      return known.length > 0 ? [[model, mean(known)]] : [];
    }),
  );
  const [known] = Object.entries(perEpoch);
  const perCost = known && cost[known[0]] ? known[1] / (cost[known[0]] ?? 1) : null;
  const images = state.runs.find((run) => run.epochs.length > 0)?.epochs[0]?.images ?? state.runs.reduce((most, run) => Math.max(most, run.step ? (run.step.images / run.step.step) * run.step.steps : 0), 0);
  const working = Math.max(1, state.runs.filter((run) => run.state === "training").length);
  let left = 0;
  for (const run of state.runs) {
    const epochs = run.total_epochs * (1 - done(run));
    if (epochs === 0) continue;
    const own = perEpoch[run.model] ?? (perCost !== null && cost[run.model] ? perCost * (cost[run.model] ?? 1) : state.rate ? (images * working) / state.rate : null);
    if (own === null) return null;
    left += epochs * own;
  }
  return left / working;
}

/**
 * @param {{ state: State, cost: Record<string, number> }} properties
 */
export function Progress({ state, cost }) {
  const { runs, study, models, summary } = state;
  const finished = runs.filter((run) => run.state === "finished").length;
  const failed = runs.filter((run) => run.state === "failed").length;
  const training = runs.filter((run) => run.state === "training");
  const share = runs.length > 0 ? runs.reduce((sum, run) => sum + done(run), 0) / runs.length : 0;
  const left = study?.running ? timeLeft(state, cost) : null;
  const status = !study
    ? "No study has been started."
    : study.pausing && study.running
      ? "Pausing: the runs that have begun are finished."
      : study.running
        ? "Training"
        : finished + failed === runs.length
          ? "Finished"
          : study.pausing
            ? "Paused"
            : "Stopped";
  return html`<div class="progress">
    <dl class="meters">
      <div><dt>State</dt><dd class=${study?.running ? "live" : ""}>${status}</dd></div>
      <div><dt>Runs finished</dt><dd>${finished} of ${runs.length}</dd></div>
      <div><dt>Images a second</dt><dd>${study?.running && state.rate ? short(Math.round(state.rate)) : "–"}</dd></div>
      <div><dt>Time left</dt><dd>${left !== null && left > 0 ? `about ${duration(left)}` : "–"}</dd></div>
    </dl>
    <div class="whole" role="progressbar" aria-label="All runs" aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(100 * share)}>
      <span style=${{ transform: `scaleX(${share.toFixed(3)})` }}></span>
    </div>
    ${models.map((model, place) => html`<${Row} key=${model} model=${model} place=${place} runs=${runs} summary=${summary} />`)}
    ${training.length > 0 &&
    html`<ul class="now small">
      ${training.slice(0, TOLD).map((run) => html`<li>${now(run)}</li>`)} ${training.length > TOLD && html`<li>and ${training.length - TOLD} more</li>`}
    </ul>`}
    ${failed > 0 &&
    html`<ul class="now small">
      ${runs.filter((run) => run.state === "failed").map((run) => html`<li><strong>${run.model}, seed ${run.seed}</strong> failed: ${coded(run.problem ?? "it diverged")}</li>`)}
    </ul>`}
    <${RunTable} runs=${runs} />
  </div>`;
}

/** @param {Run} run */
function now(run) {
  const step = run.step;
  const where = step ? `epoch ${step.epoch} of ${run.total_epochs}, step ${step.step} of ${step.steps}` : `epoch ${run.epochs.length + 1} of ${run.total_epochs}`;
  const accuracy = isNumber(step?.train_accuracy) ? `, training accuracy ${fixed(100 * step.train_accuracy, 1)} %` : "";
  return `${run.model}, seed ${run.seed}: ${where}${accuracy}`;
}

/**
 * @param {{ model: string, place: number, runs: Run[], summary: Summary | null }} properties
 */
function Row({ model, place, runs, summary }) {
  const own = runs.filter((run) => run.model === model);
  const figures = summary?.models.find((one) => one.name === model);
  const finished = own.filter((run) => run.state === "finished").length;
  return html`<div class="runs">
    <div class="who"><${Name} place=${place} name=${model} /> <span class="figure">${figures ? percentSpread(figures.accuracy) : finished > 0 ? "" : "–"}</span></div>
    <div class="cells" role="img" aria-label=${`${model}: ${finished} of ${counted(own.length, "run")} finished`}>
      ${own.slice(0, 200).map((run) => html`<${Cell} key=${run.id} state=${run.state} share=${Math.round(100 * done(run))} place=${place} title=${cellTitle(run)} />`)}
    </div>
  </div>`;
}

/** @param {Run} run */
function cellTitle(run) {
  if (run.state === "finished") return `seed ${run.seed}: test accuracy ${percent(run.test_accuracy)}, ${seconds(run.train_seconds)}`;
  if (run.state === "training") return `seed ${run.seed}: training`;
  return `seed ${run.seed}: ${run.state}`;
}

const Cell = memo(
  /** @param {{ state: string, share: number, place: number, title: string }} properties */
  ({ state, share, place, title }) =>
    html`<span class=${`cell ${state}`} title=${title} style=${{ "--own": colour(place) }}><span style=${{ transform: `scaleY(${share / 100})` }}></span></span>`,
);

const RunTable = memo(
  /** @param {{ runs: Run[] }} properties */
  ({ runs }) => {
    if (runs.length === 0) return null;
    return html`<${Details} summary="Every run as a table">
      <div class="scroll" role="region" aria-label="Every run, table" tabindex="0">
        <table>
          <thead>
            <tr>
              <th scope="col">model</th>
              <th scope="col">seed</th>
              <th scope="col">state</th>
              <th scope="col">epochs</th>
              <th scope="col">test accuracy</th>
              <th scope="col">training</th>
            </tr>
          </thead>
          <tbody>
            ${runs.map(
              (run) => html`<tr key=${run.id}>
                <th scope="row">${run.model}</th>
                <td>${run.seed}</td>
                <td>${run.state}</td>
                <td>${run.epochs.length} of ${run.total_epochs}</td>
                <td>${percent(run.test_accuracy)}</td>
                <td>${seconds(run.train_seconds)}</td>
              </tr>`,
            )}
          </tbody>
        </table>
      </div>
    <//>`;
  },
);
