// Compare: a study from start to verdict, what leaves the page, runs and models that are added.
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { execFileSync } = require("node:child_process");
const { RUNS, STUDY, becomes, start, until } = require("./harness.cjs");

const finished = (page) => page.locator(".progress .meters dd").nth(1);

async function compare(bench, page, program, folder) {
  await start(page, STUDY);
  const claim = page.locator(".claim");
  assert.match(await claim.innerText(), /^Cannot tell yet/);
  await page.locator(".forest svg").waitFor({ timeout: RUNS });
  await becomes(page, /^Finished$/);
  await until("all six runs", async () => (await finished(page).innerText()) === "6 of 6");
  await until("a verdict of three models", async () => /maps|rows|plain/.test(await claim.innerText()));
  assert.equal(await page.locator(".verdict-panel [aria-live=polite]").count(), 1, "the verdict is a live region");
  for (const name of ["maps", "rows", "plain"]) {
    const result = await page.locator(".card", { has: page.getByRole("heading", { name, exact: true }) }).locator(".result").innerText();
    const [accuracy] = /\d+(\.\d+)?/.exec(result);
    assert.ok(Number(accuracy) > 75, `${name}: ${result}`);
  }
  // The pairs in words, the runs as a table.
  await page.getByText("All 3 pairs in words").click();
  await page.locator(".verdict-panel details li").nth(2).waitFor();
  await page.getByText("Every run as a table").click();
  await page.locator(".progress tbody tr").nth(5).waitFor();
  assert.deepEqual(await page.locator(".progress tbody td:nth-child(3)").allInnerTexts(), Array(6).fill("finished"));

  // Curves by the keyboard, and the loss in the place of the accuracy.
  const slider = page.getByRole("slider");
  await slider.focus();
  await page.keyboard.press("End");
  assert.match(await slider.getAttribute("aria-valuetext"), /^epoch 2: maps \d+\.\d\d % \(2 runs\), rows/);
  await page.getByRole("radio", { name: "Loss" }).check();
  await until("losses", async () => /^epoch \d: maps \d\.\d+ \(2 runs\)/.test(await slider.getAttribute("aria-valuetext")));
  await page.getByRole("radio", { name: "Accuracy" }).check();

  // The report, in a tab of its own and as a file.
  const [tab] = await Promise.all([bench.context.waitForEvent("page"), page.getByRole("button", { name: "Open the report" }).click()]);
  await tab.locator("h1", { hasText: "Three small networks" }).waitFor();
  assert.ok(await tab.locator("body").evaluate((body) => getComputedStyle(body).maxWidth !== "none"), "the report's style");
  assert.ok((await tab.locator("svg").count()) > 2, "the report's charts");
  await tab.close();
  const [report] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Save the report" }).click()]);
  assert.equal(report.suggestedFilename(), "three-small-networks.html");

  // All records: the program reports, and makes a run again to the bit.
  const [zip] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Save all records" }).click()]);
  assert.match(zip.suggestedFilename(), /\.zip$/);
  const packed = path.join(folder, "results.zip");
  await zip.saveAs(packed);
  execFileSync("python3", ["-m", "zipfile", "-e", packed, folder]);
  const results = path.join(folder, path.basename(zip.suggestedFilename(), ".zip"));
  assert.equal(fs.readFileSync(path.join(results, "study.toml"), "utf8"), STUDY);
  assert.equal(fs.readdirSync(path.join(results, "records")).length, 6);
  execFileSync(program, ["report", results], { stdio: ["ignore", "ignore", "pipe"] });
  assert.match(fs.readFileSync(path.join(results, "report.html"), "utf8"), /Three small networks/);
  execFileSync(program, ["verify", results], { stdio: ["ignore", "ignore", "pipe"] });

  // A model is taken away, one more run is made of the others: what was made is used again.
  await page.getByRole("button", { name: "Remove rows" }).click();
  await page.locator(".card", { has: page.getByRole("heading", { name: "rows", exact: true }) }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Start with these changes" }).click();
  await until("four runs, all of them made before", async () => (await finished(page).innerText()) === "4 of 4");
  await becomes(page, /^Finished$/);
  await page.getByRole("button", { name: "Add 1 run" }).click();
  await until("six runs planned", async () => /of 6$/.test(await finished(page).innerText()));
  await until("six runs made", async () => (await finished(page).innerText()) === "6 of 6", RUNS);
  await becomes(page, /^Finished$/);
  assert.ok((await page.locator(".forest .earlier").count()) >= 1, "how it stood before");
  await page.locator(".card.add select").selectOption("rows");
  await page.getByRole("button", { name: "Add rows" }).click();
  await page.getByRole("button", { name: "Start with these changes" }).click();
  await until("nine runs", async () => (await finished(page).innerText()) === "9 of 9", RUNS);
  await becomes(page, /^Finished$/);
  await page.locator(".progress .figure").nth(2).filter({ hasText: "%" }).waitFor();
}

module.exports = { compare };
