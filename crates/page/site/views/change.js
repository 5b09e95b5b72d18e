// Change: the study file as text, and what each model becomes as one types.

/** @import { Catalogue, StudyModel, ViewProps } from "../types.js" */

import { html, useRef, useState } from "../lib/preact.js";
import { Complaint, useCommands } from "../parts/commands.js";
import { Editor } from "../parts/editor.js";
import { save } from "../parts/files.js";
import { Layers } from "../parts/layers.js";
import { Name } from "../parts/marks.js";
import { coded, memo } from "../parts/memo.js";
import { counted, fileName, headingOf, shape, thousands } from "../parts/numbers.js";
import { list, ownModels, valueOf, withValue } from "../parts/toml.js";

/** No study file is larger. */
const LARGEST = 1 << 20;

/** @param {ViewProps} properties */
export default function Change({ engine, state, address, draft }) {
  const commands = useCommands();
  const [line, setLine] = useState(/** @type {number | null} */ (null));
  const [goTo, setGoTo] = useState(/** @type {{ line: number } | null} */ (null));
  const file = useRef(/** @type {HTMLInputElement | null} */ (null));
  const { answer, text, edit } = draft;
  const isRight = answer !== null && draft.problem === null && !draft.pending;
  const name = fileName(headingOf(answer));
  const open = (/** @type {Event} */ event) => {
    const input = /** @type {HTMLInputElement} */ (event.target);
    const [chosen] = input.files ?? [];
    if (!chosen) return;
    void commands.run("open", async () => {
      if (chosen.size > LARGEST) throw new Error(`${chosen.name} is larger than 1 MiB, which no study file is.`);
      let text;
      try {
        text = new TextDecoder("utf-8", { fatal: true }).decode(await chosen.arrayBuffer());
      } catch {
        throw new Error(`${chosen.name} is not a text in UTF-8.`);
      }
      edit(text.replaceAll("\r\n", "\n"));
      input.value = "";
    });
  };
  const start = () =>
    commands.run("start", async () => {
      await engine.call("start", { text });
      address.go({ view: "compare" });
    });
  return html`<div class="change">
    <h1>Change the study</h1>
    <p class="lead">Write what is compared, and how: the study file lists the models, their layers and their training. The models beside it follow what you write; Start trains them.</p>
    <div class="tools">
      <button type="button" class="primary" disabled=${!isRight || commands.busy !== null} onClick=${start}>Start</button>
      <button type="button" onClick=${() => save(`${name}.toml`, text, "application/toml")}>Save as TOML</button>
      <button type="button" onClick=${() => file.current?.click()}>Open a file…</button>
      <input ref=${file} class="visually-hidden" type="file" accept=".toml,text/plain,application/toml" tabindex="-1" aria-label="Study file to open" onChange=${open} />
      ${state.catalogue && html`<${Insert} catalogue=${state.catalogue} text=${text} edit=${edit} show=${(/** @type {number} */ line) => setGoTo({ line })} />`}
    </div>
    <${Complaint} problem=${commands.problem} />
    <div class="two">
      <section aria-label="Study file">
        <${Editor} ...${{ text, problem: draft.problem, edit, line, setLine, goTo }} />
        <p class="small status" aria-live="polite">${statusWords(draft.pending, draft.problem !== null, answer)}</p>
        ${state.catalogue && html`<${Help} layers=${state.catalogue.layers} />`}
      </section>
      <section class=${`models ${draft.problem ? "stale" : ""}`} aria-label="The models, layer by layer">
        ${(answer?.models ?? []).map(
          (model, place) => html`<${Model} key=${model.name} model=${model} place=${place} image=${answer?.image ?? [28, 28, 1]} line=${line} show=${setGoTo} kinds=${state.catalogue?.layers ?? NO_KINDS} />`,
        )}
      </section>
    </div>
  </div>`;
}

/**
 * @param {boolean} pending
 * @param {boolean} isWrong
 * @param {import("../types.js").StudyAnswer | null} answer
 */
function statusWords(pending, isWrong, answer) {
  if (isWrong) return "Not a study yet. The models beside it are of the last text without an error.";
  if (!answer) return pending ? "Reading…" : "";
  const runs = answer.runs * answer.models.length;
  return `A study of ${counted(answer.models.length, "model")} on ${answer.dataset}, ${counted(runs, "run")} in all.`;
}

/**
 * Puts the text of a built-in model into the file, under a name of its own.
 * @param {{ catalogue: Catalogue, text: string, edit: (text: string) => void, show: (line: number) => void }} properties
 */
function Insert({ catalogue, text, edit, show }) {
  const [chosen, setChosen] = useState(catalogue.models[0]?.name ?? "");
  const insert = (/** @type {Event} */ event) => {
    event.preventDefault();
    const model = catalogue.models.find((model) => model.name === chosen);
    if (!model) return;
    const taken = new Set([...ownModels(text), ...catalogue.models.map((model) => model.name)]);
    let name = `my-${chosen}`;
    for (let number = 2; taken.has(name); number += 1) name = `my-${chosen}-${number}`;
    // The section as it is, under the other name.
    const section = model.text.replace(/^(\s*\[+\s*model\.)("?)([^\].]+?)\2(?=[\].])/gm, (whole, before, _quote, old) => (old === chosen ? `${before}${name}` : whole));
    const names = namesOf(valueOf(text, "", "models"));
    const listed = names === null ? text : withValue(text, "", "models", list([...names, name]));
    const next = `${listed.trimEnd()}\n\n${section.trim()}\n`;
    edit(next);
    show(listed.trimEnd().split("\n").length + 2);
  };
  return html`<form class="insert" onSubmit=${insert}>
    <label
      ><span class="visually-hidden">Built-in model</span>
      <select value=${chosen} onChange=${(/** @type {Event} */ event) => setChosen(/** @type {HTMLSelectElement} */ (event.target).value)}>
        ${catalogue.models.map((model) => html`<option key=${model.name} value=${model.name} selected=${model.name === chosen}>${model.name}</option>`)}
      </select>
    </label>
    <button type="submit">Insert to edit</button>
  </form>`;
}

/**
 * The names of a list of models as it is written; null where it is no list of texts.
 * @param {string | null} value
 */
function namesOf(value) {
  if (value === null) return null;
  const names = [...value.replaceAll(/#[^\n]*/g, "").matchAll(/"([^"]*)"|'([^']*)'/g)].map((match) => match[1] ?? match[2] ?? "");
  return names.length > 0 ? names : null;
}

const Model = memo(
  /** @param {{ model: StudyModel, place: number, image: number[], line: number | null, show: (target: { line: number }) => void, kinds: Catalogue["layers"] }} properties */
  ({ model, place, image, line, show, kinds }) => {
    const [open, setOpen] = useState(/** @type {number | null} */ (null));
    return html`<article class="panel" aria-labelledby=${`model-${place}`}>
    <h2 id=${`model-${place}`}><${Name} place=${place} name=${model.name} /></h2>
    <p class="small about">${coded(model.summary)}${model.summary ? ". " : ""}${counted(model.epochs, "epoch")}, ${counted(model.batch_size, "image")} a step, learning rate ${model.learning_rate}${model.precision === "bf16" && ", precision bf16"}.${model.built_in && " Choose a layer to see what it does."}</p>
    ${model.doubt && html`<p class="warning small">${coded(model.doubt)}</p>`}
    <${Layers} layers=${model.layers} image=${image} place=${place} name=${model.name} />
    <div class="scroll" role="region" aria-label=${`Layers of ${model.name}, table`} tabindex="0">
      <table class="of-layers">
        <thead>
          <tr>
            <th scope="col">layer</th>
            <th scope="col">output</th>
            <th scope="col">parameters</th>
            <th scope="col">multiply-adds</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">image</th>
            <td>${shape(image)}</td>
            <td></td>
            <td></td>
          </tr>
          ${model.layers.map((layer, index) => {
            const isHere = !model.built_in && layer.line !== null && layer.line !== undefined && layer.line === line;
            const meaning = model.built_in ? meaningOf(layer.layer, kinds) : "";
            const depth = layer.position.split(".").length - 1;
            return html`<tr key=${index} class=${isHere ? "here" : ""}>
              <th scope="row" style=${{ textIndent: `${0.9 * depth}rem` }}>
                ${meaning
                  ? html`<button type="button" class="to-line" aria-expanded=${open === index} onClick=${() => setOpen(open === index ? null : index)}>${layerWords(layer.layer)}</button>`
                  : layer.line && !model.built_in ? html`<button type="button" class="to-line" title=${`Line ${layer.line}`} onClick=${() => show({ line: layer.line ?? 1 })}>${layerWords(layer.layer)}</button>` : layerWords(layer.layer)}
              </th>
              <td>${shape(layer.output)}</td>
              <td>${layer.parameters ? thousands(layer.parameters) : ""}</td>
              <td>${layer.multiply_adds ? thousands(layer.multiply_adds) : ""}</td>
            </tr>${meaning && open === index && html`<tr class="meaning"><td colspan="4">${coded(meaning)}</td></tr>`}`;
          })}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">in all</th>
            <td></td>
            <td>${thousands(model.parameters)}</td>
            <td>${thousands(model.multiply_adds)}</td>
          </tr>
        </tfoot>
      </table>
    </div>
  </article>`;
  },
);

/** @type {Catalogue["layers"]} */
const NO_KINDS = [];

/**
 * What a layer does, in the catalogue's words.
 * @param {string} layer
 * @param {Catalogue["layers"]} kinds
 */
function meaningOf(layer, kinds) {
  if (layer === "sum") return "adds what the residual block makes of its input to that input, or to its shortcut";
  return kinds.find(({ kind }) => layer === kind || layer.startsWith(`${kind} `))?.meaning ?? "";
}

/** @param {string} layer */
const layerWords = (layer) => (layer === "sum" ? "residual sum" : layer);

const Help = memo(
  /** @param {{ layers: Catalogue["layers"] }} properties */
  ({ layers }) => html`<details class="figures">
    <summary>All kinds of layers</summary>
    <dl class="kinds">
      ${layers.map((layer) => html`<div><dt><code>${layer.kind} ${layer.arguments}</code></dt><dd>${coded(layer.meaning)}</dd></div>`)}
    </dl>
  </details>`,
);
