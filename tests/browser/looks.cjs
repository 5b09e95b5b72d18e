// Every view in light and dark, on a phone, a tablet and a desk: axe-core finds nothing, nothing is wider than the window, pictures to look at.
"use strict";
const assert = require("node:assert/strict");
const path = require("node:path");
const { tooWide, view, violations } = require("./harness.cjs");

const WIDTHS = [[360, 740], [768, 1024], [1440, 900]];

async function looks(bench, page) {
  for (const name of ["Compare", "Draw", "Inside", "Errors", "Change", "Lessons"]) {
    await view(page, name);
    await page.waitForTimeout(500);
    for (const [width, height] of WIDTHS) {
      await page.setViewportSize({ width, height });
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        await page.waitForTimeout(250);
        const where = `${name} at ${width}, ${colorScheme}`;
        const wide = await tooWide(page);
        assert.ok(wide <= 0, `${where}: ${wide} pixels too wide`);
        assert.deepEqual(await violations(page), [], where);
        await page.screenshot({ path: path.join(bench.pictures, `${name.toLowerCase()}-${width}-${colorScheme}.png`), fullPage: true });
      }
    }
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.emulateMedia({ colorScheme: "light" });
  }
}

module.exports = { looks };
