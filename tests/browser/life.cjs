// What happens to pages: loaded again, two at once, an engine that ends.
"use strict";
const assert = require("node:assert/strict");
const { LONG, RUNS, becomes, start, stateOf, until, view } = require("./harness.cjs");

const finished = (page) => page.locator(".progress .meters dd").nth(1);
const now = (page) => page.locator(".progress .now").first();

/** The epoch that a run is in. */
const epochOf = async (page) => Number(/epoch (\d+) of/.exec(await now(page).innerText().catch(() => ""))?.[1] ?? 0);

/** Loaded again while one run is finished and another is being made. */
async function reload(bench, page) {
  const { kind } = bench.engine;
  await start(page, LONG);
  await until("the quick run", async () => (await finished(page).innerText()) === "1 of 2", RUNS);
  const before = await until("the slow run's second epoch", async () => ((await epochOf(page)) > 1 ? epochOf(page) : 0), RUNS);
  await page.reload();
  await stateOf(page).waitFor();
  await until("the finished run after a reload", async () => (await finished(page).innerText()) === "1 of 2");
  assert.match(await page.locator("h1").innerText(), /Quick and slow/);
  if (kind === "native") {
    assert.equal(await stateOf(page).innerText(), "Training");
    await until("the slow run goes on", async () => (await epochOf(page)) > before, RUNS);
  } else {
    assert.equal(await stateOf(page).innerText(), "Stopped");
    await page.getByRole("button", { name: "Resume" }).click();
    await until("the slow run begins again", async () => (await epochOf(page)) > 0, RUNS);
  }

  // The study is where it was in every view, and can be stopped.
  await view(page, "Inside");
  await page.locator(".layers > .layer").first().waitFor();
  await view(page, "Compare");
  await page.getByRole("button", { name: "Stop" }).click();
  await becomes(page, /^Stopped$/);
  assert.equal(await finished(page).innerText(), "1 of 2");
}

const PAIR = (one, other) => `title = "${one} and ${other}"
models = ["${one}", "${other}"]
seeds = 1
[recipe]
epochs = 3
training_images = 2000
[model.${one}]
layers = ["flatten", "dense 16", "relu", "dense classes"]
[model.${other}]
layers = ["flatten", "dense 12", "tanh", "dense classes"]
`;

/** Two tabs at once. */
async function tabs(bench, page) {
  const { context, engine } = bench;
  const beside = await context.newPage();
  await beside.goto(`${engine.origin}/#view=compare`);
  await beside.locator(".compare .card").first().waitFor();
  if (engine.kind === "native") {
    // One program: both show the same study, and either may start it or stop it.
    await start(page, PAIR("alpha", "beta"));
    await beside.bringToFront();
    await becomes(beside, /^(Training|Finished)$/);
    await becomes(beside, /^Finished$/);
    await becomes(page, /^Finished$/);
    assert.equal(await page.locator(".claim").innerText(), await beside.locator(".claim").innerText());
    assert.match(await beside.locator("h1").innerText(), /alpha and beta/);
  } else {
    // An engine a tab: each makes its own study, and both are kept.
    await start(page, PAIR("alpha", "beta"));
    await start(beside, PAIR("gamma", "delta"));
    for (const [tab, name] of [[page, /alpha/], [beside, /gamma/]]) {
      await tab.bringToFront();
      await becomes(tab, /^Finished$/);
      await until("a verdict", async () => name.test(await tab.locator(".claim").innerText()));
    }
    await beside.reload();
    await becomes(beside, /^Finished$/);
    // What the other tab has made is not made again.
    await start(beside, PAIR("alpha", "beta"));
    await until("the other tab's runs", async () => (await finished(beside).innerText()) === "2 of 2", 20_000);
  }
  await beside.close();
  await page.bringToFront();
}

/** The program is killed and started again, on the same port and the same folder. */
async function killed(bench, page) {
  const { engine } = bench;
  // Views come from the program too: this page has not seen Errors yet.
  await page.goto(`${engine.origin}/#view=change`);
  await page.reload();
  // Untitled, so that its folder is the program's own; with runs that no other study has made.
  await start(page, LONG.slice(LONG.indexOf("\n") + 1).replace("dense 8", "dense 10"));
  // What stands there until the start is answered is the study of before, of the same models with as many runs finished.
  await until("the untitled study", async () => !/Quick/.test(await page.locator("h1").innerText()));
  await until("the quick run, of before", async () => (await finished(page).innerText()) === "1 of 2", RUNS);
  await until("the slow run begins", async () => (await epochOf(page)) > 0, RUNS);
  const port = Number(new URL(engine.origin).port);
  await engine.kill();
  const gone = page.locator("p.gone[role=alert]").filter({ hasText: "The program has ended" });
  await gone.waitFor();
  assert.match(await page.locator(".engine").innerText(), /not connected/);
  // What a person does in the meantime has an answer in words.
  const to = (name) => page.getByRole("navigation", { name: "Views" }).getByRole("link", { name }).click();
  await to("Errors");
  await page.getByText("This view could not be loaded").waitFor();
  await view(page, "Change");
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await page.locator(".change [role=alert]").getByText("The program has ended").waitFor();
  const address = await engine.start(port);
  // This page has no way into the new one; the new address has, and loses nothing that was finished.
  await page.waitForTimeout(3000);
  assert.equal(await gone.count(), 1, "the old page goes on saying so");
  const again = await bench.context.newPage();
  await again.goto(address);
  await again.locator(".compare .card").first().waitFor();
  await until("the finished run after the end", async () => (await finished(again).innerText().catch(() => "")) === "1 of 2");
  assert.equal(await stateOf(again).innerText(), "Stopped");
  assert.match(await again.locator("h1").innerText(), /quick and slow/);
  // Now the browser has the new cookie, and the old page finds its way.
  await again.close();
  await page.bringToFront();
  await until("the old page is connected", async () => /ready/.test(await page.locator(".engine").innerText()));
  await view(page, "Errors");
  await page.getByRole("grid", { name: /^Confusion matrix of quick/ }).waitFor();
  const expected = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_CLOSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|status of 403|^403: .*\/api\//;
  bench.complaints = bench.complaints.filter((text) => !expected.test(text));
}

/** The site's engine cannot be loaded: the page says so. */
async function broken(bench) {
  for (const file of ["**/engine/module_bg.wasm", "**/data/train-images-*"]) {
    const context = await bench.newContext();
    await context.route(file, (route) => route.fulfill({ status: 404, body: "" }));
    const page = await context.newPage();
    await page.goto(bench.engine.address);
    const alert = page.getByRole("alert").filter({ hasText: /\w/ }).first();
    await alert.waitFor();
    await page.screenshot({ path: `${bench.pictures}/broken.png` });
    assert.equal(await page.getByText("Loading…").count(), 0);
    assert.match(await page.locator(".engine").innerText(), /not connected/);
    await context.close();
  }
  bench.complaints = bench.complaints.filter((text) => !/404/.test(text) && !/WebAssembly|wasm/.test(text));
}

module.exports = { broken, killed, reload, tabs };
