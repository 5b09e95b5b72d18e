// Lessons: a question first, then the study, then what happened and why.
"use strict";
const assert = require("node:assert/strict");
const path = require("node:path");
const { RUNS, tooWide, view, violations } = require("./harness.cjs");

async function lessons(bench, page) {
  await view(page, "Lessons");
  const list = page.locator(".lesson-list a");
  await list.nth(9).waitFor();
  assert.equal(await list.count(), 10);
  // Each asks before it begins.
  for (let index = 9; index >= 0; index -= 1) {
    await list.nth(index).click();
    await page.locator(".lesson .small", { hasText: `Lesson ${index + 1},` }).first().waitFor();
    assert.ok(await page.locator(".lesson").getByRole("button", { name: "Start" }).isDisabled());
    assert.ok((await page.locator(".choice input").count()) >= 2);
    assert.equal(await page.locator(".lesson .why").count(), 0, "the answer is not told yet");
  }
  await page.locator(".choice input").nth(1).check();
  await page.getByRole("button", { name: "Start" }).click();
  const all = page.getByRole("button", { name: /^Make all 5 runs of each/ });
  await all.waitFor({ timeout: RUNS });
  assert.equal(await page.locator(".seen li").count(), 0, "one run of each shows nothing yet");
  await all.click();
  // What was said to be seen is held against the figures.
  await page.locator(".seen li").first().waitFor({ timeout: RUNS });
  const seen = await page.locator(".seen li").evaluateAll((items) => items.map((item) => ({ kind: item.className, figures: item.querySelector(".small")?.textContent ?? "" })));
  assert.ok(seen.length >= 3, JSON.stringify(seen));
  for (const { kind, figures } of seen) {
    assert.match(kind, /^(as-told|other)$/);
    assert.match(figures, /\d/);
  }
  assert.equal(await page.locator(".choice.right").count(), 1);
  assert.match(await page.locator(".lesson > [role=status]").innerText(), /^Your answer was right\.$/);
  assert.ok((await page.locator(".lesson .why p").count()) >= 1);
  assert.ok((await page.locator(".lesson .terms dt").count()) >= 1);
  for (const width of [360, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    await page.waitForTimeout(150);
    assert.ok((await tooWide(page)) <= 0, `a lesson at ${width} is too wide`);
    assert.deepEqual(await violations(page), [], `a lesson at ${width}`);
    await page.screenshot({ path: path.join(bench.pictures, `lesson-passed-${width}.png`), fullPage: true });
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.reload();
  await page.locator(".lesson-list .done").waitFor();
  await page.getByRole("link", { name: /^Next:/ }).click();
  await page.locator(".lesson .small", { hasText: "Lesson 2," }).first().waitFor();
}

module.exports = { lessons };
