// Training the study's CNN in Chromium: this program's engine beside TensorFlow.js on its cpu and its wasm backend.
//
//     npm install --prefix FOLDER playwright-core@1.64.1 @tensorflow/tfjs@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0
//     site/build SITE
//     NODE_PATH=FOLDER/node_modules node bench/peers/tensorflow_js.cjs BROWSER SITE [ROUNDS=5]
//
// Each side trains in one Web Worker of one page, without shared memory, one after the other, in turns: the same network, batches of 128 of
// the same images in a new order, Adam. A round times some steps of each, after a first step that compiles; the figure is the median step
// of a round, and the ratio that of the medians over the rounds. TensorFlow.js's wasm backend has no gradient of a convolution by its
// filters: here it is that backend's own convolution of the transposed operands, without which it could not train at all.
"use strict";
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { chromium } = require("playwright-core");

const [executablePath, site, rounds = "5"] = process.argv.slice(2);
const modules = (process.env.NODE_PATH ?? "node_modules").split(path.delimiter)[0];
// Steps of a round: some seconds of each. PEERS="ours wasm" leaves some out.
const ALL = { ours: 40, wasm: 6, cpu: 1 };
const STEPS = Object.fromEntries((process.env.PEERS ?? "ours wasm cpu").split(" ").map((name) => [name, ALL[name]]));
const KINDS = { ".js": "text/javascript", ".wasm": "application/wasm", ".gz": "application/gzip" };

const PEER = `
importScripts("/modules/@tensorflow/tfjs/dist/tf.min.js", "/modules/@tensorflow/tfjs-backend-wasm/dist/tf-backend-wasm.min.js");
let model, images, labels;
const gradient = ({ inputs: { x, dy }, attrs: { filterShape } }) => {
  // dW[i, j, c, f] = Σ over n, y, x of X[n, y + i, x + j, c] · dY[n, y, x, f]: a convolution whose channels are the images.
  const maps = tf.conv2d(tf.transpose(x, [3, 1, 2, 0]), tf.transpose(dy, [1, 2, 0, 3]), 1, "valid");
  return tf.transpose(maps, [1, 2, 0, 3]).reshape(filterShape);
};
async function open(backend) {
  tf.wasm.setWasmPaths("/modules/@tensorflow/tfjs-backend-wasm/dist/");
  tf.registerKernel({ kernelName: "Conv2DBackpropFilter", backendName: "wasm", kernelFunc: gradient });
  await tf.setBackend(backend);
  await tf.ready();
  model = tf.sequential({ layers: [
    tf.layers.conv2d({ inputShape: [28, 28, 1], filters: 32, kernelSize: 3, activation: "relu" }),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.conv2d({ filters: 64, kernelSize: 3, activation: "relu" }),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.flatten(),
    tf.layers.dense({ units: 128, activation: "relu" }),
    tf.layers.dense({ units: 10, activation: "softmax" }),
  ] });
  model.compile({ optimizer: tf.train.adam(0.001), loss: "categoricalCrossentropy" });
  const file = async (name) => {
    const body = (await fetch("/data/" + name + ".gz")).body.pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(body).arrayBuffer());
  };
  images = (await file("train-images-idx3-ubyte")).subarray(16);
  labels = (await file("train-labels-idx1-ubyte")).subarray(8);
  return tf.getBackend() + " " + tf.version.tfjs + ", " + model.countParams() + " parameters";
}
async function steps(count) {
  const times = [], losses = [];
  for (let step = 0; step < count; step++) {
    const start = performance.now();
    const pixels = new Float32Array(128 * 784), classes = new Int32Array(128);
    for (let image = 0; image < 128; image++) {
      const index = Math.floor(Math.random() * 60000);
      for (let pixel = 0; pixel < 784; pixel++) pixels[image * 784 + pixel] = images[index * 784 + pixel] / 255;
      classes[image] = labels[index];
    }
    const [x, y] = tf.tidy(() => [tf.tensor4d(pixels, [128, 28, 28, 1]), tf.oneHot(tf.tensor1d(classes, "int32"), 10)]);
    losses.push(await model.trainOnBatch(x, y));
    x.dispose();
    y.dispose();
    times.push(performance.now() - start);
  }
  return { times, loss: losses.at(-1) };
}`;
const OURS = `
import init, * as engine from "/engine/module.js";
let run;
const file = async (name) => {
  const body = (await fetch("/data/" + name + ".gz")).body.pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(body).arrayBuffer());
};
self.open = async () => {
  await init({ module_or_path: "/engine/module_bg.wasm" });
  const names = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];
  engine.open(...await Promise.all(names.map(file)), "bench", 1);
  [run] = JSON.parse(engine.plan('models = ["cnn"]\\nseeds = 1'));
  return "mnist-study";
};
self.steps = async (count) => {
  const times = [];
  let last, loss;
  try {
    engine.run(JSON.stringify(run), 0, 1, (text) => {
      const event = JSON.parse(text), now = performance.now();
      if (event.kind === "step") {
        if (last !== undefined) times.push(now - last);
        [last, loss] = [now, event.train_loss];
      }
      return times.length < count;
    });
  } catch { /* ended, as it was asked to */ }
  return { times, loss };
};`;
const LISTEN = `
self.onmessage = async ({ data: [method, argument] }) => {
  try { postMessage({ result: await self[method](argument) }); }
  catch (error) { postMessage({ error: String(error.stack ?? error) }); }
};`;

const server = http.createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  const script = { "/ours.js": OURS + LISTEN, "/peer.js": PEER + LISTEN }[pathname];
  if (script) return response.writeHead(200, { "Content-Type": "text/javascript" }).end(script);
  if (pathname === "/") return response.writeHead(200, { "Content-Type": "text/html" }).end("<!doctype html><title>bench</title>");
  const name = pathname.startsWith("/modules/") ? path.join(modules, pathname.slice(8)) : path.join(site, pathname);
  if (!fs.existsSync(name)) return response.writeHead(404).end();
  response.writeHead(200, { "Content-Type": KINDS[path.extname(name)] ?? "application/octet-stream" });
  return fs.createReadStream(name).pipe(response);
});

// In the page.
async function measure({ rounds, STEPS }) {
  const workers = {};
  const ask = (name, method, argument) =>
    new Promise((resolve, reject) => {
      workers[name].onmessage = ({ data: { result, error } }) => (error ? reject(new Error(`${name}: ${error}`)) : resolve(result));
      workers[name].onerror = (event) => reject(new Error(`${name}: ${event.message}`));
      workers[name].postMessage([method, argument]);
    });
  const told = {};
  for (const name of Object.keys(STEPS)) {
    workers[name] = name === "ours" ? new Worker("/ours.js", { type: "module" }) : new Worker("/peer.js");
    told[name] = await ask(name, "open", name);
    await ask(name, "steps", 1);
  }
  const results = Object.fromEntries(Object.keys(STEPS).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, count] of Object.entries(STEPS)) results[name].push(await ask(name, "steps", count));
  }
  return { told, results };
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

async function main() {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(String(error)));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  const { told, results } = await page.evaluate(measure, { rounds: Number(rounds), STEPS });
  const version = browser.version();
  await browser.close();
  server.close();
  console.log(`Chromium ${version}, cnn, steps of 128 images, ${rounds} rounds in turns`);
  const middle = {};
  for (const [name, all] of Object.entries(results)) {
    const medians = all.map(({ times }) => median(times));
    middle[name] = median(medians);
    const shown = medians.map((value) => value.toFixed(1)).join(" ");
    const ratio = (middle[name] / middle.ours).toFixed(1);
    console.log(`${name} (${told[name]}): ${middle[name].toFixed(1)} ms a step [${shown}], ${ratio}× ours; loss ${all.at(-1).loss.toFixed(3)}`);
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
