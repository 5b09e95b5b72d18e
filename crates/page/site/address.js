// The state of the page in its address: a link is a study.

/** @import { AddressFields } from "./types.js" */

export const VIEWS = ["compare", "draw", "inside", "errors", "change", "lessons"];

/** @type {AddressFields} */
const EMPTY = { view: "compare", study: null, lesson: null, model: null, image: null, layer: null, cell: null };

/** Milliseconds of rest before a change without an entry of its own is written: browsers allow few changes a second. */
const REST = 250;

/** No study file is larger; an address that unpacks to more is not one of ours. */
const LARGEST_STUDY = 1 << 20;

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {CompressionStream | DecompressionStream} stream
 */
async function through(bytes, stream) {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > LARGEST_STUDY) {
      await reader.cancel();
      throw new Error("the study in the address is larger than a study file may be");
    }
    parts.push(value);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/**
 * A text as deflated base64url.
 * @param {string} text
 */
export async function packed(text) {
  const bytes = await through(new TextEncoder().encode(text), new CompressionStream("deflate-raw"));
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * The text that was packed.
 * @param {string} code
 */
export async function unpacked(code) {
  const binary = atob(code.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  return new TextDecoder("utf-8", { fatal: true }).decode(await through(bytes, new DecompressionStream("deflate-raw")));
}

export class AddressBook {
  /** @type {AddressFields} */
  fields = EMPTY;
  /** The study of the fields, packed; null until it is. @type {string | null} */
  #code = null;
  /** @type {string | null} */
  #codeOf = null;
  /** @type {Set<() => void>} */
  #listeners = new Set();
  #last = "";
  #turn = 0;
  /** An entry of the history is still to be made. */
  #push = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** Reads the address, and follows it from then on. */
  async open() {
    window.addEventListener("popstate", () => void this.#follow());
    window.addEventListener("hashchange", () => {
      if (location.hash !== this.#last) void this.#follow();
    });
    await this.#read();
  }

  /** @param {() => void} listener */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * @param {Partial<AddressFields>} changes
   * @param {boolean} [replace]
   */
  go(changes, replace = false) {
    this.fields = { ...this.fields, ...changes };
    if (!replace) this.#push = true;
    for (const listener of [...this.#listeners]) listener();
    clearTimeout(this.#timer);
    this.#turn += 1;
    if (replace) this.#timer = setTimeout(() => void this.#write(), REST);
    else void this.#write();
  }

  /** @param {Partial<AddressFields>} changes */
  link(changes) {
    return hash({ ...this.fields, ...changes }, changes.study === undefined ? this.#code : null);
  }

  async #follow() {
    await this.#read();
    for (const listener of [...this.#listeners]) listener();
  }

  async #read() {
    clearTimeout(this.#timer);
    const turn = ++this.#turn;
    this.#last = location.hash;
    const values = new URLSearchParams(location.hash.slice(1));
    const view = values.get("view") ?? EMPTY.view;
    const image = Number.parseInt(values.get("image") ?? "", 10);
    const code = values.get("study");
    let study = null;
    try {
      if (code) study = code === this.#code ? this.#codeOf : await unpacked(code);
    } catch {
      study = null;
    }
    if (turn !== this.#turn) return;
    [this.#code, this.#codeOf] = study === null ? [null, null] : [code, study];
    this.#push = false;
    this.fields = {
      view: VIEWS.includes(view) ? view : EMPTY.view,
      study,
      lesson: values.get("lesson"),
      model: values.get("model"),
      image: Number.isSafeInteger(image) && image >= 0 ? image : null,
      layer: values.get("layer"),
      cell: Number.isSafeInteger(Number.parseInt(values.get("cell") ?? "", 10)) ? Number.parseInt(values.get("cell") ?? "", 10) : null,
    };
  }

  async #write() {
    const turn = ++this.#turn;
    const { study } = this.fields;
    const code = study === null ? null : study === this.#codeOf ? this.#code : await packed(study);
    // Another change came while this one was packed: it writes both.
    if (turn !== this.#turn) return;
    [this.#code, this.#codeOf] = [code, study];
    const next = hash(this.fields, code);
    const push = this.#push && next !== this.#last;
    this.#push = false;
    if (next !== this.#last) history[push ? "pushState" : "replaceState"](null, "", next);
    this.#last = next;
    for (const listener of [...this.#listeners]) listener();
  }
}

/**
 * @param {AddressFields} fields
 * @param {string | null} code
 */
function hash({ view, lesson, model, image, layer, cell }, code) {
  const values = new URLSearchParams({ view });
  if (lesson !== null) values.set("lesson", lesson);
  if (model !== null) values.set("model", model);
  if (image !== null) values.set("image", String(image));
  if (layer) values.set("layer", layer);
  if (layer && cell !== null) values.set("cell", String(cell));
  if (code) values.set("study", code);
  return `#${values}`;
}
