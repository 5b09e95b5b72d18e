// node --test tests/pixels.test.mjs: the arithmetic behind Inside, Errors and Draw.

import assert from "node:assert/strict";
import test from "node:test";
import { bytesOf, textOf, valuesOf } from "../crates/page/site/parts/pixels/bytes.js";
import { Latest } from "../crates/page/site/parts/pixels/latest.js";
import { filtered, isWrong, missedOf, sorted, takenFor } from "../crates/page/site/parts/pixels/missed.js";
import { Layer, Values, addendsOf, channelSum, tokensOf, windowOf, worked } from "../crates/page/site/parts/pixels/network.js";
import { EMPTY, extent, fitted, isPlain, moved } from "../crates/page/site/parts/pixels/sheet.js";
import { figure, percent } from "../crates/page/site/parts/pixels/words.js";

const packed = (values) => textOf(new Uint8Array(Float32Array.from(values).buffer));
/** Numbers without an order that anyone would guess. */
const some = (count, seed = 1) => Array.from({ length: count }, (_, index) => Math.sin(12.9898 * (index + 1) + 78.233 * seed));

function layer(index, text, shape, values, more = {}) {
  const told = { name: `l${index}`, layer: text, kind: text.split(" ")[0], shape, values: packed(values), low: Math.min(...values), high: Math.max(...values) };
  return new Layer({ ...told, ...more }, index);
}

/** A convolution, written down a second time. */
function convolved(input, [height, width, channels], filters, [count, rows, columns], { stride = 1, pad = 0, bias = null } = {}) {
  const [high, wide] = [Math.floor((height + 2 * pad - rows) / stride) + 1, Math.floor((width + 2 * pad - columns) / stride) + 1];
  const output = [];
  for (let y = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) {
      for (let filter = 0; filter < count; filter++) {
        let sum = bias?.[filter] ?? 0;
        for (let row = 0; row < rows; row++) {
          for (let column = 0; column < columns; column++) {
            const [inputY, inputX] = [y * stride + row - pad, x * stride + column - pad];
            if (inputY < 0 || inputX < 0 || inputY >= height || inputX >= width) continue;
            for (let channel = 0; channel < channels; channel++) {
              sum += input[(inputY * width + inputX) * channels + channel] * filters[((filter * rows + row) * columns + column) * channels + channel];
            }
          }
        }
        output.push(sum);
      }
    }
  }
  return { shape: [high, wide, count], output };
}

test("bytes and values come back", () => {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index * 31);
  assert.deepEqual(bytesOf(textOf(bytes)), bytes);
  assert.deepEqual([...valuesOf(packed([1.5, -2, 0]))], [1.5, -2, 0]);
});

test("a window adds up to the layer's value, and finds its input behind other layers", () => {
  for (const [text, options] of [["conv 4 3x3", {}], ["conv 4 3x3 same", { pad: 1 }], ["conv 4 3x3 stride 2 same", { pad: 1, stride: 2 }], ["conv 4 3x3 pad 2", { pad: 2 }]]) {
    const [pixels, weights, bias] = [some(8 * 9 * 2), some(4 * 9 * 2, 2), some(4, 3)];
    const { shape, output } = convolved(pixels, [8, 9, 2], weights, [4, 3, 3], { ...options, bias });
    const filters = { shape: [4, 3, 3, 2], values: packed(weights), bias };
    const image = new Values("the image", [8, 9, 2], Float32Array.from(pixels));
    const other = layer(0, "relu", [8, 9, 2], some(8 * 9 * 2, 9));
    const own = layer(1, text, shape, output, { filters });
    const window = windowOf([other, own], own, image);
    assert.equal(window?.input, image, text);
    const place = 2 * shape[1] + 1;
    assert.ok(Math.abs(worked(window, own, 3, 2, 1) - output[place * 4 + 3]) < 1e-4, text);
    const sums = [0, 1].map((channel) => channelSum(window, own.filters, 3, 2, 1, channel));
    assert.ok(Math.abs(sums[0] + sums[1] + bias[3] - output[place * 4 + 3]) < 1e-4, text);
  }
});

test("an input that does not add up is not shown", () => {
  const own = layer(0, "conv 1 3x3", [2, 2, 1], [1, 2, 3, 4], { filters: { shape: [1, 3, 3, 1], values: packed(some(9)), bias: null } });
  assert.equal(windowOf([own], own, new Values("the image", [4, 4, 1], Float32Array.from(some(16, 5)))), null);
});

test("pooling has a window too", () => {
  const own = layer(0, "maxpool 2", [2, 2, 1], [5, 7, 13, 15]);
  const image = new Values("the image", [4, 4, 1], Float32Array.from({ length: 16 }, (_, index) => index));
  const window = windowOf([own], own, image);
  assert.equal(worked(window, own, 0, 1, 1), 15);
});

test("the last layer's products add up, through a flatten and for the last state of a sequence", () => {
  const maps = some(2 * 3 * 4);
  const weights = some(24 * 5, 2);
  const sums = (values) => Array.from({ length: 5 }, (_, output) => values.reduce((sum, value, unit) => sum + value * weights[unit * 5 + output], 0.5));
  const told = { shape: [24, 5], values: packed(weights), bias: [0.5, 0.5, 0.5, 0.5, 0.5] };
  const layers = [layer(0, "relu", [2, 3, 4], maps), layer(1, "flatten", [24], maps), layer(2, "dense classes", [5], sums(maps), { weights: told })];
  assert.equal(addendsOf(layers, layers[2]).nameOf(13), "map 1, row 1, column 0");
  const states = some(3 * 24, 4);
  const sequence = [layer(0, "gru 24 sequence", [3, 24], states), layer(1, "dense classes", [5], sums(states.slice(48)), { weights: told })];
  assert.deepEqual([...addendsOf(sequence, sequence[1]).values], [...Float32Array.from(states.slice(48))]);
  const wrong = [layer(0, "relu", [24], some(24, 7)), layers[2]];
  assert.equal(addendsOf(wrong, layer(1, "dense classes", [5], sums(maps), { weights: told })), null);
});

test("tokens stand on the image", () => {
  const image = { height: 28, width: 28 };
  assert.deepEqual(tokensOf([layer(0, "patches 7", [16, 49], some(16 * 49))], 16, image), { rows: 4, columns: 4, name: "patch" });
  assert.deepEqual(tokensOf([], 28, image), { rows: 28, columns: 1, name: "row" });
  assert.equal(tokensOf([], 13, image), null);
});

test("missed images are filtered and sorted", () => {
  const missed = [
    { index: 4, label: 1, disputed: false, answers: [[1, 7], [1, 1]], confidence: [[0.9, 0.95], [0.9, 0.9]] },
    { index: 9, label: 2, disputed: true, answers: [[3, 3], [3, 2]], confidence: [[0.6, 0.7], [0.5, 0.9]] },
    { index: 2, label: 2, disputed: false, answers: [[2, 2], [2, 3]], confidence: [[0.6, 0.7], [0.5, null]] },
  ];
  const images = missedOf({ classes: [], images: 10, models: [], missed });
  assert.deepEqual(images.map(({ wrongRuns, sure }) => [wrongRuns, sure]), [[1, 0.95], [3, 0.7], [1, 0]]);
  assert.ok(isWrong(images[0], 0) && !isWrong(images[0], 1));
  const places = (filter, only = null, chosen = null) => filtered(images, filter, only, chosen).map(({ index }) => index);
  assert.deepEqual(places("every"), [9]);
  assert.deepEqual(places("one"), [4, 2]);
  assert.deepEqual(places("one", 1), [2]);
  assert.deepEqual(places("sure"), [4]);
  assert.deepEqual(places("disputed"), [9]);
  assert.deepEqual(places("all", null, { model: 1, label: 2, answer: 3 }), [9, 2]);
  assert.deepEqual(sorted(images, "index").map(({ index }) => index), [2, 4, 9]);
  assert.deepEqual(sorted(images, "runs")[0].index, 9);
  assert.equal(takenFor(images[1]), 3);
});

test("the newest question wins", async () => {
  const [asked, answers] = [[], []];
  let release = () => {};
  const work = async (question) => {
    asked.push(question);
    await new Promise((resolve) => (release = resolve));
    return question;
  };
  const latest = new Latest(work, (answer) => answers.push(answer), () => {});
  for (const question of [1, 2, 3]) latest.ask(question);
  release();
  await new Promise((resolve) => setTimeout(resolve));
  release();
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual([asked, answers], [[1, 3], [1, 3]]);
  latest.ask(4);
  latest.drop();
  release();
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(answers, [1, 3]);
});

test("a sheet is moved with its strokes", () => {
  const sheet = { ...EMPTY, strokes: [{ width: 20, points: [{ x: 100, y: 50, weight: 1 }, { x: 140, y: 250, weight: 1 }] }] };
  assert.deepEqual(extent(sheet), { left: 90, top: 40, width: 60, height: 220 });
  const box = extent(fitted(sheet, 10, 20, 110));
  assert.deepEqual([box.left, box.top, box.height], [10, 20, 110]);
  assert.equal(moved(sheet, 0.5, 0, 0).strokes[0].width, 10);
  assert.ok(!isPlain(sheet) && isPlain({ ...EMPTY, picture: { kind: "file" } }) && !isPlain({ ...EMPTY, picture: { kind: "file" }, isDark: true }));
});

test("figures are short and keep their sign", () => {
  assert.deepEqual([0, 0.5, -1.234, 12.345, 123.4, -0.00012].map(figure), ["0", "0.500", "−1.23", "12.3", "123", "−1.2e−4"]);
  assert.deepEqual([1, 0.99999, 0.5, 0.00001, 0].map(percent), ["100.0 %", "> 99.9 %", "50.0 %", "< 0.1 %", "0.0 %"]);
});
