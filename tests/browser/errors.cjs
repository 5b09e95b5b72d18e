// Errors: a cell of the confusion matrix, its images, and what every run answered.
"use strict";
const assert = require("node:assert/strict");
const { until, view } = require("./harness.cjs");

async function errors(bench, page, models, runs) {
  await view(page, "Errors");
  await page.getByRole("radio", { name: "maps" }).check();
  const matrix = page.getByRole("grid", { name: /^Confusion matrix of maps/ });
  await matrix.waitFor();
  const cells = await matrix.locator("button.cell").evaluateAll((buttons) => buttons.map((button) => ({ place: button.dataset.place, count: Number(button.textContent.replaceAll(",", "") || 0) })));
  assert.equal(cells.length, 100);
  const all = cells.reduce((sum, cell) => sum + cell.count, 0);
  assert.ok(Math.abs(all - 10_000) < 60, `the matrix counts ${all} test images`);
  const largest = cells.filter(({ place }) => place[0] !== place[2]).sort((one, other) => other.count - one.count)[0];
  const [label, answer] = largest.place.split("-");

  // The largest confusion: all its images have that label.
  const tally = page.locator("#images-title + .count");
  const before = Number((await tally.innerText()).split(" ")[0].replaceAll(",", ""));
  await matrix.locator(`[data-place="${largest.place}"]`).click();
  await page.getByText(`images with label ${label} that a run of maps classifies as ${answer}`).first().waitFor();
  const tiles = page.locator(".tiles .tile");
  const count = Number((await tally.innerText()).split(" ")[0].replaceAll(",", ""));
  assert.ok(count >= largest.count && count < before, `${count} images of a cell of ${largest.count}, ${before} in all`);
  assert.equal(await tiles.count(), Math.min(96, count));
  for (const text of await tiles.locator(".says b").allTextContents()) assert.equal(text, label);
  await until("thumbnails are drawn", async () => (await tiles.first().locator("canvas").count()) === 1);

  // An image: a table a model, a column a run, probabilities that add up.
  await tiles.first().click();
  const dialog = page.getByRole("dialog", { name: /^Test image \d+/ });
  await dialog.getByRole("table").first().waitFor();
  assert.equal(await dialog.getByRole("table").count(), models);
  assert.equal(await dialog.locator("thead th").filter({ hasText: /^seed/ }).count(), models * runs);
  const shares = await dialog.locator("tbody").first().locator("tr td:nth-child(2)").evaluateAll((fields) => fields.map((field) => Number(field.style.getPropertyValue("--share"))));
  assert.equal(shares.length, 10);
  assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-3);
  const taken = await dialog.locator(`tbody tr:nth-child(${Number(answer) + 1}) td.first`).count();
  assert.ok(taken >= 1, `some run answers ${answer}`);
  const title = await dialog.getByRole("heading", { level: 2 }).innerText();
  await page.screenshot({ path: `${bench.pictures}/answers-of.png` });
  if (count > 1) {
    await page.keyboard.press("ArrowRight");
    await until("the next image", async () => (await dialog.getByRole("heading", { level: 2 }).innerText()) !== title);
  }
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.ok(await tiles.first().evaluate((tile) => tile === document.activeElement), "the focus is where it was");

  // Filters, orders, and one model against another.
  await page.getByRole("button", { name: "Show all cells" }).click();
  await page.getByRole("radio", { name: /^Every model wrong/ }).check();
  const every = Number((await tally.innerText()).split(" ")[0].replaceAll(",", ""));
  assert.ok(every > 0 && every < before, `${every} of ${before} images that every model gets wrong`);
  await page.getByRole("radio", { name: /^Any run wrong/ }).check();
  await page.getByRole("combobox", { name: "Order" }).selectOption({ label: "by place in the test set" });
  const places = await tiles.evaluateAll((all) => all.map((tile) => Number(/test image (\d+)/.exec(tile.title)[1])));
  assert.deepEqual(places, [...places].sort((one, other) => one - other));
  await page.getByRole("combobox", { name: "Compare with" }).selectOption("plain");
  await page.getByRole("grid", { name: "Confusion of maps minus that of plain" }).waitFor();
  await page.getByRole("combobox", { name: "Compare with" }).selectOption("");
  await page.getByRole("radio", { name: "rows" }).check();
  await page.getByRole("grid", { name: "Confusion matrix of rows" }).waitFor();
}

module.exports = { errors };
