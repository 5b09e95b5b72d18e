// What is on the pad: strokes in a square of 280 units, over a picture or none; light paper or dark. Immutable, so that undoing is
// going back to an earlier one.

import { pictured } from "./colours.js";

export const SIDE = 280;
const PAPER = "#ffffff";
const INK = "#111111";
/** Units that a line's width changes by at once. */
const GROWTH = 0.4;

/**
 * @typedef {{ x: number, y: number, weight: number }} Point
 * @typedef {{ points: Point[], width: number }} Stroke
 * @typedef {{ kind: "file", name: string, text: string, drawable: ImageBitmap | null }} FilePicture
 * @typedef {{ kind: "test", index: number, label: number, text: string, pixels: Uint8Array, shape: number[] }} TestPicture
 * @typedef {{ left: number, top: number, side: number }} Square
 * @typedef {{ strokes: readonly Stroke[], picture: FilePicture | TestPicture | null, square: Square, isDark: boolean }} Sheet
 */

/** @type {Square} */
const WHOLE = { left: 0, top: 0, side: SIDE };

/** @type {Sheet} */
export const EMPTY = { strokes: [], picture: null, square: WHOLE, isDark: false };

/** @param {Sheet} sheet */
export const isEmpty = (sheet) => sheet.strokes.length === 0 && sheet.picture === null;

/**
 * The picture alone, as it came: the engine is given the file, or the models the test image.
 * @param {Sheet} sheet
 */
export const isPlain = ({ strokes, picture, square, isDark }) => picture !== null && strokes.length === 0 && square.side === SIDE && !isDark;

/**
 * @param {Sheet} sheet
 * @param {FilePicture | TestPicture} picture
 * @returns {Sheet}
 */
export const withPicture = (sheet, picture) => ({ ...EMPTY, picture });

/**
 * All that is on it, smaller and elsewhere.
 * @param {Sheet} sheet
 * @param {number} scale
 * @param {number} left
 * @param {number} top
 * @returns {Sheet}
 */
export function moved(sheet, scale, left, top) {
  const strokes = sheet.strokes.map(({ points, width }) => ({
    width: width * scale,
    points: points.map(({ x, y, weight }) => ({ x: x * scale + left, y: y * scale + top, weight })),
  }));
  const { square } = sheet;
  return { ...sheet, strokes, square: { left: square.left * scale + left, top: square.top * scale + top, side: square.side * scale } };
}

/** What the ink covers; of a picture all of it. @param {Sheet} sheet */
export function extent({ strokes, picture, square }) {
  let [left, top, right, bottom] = [SIDE, SIDE, 0, 0];
  if (picture) [left, top, right, bottom] = [square.left, square.top, square.left + square.side, square.top + square.side];
  for (const { points, width } of strokes) {
    for (const { x, y } of points) {
      left = Math.min(left, x - width / 2);
      top = Math.min(top, y - width / 2);
      right = Math.max(right, x + width / 2);
      bottom = Math.max(bottom, y + width / 2);
    }
  }
  return { left, top, width: Math.max(1, right - left), height: Math.max(1, bottom - top) };
}

/**
 * The content fitted into a square that begins here.
 * @param {Sheet} sheet
 * @param {number} left
 * @param {number} top
 * @param {number} side
 */
export function fitted(sheet, left, top, side) {
  const box = extent(sheet);
  const scale = side / Math.max(box.width, box.height);
  return moved(sheet, scale, left - box.left * scale, top - box.top * scale);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Stroke} stroke
 */
function drawStroke(context, { points, width }) {
  const [first] = points;
  if (!first) return;
  if (points.length === 1) {
    context.beginPath();
    context.arc(first.x, first.y, (width * first.weight) / 2, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  let [x, y] = [first.x, first.y];
  for (let index = 1; index < points.length; index++) {
    const from = /** @type {Point} */ (points[index - 1]);
    const to = /** @type {Point} */ (points[index]);
    const isLast = index === points.length - 1;
    const [endX, endY] = isLast ? [to.x, to.y] : [(from.x + to.x) / 2, (from.y + to.y) / 2];
    const begins = index === 1 ? from.weight : ((points[index - 2]?.weight ?? from.weight) + from.weight) / 2;
    const ends = isLast ? to.weight : (from.weight + to.weight) / 2;
    if (begins === ends) {
      context.lineWidth = width * ends;
      context.beginPath();
      context.moveTo(x, y);
      context.quadraticCurveTo(from.x, from.y, endX, endY);
      context.stroke();
    } else {
      // A line that grows wider or thinner is made of short ones.
      const parts = Math.min(16, 1 + Math.ceil((width * Math.abs(ends - begins)) / GROWTH));
      let [lastX, lastY] = [x, y];
      for (let part = 1; part <= parts; part++) {
        const along = part / parts;
        const [first, middle, end] = [(1 - along) ** 2, 2 * along * (1 - along), along ** 2];
        const [nextX, nextY] = [first * x + middle * from.x + end * endX, first * y + middle * from.y + end * endY];
        context.lineWidth = width * (begins + (ends - begins) * (along - 0.5 / parts));
        context.beginPath();
        context.moveTo(lastX, lastY);
        context.lineTo(nextX, nextY);
        context.stroke();
        [lastX, lastY] = [nextX, nextY];
      }
    }
    [x, y] = [endX, endY];
  }
}

/** @type {WeakMap<TestPicture, HTMLCanvasElement>} */
const canvases = new WeakMap();

/** Dark on light, as on paper; colours as they are. @param {TestPicture} picture */
function canvasOf(picture) {
  const found = canvases.get(picture);
  if (found) return found;
  const [height = 28, width = 28] = picture.shape;
  const isGrey = picture.pixels.length === height * width;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const pixels = isGrey ? picture.pixels.map((value) => 255 - value) : picture.pixels;
  canvas.getContext("2d")?.putImageData(pictured(pixels, width, height), 0, 0);
  canvases.set(picture, canvas);
  return canvas;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Sheet} sheet
 * @param {number} side Pixels of the canvas along a side.
 */
export function drawSheet(context, sheet, side) {
  context.setTransform(side / SIDE, 0, 0, side / SIDE, 0, 0);
  context.globalCompositeOperation = "source-over";
  context.fillStyle = PAPER;
  context.fillRect(0, 0, SIDE, SIDE);
  const { picture, square } = sheet;
  const drawable = picture?.kind === "test" ? canvasOf(picture) : picture?.drawable;
  if (drawable) {
    const scale = square.side / Math.max(drawable.width, drawable.height);
    const [width, height] = [drawable.width * scale, drawable.height * scale];
    context.imageSmoothingEnabled = picture?.kind !== "test";
    context.imageSmoothingQuality = "high";
    context.drawImage(drawable, square.left + (square.side - width) / 2, square.top + (square.side - height) / 2, width, height);
  }
  context.lineCap = "round";
  context.lineJoin = "round";
  context.strokeStyle = INK;
  context.fillStyle = INK;
  for (const stroke of sheet.strokes) drawStroke(context, stroke);
  if (sheet.isDark) {
    context.globalCompositeOperation = "difference";
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, SIDE, SIDE);
    context.globalCompositeOperation = "source-over";
  }
}

/** @type {CanvasRenderingContext2D | null} */
let hidden = null;

/** The sheet as grey bytes of SIDE × SIDE. @param {Sheet} sheet */
export function greyOf(sheet) {
  if (!hidden) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIDE;
    hidden = canvas.getContext("2d", { willReadFrequently: true });
  }
  const context = /** @type {CanvasRenderingContext2D} */ (hidden);
  drawSheet(context, sheet, SIDE);
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  const grey = new Uint8Array(SIDE * SIDE);
  for (let index = 0; index < grey.length; index++) {
    const at = 4 * index;
    grey[index] = Math.round(0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0));
  }
  return grey;
}
