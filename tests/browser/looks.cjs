// Every view in light and dark, on a phone, a tablet and a desk: axe-core finds nothing, nothing is wider than the window, pictures to look at.
"use strict";
const assert = require("node:assert/strict");
const path = require("node:path");
const { tooWide, until, view, violations } = require("./harness.cjs");

const WIDTHS = [[360, 740], [768, 1024], [1440, 900]];

async function looks(bench, page) {
  for (const name of ["Compare", "Draw", "Inside", "Errors", "Change", "Lessons"]) {
    await view(page, name);
    await page.waitForTimeout(500);
    for (const [width, height] of WIDTHS) {
      await page.setViewportSize({ width, height });
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        const where = `${name} at ${width}, ${colorScheme}`;
        await page.waitForTimeout(200);
        // What is drawn to measure follows the window with the next frames.
        await until(`${where}: no wider than the window`, async () => (await tooWide(page)) <= 0, 10_000);
        assert.deepEqual(await violations(page), [], where);
        await page.screenshot({ path: path.join(bench.pictures, `${name.toLowerCase()}-${width}-${colorScheme}.png`), fullPage: true });
      }
    }
    // Widths between, at which rows break.
    for (const width of [320, 480, 600, 900, 1024, 1200, 1280, 1920]) {
      await page.setViewportSize({ width, height: 900 });
      await until(`${name} at ${width}: no wider than the window`, async () => (await tooWide(page)) <= 0, 10_000);
    }
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.emulateMedia({ colorScheme: "light" });
  }
}

module.exports = { looks };
