// node tests/page.cjs BROWSER ADDRESS PICTURES: uses the page as a person would, at an engine that has just been started, and fails where
// something is not right. Compare, Change and Lessons; a small study is trained on the way.
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { chromium } = require("playwright-core");

const [executablePath, address, pictures] = process.argv.slice(2);
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
fs.mkdirSync(pictures, { recursive: true });

const STUDY = `title = "Two small networks"
models = ["narrow", "wide"]
seeds = 2
[recipe]
epochs = 1
[model.narrow]
layers = ["flatten", "dense 8", "relu", "dense classes"]
[model.wide]
layers = ["flatten", "dense 32", "rellu", "dense classes"]
`;

/** Milliseconds that runs may take on a slow machine. */
const RUNS = 180_000;
const SIZES = [
  [360, 740, "light"],
  [768, 1024, "light"],
  [1440, 900, "light"],
  [360, 740, "dark"],
  [1440, 900, "dark"],
];

async function main() {
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true });
  const complaints = [];
  const origin = new URL(address).origin;
  context.on("page", (page) => {
    page.on("console", (message) => complaints.push(`console: ${message.text()}`));
    page.on("pageerror", (error) => complaints.push(`error: ${error.stack}`));
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(origin) && !url.startsWith("blob:") && !url.startsWith("data:")) complaints.push(`request: ${url}`);
    });
    page.on("response", (response) => {
      if (response.status() >= 400) complaints.push(`${response.status()}: ${response.url()}`);
    });
  });
  const page = await context.newPage();
  const states = page.locator(".progress .meters dd").first();
  const isState = (state) => page.waitForFunction((state) => document.querySelector(".progress .meters dd")?.textContent === state, state, { timeout: RUNS });
  const clean = (where) => assert.deepEqual(complaints, [], where);

  // The token leaves the address.
  await page.goto(address);
  await page.getByRole("heading", { level: 1 }).first().waitFor();
  assert.ok(!page.url().includes("token"), page.url());
  await page.locator(".compare .card").first().waitFor();
  assert.match(await page.locator(".claim").innerText(), /^Cannot tell yet: no run has been made\.$/);
  clean("first sight");

  // A layer is misspelt: the line says so, and the mend is applied.
  await page.getByRole("link", { name: "Change" }).click();
  const editor = page.getByRole("textbox", { name: "Study file" });
  await editor.fill(STUDY);
  const note = page.locator("#editor-problem");
  await note.getByText("Line 9").waitFor();
  assert.match(await note.innerText(), /relu/);
  await note.getByRole("button", { name: /^Write/ }).click();
  await page.locator("#model-1", { hasText: "wide" }).waitFor();
  assert.ok((await editor.inputValue()).includes('"dense 32", "relu"'));
  assert.equal(await page.getByRole("cell", { name: "25,120", exact: true }).count(), 1, "parameters of dense 32");

  // A link is a study: a reload keeps it, and so does a page of its own.
  await page.waitForFunction(() => location.hash.includes("study="));
  await page.waitForTimeout(600);
  const link = page.url();
  await page.reload();
  assert.ok((await editor.inputValue()).includes("Two small networks"));
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Save as TOML" }).click()]);
  assert.equal(file.suggestedFilename(), "two-small-networks.toml");

  // From start to verdict, loaded again in between, with another tab beside.
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await page.locator(".compare .progress").waitFor();
  await page.waitForTimeout(1500);
  await page.reload();
  await states.waitFor();
  const beside = await context.newPage();
  await beside.goto(`${origin}/${new URL(link).hash.replace(/view=\w+/, "view=compare")}`);
  await page.locator(".forest svg").waitFor({ timeout: RUNS });
  await isState("Finished");
  assert.match(await page.locator(".claim").innerText(), /narrow/);
  await beside.locator(".forest svg").waitFor();
  assert.equal(await beside.locator(".progress .meters dd").first().innerText(), "Finished");
  await beside.close();
  clean("a study");

  // Curves by the keyboard.
  const slider = page.getByRole("slider");
  await slider.focus();
  await page.keyboard.press("End");
  assert.match(await slider.getAttribute("aria-valuetext"), /^epoch 1: narrow \d+\.\d\d % \(2 runs\), wide/);

  // One more run, and one more model.
  await page.getByRole("button", { name: "Add 1 run" }).click();
  await page.waitForFunction(() => /of 6$/.test(document.querySelectorAll(".progress .meters dd")[1]?.textContent ?? ""));
  await isState("Finished");
  assert.ok((await page.locator(".forest .earlier").count()) >= 1, "how it stood before");
  await page.locator(".card.add select").selectOption("mlp");
  await page.getByRole("button", { name: "Add mlp" }).click();
  await page.locator(".card", { hasText: "mlp" }).first().waitFor();
  await page.getByRole("button", { name: "Remove mlp" }).click();

  // What leaves the page.
  const [tab] = await Promise.all([context.waitForEvent("page"), page.getByRole("button", { name: "Open the report" }).click()]);
  await tab.locator("h1", { hasText: "Two small networks" }).waitFor();
  assert.equal(await tab.locator("body").evaluate((body) => getComputedStyle(body).maxWidth !== "none"), true, "the report's style");
  await tab.close();
  const [zip] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Save all records" }).click()]);
  assert.match(zip.suggestedFilename(), /\.zip$/);
  clean("files");

  // A lesson asks before it begins.
  await page.getByRole("link", { name: "Lessons" }).click();
  await page.locator(".lesson-list a").first().click();
  assert.ok(await page.getByRole("button", { name: "Start" }).isDisabled());
  await page.locator(".choice input").nth(1).check();
  await page.getByRole("button", { name: "Start" }).click();
  const all = page.getByRole("button", { name: /^Make all/ });
  await all.waitFor({ timeout: RUNS });
  await all.click();
  await page.locator(".seen li").first().waitFor({ timeout: RUNS });
  assert.equal(await page.locator(".choice.right").count(), 1);
  await page.reload();
  await page.locator(".lesson-list .done").waitFor();
  clean("a lesson");

  // Every view at every size, light and dark.
  for (const [width, height, colorScheme] of SIZES) {
    const own = await browser.newContext({ viewport: { width, height }, colorScheme, bypassCSP: true, storageState: await context.storageState() });
    const seen = await own.newPage();
    for (const view of ["compare", "draw", "inside", "errors", "change", "lessons"]) {
      await seen.goto(`${origin}/#view=${view}`);
      await seen.locator("h1").first().waitFor();
      await seen.waitForTimeout(1500);
      const where = `${view} at ${width}, ${colorScheme}`;
      const wide = await seen.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(wide <= 0, `${where}: ${wide} pixels too wide`);
      await seen.evaluate(axe);
      const { violations } = await seen.evaluate(() => globalThis.axe.run());
      assert.deepEqual(
        violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`),
        [],
        where,
      );
      await seen.screenshot({ path: path.join(pictures, `${view}-${width}-${colorScheme}.png`), fullPage: true });
    }
    await own.close();
  }
  await browser.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
