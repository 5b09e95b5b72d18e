// Small helps for components.

/** @import { Child, FunctionComponent } from "../lib/preact.js" */

import { Component, h, html, useEffect, useRef, useState } from "../lib/preact.js";

/**
 * A component that is drawn again only when one of its properties is another.
 * @template {object} P
 * @param {FunctionComponent<P>} drawn
 * @returns {FunctionComponent<P>}
 */
export function memo(drawn) {
  class Memo extends Component {
    /**
     * @override
     * @param {object} next
     */
    shouldComponentUpdate(next) {
      return !same(/** @type {Record<string, unknown>} */ (this.props), /** @type {Record<string, unknown>} */ (next));
    }
    /**
     * @override
     * @param {object} properties
     */
    render(properties) {
      return h(drawn, properties);
    }
  }
  return /** @type {FunctionComponent<P>} */ (/** @type {unknown} */ (Memo));
}

/**
 * @param {Record<string, unknown>} one
 * @param {Record<string, unknown>} other
 */
function same(one, other) {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => one[key] === other[key]);
}

/**
 * The width in pixels of the element that the reference is given to; 0 before it is known.
 * @returns {[import("../lib/preact.js").Ref<HTMLElement | null>, number]}
 */
export function useWidth() {
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const { current } = element;
    if (!current) return undefined;
    setWidth(Math.round(current.clientWidth));
    const observer = new ResizeObserver(() => setWidth(Math.round(current.clientWidth)));
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  return [element, width];
}

/** @type {CanvasRenderingContext2D | null | undefined} */
let ruler;

/**
 * How many pixels wide a text is in the page's font.
 * @param {string} text
 * @param {string} size with its weight, as CSS has it
 */
export function textWidth(text, size) {
  ruler ??= document.createElement("canvas").getContext("2d");
  if (!ruler) return 8.5 * text.length;
  ruler.font = `${size} ${getComputedStyle(document.body).fontFamily}`;
  return Math.ceil(ruler.measureText(text).width);
}

/**
 * Details that are drawn only while they are open.
 * @param {{ summary: string, children?: Child }} properties
 */
export function Details({ summary, children }) {
  const [isOpen, setOpen] = useState(false);
  return html`<details class="figures" onToggle=${(/** @type {Event} */ event) => setOpen(/** @type {HTMLDetailsElement} */ (event.target).open)}>
    <summary>${summary}</summary>
    ${isOpen && children}
  </details>`;
}

/**
 * A text whose names stand between backticks; no line of it begins with "%".
 * @param {string | null | undefined} text
 */
export const coded = (text) => (text ?? "").replaceAll(/(?<=\d) %/g, "\u00a0%").split("`").map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part));
