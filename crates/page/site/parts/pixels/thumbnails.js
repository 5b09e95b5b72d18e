// Test images by their places: asked for in chunks when they come into view, kept once they are here.

import { html, useEffect, useRef, useState } from "../../lib/preact.js";
import { bytesOf } from "./bytes.js";
import { Picture } from "./canvas.js";

/** @import { Engine } from "../../types.js" */

/** Images of one call. */
const CHUNK = 200;
/** Images that are kept. */
const KEPT = 4000;

/** @typedef {{ pixels: Uint8Array, text: string, width: number, height: number, shape: number[], label: number }} TestImage */

export class Thumbnails {
  /** @type {Map<number, TestImage>} */
  #known = new Map();
  /** @type {Set<number>} */
  #wanted = new Set();
  /** @type {Set<() => void>} */
  #listeners = new Set();
  #isBusy = false;
  #engine;

  /** @param {Engine} engine */
  constructor(engine) {
    this.#engine = engine;
  }

  /** @param {number} index */
  get(index) {
    return this.#known.get(index) ?? null;
  }

  /** @param {number} index */
  want(index) {
    if (this.#known.has(index)) return;
    this.#wanted.add(index);
    if (this.#isBusy) return;
    this.#isBusy = true;
    // All that come into view together are one call.
    requestAnimationFrame(() => void this.#fetch());
  }

  /** @param {() => void} listener */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async #fetch() {
    while (this.#wanted.size > 0) {
      const indices = [...this.#wanted].slice(-CHUNK);
      for (const index of indices) this.#wanted.delete(index);
      try {
        const { shape, images } = await this.#engine.call("images", { indices });
        const [height = 28, width = 28] = shape;
        for (const { index, label, pixels } of images) this.#known.set(index, { pixels: bytesOf(pixels), text: pixels, width, height, shape, label });
      } catch {
        // They are asked for again when they come into view again.
        this.#wanted.clear();
      }
      for (const index of this.#known.keys()) {
        if (this.#known.size <= KEPT) break;
        this.#known.delete(index);
      }
      for (const listener of [...this.#listeners]) listener();
    }
    this.#isBusy = false;
  }
}

/**
 * One of them, drawn when it is in view and here.
 * @param {{ thumbnails: Thumbnails, index: number, label?: string }} props
 */
export function Thumbnail({ thumbnails, index, label = "" }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [image, setImage] = useState(thumbnails.get(index));
  useEffect(() => {
    const known = thumbnails.get(index);
    setImage(known);
    if (known) return;
    const close = thumbnails.subscribe(() => {
      const found = thumbnails.get(index);
      if (found) setImage(found);
    });
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) thumbnails.want(index);
      },
      { rootMargin: "200px" },
    );
    if (box.current) observer.observe(box.current);
    return () => {
      close();
      observer.disconnect();
    };
  }, [thumbnails, index]);
  return html`<span class="thumbnail" ref=${box}>${image ? html`<${Picture} pixels=${image.pixels} width=${image.width} height=${image.height} label=${label} />` : null}</span>`;
}
