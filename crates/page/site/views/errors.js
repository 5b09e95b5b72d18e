// Which classes are taken for which, and the images themselves.

import { html, useEffect, useMemo, useRef, useState } from "../lib/preact.js";
import { Mark, Name } from "../parts/marks.js";
import { AnswersOf } from "../parts/pixels/answers-of.js";
import { useKept } from "../parts/pixels/choice.js";
import { Said, Trouble, colourOf } from "../parts/pixels/engine.js";
import { Matrix } from "../parts/pixels/matrix.js";
import { FILTERS, ORDERS, SURE, filtered, isWrong, missedOf, sorted, takenFor } from "../parts/pixels/missed.js";
import { Thumbnail, Thumbnails } from "../parts/pixels/thumbnails.js";
import { counted, percent } from "../parts/pixels/words.js";

/** @import { Errors, ViewProps } from "../types.js" */
/** @import { Chosen, Filter, Missed, Order } from "../parts/pixels/missed.js" */

/** Images that are shown at first, and more at a time. */
const PAGE = 96;

/** @param {ViewProps} props */
export default function ErrorsView({ engine, state, address }) {
  const [errors, setErrors] = useState(/** @type {Errors | null} */ (null));
  const [problem, setProblem] = useState(/** @type {Error | null} */ (null));
  const [isAsked, setAsked] = useState(false);
  const thumbnails = useMemo(() => new Thumbnails(engine), [engine]);
  const [filter, setFilter] = useKept("errors.filter", /** @type {Filter} */ ("all"), true);
  const [only, setOnly] = useKept("errors.only", /** @type {string | null} */ (null), true);
  const [order, setOrder] = useKept("errors.order", /** @type {Order} */ ("sure"), true);
  const [minus, setMinus] = useKept("errors.minus", /** @type {string | null} */ (null), true);
  const [cell, setCell] = useKept("errors.cell", /** @type {{ label: number, answer: number } | null} */ (null), true);
  const [of, setOf] = useKept("errors.of", /** @type {string | null} */ (null), true);
  const [shown, setShown] = useState(PAGE);

  // What was chosen of one study's images says nothing of another's.
  const text = state.study?.text ?? null;
  useEffect(() => {
    if (text === null || text === of) return;
    setOf(text);
    if (of === null) return;
    setFilter("all");
    setOnly(null);
    setMinus(null);
    setCell(null);
  }, [text]);

  // A summary comes whenever one more run is finished.
  useEffect(() => {
    let isOpen = true;
    engine.call("errors").then(
      (told) => {
        if (!isOpen) return;
        setErrors(told);
        setProblem(null);
        setAsked(true);
      },
      (trouble) => {
        if (!isOpen) return;
        setErrors(null);
        setProblem(trouble);
        setAsked(true);
      },
    );
    return () => void (isOpen = false);
  }, [engine, state.summary]);

  const names = errors?.models.map(({ name }) => name) ?? [];
  const model = Math.max(0, names.indexOf(address.model ?? ""));
  const other = minus !== null && minus !== names[model] && names.includes(minus) ? names.indexOf(minus) : null;
  const colours = names.map((name) => colourOf(state, name));
  const places = names.map((name) => state.models.indexOf(name));
  const images = useMemo(() => (errors ? missedOf(errors) : []), [errors]);
  /** @type {Chosen} */
  const chosen = cell && errors && cell.label < errors.classes.length ? { model, ...cell } : null;
  const onlyModel = only !== null && names.includes(only) ? names.indexOf(only) : null;
  const listed = useMemo(() => sorted(filtered(images, filter, onlyModel, chosen), order), [images, filter, onlyModel, chosen?.model, chosen?.label, chosen?.answer, order]);
  const counts = useMemo(() => Object.fromEntries(Object.keys(FILTERS).map((name) => [name, filtered(images, /** @type {Filter} */ (name), onlyModel, chosen).length])), [images, onlyModel, chosen?.model, chosen?.label, chosen?.answer]);
  useEffect(() => setShown(PAGE), [filter, onlyModel, chosen?.model, chosen?.label, chosen?.answer, order]);

  const end = useRef(/** @type {HTMLElement | null} */ (null));
  const hasMore = listed.length > shown;
  useEffect(() => {
    if (!hasMore || !end.current) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) setShown((count) => count + PAGE);
      },
      { rootMargin: "400px" },
    );
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [hasMore, shown]);

  const opened = address.image;
  const [isOpen, setOpen] = useState(false);
  const place = isOpen && opened !== null ? listed.findIndex(({ index }) => index === opened) : -1;
  const opener = useRef(/** @type {HTMLElement | null} */ (null));
  /** @param {number} index */
  const open = (index) => {
    opener.current = /** @type {HTMLElement | null} */ (document.activeElement);
    address.go({ image: index }, true);
    setOpen(true);
  };

  if (!errors || errors.models.length === 0) {
    return html`<div class="pixels errors"><h1>Errors</h1>
      ${isAsked || state.runs.length === 0
        ? html`<div class="empty"><p><strong>No run has finished yet.</strong> ${problem && state.summary ? problem.message : html`Start a study in <a href=${address.link({ view: "compare" })}>Compare</a>. When its first run is done, the test images that it classified incorrectly appear here.`}</p></div>`
        : html`<p class="small">Loading the errors…</p>`}</div>`;
  }
  const { classes } = errors;
  const cellText = chosen
    ? chosen.label === chosen.answer
      ? `images with label ${classes[chosen.label]} that a run of ${names[model]} classifies correctly and another run does not`
      : `images with label ${classes[chosen.label]} that a run of ${names[model]} classifies as ${classes[chosen.answer]}`
    : "";
  const count = `${counted(listed.length, "image")} of ${errors.images.toLocaleString("en")}`;
  return html`<div class="pixels errors">
    <h1>Errors</h1>
    <p class="lead">Which classes the models confuse, and the test images that they classify incorrectly.</p>
    <${Trouble} problem=${problem} />
    <div class="plan">
      <section class="confusion leaf" aria-labelledby="confusion-title">
        <div class="heading"><h2 id="confusion-title">Confusion matrix</h2></div>
        <div class="choices">
          <fieldset class="segments"><legend class="small">Model</legend>
            ${names.map((name, index) => html`<label key=${name}><input type="radio" name="errors-model" checked=${index === model} onChange=${() => address.go({ model: name }, true)} /><span><${Name} place=${state.models.indexOf(name)} name=${name} /></span></label>`)}
          </fieldset>
          ${names.length > 1
            ? html`<label class="field"><span class="small">Compare with</span><select value=${other === null ? "" : names[other]} onChange=${(/** @type {Event} */ event) => setMinus(/** @type {HTMLSelectElement} */ (event.currentTarget).value || null)}>
                <option value="">none</option>${names.map((name, index) => (index === model ? null : html`<option key=${name} value=${name}>${name}</option>`))}
              </select></label>`
            : null}
        </div>
        <${Matrix} key=${`${model}-${other}`} errors=${errors} model=${model} other=${other} colours=${colours} chosen=${cell} onChoose=${setCell} />
        <p class="small">Rows: label. Columns: answer. ${other === null ? html`Numbers: images${(errors.models[model]?.seeds.length ?? 1) > 1 ? html`, a mean over ${errors.models[model]?.seeds.length} runs` : ""}.` : html`Numbers: images of ${names[model]} minus those of ${names[other]}, each a mean over its runs; positive in the colour of ${names[model]}, negative in that of ${names[other]}.`} Choose a cell to see its images.</p>
      </section>

      <section class="images leaf" aria-labelledby="images-title">
        <div class="heading"><h2 id="images-title">Images</h2><p class="count">${count}</p></div>
        <div class="choices">
          <fieldset class="segments filters"><legend class="small">Show</legend>
            ${/** @type {Filter[]} */ (Object.keys(FILTERS)).filter((name) => names.length > 1 || (name !== "every" && name !== "one")).map((name) => html`<label key=${name}><input type="radio" name="errors-filter" checked=${filter === name} onChange=${() => setFilter(name)} /><span>${FILTERS[name]} <span class="tally">${counts[name]?.toLocaleString("en")}</span></span></label>`)}
          </fieldset>
          ${filter === "one" ? html`<label class="field"><span class="small">Which model</span><select value=${onlyModel === null ? "" : names[onlyModel]} onChange=${(/** @type {Event} */ event) => setOnly(/** @type {HTMLSelectElement} */ (event.currentTarget).value || null)}><option value="">any</option>${names.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}</select></label>` : null}
          <label class="field"><span class="small">Order</span><select value=${order} onChange=${(/** @type {Event} */ event) => setOrder(/** @type {Order} */ (/** @type {HTMLSelectElement} */ (event.currentTarget).value))}>
            ${/** @type {Order[]} */ (Object.keys(ORDERS)).map((name) => html`<option key=${name} value=${name}>${ORDERS[name]}</option>`)}
          </select></label>
        </div>
        ${chosen ? html`<p class="chosen-cell">Only ${cellText}. <button type="button" onClick=${() => setCell(null)}>Show all cells</button></p>` : null}
        ${filter === "sure" ? html`<p class="small">A run gave a wrong class a probability of at least ${percent(SURE)}.</p>` : null}
        ${filter === "one" || filter === "every" ? html`<p class="small">A model counts as wrong where at least half of its runs are.</p>` : null}
        ${listed.length > 0 ? html`<${Key} names=${names} places=${places} hasDoubts=${listed.some(({ disputed }) => disputed)} />` : null}
        ${listed.length === 0
          ? html`<div class="empty"><p>${errors.images === 0 ? "The runs of a cross-validation share no test images, so no single images are shown." : "No images match."}</p></div>`
          : html`<ul class="tiles">${listed.slice(0, shown).map((image) => html`<${Tile} key=${image.index} image=${image} names=${names} classes=${classes} places=${places} thumbnails=${thumbnails} onOpen=${open} />`)}</ul>`}
        ${hasMore ? html`<p ref=${end}><button type="button" onClick=${() => setShown(shown + PAGE)}>Show ${Math.min(PAGE, listed.length - shown)} more of ${(listed.length - shown).toLocaleString("en")}</button></p>` : null}
      </section>
    </div>
    ${isOpen && opened !== null
      ? html`<${AnswersOf} engine=${engine} state=${state} address=${address} thumbnails=${thumbnails} classes=${classes} index=${opened} image=${images.find(({ index }) => index === opened) ?? null}
          place=${place < 0 ? null : place} count=${listed.length}
          onStep=${(/** @type {number} */ step) => {
            const next = listed[place + step];
            if (next) address.go({ image: next.index }, true);
          }}
          onClose=${() => {
            setOpen(false);
            opener.current?.focus();
          }} />`
      : null}
    <${Said} text=${`${count}${chosen ? `: ${cellText}` : ""}`} />
  </div>`;
}

/**
 * What the marks under the images say.
 * @param {{ names: readonly string[], places: readonly number[], hasDoubts: boolean }} props
 */
function Key({ names, places, hasDoubts }) {
  /** @param {boolean} hollow */
  const marks = (hollow) => html`<svg viewBox=${`0 0 ${14 * names.length} 14`} style=${{ width: `${0.9 * names.length}rem` }} aria-hidden="true">${names.map((name, model) => html`<${Mark} key=${name} place=${places[model] ?? -1} x=${14 * model + 7} y=${7} radius=${4} hollow=${hollow} />`)}</svg>`;
  return html`<ul class="key small" aria-label="Marks under the images">
    <li>${marks(false)} wrong in at least half of the model's runs</li>
    <li>${marks(true)} wrong in fewer, or in none</li>
    ${hasDoubts ? html`<li><span class="doubt">?</span> disputed: people doubt the label, so the model may be right</li>` : null}
  </ul>`;
}

/**
 * @param {{ image: Missed, names: readonly string[], classes: readonly string[], places: readonly number[], thumbnails: Thumbnails, onOpen: (index: number) => void }} props
 */
function Tile({ image, names, classes, places, thumbnails, onOpen }) {
  const taken = takenFor(image);
  const wrong = names.filter((_, model) => isWrong(image, model));
  const label = `${classes[image.label]} → ${classes[taken]}${image.disputed ? "?" : ""}: test image ${image.index}, label ${classes[image.label]}, mostly taken for ${classes[taken]}, ${image.wrongRuns} of ${image.runs} runs wrong${wrong.length > 0 ? `: ${wrong.join(", ")}` : ""}${image.disputed ? ", label disputed" : ""}`;
  return html`<li><button type="button" class="tile" aria-label=${label} title=${label} onClick=${() => onOpen(image.index)}>
    <${Thumbnail} thumbnails=${thumbnails} index=${image.index} />
    <span class="says"><b>${classes[image.label]}</b><span class="arrow"> → </span>${classes[taken]}</span>
    <span class="marks"><svg viewBox=${`0 0 ${14 * names.length} 14`} style=${{ width: `${0.9 * names.length}rem` }} aria-hidden="true">${names.map((name, model) => html`<${Mark} key=${name} place=${places[model] ?? -1} x=${14 * model + 7} y=${7} radius=${4} hollow=${!isWrong(image, model)} />`)}</svg>${image.disputed ? html`<span class="doubt">?</span>` : null}</span>
  </button></li>`;
}
