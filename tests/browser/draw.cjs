// Draw: the pad, pictures that are dropped and pasted, the steps before the models.
"use strict";
const assert = require("node:assert/strict");
const { greyOf, until, view } = require("./harness.cjs");

/** Digits as strokes, from 0 to 1 on the pad. */
const SEVEN = [[[0.28, 0.22], [0.72, 0.22], [0.62, 0.45], [0.5, 0.82]]];
const ONE = [[[0.53, 0.18], [0.47, 0.82]]];
/** The same seven, small and in a corner. */
const CORNER = [SEVEN[0].map(([x, y]) => [0.02 + 0.4 * x, 0.02 + 0.4 * y])];

const pad = (page) => page.locator(".pad canvas");

/** Draws with the mouse, as a hand does: many small moves. */
async function draw(page, strokes) {
  await pad(page).scrollIntoViewIfNeeded();
  const box = await pad(page).boundingBox();
  const at = ([x, y]) => [box.x + x * box.width, box.y + y * box.height];
  for (const points of strokes) {
    await page.mouse.move(...at(points[0]));
    await page.mouse.down();
    for (const point of points.slice(1)) await page.mouse.move(...at(point), { steps: 6 });
    await page.mouse.up();
  }
}

/** What each model answers. */
const said = (page) =>
  page.locator(".answer").evaluateAll((cards) => cards.map((card) => ({ name: card.getAttribute("aria-label"), answer: card.querySelector(".says .class").textContent.trim(), sure: card.querySelector(".says .sure").textContent })));

/** All models answer, and most of them this. */
async function isAnswered(page, models, digit, what) {
  const told = [];
  await until(`${what}: ${models} models, most of them ${digit}`, async () => {
    told.splice(0, told.length, ...(await said(page)));
    return told.length === models && told.filter(({ answer }) => answer === digit).length * 2 > models;
  }, 20_000).catch((error) => {
    throw new Error(`${error.message}; ${JSON.stringify(told)}`);
  });
}

/** The image of a step, and where its ink's middle is. */
async function step(page, name) {
  const { width, height, values } = await greyOf(page.locator(".steps > li", { has: page.getByText(name, { exact: true }) }).locator("canvas"));
  const ink = values.reduce((sum, value) => sum + value, 0);
  const [x, y] = [(index) => index % width, (index) => Math.floor(index / width)].map((of) => values.reduce((sum, value, index) => sum + value * of(index), 0) / ink);
  return { width, height, values, ink, x, y };
}

/** The same, once it rests: the last part of a stroke may still be on its way. */
async function settled(page, name) {
  let last = await step(page, name);
  for (let equal = 0; equal < 4; ) {
    await page.waitForTimeout(100);
    const now = await step(page, name);
    equal = isSame(now, last) ? equal + 1 : 0;
    last = now;
  }
  return last;
}

const isSame = (one, other) => one.values.length === other.values.length && one.values.every((value, index) => value === other.values[index]);

/** How far the ink's middle is from that of an image of MNIST. */
const offCentre = ({ x, y }) => Math.hypot(x - 13.5, y - 13.5);

/** A photograph of a digit: dark ink on light grey paper, with noise and a shadow; dropped or pasted as a file. */
const given = (page, strokes, how, type) =>
  page.evaluate(
    async ([strokes, how, type]) => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [640, 480];
      const context = canvas.getContext("2d");
      const light = context.createLinearGradient(0, 0, 640, 480);
      light.addColorStop(0, "#e2e0da");
      light.addColorStop(1, "#b9b6ae");
      context.fillStyle = light;
      context.fillRect(0, 0, 640, 480);
      context.strokeStyle = "#2b2c38";
      context.lineWidth = 26;
      context.lineCap = context.lineJoin = "round";
      for (const points of strokes) {
        context.beginPath();
        for (const [x, y] of points) context.lineTo(130 + 380 * x, 50 + 380 * y);
        context.stroke();
      }
      const image = context.getImageData(0, 0, 640, 480);
      let seed = 1;
      for (let index = 0; index < image.data.length; index += 4) {
        seed = (1103515245 * seed + 12345) % 2147483648;
        for (const channel of [0, 1, 2]) image.data[index + channel] += 24 * (seed / 2147483648 - 0.5);
      }
      context.putImageData(image, 0, 0);
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, type));
      const data = new DataTransfer();
      data.items.add(new File([blob], how === "drop" ? "photo.png" : "image.png", { type }));
      const easel = document.querySelector(".easel");
      if (how === "drop") for (const name of ["dragenter", "dragover", "drop"]) easel.dispatchEvent(new DragEvent(name, { dataTransfer: data, bubbles: true, cancelable: true }));
      else document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    },
    [strokes, how, type],
  );

async function drawing(bench, page, models) {
  await view(page, "Draw");
  await page.locator(".invitation").waitFor();
  await draw(page, SEVEN);
  await isAnswered(page, models, "7", "a seven by the mouse");

  // Bars: all ten classes, the surest first, and together all there is.
  const bars = await page.locator(".answer").first().locator(".bars li").evaluateAll((items) =>
    items.map((item) => ({ name: item.querySelector(".name").firstChild.textContent, rank: Number(item.style.getPropertyValue("--rank")), share: Number(item.style.getPropertyValue("--share")) })),
  );
  assert.equal(bars.length, 10);
  assert.ok(Math.abs(bars.reduce((sum, bar) => sum + bar.share, 0) - 1) < 1e-3, "probabilities add up to 1");
  const ranked = [...bars].sort((one, other) => one.rank - other.rank);
  assert.ok(ranked.every((bar, index) => index === 0 || bar.share <= ranked[index - 1].share), "the surest first");

  // Five steps, the last as MNIST is: light on dark, the ink's middle in the middle.
  assert.deepEqual(await page.locator(".steps > li .size").allInnerTexts().then((texts) => texts.map((text) => /^\d+ × \d+$/.test(text))), [true, true, true, true, true]);
  const picture = await step(page, "Your picture");
  assert.ok(picture.values[0] > 200, "drawn on light paper");
  const last = await settled(page, "Centre");
  assert.deepEqual([last.width, last.height, last.values[0]], [28, 28, 0]);
  assert.ok(offCentre(last) < 1.2, `the ink's middle is at ${last.x}, ${last.y}`);

  // Undo and Clear; another digit.
  await page.getByRole("button", { name: "Undo" }).click();
  await page.locator(".invitation").waitFor();
  await draw(page, ONE);
  await isAnswered(page, models, "1", "a one by the mouse");
  await page.getByRole("button", { name: "Clear" }).click();
  await page.locator(".invitation").waitFor();
  await page.locator(".answer").first().waitFor({ state: "detached" });

  // A digit in a corner: centring finds it, and without that step the models are given something else.
  await draw(page, CORNER);
  await isAnswered(page, models, "7", "a seven in a corner");
  const before = await settled(page, "Centre");
  assert.ok(offCentre(before) < 1.2, "centred");
  await page.getByRole("switch", { name: "Centre" }).uncheck();
  await page.getByRole("heading", { name: "Centre is off" }).waitFor();
  await until("the digit in its corner", async () => offCentre(await step(page, "Centre")) > 3);
  assert.equal(await page.locator(".comparison tbody tr").count(), models, "what the step changes, model by model");
  await page.screenshot({ path: `${bench.pictures}/off-centre.png`, fullPage: true });
  await page.getByRole("button", { name: "Turn every step on" }).click();
  await until("the image as before", async () => isSame(await step(page, "Centre"), before));

  // The same without polarity: the image is dark on light.
  await page.getByRole("switch", { name: "Polarity" }).uncheck();
  await until("light paper", async () => (await step(page, "Polarity")).values[0] > 200);
  await page.getByRole("switch", { name: "Polarity" }).check();
  await until("dark paper", async () => (await step(page, "Polarity")).values[0] < 60);

  // Pictures from elsewhere.
  await given(page, SEVEN, "drop", "image/png");
  await page.getByRole("application", { name: /photo\.png/ }).waitFor();
  await isAnswered(page, models, "7", "a photograph that was dropped");
  assert.ok((await step(page, "Polarity")).values[0] < 80, "the paper is dark");
  await given(page, ONE, "paste", "image/jpeg");
  await page.getByRole("application", { name: /image\.png/ }).waitFor();
  await isAnswered(page, models, "1", "a photograph that was pasted");
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.getByRole("button", { name: "Choose a picture…" }).click()]);
  await chooser.setFiles({ name: "no-picture.png", mimeType: "image/png", buffer: Buffer.from("This is no picture.") });
  const trouble = page.locator(".replies [role=alert]");
  await trouble.waitFor();
  assert.match(await trouble.innerText(), /picture|image|PNG/i);

  // A test digit has its label, and can be looked into.
  await page.getByRole("button", { name: "Random test digit" }).click();
  await page.locator(".verdict-line").getByText(/The label is/).waitFor();
  assert.equal(await trouble.count(), 0, "the problem is gone");
  assert.equal(await page.locator(".answer").count(), models);

  // A drawing goes along to Inside.
  await page.getByRole("button", { name: "Clear" }).click();
  await draw(page, SEVEN);
  await isAnswered(page, models, "7", "a seven again");
}

module.exports = { ONE, SEVEN, draw, drawing, isAnswered };
