// The image that the page is about: drawn, from a file, or of the test set. Draw makes it, Inside and Errors pass it on.

import { useEffect, useState } from "../lib/preact.js";
import { bytesOf } from "./pixels/bytes.js";

/**
 * @typedef {{ kind: "drawn" } | { kind: "file", name: string } | { kind: "test", index: number, label: number }} Source
 * @typedef {{ text: string, pixels: Uint8Array, height: number, width: number, channels: number, source: Source }} SharedImage
 *   `text` is the image as the engine takes it (base64), `pixels` are its bytes, [height, width, channels].
 */

/** @type {SharedImage | null} */
let image = null;
/** @type {Set<() => void>} */
const listeners = new Set();

export const sharedImage = () => image;

/**
 * @param {string} text
 * @param {readonly number[]} shape
 * @param {Source} source
 * @returns {SharedImage}
 */
export function imageOf(text, shape, source) {
  const pixels = bytesOf(text);
  const [height = 28, width = 28] = shape;
  return { text, pixels, height, width, channels: Math.max(1, Math.round(pixels.length / (height * width))), source };
}

/** @param {SharedImage | null} next */
export function shareImage(next) {
  image = next;
  for (const listener of [...listeners]) listener();
}

/** The image, as a hook. */
export function useSharedImage() {
  const [, draw] = useState(0);
  useEffect(() => {
    const listener = () => draw((count) => count + 1);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return image;
}

/** @param {SharedImage} image */
export function nameOf({ source }) {
  if (source.kind === "test") return `test image ${source.index}`;
  return source.kind === "file" ? source.name : "your drawing";
}
