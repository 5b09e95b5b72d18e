// node tests/browser.cjs BROWSER REPORT.html PICTURES: opens the report as a reader would, and fails where it is not right.
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const { chromium } = require("playwright-core");

const [executablePath, report, pictures] = process.argv.slice(2);
const address = pathToFileURL(path.resolve(report)).href;
fs.mkdirSync(pictures, { recursive: true });

async function opened(browser, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => complaints.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(`error: ${error}`));
  page.on("request", (request) => {
    if (request.url() !== address && !request.url().startsWith("data:")) complaints.push(`request: ${request.url()}`);
  });
  await page.goto(address);
  return { context, page, complaints };
}

// The smallest contrast of visible text against what is behind it, by the formula of WCAG 2.2.
const leastContrast = () => {
  const channels = (colour) => {
    const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([red, green, blue]) => {
    const linear = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  };
  const background = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)" && colour !== "transparent") return colour;
    }
    return "white";
  };
  let least = { ratio: 21, text: "" };
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const style = getComputedStyle(element);
    if (!own || style.visibility === "hidden" || element.getClientRects().length === 0) continue;
    const colour = element instanceof SVGElement ? style.fill : style.color;
    const [one, other] = [luminance(channels(colour)), luminance(channels(background(element)))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < least.ratio) least = { ratio, text: element.textContent.trim().slice(0, 40) };
  }
  return least;
};

const columnOf = (table, column) =>
  table.evaluate((element, at) => [...element.tBodies[0].rows].map((row) => row.cells[at].textContent.trim()), column);

// A heading sorts its table by a click and by the keyboard: up, down, as it was.
async function sortedByHeadings(page) {
  const table = page.locator("#runs table");
  const heading = table.getByRole("columnheader", { name: "test accuracy" });
  const column = await heading.evaluate((cell) => cell.cellIndex);
  const before = await columnOf(table, column);
  const up = before.toSorted((one, other) => Number(one) - Number(other));
  assert.notDeepEqual(up, before, "runs are not sorted by accuracy to begin with");
  const button = heading.getByRole("button");
  assert.equal(await heading.getAttribute("aria-sort"), null);
  await button.click();
  assert.deepEqual([await columnOf(table, column), await heading.getAttribute("aria-sort")], [up, "ascending"]);
  await button.press("Enter");
  assert.deepEqual([await columnOf(table, column), await heading.getAttribute("aria-sort")], [up.toReversed(), "descending"]);
  const other = table.getByRole("columnheader", { name: "model" });
  await other.getByRole("button").click();
  assert.deepEqual([await heading.getAttribute("aria-sort"), await other.getAttribute("aria-sort")], [null, "ascending"]);
  await button.press("Space");
  await button.press("Enter");
  await button.press("Enter");
  assert.deepEqual([await columnOf(table, column), await heading.getAttribute("aria-sort")], [before, null], "as it was");

}

// What a cell may hold, in a table that the report's own script sorts.
async function numbersAsNumbers(browser) {
  const [script] = /<script>[^]*?<\/script>/.exec(fs.readFileSync(report, "utf8"));
  const orders = async (cells) => {
    const page = await (await browser.newContext()).newPage();
    const rows = cells.map((cell) => `<tr><td>${cell}</td></tr>`).join("");
    await page.setContent(`<table><thead><tr><th>figure</th></tr></thead><tbody>${rows}</tbody></table>${script}`);
    const found = [];
    for (let clicks = 0; clicks < 3; clicks += 1) {
      await page.getByRole("button").click();
      found.push(await page.locator("td").allInnerTexts());
    }
    await page.context().close();
    return found;
  };
  const figures = ["1,204 \u00b1 3", "\u2013", "\u22120.5", "&lt; 0.001", "12.5 %", "+0.83 points", "0.001", "diverged", "[\u22121.25, 3]", "1e-9"];
  const up = ["[\u22121.25, 3]", "\u22120.5", "1e-9", "< 0.001", "0.001", "+0.83 points", "12.5 %", "1,204 \u00b1 3"];
  const missing = ["\u2013", "diverged"];
  const before = figures.map((figure) => figure.replace("&lt;", "<"));
  assert.deepEqual(await orders(figures), [[...up, ...missing], [...up.toReversed(), ...missing], before]);
  const names = ["run 10", "Run 9", "3x3", "\u2013", "run 9"];
  const sorted = ["3x3", "run 9", "Run 9", "run 10"];
  assert.deepEqual(await orders(names), [[...sorted, "\u2013"], [...sorted.toReversed(), "\u2013"], names]);
  const alike = ["<b>1</b> b", "0", "1 a", "1.0"];
  assert.deepEqual((await orders(alike)).slice(0, 2), [["0", "1 b", "1 a", "1.0"], ["1 b", "1 a", "1.0", "0"]], "stable");
}

// A cell of a matrix shows its images, says how many, and leads back.
async function filteredByCells(page) {
  const entries = page.locator(".digits > li");
  const count = await entries.count();
  const matrix = page.locator(".matrix").first();
  const cells = matrix.getByRole("button");
  assert.equal(await matrix.locator("button[tabindex='0']").count(), 1, "one stop of the tab key");
  // The cell of the first image that the first model gets wrong.
  const { label, given } = await page.evaluate(() => {
    const entry = document.querySelector('.digits > li[data-answers^="0:"]');
    return { label: Number(entry.dataset.label), given: Number(entry.dataset.answers.split(" ")[0].slice(2)) };
  });
  const cell = matrix.locator("tbody tr").nth(label).locator("td").nth(given).getByRole("button");
  const name = await cell.getAttribute("aria-label");
  assert.match(name, new RegExp(`^[\\d.]+: label ${label}, cnn answered ${given}$`));
  await cell.click();
  const visible = entries.filter({ visible: true });
  const wanted = await page.locator(`.digits > li[data-label="${label}"][data-answers~="0:${given}"]`).count();
  assert.ok(wanted > 0 && wanted < count, `${wanted} of ${count}`);
  assert.equal(await visible.count(), wanted);
  const told = page.locator(".filter").getByRole("status");
  assert.match(await told.textContent(), new RegExp(`^\\d+ of \\d+ images shown: label ${label}, cnn answered ${given} in at least one of its 2 runs\\.`));
  const all = page.getByRole("button", { name: "Show all images" });
  assert.ok(await all.evaluate((element) => element === document.activeElement), "focus is where the images are");
  await page.waitForFunction(() => document.querySelector(".filter").getBoundingClientRect().top < innerHeight / 2);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.ok(await cell.evaluate((element) => element === document.activeElement && element.ariaPressed === "true"), "back to the cell");
  // Arrows go from cell to cell, past those without an error.
  await page.keyboard.press("Control+Home");
  assert.ok(await cells.first().evaluate((element) => element === document.activeElement && element.tabIndex === 0));
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowLeft");
  assert.ok(await page.evaluate(() => document.activeElement.closest(".matrix") && document.activeElement.tabIndex === 0));
  assert.equal(await matrix.locator("button[tabindex='0']").count(), 1);
  // A cell that the page has too few images for says so.
  const counts = await cells.evaluateAll((buttons) =>
    buttons.map((button) => {
      const at = button.closest("td");
      const images = document.querySelectorAll(
        `.digits > li[data-label="${at.parentElement.sectionRowIndex}"][data-answers~="0:${at.cellIndex - 1}"]`,
      );
      return Number(at.dataset.images) - new Set([...images].map((entry) => entry.dataset.image)).size;
    }),
  );
  assert.ok(counts.every((rest) => rest >= 0), "no cell has more images than it counts");
  const more = counts.findIndex((rest) => rest > 0);
  await cells.nth(more).press("Enter");
  assert.match(await told.textContent(), /images? (has|have) this label and answer\. The report shows the hardest images only; the command \u201cmnist-study page\u201d opens all\.$/);
  await all.click();
  assert.equal(await visible.count(), count);
  assert.match(await told.textContent(), /^All \d+ images shown\.$/);
  assert.equal(await matrix.locator("[aria-pressed='true']").count(), 0);
  await cell.click();
}

// Without scripts the page has no control and lacks nothing; another script than its own does not run.
async function wholeWithoutScripts(browser) {
  const { context, page, complaints } = await opened(browser, { viewport: { width: 1280, height: 900 }, javaScriptEnabled: false });
  assert.equal(await page.locator("button, .filter, [tabindex='-1'], [role='grid']").count(), 0, "controls without a script");
  const entries = page.locator(".digits > li");
  assert.ok((await entries.count()) > 0);
  assert.equal(await entries.filter({ visible: true }).count(), await entries.count(), "images without a script");
  await page.screenshot({ path: path.join(pictures, "without-scripts.png"), fullPage: true });
  assert.deepEqual(complaints, [], "without scripts");
  await context.close();

  const html = fs.readFileSync(report, "utf8");
  const foreign = path.join(pictures, "foreign.html");
  fs.writeFileSync(foreign, html.replace("<h1>", "<script>document.title = 'taken'</script><h1 onclick=\"document.title = 'taken'\">"));
  const other = await (await browser.newContext()).newPage();
  await other.goto(pathToFileURL(path.resolve(foreign)).href);
  await other.locator("h1").click();
  assert.notEqual(await other.title(), "taken", "another script ran");
  assert.ok((await other.locator(".sort").count()) > 0, "the page's own script did not run");
  await other.context().close();
  fs.rmSync(foreign);
}

async function main() {
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  for (const [name, width, height, colorScheme] of [
    ["phone", 360, 740, "light"],
    ["tablet", 820, 1180, "light"],
    ["desk", 1280, 900, "light"],
    ["phone-dark", 360, 740, "dark"],
    ["desk-dark", 1280, 900, "dark"],
  ]) {
    const { context, page, complaints } = await opened(browser, { viewport: { width, height }, colorScheme });
    const scroll = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(scroll <= width, `${name}: the page is ${scroll} pixels wide`);
    if (name.startsWith("desk")) {
      const clipped = await page.evaluate(() =>
        [...document.querySelectorAll(".scroll")]
          .filter((element) => element.scrollWidth > element.clientWidth)
          .map((element) => element.getAttribute("aria-label")),
      );
      assert.deepEqual(clipped, [], `${name}: tables that do not fit`);
    }
    const contrast = await page.evaluate(leastContrast);
    assert.ok(contrast.ratio >= 4.5, `${name}: contrast ${contrast.ratio.toFixed(2)} of "${contrast.text}"`);
    const verdict = await page.locator(".verdict").first().boundingBox();
    assert.ok(verdict && verdict.y + verdict.height < height, `${name}: the verdict is below the first screen`);
    const smallest = await page.evaluate(() =>
      Math.min(
        ...[...document.querySelectorAll("svg text")]
          .filter((text) => text.getClientRects().length)
          .map((text) => parseFloat(getComputedStyle(text).fontSize) * text.ownerSVGElement.getScreenCTM().a),
      ),
    );
    assert.ok(smallest >= 9, `${name}: text of ${smallest.toFixed(1)} pixels in a chart`);
    const small = await page.evaluate(() =>
      [...document.querySelectorAll("button")]
        .map((button) => ({ text: button.textContent || button.ariaLabel, ...button.getBoundingClientRect().toJSON() }))
        .filter(({ width, height }) => width > 0 && (width < 24 || height < 24))
        .map(({ text, width, height }) => `${text}: ${width}x${height}`),
    );
    assert.deepEqual(small, [], `${name}: buttons that are hard to hit`);
    const images = await page.evaluate(() => [...document.images].filter((image) => !image.alt || !image.naturalWidth).length);
    assert.equal(images, 0, `${name}: images without words or pixels`);
    await page.screenshot({ path: path.join(pictures, `${name}.png`), fullPage: true });
    assert.deepEqual(complaints, [], name);
    await context.close();
  }

  // Values are shown under the pointer, and to whoever uses the keyboard.
  const { context, page, complaints } = await opened(browser, { viewport: { width: 1440, height: 900 } });
  const probe = page.locator("svg.wide .probe").first();
  const words = probe.locator(".shown");
  assert.equal(await words.evaluate((element) => getComputedStyle(element).visibility), "hidden");
  await probe.locator(".strip").hover();
  assert.equal(await words.evaluate((element) => getComputedStyle(element).visibility), "visible");
  assert.match(await words.textContent(), /epoch 1\s*cnn \(2 runs\): \d+\.\d\d %, training \d+\.\d\d %/);
  await page.screenshot({ path: path.join(pictures, "pointer.png") });
  await page.mouse.move(0, 0);
  for (let steps = 0; steps < 60; steps += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement.classList.contains("probe"))) break;
  }
  assert.equal(await words.evaluate((element) => getComputedStyle(element).visibility), "visible", "by the keyboard");
  const links = await page.evaluate(() =>
    [...document.querySelectorAll("a")].filter((link) => !document.querySelector(link.getAttribute("href"))).length,
  );
  assert.equal(links, 0, "links that lead nowhere");
  assert.deepEqual(complaints, []);
  await sortedByHeadings(page);
  await filteredByCells(page);
  await page.screenshot({ path: path.join(pictures, "filtered.png") });
  assert.deepEqual(complaints, [], "sorted and filtered");
  // Paper has what the page has, and no control.
  await page.emulateMedia({ media: "print" });
  const printed = await page.evaluate(() => ({
    hidden: [...document.querySelectorAll(".digits > li, .kind > p")].filter((entry) => !entry.getClientRects().length).length,
    controls: [...document.querySelectorAll(".filter, .sort[aria-label]")].filter((control) => control.getClientRects().length).length,
  }));
  assert.deepEqual(printed, { hidden: 0, controls: 0 }, "printed");
  await page.pdf({ path: path.join(pictures, "print.pdf"), format: "A4", margin: { top: "12mm", bottom: "12mm", left: "12mm", right: "12mm" } });
  // As wide as the text on A4: what would scroll on a screen is cut on paper.
  await page.setViewportSize({ width: 703, height: 1000 });
  const cut = await page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll("pre, .scroll")]
      .filter((element) => element.scrollWidth > element.clientWidth)
      .map((element) => element.textContent.slice(0, 60)),
  );
  assert.deepEqual(cut, [], "cut on paper");
  await context.close();
  await numbersAsNumbers(browser);
  await wholeWithoutScripts(browser);
  await browser.close();
}

main().then(
  () => console.log("the report looks right at three widths, in the dark, printed, without scripts and without a network"),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
