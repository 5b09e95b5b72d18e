// Compare: the models, how they are trained, the verdict, the curves.

/** @import { Catalogue, Draft, Engine, State, StudyModel, Summary, ViewProps } from "../types.js" */

import { packed } from "../address.js";
import { html, useCallback, useEffect, useMemo, useRef, useState } from "../lib/preact.js";
import { Complaint, useCommands } from "../parts/commands.js";
import { Curves } from "../parts/curves.js";
import { bytesOf, save, showReport } from "../parts/files.js";
import { Layers } from "../parts/layers.js";
import { Mark, colour } from "../parts/marks.js";
import { coded, memo } from "../parts/memo.js";
import { counted, fileName, headingOf, percentSpread, short, thousands } from "../parts/numbers.js";
import { Progress, isBegun } from "../parts/progress.js";
import { lineOf, list, ownModels, valueOf, withValue } from "../parts/toml.js";
import { Verdict } from "../parts/verdict.js";

/** @param {ViewProps} properties */
export default function Compare({ engine, state, address, draft }) {
  const commands = useCommands();
  const { answer, text } = draft;
  const isNew = state.study !== null && state.study.text !== text;
  // The cards are drawn again when the text is another, not with every step.
  const edit = useCallback((/** @type {string} */ next) => address.go({ study: next }, true), []);
  const cost = useMemo(() => Object.fromEntries((answer?.models ?? []).map((model) => [model.name, model.multiply_adds])), [answer]);
  return html`<div class="compare">
    <div class="head">
      <h1>${headingOf(answer) || "Compare"}</h1>
      <p><${CopyLink} text=${text} isNative=${state.catalogue?.engine.kind === "native"} /></p>
    </div>
    <${Design} ...${{ engine, state, draft, commands, isNew }} />
    <${Refused} draft=${draft} address=${address} />
    <${Complaint} problem=${commands.problem} />
    <div class="bench">
      <${Verdict} state=${state}><${Results} ...${{ engine, state, commands, heading: state.study?.title || headingOf(answer) }} /><//>
      <div class="side">
        ${(state.study?.running || isBegun(state.runs)) &&
        html`<section class="panel" aria-labelledby="runs-heading">
          <h2 id="runs-heading">Runs</h2>
          <${Progress} state=${state} cost=${cost} />
        </section>`}
        ${answer && html`<${Cards} models=${answer.models} image=${answer.image} summary=${state.summary} catalogue=${state.catalogue} text=${text} edit=${edit} />`}
      </div>
      <section class="panel curves" aria-labelledby="curves-heading">
        <${CurvePanel} runs=${state.runs} models=${state.models} trails=${state.trails} />
      </section>
    </div>
    <${Notes} state=${state} />
  </div>`;
}

/** The fields that write a key of the study: table, key, name. @type {[string, string, string][]} */
const FIELDS = [
  ["", "seeds", "Runs of each model"],
  ["recipe", "epochs", "Epochs"],
  ["recipe", "learning_rate", "Learning rate"],
];

/**
 * The key of the field that the draft's problem is about.
 * @param {Draft} draft
 */
function fieldOf({ text, problem }) {
  if (!problem?.line) return null;
  return FIELDS.find(([table, key]) => lineOf(text, table, key) === problem.line) ?? null;
}

/** A problem without the place that it names itself. @param {string} message */
const bare = (message) => message.replace(/^(model [^:]+: )?(\[recipe\] )?(seeds|epochs|learning[ _]rate): /, "");

/** What the engine says of the draft, in the words of the field that it is about. @param {{ draft: Draft, address: ViewProps["address"] }} properties */
function Refused({ draft, address }) {
  const { problem } = draft;
  if (!problem) return null;
  const field = fieldOf(draft);
  const edit = html`<a href=${address.link({ view: "change" })}>Edit the study file</a>`;
  if (field) return html`<p class="warning" role="status"><strong>${field[2]}: ${coded(bare(problem.message))}.</strong> ${edit}</p>`;
  return html`<p class="warning" role="status">
    <strong>${problem.line ? `Line ${problem.line} of the study file: ` : ""}${coded(problem.message)}</strong> ${coded(problem.hint)}${" "} ${edit}
  </p>`;
}

/**
 * How it is trained, and the buttons.
 * @param {{ engine: Engine, state: State, draft: Draft, commands: import("../parts/commands.js").Commands, isNew: boolean }} properties
 */
function Design({ engine, state, draft, commands, isNew }) {
  const { answer, text, edit } = draft;
  const { study, runs, catalogue } = state;
  const running = study?.running ?? false;
  // Fields with what is not allowed, which the study does not hold.
  const [wrong, setWrong] = useState(/** @type {string[]} */ ([]));
  const mark = useCallback((/** @type {string} */ key, /** @type {boolean} */ isWrong) => setWrong((last) => [...last.filter((other) => other !== key), ...(isWrong ? [key] : [])]), []);
  const isReady = answer !== null && draft.problem === null && !draft.pending && draft.of === text && wrong.length === 0;
  const problem = fieldOf(draft);
  const told = (/** @type {string} */ key) => (problem?.[1] === key && draft.problem ? bare(draft.problem.message) : null);
  const isDone = study !== null && !isNew && runs.length > 0 && runs.every((run) => run.state === "finished" || run.state === "failed");
  const isPaused = study !== null && !isNew && !running && !isDone && isBegun(runs) && runs.some((run) => run.state === "waiting");
  const start = (/** @type {string} */ next) => commands.run("start", () => engine.call("start", { text: next }));
  const more = (/** @type {number} */ by) => {
    if (!answer) return;
    const next = withValue(text, "", "seeds", String(answer.runs + by));
    edit(next);
    void start(next);
  };
  const set = (/** @type {string} */ table, /** @type {string} */ key, /** @type {string | null} */ value) => edit(withValue(text, table, key, value));
  const own = (/** @type {"epochs" | "learning_rate"} */ key) => [...new Set((answer?.models ?? []).map((model) => model[key]))];
  const dataset = valueOf(text, "", "dataset")?.replace(/^["']|["']$/g, "") ?? answer?.dataset ?? "mnist";
  const sets = catalogue?.datasets ?? [];
  // A cross-validation has folds in the place of seeds.
  const hasFolds = valueOf(text, "", "folds") !== null;
  const startWords = study === null || isNew ? (study && isBegun(runs) ? "Start with these changes" : "Start") : isDone ? "Finished" : "Start";
  return html`<form
    class="design"
    aria-label="How the models are trained"
    onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      if (isReady && !isDone && (!running || isNew)) void start(text);
    }}
  >
    <div class="fields">
      <label>
        <span>Data set</span>
        <select value=${dataset} disabled=${valueOf(text, "", "datasets") !== null} onChange=${(/** @type {Event} */ event) => set("", "dataset", JSON.stringify(/** @type {HTMLSelectElement} */ (event.target).value))}>
          ${sets.map((set) => html`<option key=${set.name} value=${set.name} selected=${set.name === dataset}>${set.name}</option>`)}
          ${!sets.some((set) => set.name === dataset) && html`<option value=${dataset} selected>${dataset}</option>`}
        </select>
        ${sets.find((set) => set.name === dataset)?.title && html`<small>${sets.find((set) => set.name === dataset)?.title}</small>`}
      </label>
      ${!hasFolds &&
      html`<${Field}
        name="seeds" label="Runs of each model" value=${/^\d+$/.exec(valueOf(text, "", "seeds") ?? "")?.[0] ?? (answer ? String(answer.runs) : "")} own="" pattern=${/^([1-9]\d{0,2}|1000)$/}
        wrong="Write a whole number from 1 to 1,000." told=${told("seeds")} mark=${mark} set=${(/** @type {string | null} */ value) => set("", "seeds", value)}
      />`}
      <${Field}
        name="epochs" label="Epochs" value=${valueOf(text, "recipe", "epochs") ?? ""} own=${own("epochs").join(", ")} pattern=${/^([1-9]\d{0,3}|10000)$/}
        wrong="Write a whole number from 1 to 10,000, or nothing." told=${told("epochs")} mark=${mark} set=${(/** @type {string | null} */ value) => set("recipe", "epochs", value)}
      />
      <${Field}
        name="learning_rate" label="Learning rate" value=${valueOf(text, "recipe", "learning_rate") ?? ""} own=${own("learning_rate").join(", ")} pattern=${/^(?=.*[1-9])(\d+\.?\d*|\.\d+|\d+(\.\d+)?[eE]-?\d+)$/}
        wrong="Write a number above 0, such as 0.001, or nothing." told=${told("learning_rate")} mark=${mark} set=${(/** @type {string | null} */ value) => set("recipe", "learning_rate", value && float(value))}
      />
    </div>
    <div class="actions">
      ${(!running || isNew) && !isPaused && !isDone && html`<button type="submit" class="primary" disabled=${!isReady || commands.busy !== null}>${startWords}</button>`}
      ${running && !study?.pausing && html`<button type="button" class=${isNew ? "" : "primary"} title="Finishes the runs that have begun and begins no other" onClick=${() => commands.run("pause", () => engine.call("pause"))}>Pause</button>`}
      ${running && study?.pausing && html`<button type="button" class="primary" onClick=${() => commands.run("resume", () => engine.call("resume"))}>Resume</button>`}
      ${isPaused && html`<button type="button" class="primary" disabled=${wrong.length > 0} onClick=${() => commands.run("resume", () => (study?.pausing ? engine.call("resume") : engine.call("start", { text })))}>Resume</button>`}
      ${running && html`<button type="button" title="Gives up the runs that have begun; finished runs are kept" onClick=${() => commands.run("stop", () => engine.call("stop"))}>Stop</button>`}
      ${isDone &&
      answer &&
      !hasFolds &&
      html`<button type="button" class="primary" disabled=${commands.busy !== null || wrong.length > 0} onClick=${() => more(1)}>Add 1 run</button>
        <button type="button" disabled=${commands.busy !== null || wrong.length > 0} onClick=${() => more(5)}>Add 5 runs</button>`}
    </div>
  </form>`;
}

/**
 * A link to the study alone, whatever else the address has.
 * @param {{ text: string, isNative: boolean }} properties
 */
function CopyLink({ text, isNative }) {
  const [copied, setCopied] = useState(/** @type {{ of: string, link: string, isDone: boolean } | null} */ (null));
  const copy = async () => {
    const link = `${location.origin}${location.pathname}#${new URLSearchParams({ view: "compare", study: await packed(text) })}`;
    const isDone = await navigator.clipboard.writeText(link).then(
      () => true,
      () => false,
    );
    setCopied({ of: text, link, isDone });
  };
  const is = copied?.of === text ? copied : null;
  return html`<span class="small" role="status">${is?.isDone && `Link copied.${isNative ? " It opens in this browser while the program runs." : ""}`}</span>
    ${is && !is.isDone && html`<input type="text" readonly aria-label="The link to copy" value=${is.link} onFocus=${(/** @type {Event} */ event) => /** @type {HTMLInputElement} */ (event.target).select()} />`}
    <button type="button" title="A link to this study, with its models and fields" disabled=${text === ""} onClick=${copy}>Copy link</button>`;
}

/**
 * A number that TOML reads as one with a fraction.
 * @param {string} value
 */
const float = (value) => (/^\d+$/.test(value) ? `${Number(value)}.0` : value.replace(/\.$/, ".0").replace(/^\./, "0.").replace(/^0+(?=\d)/, ""));

/**
 * A field that is written to the study where it is right. Where it is not, it stays as it was typed, with what would be right below it.
 * @param {{
 *   name: string, label: string, value: string, own: string, pattern: RegExp, wrong: string, told: string | null,
 *   mark: (name: string, isWrong: boolean) => void, set: (value: string | null) => void,
 * }} properties `told`: what the engine says of the value
 */
function Field({ name, label, value, own, pattern, wrong, told, mark, set }) {
  const [typed, setTyped] = useState(/** @type {string | null} */ (null));
  // A decimal comma is one.
  const plainOf = (/** @type {string} */ text) => text.trim().replace(/^(\d*),(\d+)$/, "$1.$2");
  const allows = (/** @type {string} */ plain) => (plain === "" ? own !== "" : pattern.test(plain));
  const isAllowed = typed === null || allows(plainOf(typed));
  const isWrong = !isAllowed || told !== null;
  const id = `field-${name}`;
  const typing = useRef(false);
  const input = (/** @type {Event} */ event) => {
    typing.current = true;
    const next = /** @type {HTMLInputElement} */ (event.target).value;
    setTyped(next);
    const plain = plainOf(next);
    if (allows(plain)) set(plain === "" ? null : plain);
  };
  useEffect(() => mark(name, !isAllowed), [isAllowed]);
  useEffect(() => () => mark(name, false), []);
  // The study has another value, from elsewhere.
  useEffect(() => {
    if (!typing.current) setTyped(null);
  }, [value]);
  const hint = value === "" ? "each model's own" : "for every model; empty: its own";
  return html`<label class=${isWrong ? "wrong" : ""}>
    <span id=${`${id}-label`}>${label}</span>
    <input
      type="text"
      aria-labelledby=${`${id}-label`}
      inputmode="decimal"
      autocomplete="off"
      spellcheck="false"
      value=${typed ?? value}
      placeholder=${own}
      aria-invalid=${isWrong ? "true" : undefined}
      aria-describedby=${isWrong || own ? id : undefined}
      onInput=${input}
      onBlur=${() => {
        typing.current = false;
        if (isAllowed) setTyped(null);
      }}
    />
    ${(isWrong || own) && html`<small id=${id}>${!isAllowed ? wrong : told !== null ? sentence(told) : hint}</small>`}
  </label>`;
}

/** @param {string} text */
const sentence = (text) => coded(`${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`);

/**
 * @param {{ models: StudyModel[], image: number[], summary: Summary | null, catalogue: Catalogue | null, text: string, edit: (text: string) => void }} properties
 */
function AllCards({ models, image, summary, catalogue, text, edit }) {
  const names = models.map((model) => model.name);
  const listedNow = valueOf(text, "", "models") !== null;
  const change = (/** @type {string[]} */ next) => edit(withValue(text, "", "models", list(next)));
  // A file without the list trains all its own models: what is listed must name them.
  const others = [...ownModels(text), ...(catalogue?.models ?? []).map((model) => model.name)].filter((name, index, all) => !names.includes(name) && all.indexOf(name) === index);
  const hasGrid = models.some((model) => model.name.includes("="));
  return html`<section aria-labelledby="models-heading">
    <h2 id="models-heading" class="visually-hidden">The models</h2>
    <ul class="cards">
      ${models.map((model, place) => {
        const figures = summary?.models.find((one) => one.name === model.name);
        const remove = names.length > 1 && !hasGrid && (listedNow || names.length > 1);
        return html`<li class="card" key=${model.name} style=${{ "--own": colour(place) }}>
          <div class="card-head">
            <h3><svg class="model-mark" viewBox="-7 -7 14 14" aria-hidden="true"><${Mark} place=${place} x=${0} y=${0} radius=${5.5} /></svg>${model.name}</h3>
            ${figures?.accuracy && html`<p class="result">${percentSpread(figures.accuracy)}<small>${counted(figures.runs.length, "run")}, test</small></p>`}
            ${remove && html`<button type="button" class="plain" aria-label=${`Remove ${model.name}`} title=${`Remove ${model.name}`} onClick=${() => change(names.filter((name) => name !== model.name))}>×</button>`}
          </div>
          <${Layers} layers=${model.layers} image=${image} place=${place} name=${model.name} />
          <dl class="specs">
            <div><dt>parameters</dt><dd>${thousands(model.parameters)}</dd></div>
            <div><dt>multiply-adds</dt><dd>${short(model.multiply_adds)}</dd></div>
            <div><dt>epochs</dt><dd>${thousands(model.epochs)}</dd></div>
            <div><dt>rate</dt><dd>${model.learning_rate}</dd></div>
          </dl>
        </li>`;
      })}
      ${!hasGrid && others.length > 0 && html`<li class="card add"><${AddModel} others=${others} catalogue=${catalogue} add=${(/** @type {string} */ name) => change([...names, name])} /></li>`}
    </ul>
    <p class="small legend">Blocks are layers: height for rows, width for channels or features; the deeper the colour, the larger the share of the parameters.</p>
  </section>`;
}

const Cards = memo(AllCards);

/**
 * @param {{ others: string[], catalogue: Catalogue | null, add: (name: string) => void }} properties
 */
function AddModel({ others, catalogue, add }) {
  const [chosen, setChosen] = useState("");
  const name = others.includes(chosen) ? chosen : (others[0] ?? "");
  const known = catalogue?.models.find((model) => model.name === name);
  return html`<form
    onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      add(name);
    }}
  >
    <label>
      <span>Add a model</span>
      <select value=${name} onChange=${(/** @type {Event} */ event) => setChosen(/** @type {HTMLSelectElement} */ (event.target).value)}>
        ${others.map((other) => html`<option key=${other} value=${other} selected=${other === name}>${other}</option>`)}
      </select>
    </label>
    <p class="small">${known ? coded(known.summary) : "a model of this study file"}</p>
    <div class="add-foot">
      <button type="submit">Add ${name}</button>
      ${known && html`<span class="small">${thousands(known.parameters)} parameters</span>`}
    </div>
  </form>`;
}

/**
 * @param {{ engine: Engine, state: State, commands: import("../parts/commands.js").Commands, heading: string }} properties
 */
function Results({ engine, state, commands, heading }) {
  if (!state.runs.some((run) => run.state === "finished")) return null;
  const name = fileName(heading);
  const open = () => {
    const tab = window.open("", "_blank");
    void commands.run("report", async () => {
      const { html } = await engine.call("report");
      if (tab) showReport(/** @type {Window & typeof globalThis} */ (tab), html);
      else save(`${name}.html`, html, "text/html");
    });
  };
  return html`<div class="results">
    <button type="button" disabled=${commands.busy === "report"} onClick=${open}>Open the report</button>
    <button type="button" disabled=${commands.busy === "save"} onClick=${() => commands.run("save", async () => save(`${name}.html`, (await engine.call("report")).html, "text/html"))}>Save the report</button>
    <button
      type="button"
      disabled=${commands.busy === "download"}
      title="For mnist-study report, verify and merge"
      onClick=${() =>
        commands.run("download", async () => {
          const { name, bytes } = await engine.call("download");
          save(name, bytesOf(bytes), "application/zip");
        })}
    >
      Save all records (zip)
    </button>
  </div>`;
}

const CurvePanel = memo(
  /** @param {{ runs: State["runs"], models: string[], trails: State["trails"] }} properties */
  ({ runs, models, trails }) => {
    const [quantity, setQuantity] = useState(/** @type {"accuracy" | "loss"} */ ("accuracy"));
    const choice = (/** @type {"accuracy" | "loss"} */ value, /** @type {string} */ words) =>
      html`<label><input type="radio" name="quantity" value=${value} checked=${quantity === value} onChange=${() => setQuantity(value)} /><span>${words}</span></label>`;
    return html`<div class="panel-head">
        <h2 id="curves-heading">Learning curves</h2>
        <fieldset class="toggle">
          <legend class="visually-hidden">What the curves show</legend>
          ${choice("accuracy", "Accuracy")}${choice("loss", "Loss")}
        </fieldset>
      </div>
      <${Curves} runs=${runs} models=${models} trails=${trails} quantity=${quantity} />`;
  },
);

/** @param {{ state: State }} properties */
function Notes({ state }) {
  const { summary, problems, notes } = state;
  const all = [...(summary?.warnings ?? []), ...(summary?.notes ?? []), ...notes];
  return html`${problems.slice(-3).map((problem) => html`<p class="warning" role="alert"><strong>${coded(problem.message)}</strong> ${coded(problem.hint)}</p>`)}
  ${all.length > 0 &&
  html`<details class="figures">
    <summary>${counted(all.length, "note")} on these figures</summary>
    <ul>
      ${all.map((note) => html`<li>${coded(note)}</li>`)}
    </ul>
  </details>`}`;
}
