// The page's colours as tables of bytes, for canvases.

/** @typedef {{ scale: Uint8ClampedArray, words: Uint32Array, ink: string, paper: string, accent: string, grid: string, muted: string }} Palette */

/** Steps of each half of the scale. */
const HALF = 127;

/** @type {Palette | null} */
let known = null;
/** @type {Set<() => void>} */
const listeners = new Set();

/** @type {MediaQueryList | null} */
let scheme = null;

function follow() {
  scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", () => {
    known = null;
    for (const listener of [...listeners]) listener();
  });
}

/** @param {() => void} listener */
export function whenColoursChange(listener) {
  if (!scheme) follow();
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * `scale` holds 255 colours for −1…1: 0 is the paper, the further from it the stronger; `words` are the same, a number a colour.
 * @returns {Palette}
 */
export function palette() {
  if (known) return known;
  const style = getComputedStyle(document.documentElement);
  /** @param {string} name */
  const read = (name) => style.getPropertyValue(name).trim() || "#888888";
  const [paper, ink, low, high] = ["--paper", "--ink", "--model-1", "--model-0"].map((name) => channels(read(name)));
  if (!paper || !ink || !low || !high) throw new Error("colours");
  const scale = new Uint8ClampedArray(4 * (2 * HALF + 1));
  for (let step = -HALF; step <= HALF; step++) {
    const part = Math.abs(step) / HALF;
    const colour = step < 0 ? low : high;
    const strong = mix(colour, ink, 0.45);
    const rgb = part < 0.65 ? mix(paper, colour, part / 0.65) : mix(colour, strong, (part - 0.65) / 0.35);
    scale.set([...rgb, 255], 4 * (step + HALF));
  }
  known = { scale, words: new Uint32Array(scale.buffer), ink: read("--ink"), paper: read("--paper"), accent: read("--accent"), grid: read("--grid"), muted: read("--muted") };
  return known;
}

/**
 * @param {number[]} one
 * @param {number[]} other
 * @param {number} part
 */
const mix = (one, other, part) => one.map((value, index) => value + part * ((other[index] ?? 0) - value));

/** @param {string} colour */
function channels(colour) {
  const context = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d", { willReadFrequently: true }));
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

/**
 * Where the scale has a value's colour.
 * @param {number} value
 * @param {number} most The value of the strongest colour.
 */
export function place(value, most) {
  const part = most > 0 ? Math.max(-1, Math.min(1, value / most)) : 0;
  return 4 * (Math.round(part * HALF) + HALF);
}

/**
 * Values as an image.
 * @param {ArrayLike<number>} values
 * @param {number} width
 * @param {number} height
 * @param {number} most
 * @param {number} [start] Where the first one is.
 * @param {number} [step] From one to the next.
 */
export function mapped(values, width, height, most, start = 0, step = 1) {
  const image = new ImageData(width, height);
  paint(new Uint32Array(image.data.buffer), 0, values, width * height, most, start, step);
  return image;
}

/**
 * Colours of values.
 * @param {Uint32Array} words
 * @param {number} first Where the first colour goes.
 * @param {ArrayLike<number>} values
 * @param {number} count
 * @param {number} most
 * @param {number} start
 * @param {number} step
 */
export function paint(words, first, values, count, most, start, step) {
  const colours = palette().words;
  const factor = most > 0 ? HALF / most : 0;
  for (let index = 0, from = start; index < count; index++, from += step) {
    const at = Math.round((values[from] ?? 0) * factor) + HALF;
    words[first + index] = colours[at < 0 ? 0 : at > 2 * HALF ? 2 * HALF : at || 0] ?? 0;
  }
}

/**
 * Bytes as an image: grey, or colours.
 * @param {Uint8Array} pixels
 * @param {number} width
 * @param {number} height
 */
export function pictured(pixels, width, height) {
  const image = new ImageData(width, height);
  const channels = pixels.length === 3 * width * height ? 3 : 1;
  for (let index = 0; index < width * height; index++) {
    for (let channel = 0; channel < 3; channel++) {
      image.data[4 * index + channel] = pixels[index * channels + (channels === 3 ? channel : 0)] ?? 0;
    }
    image.data[4 * index + 3] = 255;
  }
  return image;
}

/**
 * Black or white, whichever is easier to read on a colour of the scale.
 * @param {number} from Where the scale has the colour.
 */
export function textOn(from) {
  const { scale } = palette();
  const [red, green, blue] = [0, 1, 2].map((channel) => {
    const value = (scale[from + channel] ?? 0) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0) > 0.179 ? "#000000" : "#ffffff";
}
