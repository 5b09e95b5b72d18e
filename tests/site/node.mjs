// node tests/site/node.mjs SITE STUDY.toml RESULTS: trains a study's runs with the site's engine and keeps them as a results folder.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";

const [site, study, results] = process.argv.slice(2);
// Node takes a file for a module where a package.json says so; the copy is of no use to a browser.
const folder = fs.mkdtempSync(path.join(results, "../engine-"));
fs.cpSync(path.join(site, "engine"), folder, { recursive: true });
fs.writeFileSync(path.join(folder, "package.json"), '{"type":"module"}');
const engine = await import(pathToFileURL(path.resolve(folder, "module.js")));
engine.initSync({ module: fs.readFileSync(path.join(folder, "module_bg.wasm")) });
fs.rmSync(folder, { recursive: true });

const file = (name) => new Uint8Array(gunzipSync(fs.readFileSync(path.join(site, "data", `${name}.gz`))));
const files = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];
engine.open(...files.map(file), `Node.js ${process.version}`, 1);
const text = fs.readFileSync(study, "utf8");
fs.mkdirSync(path.join(results, "records"), { recursive: true });
fs.writeFileSync(path.join(results, "plan.json"), engine.plan_file(text));
const plan = JSON.parse(engine.plan(text));
for (const [index, specification] of plan.entries()) {
  const kinds = new Map();
  const record = engine.run(JSON.stringify(specification), index, plan.length, (event) => {
    const { kind } = JSON.parse(event);
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }, (epoch, step, weights) => kinds.set("weights", (kinds.get("weights") ?? 0) + (weights.length > 0)));
  const { id, fingerprint, train_seconds, test } = JSON.parse(record);
  if (engine.weights().length < 1000) throw new Error("weights: none");
  fs.writeFileSync(path.join(results, "records", `${id}.json`), record);
  console.log(`${specification.model}: fingerprint ${fingerprint}, ${train_seconds.toFixed(1)} s, ${test.accuracy}, ${JSON.stringify([...kinds])}`);
}
