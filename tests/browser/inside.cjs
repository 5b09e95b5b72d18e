// Inside: a drawing's way, and a test image's, through a convolution and an LSTM.
"use strict";
const assert = require("node:assert/strict");
const { greyOf, until } = require("./harness.cjs");

const layer = (page, name) => page.locator(".layers > .layer").filter({ has: page.locator(".close", { hasText: name }) }).first();

/** The numbers of a sentence. */
const numbers = (text) => [...text.replaceAll("−", "-").matchAll(/[+-]?\d+(\.\d+)?(e[+-]?\d+)?/g)].map(([number]) => Number(number));

async function inside(bench, page) {
  // From Draw, with what is on the pad.
  await page.getByRole("link", { name: "See this image inside a model" }).click();
  await page.locator(".layers > .layer").first().waitFor();
  assert.match(await page.locator(".inside figcaption").first().innerText(), /your drawing/);
  assert.equal(await page.locator(".inside .class").first().innerText(), "7");

  // The convolution: all layers, a filter over its window, and the sum that it says.
  await page.getByRole("radio", { name: "maps" }).check();
  await until("six layers of maps", async () => (await page.locator(".layers > .layer").count()) === 6);
  const first = layer(page, /^1?conv 6/);
  assert.equal(await first.locator(".shape").innerText(), "13 × 13 × 6");
  await until("the maps are drawn", async () => {
    const { size } = new Set((await greyOf(first.locator(".atlas canvas").first())).values);
    return size > 8 && size;
  });
  await first.locator(".close").click();
  const filters = first.getByRole("listbox", { name: "Filters" });
  await filters.focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await first.getByText(/Window × weights of filter 2/).waitFor();
  const slider = first.getByRole("slider", { name: "Position of the window" });
  await slider.fill("84");
  await first.getByText(/Together .*, the output at row 6, column 6\./).waitFor();
  const sentence = await first.locator(".sum").innerText();
  const [sum, bias, total] = numbers(sentence);
  assert.ok(Math.abs(sum + bias - total) < 0.02 * (1 + Math.abs(total)), sentence);
  assert.equal(await first.locator(".product").count(), 9);
  await page.waitForFunction(() => location.hash.includes("layer=") && location.hash.includes("cell=2"));
  // A filter by the mouse, in the maps themselves.
  const box = first.getByRole("listbox").first();
  await box.click({ position: { x: 10, y: 10 } });
  await first.getByText(/Window × weights of filter 0/).waitFor();
  await page.screenshot({ path: `${bench.pictures}/inside-conv.png`, fullPage: true });

  // The second convolution says what each channel adds.
  await layer(page, /conv 8/).locator(".close").click();
  await layer(page, /conv 8/).getByRole("heading", { name: "What each input channel adds here" }).waitFor();
  assert.equal(await layer(page, /conv 8/).locator(".terms li").count(), 6);

  // What the last layer adds up.
  const last = layer(page, /dense/);
  await last.locator(".close").click();
  await last.getByText(/What adds up to the logit of 7/).first().waitFor();
  assert.equal(await last.locator(".addends tbody tr").count(), 14, "twelve products, the others, the bias");

  // A test image instead, and the next one; the model stays.
  await page.getByRole("radio", { name: "test image" }).check();
  await page.getByRole("spinbutton", { name: "Test image" }).fill("3");
  await page.keyboard.press("Enter");
  await page.getByText(/test image 3, label 0/).waitFor();
  await page.getByRole("button", { name: "Next test image" }).click();
  await page.getByText(/test image 4, label 4/).waitFor();

  // The LSTM, row by row.
  await page.getByRole("radio", { name: "rows" }).check();
  const recurrent = layer(page, /lstm 32/);
  await recurrent.waitFor();
  assert.equal(await page.locator(".layers > .layer").count(), 3);
  await recurrent.locator(".close").click();
  await recurrent.getByRole("slider", { name: "Step" }).fill("9");
  await recurrent.getByText(/Row 9 is read/).waitFor();
  await recurrent.getByText(/State after step 9/).waitFor();
  await recurrent.getByRole("button", { name: "Play" }).click();
  await recurrent.getByText(/Row 1[2-9] is read/).waitFor();
  await recurrent.getByRole("button", { name: "Pause" }).click();
  await page.screenshot({ path: `${bench.pictures}/inside-lstm.png`, fullPage: true });

  // The address has the model, the image, the layer and the step, once they rest: a link shows the same.
  await page.waitForFunction(() => /model=rows/.test(location.hash) && /image=4/.test(location.hash) && /layer=.*cell=1[2-9]/.test(location.hash));
  await page.reload();
  await layer(page, /lstm 32/).locator(".recurrent").waitFor();
  assert.match(await page.locator(".inside figcaption").first().innerText(), /test image 4/);
}

module.exports = { inside };
