// An image's way through a network: what each layer makes of it, and how.

import { html, useEffect, useMemo, useRef, useState } from "../lib/preact.js";
import { imageOf, nameOf, useSharedImage } from "../parts/image.js";
import { Name } from "../parts/marks.js";
import { Bars } from "../parts/pixels/answers.js";
import { LayerAtlas } from "../parts/pixels/atlas.js";
import { Attention } from "../parts/pixels/attention.js";
import { Picture } from "../parts/pixels/canvas.js";
import { modelOf, useKept } from "../parts/pixels/choice.js";
import { Convolution, strongest } from "../parts/pixels/convolution.js";
import { NoModel, Said, Trouble, colourOf, randomIndex, trainedModels, useClasses } from "../parts/pixels/engine.js";
import { LastLayer } from "../parts/pixels/last.js";
import { Latest } from "../parts/pixels/latest.js";
import { Layer, Values, valuesOfImage, windowOf } from "../parts/pixels/network.js";
import { Legend, Probe, channelImage } from "../parts/pixels/probe.js";
import { Recurrent, Strip } from "../parts/pixels/recurrent.js";
import { LayerTables } from "../parts/pixels/tables.js";
import { figure, largest, percent, sized } from "../parts/pixels/words.js";

/** @import { Inside, ViewProps } from "../types.js" */
/** @import { SharedImage } from "../parts/image.js" */
/** @import { Place } from "../parts/pixels/probe.js" */

/** Milliseconds between two looks while a model learns. */
const EVERY = 250;
/** Milliseconds of rest before a choice comes into the address. */
const LINKED_AFTER = 400;

/**
 * @typedef {{ model: string, image: SharedImage, inside: Inside, layers: Layer[] }} Look
 * @typedef {{ layer: string, cell: number, at: Place | null, channel: number | null, step: number, query: number }} Choice
 */

/** @type {Choice} */
const FIRST = { layer: "", cell: 0, at: null, channel: null, step: 0, query: 5 };

/** What a kind of layer does, in a sentence. @type {Record<string, string>} */
const MEANINGS = {
  conv: "Each filter slides over the input, multiplies what is under it by its weights and adds up the products: one map per filter.",
  depthwise: "Each channel has its own filter, which slides over that channel alone.",
  dense: "Each unit adds up all inputs, each multiplied by a weight, and a bias.",
  relu: "Negative values become 0; the others stay.",
  maxpool: "Keeps the largest value of each window. The map shrinks, and a small shift of the digit changes little.",
  avgpool: "Keeps the mean of each window. The map shrinks.",
  global: "Each map or feature becomes one value.",
  batchnorm: "Shifts and scales each channel by its mean and variance over the training images, then by learned factors.",
  layernorm: "Normalises the values to mean 0 and variance 1, then scales and shifts them by learned factors.",
  dropout: "Does nothing here: dropout sets values to zero in training only.",
  flatten: "The maps become one list.",
  lstm: "Reads one step at a time. Gates control what the state keeps, adds and outputs.",
  gru: "Reads one step at a time. Two gates control how much of the state is replaced.",
  rnn: "Reads one step at a time. Each state is computed from the input and the previous state.",
  attention: "Self-attention: each step becomes a weighted mean over all steps. The weights compare its query with their keys.",
  patches: "The image is cut into squares; each becomes a step of a sequence.",
  rows: "Each row of the image becomes a step of a sequence.",
  columns: "Each column of the image becomes a step of a sequence.",
  position: "Adds a learned value to each feature of each step, so that the network knows where a step is.",
  sum: "Residual connection: adds the output of the block to its input, or to its shortcut.",
  gelu: "A smooth alternative to relu.",
  silu: "A smooth alternative to relu.",
  tanh: "Squeezes each value between −1 and 1.",
  sigmoid: "Squeezes each value between 0 and 1.",
};

/** @param {ViewProps} props */
export default function InsideView({ engine, state, address }) {
  const classes = useClasses(engine, state);
  const drawn = useSharedImage();
  const trained = trainedModels(state);
  const model = modelOf(address, trained);
  const weights = model === null ? null : (state.weights[model] ?? null);
  const isDrawn = address.image === null && drawn !== null && drawn.source.kind !== "test";
  const index = isDrawn ? null : (address.image ?? (drawn?.source.kind === "test" ? drawn.source.index : 0));
  const [test, setTest] = useState(/** @type {SharedImage | null} */ (null));
  const [problem, setProblem] = useState(/** @type {{ message: string, hint?: string | null } | null} */ (null));
  const [look, setLook] = useState(/** @type {Look | null} */ (null));
  const [choice, setChoice] = useKept("inside.choice", FIRST, true);
  const [said, setSaid] = useState("");
  const image = isDrawn ? drawn : test?.source.kind === "test" && test.source.index === index ? test : null;

  useEffect(() => {
    if (index === null || image) return;
    let isOpen = true;
    engine.call("images", { indices: [index] }).then(
      ({ shape, images: [found] }) => {
        if (!isOpen || !found) return;
        setProblem(null);
        setTest(imageOf(found.pixels, shape, { kind: "test", index, label: found.label }));
      },
      (trouble) => isOpen && setProblem(trouble),
    );
    return () => void (isOpen = false);
  }, [index, image === null]);

  const asking = useMemo(
    () =>
      new Latest(
        async (/** @type {{ model: string, image: SharedImage }} */ question) => ({ ...question, inside: await engine.call("inside", { model: question.model, image: question.image.text }) }),
        ({ inside, ...question }) => {
          setProblem(null);
          setLook({ ...question, inside, layers: inside.layers.map((layer, place) => new Layer(layer, place)) });
        },
        (trouble) => setProblem(trouble),
        EVERY,
      ),
    [engine],
  );
  useEffect(() => () => asking.drop(), [asking]);
  useEffect(() => {
    if (model !== null && image) asking.ask({ model, image });
  }, [model, image, weights, asking]);

  const shown = look && look.model === model ? look : null;
  const probabilities = shown?.inside.probabilities ?? [];
  const answer = largest(probabilities);
  const truth = shown?.image.source.kind === "test" ? shown.image.source.label : null;
  useEffect(() => {
    if (!shown || (weights && !weights.finished)) return;
    const timer = setTimeout(() => setSaid(`${shown.model} answers ${classes[answer] ?? answer} for ${nameOf(shown.image)}, with ${percent(probabilities[answer] ?? 0)}.`), 600);
    return () => clearTimeout(timer);
  }, [shown?.model, shown?.image, answer]);

  const pixels = useMemo(() => {
    if (!shown) return null;
    const { input } = /** @type {Inside & { input?: { shape: number[], values: string } }} */ (shown.inside);
    return input ? new Values("the image", input.shape, input.values) : valuesOfImage(shown.image);
  }, [shown]);
  // Where the address has fields for them, a link opens the layer and what is chosen of it.
  const { layer = null, cell = null } = /** @type {{ layer?: string | null, cell?: number | null }} */ (address);
  useEffect(() => {
    if (layer !== null && (layer !== choice.layer || (cell ?? 0) !== choice.cell)) setChoice((last) => ({ ...last, layer, cell: cell ?? 0, at: null, channel: null, step: cell ?? 0, query: cell ?? 0 }));
  }, [layer, cell]);
  useEffect(() => {
    const chosen = choice.layer === "" ? { layer: null, cell: null } : { layer: choice.layer, cell: choice.cell };
    if (chosen.layer === layer && chosen.cell === cell) return;
    const timer = setTimeout(() => address.go(/** @type {object} */ (chosen), true), LINKED_AFTER);
    return () => clearTimeout(timer);
  }, [choice.layer, choice.cell]);

  /** @param {Partial<Choice>} changes */
  const choose = (changes) => setChoice((last) => ({ ...last, ...changes }));

  if (trained.length === 0) {
    return html`<div class="pixels inside"><h1>Inside</h1><${NoModel} state=${state} address=${address} /></div>`;
  }
  const isLearning = weights !== null && !weights.finished;
  return html`<div class="pixels inside">
    <h1>Inside</h1>
    <p class="lead">Follow an image through a network, layer by layer. Choose a map or a layer's name to see how it is calculated. Maps, rows, columns, steps and units are counted from 0.</p>
    <div class="choices">
      <fieldset class="segments"><legend class="small">Model</legend>
        ${trained.map((name) => html`<label key=${name}><input type="radio" name="inside-model" checked=${name === model} onChange=${() => address.go({ model: name }, true)} /><span><${Name} place=${state.models.indexOf(name)} name=${name} /></span></label>`)}
      </fieldset>
      <${ImageChoice} index=${index} hasDrawing=${drawn !== null && drawn.source.kind !== "test"} drawing=${drawn ? nameOf(drawn) : ""} onIndex=${(/** @type {number | null} */ next) => address.go({ image: next }, true)}
        onRandom=${() => randomIndex(engine).then((next) => address.go({ image: next }, true), setProblem)} />
    </div>
    <${Trouble} problem=${problem} />
    <div class="way">
      <aside class="leaf" aria-label="Image and answer">
        ${image ? html`<figure><div class="photo"><${Picture} pixels=${image.pixels} width=${image.width} height=${image.height} label=${nameOf(image)} /></div>
          <figcaption>${nameOf(image)}${image.source.kind === "test" ? html`, label <b>${classes[image.source.label] ?? image.source.label}</b>` : ""}</figcaption></figure>` : html`<div class="photo"></div>`}
        ${shown
          ? html`<div style=${{ "--own": colourOf(state, shown.model) }}>
              <h2>${shown.model} answers <span class="class">${classes[answer] ?? answer}</span></h2>
              <${Bars} probabilities=${probabilities} classes=${classes} colour=${colourOf(state, shown.model)} isRanked=${false} truth=${truth} />
              <p class="small when" data-live=${isLearning}>${isLearning ? `Training: epoch ${shown.inside.epoch}, step ${shown.inside.step}` : `Final weights, ${shown.inside.epoch} ${shown.inside.epoch === 1 ? "epoch" : "epochs"}`}${weights ? `, seed ${weights.seed}` : ""}</p>
            </div>`
          : html`<p class="small">Waiting for the model…</p>`}
      </aside>
      <ol class="layers leaf">
        ${shown && pixels
          ? shown.layers.map((layer) => html`<${LayerPart} key=${`${shown.model} ${layer.name} ${layer.index}`} layer=${layer} look=${shown} pixels=${pixels} classes=${classes} answer=${answer}
              choice=${choice.layer === layer.name ? choice : null} choose=${choose} />`)
          : null}
      </ol>
    </div>
    <${Said} text=${said} />
  </div>`;
}

/**
 * @param {{ index: number | null, hasDrawing: boolean, drawing: string, onIndex: (index: number | null) => void, onRandom: () => void }} props
 */
function ImageChoice({ index, hasDrawing, drawing, onIndex, onRandom }) {
  const last = useRef(index ?? 0);
  if (index !== null) last.current = index;
  // What is half typed stays while a model learns and the view is drawn again.
  const [typed, setTyped] = useState(/** @type {string | null} */ (null));
  return html`<div class="image-choice" role="group" aria-label="Image">
    ${hasDrawing
      ? html`<fieldset class="segments"><legend class="small">Image</legend>
          <label><input type="radio" name="inside-image" checked=${index === null} onChange=${() => onIndex(null)} /><span>${drawing}</span></label>
          <label><input type="radio" name="inside-image" checked=${index !== null} onChange=${() => onIndex(last.current)} /><span>test image</span></label>
        </fieldset>`
      : null}
    <div class="stepper">
      <button type="button" class="icon" aria-label="Previous test image" disabled=${index === null || index === 0} onClick=${() => onIndex(Math.max(0, (index ?? 0) - 1))}>‹</button>
      <label><span class="small">Test image</span><input type="number" min="0" step="1" value=${typed ?? index ?? last.current} onInput=${(/** @type {Event} */ event) => setTyped(/** @type {HTMLInputElement} */ (event.currentTarget).value)} onBlur=${() => setTyped(null)} onChange=${(/** @type {Event} */ event) => {
        setTyped(null);
        const next = Number(/** @type {HTMLInputElement} */ (event.currentTarget).value);
        if (Number.isInteger(next) && next >= 0) onIndex(next);
      }} /></label>
      <button type="button" class="icon" aria-label="Next test image" disabled=${index === null} onClick=${() => onIndex((index ?? 0) + 1)}>›</button>
      <button type="button" onClick=${onRandom}>Random</button>
    </div>
  </div>`;
}

/** A step in the middle, where there is mostly something to see. @param {Layer} layer */
const choiceOfQuery = (layer) => Math.floor(layer.count / 3);

/**
 * @param {{ layer: Layer, look: Look, pixels: Values, classes: readonly string[], answer: number, choice: Choice | null, choose: (changes: Partial<Choice>) => void }} props
 */
function LayerPart({ layer, look, pixels, classes, answer, choice, choose }) {
  const told = layer.states ?? layer;
  const cell = choice ? Math.min(choice.cell, told.count - 1) : null;
  /** @param {number} next */
  const select = (next) => choose({ layer: layer.name, cell: next, ...(choice ? {} : { at: null, channel: null }), ...(layer.states ? { step: next } : {}), ...(layer.source.attention ? { query: next } : {}) });
  const window = useMemo(() => (choice ? windowOf(look.layers, layer, pixels) : null), [choice !== null, look]);
  const isOpen = choice !== null && cell !== null;
  const item = useRef(/** @type {HTMLElement | null} */ (null));
  const isNear = useNear(item);
  // What is out of sight is drawn again when it comes into view.
  const drawn = useRef(/** @type {{ node: unknown, isOpen: boolean } | null} */ (null));
  if (!isNear && !isOpen && drawn.current && !drawn.current.isOpen) return drawn.current.node;
  const node = html`<li class="layer" ref=${item} data-open=${isOpen}>
    <div class="heading">
      <h2><button type="button" class="close" aria-expanded=${isOpen} onClick=${() => (isOpen ? choose({ layer: "" }) : select(layer.source.weights ? answer : layer.states ? layer.states.count - 1 : layer.source.attention ? choiceOfQuery(layer) : 0))}><span class="place" aria-hidden="true">${layer.index + 1}</span>${layer.text}</button></h2>
      <span class="small shape">${sized(layer.shape)}</span>
      <${Legend} low=${layer.low} high=${layer.high} most=${layer.most} />
    </div>
    <${LayerAtlas} layer=${layer} values=${told} selected=${cell} onSelect=${select} />
    ${isOpen ? html`<div class="detail">
      ${MEANINGS[layer.word] ? html`<p>${MEANINGS[layer.word]}</p>` : null}
      <${Detail} layer=${layer} look=${look} window=${window} classes=${classes} choice=${choice} cell=${cell} choose=${choose} />
      <${LayerTables} layer=${layer} told=${told} selected=${cell} />
    </div>` : null}
  </li>`;
  drawn.current = { node, isOpen };
  return node;
}

/**
 * Whether an element is in view, or nearly.
 * @param {import("../lib/preact.js").Ref<HTMLElement | null>} ref
 */
function useNear(ref) {
  const [isNear, set] = useState(true);
  useEffect(() => {
    if (!ref.current) return;
    const observer = new IntersectionObserver((entries) => set(entries.at(-1)?.isIntersecting ?? true), { rootMargin: "300px" });
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  return isNear;
}

/**
 * @param {{ layer: Layer, look: Look, window: import("../parts/pixels/network.js").Window | null, classes: readonly string[], choice: Choice, cell: number, choose: (changes: Partial<Choice>) => void }} props
 */
function Detail({ layer, look, window, classes, choice, cell, choose }) {
  if (window) {
    return html`<${Convolution} layer=${layer} window=${window} output=${cell} at=${choice.at} channel=${choice.channel}
      onAt=${(/** @type {Place} */ at) => choose({ at })} onChannel=${(/** @type {number} */ channel) => choose({ channel })} onOutput=${(/** @type {number} */ output) => choose({ layer: layer.name, cell: output })} />`;
  }
  if (layer.source.weights) {
    return html`<${LastLayer} layer=${layer} layers=${look.layers} classes=${classes} probabilities=${look.inside.probabilities} chosen=${cell} onChoose=${(/** @type {number} */ chosen) => choose({ cell: chosen })} />`;
  }
  if (layer.source.attention) {
    return html`<${Attention} layer=${layer} layers=${look.layers} image=${look.image} query=${choice.query} onQuery=${(/** @type {number} */ query) => choose({ query, cell: query })} />`;
  }
  if (layer.states) {
    return html`<${Recurrent} layer=${layer} states=${layer.states} image=${look.image} isFirst=${layer.index === 0 || look.layers[layer.index - 1]?.word === "rows"} step=${choice.step} onStep=${(/** @type {number} */ step) => choose({ step, cell: step })} />`;
  }
  if (layer.isImage) {
    const [height = 1, width = 1, maps = 1] = layer.shape;
    const place = choice.at ?? strongest(layer, cell);
    const at = { y: Math.min(place.y, height - 1), x: Math.min(place.x, width - 1) };
    const value = layer.values[(at.y * width + at.x) * maps + cell];
    const text = `map ${cell}, row ${at.y} of 0–${height - 1}, column ${at.x} of 0–${width - 1}: ${figure(value)}`;
    return html`<div class="trio single"><${Probe} width=${width} height=${height} at=${at} onAt=${(/** @type {Place} */ next) => choose({ at: next })} label=${text} caption=${text}
      draw=${() => channelImage(layer.values, width, height, maps, cell, layer.most)} inputs=${[layer, cell]} /></div>`;
  }
  const features = layer.shape[1] ?? 1;
  const values = layer.shape.length === 2 ? layer.values.subarray(cell * features, (cell + 1) * features) : layer.values;
  const text = layer.shape.length === 2 ? `Step ${cell}: ${features} values from ${figure(Math.min(...values))} to ${figure(Math.max(...values))}` : `Unit ${cell} of 0–${layer.count - 1}: ${figure(layer.values[cell])}`;
  return html`<figure><${Strip} values=${values} most=${layer.most} label=${text} /><figcaption>${text}</figcaption></figure>`;
}
