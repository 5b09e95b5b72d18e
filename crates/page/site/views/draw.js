// Draw a digit; every trained model answers, and one sees what they saw.

import { html, useEffect, useMemo, useRef, useState } from "../lib/preact.js";
import { imageOf, shareImage } from "../parts/image.js";
import { AnswerCard, agreement } from "../parts/pixels/answers.js";
import { bytesOf, textOf } from "../parts/pixels/bytes.js";
import { useKept } from "../parts/pixels/choice.js";
import { NoModel, Said, Trouble, answersTo, colourOf, imageShape, randomIndex, useClasses } from "../parts/pixels/engine.js";
import { fileOf, pictureOf } from "../parts/pixels/file.js";
import { Latest } from "../parts/pixels/latest.js";
import { Pad } from "../parts/pixels/pad.js";
import { EMPTY, SIDE, fitted, greyOf, isEmpty, isPlain, withPicture } from "../parts/pixels/sheet.js";
import { ALL_STEPS, Doubts, Steps } from "../parts/pixels/steps.js";
import { largest, percent } from "../parts/pixels/words.js";

/** @import { Answer, Engine, Prepare, Prepared, ViewProps } from "../types.js" */
/** @import { Sheet } from "../parts/pixels/sheet.js" */
/** @import { StepName, Switches } from "../parts/pixels/steps.js" */

/**
 * @typedef {{ sheet: Sheet, switches: Switches, order: readonly string[] }} Question
 * @typedef {{ prepared: Prepared | null, answers: Answer[], whole: Answer[] | null }} Reply `whole`: the answers with every step
 */

const BRUSHES = [
  { name: "Thin", width: 12 },
  { name: "Medium", width: 20 },
  { name: "Thick", width: 30 },
];
/** How many earlier sheets are kept. */
const KEPT = 100;
/** Milliseconds between two answers while a model learns. */
const EVERY = 250;
/** Milliseconds of rest before an answer is said. */
const QUIET = 600;

/**
 * @param {Engine} engine
 * @param {Question} question
 * @returns {Promise<Reply>}
 */
async function answered(engine, { sheet, switches, order }) {
  /** @param {string} image */
  const answer = (image) => answersTo(engine, image, order);
  if (sheet.picture?.kind === "test" && isPlain(sheet)) {
    const { picture } = sheet;
    shareImage(imageOf(picture.text, picture.shape, { kind: "test", index: picture.index, label: picture.label }));
    return { prepared: null, answers: await answer(picture.text), whole: null };
  }
  const file = sheet.picture?.kind === "file" && isPlain(sheet) ? sheet.picture : null;
  /** @type {Prepare} */
  const request = file ? { file: file.text } : { pixels: textOf(greyOf(sheet)), width: SIDE, height: SIDE };
  const prepared = await engine.call("prepare", { ...request, ...switches });
  const last = prepared.steps.at(-1);
  // Pictures of another kind than MNIST's have one step, of the picture's own size.
  const shape = prepared.steps.length > 1 && last ? [last.height, last.width, 1] : (imageShape() ?? [28, 28, 1]);
  shareImage(imageOf(prepared.image, shape, file ? { kind: "file", name: file.name } : { kind: "drawn" }));
  const answers = await answer(prepared.image);
  if (answers.length === 0 || Object.values(switches).every(Boolean)) return { prepared, answers, whole: null };
  try {
    const best = await engine.call("prepare", { ...request, ...ALL_STEPS });
    return { prepared, answers, whole: await answer(best.image) };
  } catch {
    return { prepared, answers, whole: null };
  }
}

/**
 * What the steps that were left out have changed.
 * @param {{ reply: Reply, classes: readonly string[] }} props
 */
function Comparison({ reply: { answers, whole }, classes }) {
  if (!whole) return null;
  /** @param {Answer | undefined} answer @param {number} class_ */
  const said = (answer, class_) => (answer ? `${classes[class_] ?? class_} (${percent(answer.probabilities[class_] ?? 0)})` : "–");
  return html`<table class="comparison">
    <caption>Effect of the steps left out</caption>
    <thead><tr><th scope="col">model</th><th scope="col">with every step</th><th scope="col">now</th></tr></thead>
    <tbody>${answers.map((answer) => {
      const other = whole.find(({ name }) => name === answer.name);
      const [now, before] = [largest(answer.probabilities), largest(other?.probabilities ?? [])];
      return html`<tr key=${answer.name}><th scope="row">${answer.name}</th><td>${said(other, before)}</td><td class=${now === before ? "" : "other"}>${said(answer, now)}</td></tr>`;
    })}</tbody>
  </table>`;
}

/** A ruled line below the digit, from edge to edge as on paper: the engine knows it for none of a digit. @param {Sheet} sheet @returns {Sheet} */
const ruled = (sheet) => ({
  ...sheet,
  strokes: [...sheet.strokes, { width: 5, points: [-20, 60, 140, 220, 300].map((x) => ({ x, y: 262, weight: 1 })) }],
});

/** What shows the use of a step: the drawing as that step is for. @type {Record<StepName, (sheet: Sheet) => Sheet>} */
const TRAPS = {
  polarity: (sheet) => ({ ...sheet, isDark: false }),
  crop: (sheet) => ruled(fitted(sheet, 90, 40, 150)),
  scale: (sheet) => fitted(sheet, 112, 112, 56),
  centre: (sheet) => fitted(sheet, 12, 12, 150),
};

/** @param {ViewProps} props */
export default function Draw({ engine, state, address }) {
  const classes = useClasses(engine, state);
  const [history, keepHistory] = useKept("draw.history", /** @type {Sheet[]} */ ([EMPTY]));
  const sheet = history.at(-1) ?? EMPTY;
  const [brush, setBrush] = useKept("draw.brush", 20, true);
  const [switches, setSwitches] = useKept("draw.switches", ALL_STEPS);
  const [isRanked, setRanked] = useKept("draw.ranked", true, true);
  const [lastReply, setReply] = useState(/** @type {Reply | null} */ (null));
  // An empty pad has no answers, not even until its effect has run.
  const reply = isEmpty(sheet) ? null : lastReply;
  const [problem, setProblem] = useState(/** @type {{ message: string, hint?: string | null } | null} */ (null));
  // The pictures of the last steps stay, dimmed, where a picture has none of its own.
  const [lastPrepared, setLastPrepared] = useState(/** @type {Prepared | null} */ (null));
  const [said, setSaid] = useState("");
  const [isOver, setOver] = useState(false);
  const [isDrawing, setDrawing] = useState(false);
  const chooser = useRef(/** @type {HTMLInputElement | null} */ (null));
  const camera = useRef(/** @type {HTMLInputElement | null} */ (null));
  const newest = useRef(history);
  newest.current = history;
  /** Events may come faster than drawings. @param {Sheet[]} next */
  const setHistory = (next) => {
    newest.current = next;
    keepHistory(next);
  };

  const drawing = useRef(false);
  drawing.current = isDrawing;
  const asking = useMemo(
    () =>
      new Latest(
        (/** @type {Question} */ question) => answered(engine, question),
        (answer) => {
          setReply(answer);
          if (answer.prepared) setLastPrepared(answer.prepared);
          setProblem(null);
        },
        (trouble) => {
          // The beginning of a digit is none yet: a problem counts when the stroke is done.
          if (drawing.current) return;
          setReply(null);
          setProblem(trouble);
        },
      ),
    [engine],
  );
  useEffect(() => () => asking.drop(), [asking]);

  // A frame's worth of strokes is one question.
  const frame = useRef(0);
  useEffect(() => {
    cancelAnimationFrame(frame.current);
    if (isEmpty(sheet)) {
      asking.drop();
      shareImage(null);
      setReply(null);
      setLastPrepared(null);
      setProblem(null);
      return;
    }
    frame.current = requestAnimationFrame(() => asking.ask({ sheet, switches, order: state.models }));
  }, [sheet, switches, asking]);

  // Newer weights answer the same drawing, four times a second at most.
  const seen = useRef(state.weightsVersion);
  useEffect(() => {
    if (seen.current === state.weightsVersion || isEmpty(sheet)) return;
    const timer = setTimeout(() => {
      seen.current = state.weightsVersion;
      asking.ask({ sheet: newest.current.at(-1) ?? EMPTY, switches, order: state.models });
    }, EVERY);
    return () => clearTimeout(timer);
  }, [Math.floor(state.weightsVersion), reply]);

  const summary = reply ? agreement(reply.answers, classes) : "";
  useEffect(() => {
    if (isDrawing || summary === "") return;
    const timer = setTimeout(() => setSaid(summary), QUIET);
    return () => clearTimeout(timer);
  }, [summary, isDrawing]);

  /** @param {Sheet} next */
  const push = (next) => setHistory([...newest.current.slice(-KEPT), next]);
  const undo = () => {
    if (newest.current.length > 1) setHistory(newest.current.slice(0, -1));
  };
  const clear = () => {
    if (!isEmpty(sheet)) push(EMPTY);
    setSaid("The pad is empty.");
  };

  /** @param {File | null | undefined} file */
  const take = async (file) => {
    if (!file) return;
    try {
      push(withPicture(sheet, await pictureOf(file)));
    } catch (trouble) {
      setProblem(/** @type {Error} */ (trouble));
    }
  };
  useEffect(() => {
    /** @param {ClipboardEvent} event */
    const paste = (event) => {
      const file = fileOf(event.clipboardData);
      if (!file) return;
      event.preventDefault();
      void take(file);
    };
    document.addEventListener("paste", paste);
    return () => document.removeEventListener("paste", paste);
  }, []);

  const random = async () => {
    try {
      const index = await randomIndex(engine);
      const { shape, images } = await engine.call("images", { indices: [index] });
      const [image] = images;
      if (image) push(withPicture(sheet, { kind: "test", index, label: image.label, text: image.pixels, pixels: bytesOf(image.pixels), shape }));
    } catch (trouble) {
      setProblem(/** @type {Error} */ (trouble));
    }
  };

  /** @param {StepName} name */
  const trap = (name) => push(TRAPS[name](sheet));
  const { picture } = sheet;
  const truth = picture?.kind === "test" && sheet.strokes.length === 0 ? picture.label : null;
  const isPrepared = picture?.kind === "test" && isPlain(sheet);
  const answers = reply?.answers ?? [];
  const hasNoModel = reply !== null && answers.length === 0;
  const whatIsOn = isEmpty(sheet)
    ? "Drawing pad, empty"
    : picture
      ? `Drawing pad with ${picture.kind === "test" ? `test image ${picture.index}, label ${classes[picture.label] ?? picture.label}` : `the picture ${picture.name}`}`
      : `Drawing pad, ${sheet.strokes.length} ${sheet.strokes.length === 1 ? "stroke" : "strokes"}`;

  return html`<div class="pixels draw">
    <h1>Draw</h1>
    <p class="lead">Draw a digit, or use a picture of one. Every trained model answers as you draw.</p>
    <div class="desk">
      <div
        class="easel leaf"
        data-over=${isOver}
        onDragEnter=${(/** @type {DragEvent} */ event) => (event.preventDefault(), setOver(true))}
        onDragOver=${(/** @type {DragEvent} */ event) => event.preventDefault()}
        onDragLeave=${(/** @type {DragEvent} */ event) => {
          if (!(/** @type {Element} */ (event.currentTarget).contains(/** @type {Node | null} */ (event.relatedTarget)))) setOver(false);
        }}
        onDrop=${(/** @type {DragEvent} */ event) => {
          event.preventDefault();
          setOver(false);
          void take(fileOf(event.dataTransfer));
        }}
      >
        <div class="sheet">
          <${Pad}
            sheet=${sheet}
            width=${brush}
            label=${whatIsOn}
            onUndo=${undo}
            onClear=${clear}
            onChange=${(/** @type {Sheet} */ next, /** @type {boolean} */ isDone, /** @type {boolean} */ isNew) => {
              drawing.current = !isDone;
              setDrawing(!isDone);
              setHistory(isNew ? [...newest.current.slice(-KEPT), next] : [...newest.current.slice(0, -1), next]);
            }}
          />
          ${isEmpty(sheet) ? html`<p class="invitation" aria-hidden="true">Draw a digit here,<br />or drop or paste a picture</p>` : null}
          ${isOver ? html`<p class="invitation drop" aria-hidden="true">Drop the picture</p>` : null}
        </div>
        <div class="tools" role="group" aria-label="Pad">
          <button type="button" onClick=${undo} disabled=${history.length < 2}>Undo</button>
          <button type="button" onClick=${clear} disabled=${isEmpty(sheet)}>Clear</button>
          <button type="button" aria-pressed=${sheet.isDark} disabled=${isEmpty(sheet)} onClick=${() => push({ ...sheet, isDark: !sheet.isDark })}>Invert</button>
          <fieldset class="segments"><legend class="unseen">Brush</legend>
            ${BRUSHES.map(
              ({ name, width }) => html`<label key=${name} title=${`${name} brush`}><input type="radio" name="brush" checked=${brush === width} onChange=${() => setBrush(width)} /><span class="dot" data-width=${name} aria-hidden="true"></span><span class="unseen">${name}</span></label>`,
            )}
          </fieldset>
        </div>
        <div class="tools" role="group" aria-label="Pictures">
          <button type="button" onClick=${random}>Random test digit</button>
          <button type="button" onClick=${() => chooser.current?.click()}>Choose a picture…</button>
          <button type="button" class="handheld" onClick=${() => camera.current?.click()}>Take a photograph…</button>
          ${[chooser, camera].map(
            (ref, index) => html`<input key=${index} ref=${ref} type="file" accept="image/*" hidden tabindex="-1" aria-label=${index === 0 ? "Choose a picture" : "Take a photograph"} capture=${index === 1 ? "environment" : undefined}
              onChange=${(/** @type {Event} */ event) => {
                const input = /** @type {HTMLInputElement} */ (event.currentTarget);
                void take(input.files?.[0]);
                input.value = "";
              }} />`,
          )}
        </div>
        <p class="small" id="pad-keys">Keyboard: focus the pad, move the pen with the arrow keys (Shift for small steps), press Space to put the pen down or lift it, Delete to clear, Ctrl+Z to undo.</p>
      </div>

      <div class="replies leaf">
        <div class="heading">
          <h2>Answers</h2>
          <fieldset class="segments" disabled=${answers.length === 0}><legend class="unseen">Order of the bars</legend>
            <label><input type="radio" name="order" checked=${isRanked} onChange=${() => setRanked(true)} /><span>Surest first</span></label>
            <label><input type="radio" name="order" checked=${!isRanked} onChange=${() => setRanked(false)} /><span>By class</span></label>
          </fieldset>
        </div>
        <${Trouble} problem=${problem} />
        ${hasNoModel || (reply === null && state.runs.length === 0)
          ? html`<${NoModel} state=${state} address=${address} />`
          : null}
        <${Doubts} notes=${reply?.prepared?.notes ?? []} />
        ${answers.length > 0
          ? html`<p class="verdict-line">${summary}${truth === null ? null : html` The label is <strong>${classes[truth] ?? truth}</strong>.`}</p>
              <div class="answers">
                ${answers.map((answer) => html`<${AnswerCard} key=${answer.name} answer=${answer} place=${state.models.indexOf(answer.name)} classes=${classes} colour=${colourOf(state, answer.name)} isRanked=${isRanked} truth=${truth} />`)}
              </div>
              <p><a href=${address.link({ view: "inside", image: truth === null || !isPrepared ? null : picture.index })} onClick=${(/** @type {MouseEvent} */ event) => {
                event.preventDefault();
                address.go({ view: "inside", image: isPrepared ? picture.index : null });
              }}>See this image inside a model</a></p>`
          : reply === null && !problem && state.runs.length > 0
            ? html`<div class="empty"><p>${isEmpty(sheet) ? "The pad is empty: draw a digit, and the models answer here." : "Waiting for the models…"}</p></div>`
            : null}
        ${answers.length > 0
          ? html`<details><summary>The probabilities as a table</summary>
              <div class="scroll" tabindex="0" role="region" aria-label="Probabilities"><table>
                <caption>Probability of each class</caption>
                <thead><tr><th scope="col">class</th>${answers.map(({ name }) => html`<th scope="col" key=${name}>${name}</th>`)}</tr></thead>
                <tbody>${answers[0]?.probabilities.map((_, index) => html`<tr key=${index}><th scope="row">${classes[index] ?? index}</th>${answers.map(({ name, probabilities }) => html`<td key=${name}>${percent(probabilities[index] ?? 0)}</td>`)}</tr>`)}</tbody>
              </table></div>
            </details>`
          : null}
      </div>
    </div>

    <section class="below leaf" aria-labelledby="seen-title">
      <h2 id="seen-title">What the models see</h2>
      ${isPrepared
        ? html`<p>Test image ${picture.index} is already prepared: the models receive it unchanged. Draw on it or press Invert to send it through the steps.</p>`
        : html`<p>The models do not receive your picture but the result of these steps. Turn a step off to see what it is for.</p>
            <${Steps} prepared=${reply?.prepared ?? (problem ? lastPrepared : null)} isPast=${!reply?.prepared && problem !== null} switches=${switches} onTrap=${trap} isReduced=${(reply?.prepared ?? (problem ? lastPrepared : null))?.steps.length === 1} comparison=${reply ? html`<${Comparison} reply=${reply} classes=${classes} />` : null}
              onSwitch=${(/** @type {StepName} */ name, /** @type {boolean} */ isOn) => setSwitches((/** @type {Switches} */ last) => ({ ...last, [name]: isOn }))} />`}
    </section>
    <${Said} text=${said} />
  </div>`;
}
