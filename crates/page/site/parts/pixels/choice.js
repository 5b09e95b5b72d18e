// What a view has chosen: in the address where it has a field for it, else for as long as the page is open.

import { useState } from "../../lib/preact.js";

/** @import { Address } from "../../types.js" */

/** @type {Map<string, unknown>} */
const kept = new Map();

/**
 * @template T
 * @param {string} name
 * @param {T} first
 * @returns {[T, (next: T | ((last: T) => T)) => void]}
 */
export function useKept(name, first) {
  const [value, set] = useState(() => /** @type {T} */ (kept.has(name) ? kept.get(name) : first));
  return [
    value,
    (next) => {
      const last = /** @type {T} */ (kept.has(name) ? kept.get(name) : first);
      const chosen = typeof next === "function" ? /** @type {(last: T) => T} */ (next)(last) : next;
      kept.set(name, chosen);
      set(chosen);
    },
  ];
}

/**
 * Keeps a choice for a view that is not open yet.
 * @param {string} name
 * @param {unknown} value
 */
export const keep = (name, value) => void kept.set(name, value);

/**
 * The model of the address, if there is such a one, else the first.
 * @param {Address} address
 * @param {readonly string[]} models
 */
export const modelOf = (address, models) => (address.model !== null && models.includes(address.model) ? address.model : (models[0] ?? null));
