// node tests/site/chromium.cjs BROWSER SITE STUDY.toml RESULTS: trains a study's runs in Chromium, one worker a run, side by side as many
// as WORKERS says (1), and keeps them as a results folder. Nothing may stand on the console, nothing be asked of another host.
"use strict";
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { chromium } = require("playwright-core");

const [executablePath, site, study, results] = process.argv.slice(2);
const workers = Number(process.env.WORKERS ?? 1);
const KINDS = { ".js": "text/javascript", ".wasm": "application/wasm", ".gz": "application/gzip", ".html": "text/html", ".css": "text/css" };

// As plain as a static host: no special headers, so no shared memory.
const server = http.createServer((request, response) => {
  const name = path.join(site, path.normalize(new URL(request.url, "http://localhost").pathname));
  if (request.url === "/favicon.ico") return response.writeHead(204).end();
  if (request.url === "/blank") return response.writeHead(200, { "Content-Type": "text/html" }).end("<!doctype html><title>test</title>");
  if (!fs.existsSync(name) || !fs.statSync(name).isFile()) return response.writeHead(404).end();
  response.writeHead(200, { "Content-Type": KINDS[path.extname(name)] ?? "application/octet-stream" });
  fs.createReadStream(name).pipe(response);
});

// In the page: as many engines as workers, each taking the next run.
async function train({ text, workers }) {
  const engines = Array.from({ length: workers }, () => {
    const worker = new Worker("/engine/worker.js", { type: "module" });
    const waiting = new Map();
    const events = [];
    worker.onmessage = ({ data: { id, event, error, result } }) => {
      if (event) return events.push(event);
      if (result === undefined && error === undefined) return undefined;
      const [resolve, reject] = waiting.get(id);
      waiting.delete(id);
      return error === undefined ? resolve(result) : reject(new Error(error));
    };
    worker.onerror = (event) => waiting.forEach(([, reject]) => reject(new Error(event.message)));
    let count = 0;
    const ask = (method, parameters) =>
      new Promise((resolve, reject) => {
        waiting.set(++count, [resolve, reject]);
        worker.postMessage({ id: count, method, parameters });
      });
    return { ask, events };
  });
  const start = performance.now();
  await Promise.all(engines.map((engine) => engine.ask("open", { workers })));
  const opened = performance.now() - start;
  const plan = await engines[0].ask("plan", { study: text });
  const file = await engines[0].ask("plan-file", { study: text });
  const records = new Array(plan.length);
  let next = 0;
  const work = async ({ ask, events }) => {
    for (let index = next++; index < plan.length; index = next++) {
      const begun = performance.now();
      records[index] = await ask("run", { specification: plan[index], index, total: plan.length });
      const kinds = events.splice(0).map(({ kind }) => kind);
      if (kinds[0] !== "started" || kinds.at(-1) !== "finished" || !kinds.includes("epoch")) throw new Error(`events: ${kinds}`);
      console.info(`run ${index}: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    }
  };
  await Promise.all(engines.map(work));
  const weights = await engines[0].ask("weights");
  const refused = await engines[0].ask("plan", { study: 'models = ["cnnn"]' }).catch((error) => error.message);
  return { opened, file, records, weights: weights.length, refused };
}

async function main() {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  const page = await browser.newPage();
  const complaints = [];
  page.on("console", (message) => (message.type() === "info" ? console.log(message.text()) : complaints.push(message.text())));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith(origin)) complaints.push(`request: ${request.url()}`);
  });
  await page.goto(`${origin}/blank`);
  // Nothing limits how long a run takes.
  page.setDefaultTimeout(0);
  const { opened, file, records, weights, refused } = await page.evaluate(train, { text: fs.readFileSync(study, "utf8"), workers });
  await browser.close();
  server.close();
  if (complaints.length > 0) throw new Error(complaints.join("\n"));
  if (weights < 1000) throw new Error(`weights of ${weights} bytes`);
  if (!refused.includes("did you mean `cnn`?")) throw new Error(`a study of an unknown model: ${refused}`);
  fs.mkdirSync(path.join(results, "records"), { recursive: true });
  fs.writeFileSync(path.join(results, "plan.json"), file);
  console.log(`${workers} engines with their data in ${(opened / 1000).toFixed(1)} s`);
  for (const text of records) {
    const { id, specification, fingerprint, train_seconds, test } = JSON.parse(text);
    fs.writeFileSync(path.join(results, "records", `${id}.json`), text);
    console.log(`${specification.model}: fingerprint ${fingerprint}, ${train_seconds.toFixed(1)} s, ${test.accuracy}`);
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
