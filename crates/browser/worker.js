// A Web Worker around one engine. A page sends {id, method, parameters} and hears {id, result} or {id, error}; while a run is made it
// hears {id, event} as well, an event as the program's --json-events writes it.
//
//   open  {agent, workers}               → the data's identity
//   plan  {study}                        → the specifications of a study file's runs
//   plan-file {study}                    → the text of plan.json
//   run   {specification, index, total}  → the text of records/ID.json
//   weights {}                           → a safetensors file
//
// Whoever wants a run to end at once ends its worker: the engine looks up only between its steps, and hears nothing meanwhile.
import init, * as engine from "./browser.js";

const FILES = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

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

const methods = {
  async open({ agent = navigator.userAgent, workers = 1 }) {
    const [, ...files] = await Promise.all([init(), ...FILES.map(file)]);
    return JSON.parse(engine.open(...files, agent, workers));
  },
  plan: ({ study }) => JSON.parse(engine.plan(study)),
  "plan-file": ({ study }) => engine.plan_file(study),
  run: ({ specification, index = 0, total = 1 }, id) =>
    engine.run(JSON.stringify(specification), index, total, (event) => {
      postMessage({ id, event: JSON.parse(event) });
    }),
  weights: () => engine.weights(),
};

addEventListener("message", async ({ data: { id, method, parameters = {} } }) => {
  try {
    postMessage({ id, result: await methods[method](parameters, id) });
  } catch (error) {
    postMessage({ id, error: error.message ?? String(error) });
  }
});
