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
  await page.emulateMedia({ media: "print" });
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
  await browser.close();
}

main().then(
  () => console.log("the report looks right at three widths, in the dark, printed and without a network"),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
