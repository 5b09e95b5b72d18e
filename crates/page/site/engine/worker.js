// A Web Worker around one engine. A page sends {id, method, parameters} and hears {id, result} or {id, error}; while a run is made it
// hears {id, event} as well, an event as the program's --json-events writes it, and {id, weights}, what was learnt so far.
//
// Whoever wants a run to end at once ends its worker: the engine looks up only between its steps, and hears nothing meanwhile.

/** @import { StudyEvent } from "../types.js" */

// Made by `site/build` from the crate `browser`.
// @ts-ignore: it is there in the site alone
import init, * as engine from "./module.js";

const MODULE = new URL("module_bg.wasm", import.meta.url);
const FILES = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/** A page shows the steps of a run so often, in milliseconds. */
const PAUSE = 150;

/** @param {string} name */
async function file(name) {
  const address = new URL(`../data/${name}.gz`, import.meta.url);
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status} ${response.statusText}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  // Some servers say of a .gz file that it is an encoding, and the browser then has undone it already.
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(unpacked).arrayBuffer());
}

/** @param {any} parameters @param {number} id */
function run({ specification, index = 0, total = 1 }, id) {
  let told = -PAUSE;
  /** @param {string} text */
  const post = (text) => {
    const now = performance.now();
    const isStep = text.includes('"kind":"step"');
    if (isStep && now - told < PAUSE) return;
    told = now;
    postMessage({ id, event: /** @type {StudyEvent} */ (JSON.parse(text)) });
  };
  /** @param {number} epoch @param {number} step @param {Float32Array} values @param {boolean} finished */
  const show = (epoch, step, values, finished) => {
    const options = /** @type {StructuredSerializeOptions} */ ({ transfer: [values.buffer] });
    postMessage({ id, weights: { epoch, step, values, finished } }, options);
  };
  return engine.run(JSON.stringify(specification), index, total, post, show);
}

/** @type {Record<string, (parameters: any, id: number) => any>} */
const methods = {
  async open({ agent = navigator.userAgent, workers = 1 }) {
    const [, ...files] = await Promise.all([init({ module_or_path: MODULE }), ...FILES.map(file)]);
    return JSON.parse(engine.open(...files, agent, workers));
  },
  plan: ({ study }) => JSON.parse(engine.plan(study)),
  "plan-file": ({ study }) => engine.plan_file(study),
  run,
  weights: () => engine.weights(),
  desk: ({ first }) => engine.desk(first),
  call: ({ method, parameters }) => engine.call(method, JSON.stringify(parameters)),
  "take-up": ({ text }) => engine.take_up(text),
  hear: ({ id, event }) => engine.hear(id, JSON.stringify(event)),
  learn: ({ id, epoch, step, finished, values }) => engine.learn(id, epoch, step, finished, values),
  keep: ({ text }) => engine.keep(text),
  "give-up": ({ id }) => engine.give_up(id),
  forget: () => engine.forget(),
  "set-running": ({ running, pausing }) => engine.set_running(running, pausing),
};

addEventListener("message", async ({ data: { id, method, parameters = {} } }) => {
  try {
    const answer = methods[method];
    if (answer === undefined) throw new Error(`no method ${method}`);
    postMessage({ id, result: await answer(parameters, id) });
  } catch (error) {
    postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
