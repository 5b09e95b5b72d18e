// What a view has chosen and the address has no field for: kept for as long as the page is open, or the tab.

import { useState } from "../../lib/preact.js";

/** @import { Address } from "../../types.js" */

/** @type {Map<string, unknown>} */
const kept = new Map();

/** What a tab keeps when the page is loaded again. */
const STORED = "pixels";

/** @type {Record<string, unknown>} */
let stored = {};
try {
  stored = JSON.parse(sessionStorage.getItem(STORED) ?? "{}");
} catch {
  // A browser without storage begins anew.
}

/** @param {string} name @param {unknown} value */
function store(name, value) {
  stored = { ...stored, [name]: value };
  try {
    sessionStorage.setItem(STORED, JSON.stringify(stored));
  } catch {
    // See above.
  }
}

/**
 * @template T
 * @param {string} name
 * @param {T} first
 * @param {boolean} [isStored] Whether it outlasts loading the page again.
 * @returns {[T, (next: T | ((last: T) => T)) => void]}
 */
export function useKept(name, first, isStored = false) {
  if (isStored && !kept.has(name) && name in stored) kept.set(name, stored[name]);
  const [value, set] = useState(() => /** @type {T} */ (kept.has(name) ? kept.get(name) : first));
  return [
    value,
    (next) => {
      const last = /** @type {T} */ (kept.has(name) ? kept.get(name) : first);
      const chosen = typeof next === "function" ? /** @type {(last: T) => T} */ (next)(last) : next;
      kept.set(name, chosen);
      if (isStored) store(name, chosen);
      set(chosen);
    },
  ];
}

/**
 * The model of the address, if there is such a one, else the first.
 * @param {Address} address
 * @param {readonly string[]} models
 */
export const modelOf = (address, models) => (address.model !== null && models.includes(address.model) ? address.model : (models[0] ?? null));
