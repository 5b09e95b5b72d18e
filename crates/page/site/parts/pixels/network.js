// What the engine says of a network's inside, unpacked, and the arithmetic of its layers: which input a layer had, what a window sums to.
// An input is believed only where the sums come out as the layer's own values.

import { valuesOf } from "./bytes.js";

/** @import { InsideLayer } from "../../types.js" */
/**
 * Where the types of the protocol say less than its engines.
 * @typedef {{ shape: number[], values: string }} Tensor
 * @typedef {Omit<InsideLayer, "filters" | "weights"> & {
 *   filters?: Tensor & { bias?: string | number[] | null, stride?: unknown, padding?: unknown, dilation?: unknown },
 *   weights?: Tensor & { bias?: string | number[] | null }, states?: Tensor }} ToldLayer
 */
/** @import { SharedImage } from "../image.js" */

/** Sums of 32-bit floats in another order differ by less than this part. */
const TOLERANCE = 2e-3;
/** Positions at which a layer's input is checked. */
const CHECKS = 7;

/** Values with a shape: a layer's output, or the image. */
export class Values {
  /** @type {Float32Array | null} */
  #values = null;
  #text;

  /**
   * @param {string} name
   * @param {readonly number[]} shape
   * @param {string | Float32Array} values
   */
  constructor(name, shape, values) {
    this.name = name;
    this.shape = shape;
    this.#text = typeof values === "string" ? values : "";
    if (typeof values !== "string") this.#values = values;
  }

  get values() {
    this.#values ??= valuesOf(this.#text);
    return this.#values;
  }

  get isImage() {
    return this.shape.length === 3;
  }

  /** Maps of an image, steps of a sequence, values of a list. */
  get count() {
    return (this.isImage ? this.shape[2] : this.shape[0]) ?? 0;
  }
}

export class Layer extends Values {
  /** @type {{ shape: readonly number[], values: Float32Array, bias: Float32Array | null } | null} */
  #filters = null;
  /** @type {{ shape: readonly number[], values: Float32Array, bias: Float32Array | null } | null} */
  #weights = null;
  /** @type {{ shape: readonly number[], values: Float32Array } | null} */
  #attention = null;

  /** @type {Values | null} */
  #states = null;

  /**
   * @param {ToldLayer} layer
   * @param {number} index
   */
  constructor(layer, index) {
    super(layer.name, layer.shape, layer.values);
    this.index = index;
    this.source = layer;
    this.text = layer.layer || layer.name;
    this.word = this.text.split(" ")[0] ?? "";
    this.low = layer.low;
    this.high = layer.high;
    this.most = Math.max(Math.abs(layer.low), Math.abs(layer.high));
  }

  get filters() {
    const { filters } = this.source;
    if (filters) this.#filters ??= { shape: filters.shape, values: valuesOf(filters.values), bias: biasOf(filters.bias) };
    return this.#filters;
  }

  get weights() {
    const { weights } = this.source;
    if (weights) this.#weights ??= { shape: weights.shape, values: valuesOf(weights.values), bias: biasOf(weights.bias) };
    return this.#weights;
  }

  get attention() {
    const { attention } = this.source;
    if (attention) this.#attention ??= { shape: attention.shape, values: valuesOf(attention.values) };
    return this.#attention;
  }

  get isRecurrent() {
    return ["lstm", "gru", "rnn"].includes(this.word);
  }

  /** Of a recurrent layer the states after all steps, where they are told; of others null. @returns {Values | null} */
  get states() {
    if (!this.isRecurrent) return null;
    const { states } = this.source;
    if (states) this.#states ??= new Values(this.name, states.shape, states.values);
    else if (this.shape.length === 2) return this;
    return this.#states;
  }

  get isPooling() {
    return (this.word === "maxpool" || this.word === "avgpool") && this.isImage;
  }
}

/** @param {string | readonly number[] | null | undefined} bias */
const biasOf = (bias) => (bias ? (typeof bias === "string" ? valuesOf(bias) : Float32Array.from(bias)) : null);

/** The image as the models read it: each byte divided by 255. @param {SharedImage} image */
export const valuesOfImage = (image) =>
  new Values("the image", [image.height, image.width, image.channels], Float32Array.from(image.pixels, (value) => value / 255));

/** What `stride`, `same`, `pad`, `dilation` and `groups` say in a layer's line. @param {string} text */
export function spelled(text) {
  const words = text.split(/\s+/);
  /** @param {string} word */
  const after = (word) => {
    const at = words.indexOf(word);
    return at < 0 ? null : (words[at + 1] ?? "").split("x").map(Number);
  };
  return { stride: after("stride")?.[0] ?? null, isSame: words.includes("same"), pad: after("pad"), dilation: after("dilation")?.[0] ?? 1 };
}

/**
 * A window that moves over an input.
 * @typedef {{ input: Values, rows: number, columns: number, stride: number, top: number, left: number, dilation: number, first: (output: number) => number, channels: number, isPooling: boolean }} Window
 *   `top`, `left`: the padding; `first`: the input's first channel for a channel of the output, `channels`: how many are summed
 */

/**
 * The input's value under a window, 0 in the padding.
 * @param {Window} window
 * @param {number} y
 * @param {number} x
 * @param {number} row
 * @param {number} column
 * @param {number} channel
 */
export function under(window, y, x, row, column, channel) {
  const [height = 0, width = 0, channels = 0] = window.input.shape;
  const inputY = y * window.stride - window.top + row * window.dilation;
  const inputX = x * window.stride - window.left + column * window.dilation;
  if (inputY < 0 || inputY >= height || inputX < 0 || inputX >= width) return 0;
  return window.input.values[(inputY * width + inputX) * channels + channel] ?? 0;
}

/**
 * A filter's weight.
 * @param {{ shape: readonly number[], values: Float32Array }} filters
 * @param {number} filter
 * @param {number} row
 * @param {number} column
 * @param {number} channel Of those that the filter reads.
 */
export function weightAt({ shape, values }, filter, row, column, channel) {
  const [, rows = 0, columns = 0, channels = 0] = shape;
  return values[((filter * rows + row) * columns + column) * channels + channel] ?? 0;
}

/**
 * The sum over one channel.
 * @param {Window} window
 * @param {{ shape: readonly number[], values: Float32Array }} filters
 * @param {number} filter
 * @param {number} y
 * @param {number} x
 * @param {number} channel
 */
export function channelSum(window, filters, filter, y, x, channel) {
  let sum = 0;
  const first = window.first(filter);
  for (let row = 0; row < window.rows; row++) {
    for (let column = 0; column < window.columns; column++) {
      sum += weightAt(filters, filter, row, column, channel) * under(window, y, x, row, column, first + channel);
    }
  }
  return sum;
}

/**
 * What a window makes of its place: the layer's value, worked out.
 * @param {Window} window
 * @param {Layer} layer
 * @param {number} output
 * @param {number} y
 * @param {number} x
 */
export function worked(window, layer, output, y, x) {
  if (window.isPooling) {
    const values = [];
    for (let row = 0; row < window.rows; row++) {
      for (let column = 0; column < window.columns; column++) values.push(under(window, y, x, row, column, output));
    }
    return layer.word === "maxpool" ? Math.max(...values) : values.reduce((sum, value) => sum + value, 0) / values.length;
  }
  const { filters } = layer;
  if (!filters) return NaN;
  let sum = filters.bias?.[output] ?? 0;
  for (let channel = 0; channel < window.channels; channel++) sum += channelSum(window, filters, output, y, x, channel);
  return sum;
}

/** @param {number} one @param {number} other @param {number} most */
const isAlike = (one, other, most) => Math.abs(one - other) <= TOLERANCE * (most + 1e-6);

/**
 * The window that moves over the layer's input, where the input is found among what was computed before.
 * @param {readonly Layer[]} layers
 * @param {Layer} layer
 * @param {Values} image
 * @returns {Window | null}
 */
export function windowOf(layers, layer, image) {
  if (!layer.isImage || (!layer.source.filters && !layer.isPooling)) return null;
  const [height = 0, width = 0, outputs = 0] = layer.shape;
  const { stride, isSame, pad, dilation } = spelled(layer.text);
  const size = layer.filters ? layer.filters.shape.slice(1, 3) : pooled(layer.text);
  const [rows = 1, columns = 1] = size;
  const steps = stride ?? (layer.isPooling ? rows : 1);
  const reads = layer.filters?.shape[3] ?? 1;
  const before = [...layers.slice(0, layer.index).reverse(), image].filter((values) => values.isImage);
  for (const input of before) {
    const channels = input.shape[2] ?? 0;
    const isDepthwise = layer.word === "depthwise" || layer.isPooling;
    if (isDepthwise ? channels !== outputs : channels % reads !== 0) continue;
    const groups = isDepthwise ? outputs : channels / reads;
    const paddings = isSame ? [[(dilation * (rows - 1)) / 2, (dilation * (columns - 1)) / 2], [0, 0]] : [pad ?? [0, 0]];
    for (const [top = 0, left = top] of paddings) {
      /** @type {Window} */
      const window = {
        input, rows, columns, stride: steps, top: Math.floor(top), left: Math.floor(left), dilation, channels: reads, isPooling: layer.isPooling,
        first: isDepthwise ? (output) => output : (output) => Math.floor(output / (outputs / groups)) * reads,
      };
      const isRight = Array.from({ length: CHECKS }, (_, check) => {
        const place = Math.floor(((check + 0.5) / CHECKS) * height * width);
        const output = (check * 5) % outputs;
        const [y, x] = [Math.floor(place / width), place % width];
        return isAlike(worked(window, layer, output, y, x), layer.values[place * outputs + output] ?? 0, layer.most);
      }).every(Boolean);
      if (isRight) return window;
    }
  }
  return null;
}

/** @param {string} text */
function pooled(text) {
  const size = (text.split(" ")[1] ?? "").split("x").map(Number);
  return [size[0] || 1, size[1] || size[0] || 1];
}

/**
 * What the last layer read, and what it adds up for each class; null where no layer's values add up to its own.
 * @param {readonly Layer[]} layers
 * @param {Layer} layer
 * @returns {{ values: Float32Array, nameOf: (unit: number) => string } | null}
 */
export function addendsOf(layers, layer) {
  const { weights } = layer;
  if (!weights) return null;
  const [from = 0, to = 0] = weights.shape;
  for (const before of layers.slice(0, layer.index).reverse()) {
    for (const values of lists(before, from)) {
      const isRight = Array.from({ length: to }, (_, output) => {
        let sum = weights.bias?.[output] ?? 0;
        for (let unit = 0; unit < from; unit++) sum += (values[unit] ?? 0) * (weights.values[unit * to + output] ?? 0);
        return isAlike(sum, layer.values[output] ?? 0, layer.most);
      }).every(Boolean);
      if (!isRight) continue;
      const origin = originOf(layers, before);
      const [, width = 1, channels = 1] = origin.shape;
      const isWhole = origin.isImage && origin.values.length === from;
      return {
        values,
        nameOf: (unit) =>
          isWhole ? `map ${unit % channels}, row ${Math.floor(unit / channels / width)}, column ${Math.floor(unit / channels) % width}` : `unit ${unit}`,
      };
    }
  }
  return null;
}

/**
 * The maps that a list was, in the same order.
 * @param {readonly Layer[]} layers
 * @param {Layer} layer
 */
function originOf(layers, layer) {
  let origin = layer;
  while (origin.index > 0 && (origin.word === "flatten" || origin.word === "dropout")) origin = /** @type {Layer} */ (layers[origin.index - 1]);
  return origin;
}

/**
 * What a dense layer may read of an output: all of it, or the state after the last step, in both directions.
 * @param {Layer} layer
 * @param {number} from
 */
function lists(layer, from) {
  const { values } = layer;
  if (values.length === from) return [values];
  if (layer.shape.length !== 2 || layer.shape[1] !== from) return [];
  const last = values.slice(values.length - from);
  const both = last.slice();
  both.set(values.subarray(from / 2, from), from / 2);
  return [last, both];
}

/**
 * Where the tokens of a sequence stand on the image: rows, columns, patches or pixels.
 * @param {readonly Layer[]} layers
 * @param {number} count
 * @param {SharedImage} image
 * @returns {{ rows: number, columns: number, name: string } | null}
 */
export function tokensOf(layers, count, image) {
  const patches = layers.find(({ word }) => word === "patches");
  const side = Number(patches?.text.split(" ")[1]);
  if (patches && side > 0) {
    const [rows, columns] = [Math.floor(image.height / side), Math.floor(image.width / side)];
    if (rows * columns === count) return { rows, columns, name: "patch" };
  }
  const isColumns = layers.some(({ word }) => word === "columns");
  if (isColumns && count === image.width) return { rows: 1, columns: count, name: "column" };
  if (count === image.height) return { rows: count, columns: 1, name: "row" };
  if (count === image.height * image.width) return { rows: image.height, columns: image.width, name: "pixel" };
  return null;
}
