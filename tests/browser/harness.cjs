// What the tests of the page share: a browser that complains, studies, and how a person finds their way.
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { chromium } = require("playwright-core");

const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** Milliseconds that runs may take on a machine that does much else. */
const RUNS = 180_000;
/** Milliseconds that anything else may take there. */
const PATIENCE = 60_000;

/** A convolution, an LSTM and a dense network: small, and trained enough to read a clear digit. */
const STUDY = `title = "Three small networks"
models = ["maps", "rows", "plain"]
seeds = 2
[recipe]
epochs = 2
training_images = 6000
batch_size = 32
[model.maps]
layers = ["conv 6 3x3 stride 2", "relu", "conv 8 3x3 stride 2", "relu", "flatten", "dense classes"]
[model.rows]
layers = ["rows", "lstm 32", "dense classes"]
[model.plain]
layers = ["flatten", "dense 32", "relu", "dense classes"]
`;

/** A study with one run that is made at once and one that nobody waits for. */
const LONG = `title = "Quick and slow"
models = ["quick", "slow"]
seeds = 1
[recipe]
training_images = 1000
[model.quick]
layers = ["flatten", "dense 8", "relu", "dense classes"]
recipe = { epochs = 1 }
[model.slow]
layers = ["flatten", "dense 24", "relu", "dense classes"]
recipe = { epochs = 5000 }
`;

class Bench {
  /** What stood on a console, failed, or was asked of another host. */
  complaints = [];
  figures = [];

  constructor(engine, executablePath, pictures) {
    Object.assign(this, { engine, executablePath, pictures });
  }

  async open() {
    this.browser = await chromium.launch({
      executablePath: this.executablePath,
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    });
    this.context = await this.newContext();
  }

  async newContext(options = {}) {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true, ...options });
    context.setDefaultTimeout(PATIENCE);
    context.on("page", (page) => {
      page.on("console", (message) => this.complaints.push(`console: ${message.text()} ${message.location().url}`));
      page.on("pageerror", (error) => this.complaints.push(`error: ${error.stack}`));
      page.on("crash", () => this.complaints.push("the page crashed"));
      page.on("response", (response) => {
        if (response.status() >= 400) this.complaints.push(`${response.status()}: ${response.url()}`);
      });
    });
    // Those of workers too.
    context.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(`${this.engine.origin}/`) && !url.startsWith("blob:") && !url.startsWith("data:")) this.complaints.push(`request: ${url}`);
    });
    return context;
  }

  /** Nothing was complained of since the last time. */
  clean(where) {
    assert.deepEqual(this.complaints.splice(0), [], where);
  }

  /** A part of the tests, with its time; a picture of each page where it fails. */
  async part(name, work) {
    const start = performance.now();
    try {
      await work();
      this.clean(name);
    } catch (error) {
      for (const [index, page] of this.browser.contexts().flatMap((context) => context.pages()).entries()) {
        await page.screenshot({ path: path.join(this.pictures, `failed-${index}.png`), timeout: 10_000 }).catch(() => {});
      }
      throw new Error(`${this.engine.kind}, ${name}: ${error.message}${this.complaints.map((one) => `\n  ${one}`).join("")}`, { cause: error });
    }
    console.log(`${this.engine.kind}: ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  }

  figure(text) {
    this.figures.push(text);
    console.log(`${this.engine.kind}: ${text}`);
  }
}

/** Where the study that is being made stands. */
const stateOf = (page) => page.locator(".progress .meters dd").first();

/** @param {RegExp} state */
async function becomes(page, state, timeout = RUNS) {
  await page.locator(".progress .meters dd").first().filter({ hasText: state }).waitFor({ timeout });
}

/** Another view, by its link. */
async function view(page, name) {
  await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name }).click();
  await page.waitForFunction((name) => document.title.startsWith(name) && document.querySelector("main h1:not(.visually-hidden)") !== null, name);
}

/** Writes a study file in Change, and waits until it is read. */
async function write(page, text) {
  await view(page, "Change");
  await page.getByRole("textbox", { name: "Study file" }).fill(text);
  const title = /title = "(.*)"/.exec(text)?.[1];
  await page.getByRole("button", { name: "Start", exact: true }).and(page.locator(":enabled")).waitFor();
  return title;
}

/** Writes and starts a study; ends in Compare. */
async function start(page, text) {
  await write(page, text);
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await page.locator(".compare .progress").waitFor();
}

/** What axe-core finds; it copies no style sheets, which the page's policy would not let it. */
async function violations(page) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"], preload: false }));
  return found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
}

/** Pixels that a page is wider than its window. */
const tooWide = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** The grey values of a canvas, with its size. */
const greyOf = (locator) =>
  locator.evaluate((canvas) => {
    // Of a copy: reading the canvas itself, the browser would advise against on the console.
    const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
    const context = copy.getContext("2d", { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    return { width: canvas.width, height: canvas.height, values: Array.from({ length: data.length / 4 }, (_, index) => data[4 * index]) };
  });

/** Waits until something holds that is asked of the page again and again. */
async function until(what, ask, timeout = PATIENCE) {
  const end = Date.now() + timeout;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

module.exports = { Bench, LONG, PATIENCE, RUNS, STUDY, becomes, greyOf, start, stateOf, tooWide, until, view, violations, write };
