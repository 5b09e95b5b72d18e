// What is only made when someone opens it.

import { html, useState } from "../../lib/preact.js";

/** @param {{ summary: string, content: () => unknown }} props */
export function Later({ summary, content }) {
  const [isOpen, set] = useState(false);
  return html`<details onToggle=${(/** @type {Event} */ event) => set(/** @type {HTMLDetailsElement} */ (event.currentTarget).open)}>
    <summary>${summary}</summary>
    ${isOpen ? content() : null}
  </details>`;
}
