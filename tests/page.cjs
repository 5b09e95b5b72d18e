// node tests/page.cjs BROWSER native|site PROGRAM|FOLDER PICTURES PROGRAM: uses the page as a person would, with one of its engines, and
// fails where something is not right. The last PROGRAM reports and verifies what the page saved. The parts are in tests/browser.
"use strict";
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { Native, Site } = require("./browser/engines.cjs");
const { Bench } = require("./browser/harness.cjs");
const { change } = require("./browser/change.cjs");
const { compare } = require("./browser/compare.cjs");
const { drawing } = require("./browser/draw.cjs");
const { errors } = require("./browser/errors.cjs");
const { first } = require("./browser/first.cjs");
const { inside } = require("./browser/inside.cjs");
const { keyboard, still } = require("./browser/keyboard.cjs");
const { lessons } = require("./browser/lessons.cjs");
const { broken, killed, reload, tabs } = require("./browser/life.cjs");
const { looks } = require("./browser/looks.cjs");

const [executablePath, kind, where, pictures, program] = process.argv.slice(2);

async function main() {
  if (!program || !["native", "site"].includes(kind)) throw new Error("usage: node tests/page.cjs BROWSER native|site PROGRAM|FOLDER PICTURES PROGRAM");
  fs.mkdirSync(pictures, { recursive: true });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "mnist-study-page-"));
  const engine = kind === "native" ? new Native(where, path.join(folder, "made")) : new Site(where);
  const bench = new Bench(engine, executablePath, pictures);
  const start = performance.now();
  try {
    await engine.start();
    await bench.open();
    await bench.part("the first study", () => first(bench));
    const page = await bench.context.newPage();
    await page.goto(`${engine.origin}/`);
    await page.locator(".compare .card").first().waitFor();
    await bench.part("Change", () => change(bench, page));
    await bench.part("Compare", () => compare(bench, page, program, folder));
    await bench.part("Draw", () => drawing(bench, page, 3));
    await bench.part("Inside", () => inside(bench, page));
    await bench.part("Errors", () => errors(bench, page, 3, 3));
    await bench.part("every view at every size", () => looks(bench, page));
    await bench.part("without motion", () => still(page));
    await bench.part("Lessons", () => lessons(bench, page));
    await bench.part("by keys alone", () => keyboard(bench, page));
    await bench.part("two tabs", () => tabs(bench, page));
    await bench.part("loaded again in mid-run", () => reload(bench, page));
    if (kind === "native") await bench.part("killed and started", () => killed(bench, page));
    else await bench.part("an engine that cannot be loaded", () => broken(bench));
  } finally {
    await bench.browser?.close();
    await engine.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
  console.log(`${kind}: all in ${((performance.now() - start) / 1000).toFixed(0)} s`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
