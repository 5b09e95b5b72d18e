// Changes single keys of a study file and leaves the rest of its text as it is. The engine is the judge of the result.

/**
 * A key with its value: `start` to `end` are its whole lines, `from` to `to` the value. `table` is the header that it stands under.
 * @typedef {{ table: string, key: string, start: number, end: number, from: number, to: number }} Pair
 */

/** @typedef {{ name: string, isArray: boolean, start: number, end: number }} Header */

/**
 * Where a value ends that begins here: at a comma, a closing bracket or the end of the line outside of brackets and strings, or at a comment.
 * @param {string} text
 * @param {number} at
 * @param {boolean} inline within an inline table
 */
function valueEnd(text, at, inline) {
  let depth = 0;
  while (at < text.length) {
    const character = text.charAt(at);
    if (character === '"' || character === "'") {
      at = stringEnd(text, at);
      continue;
    }
    if (character === "#") {
      if (depth === 0) break;
      while (at < text.length && text.charAt(at) !== "\n") at += 1;
      continue;
    }
    if (depth === 0 && (character === "\n" || (inline && (character === "," || character === "}")))) break;
    if (character === "[" || character === "{") depth += 1;
    if (character === "]" || character === "}") depth -= 1;
    at += 1;
  }
  while (at > 0 && /\s/.test(text.charAt(at - 1))) at -= 1;
  return at;
}

/**
 * @param {string} text
 * @param {number} at
 */
function stringEnd(text, at) {
  const quote = text.charAt(at);
  const long = text.startsWith(quote.repeat(3), at);
  const close = long ? quote.repeat(3) : quote;
  for (let next = at + close.length; next < text.length; next += 1) {
    if (quote === '"' && text.charAt(next) === "\\") next += 1;
    else if (text.startsWith(close, next)) return next + close.length;
    else if (!long && text.charAt(next) === "\n") return next;
  }
  return text.length;
}

/** @param {string} key */
const plain = (key) =>
  key
    .split(".")
    .map((part) => part.trim().replace(/^(["'])(.*)\1$/, "$2"))
    .join(".");

/**
 * The keys and the headers of a text.
 * @param {string} text
 */
export function scanned(text) {
  /** @type {Pair[]} */
  const pairs = [];
  /** @type {Header[]} */
  const headers = [];
  let table = "";
  let at = 0;
  while (at < text.length) {
    const start = at;
    const lineEnd = () => {
      const end = text.indexOf("\n", at);
      return end < 0 ? text.length : end + 1;
    };
    const line = text.slice(at, lineEnd());
    const header = /^\s*(\[\[?)([^\]]*)\]/.exec(line);
    const pair = /^\s*((?:"[^"\n]*"|'[^'\n]*'|[^\s=#"'[\]])(?:"[^"\n]*"|'[^'\n]*'|[^=#"'\n])*?)\s*=[ \t]*/.exec(line);
    if (header) {
      table = plain(header[2] ?? "");
      at = lineEnd();
      headers.push({ name: table, isArray: header[1] === "[[", start, end: at });
    } else if (pair) {
      const from = start + pair[0].length;
      const to = valueEnd(text, from, false);
      at = to;
      at = lineEnd();
      pairs.push({ table, key: plain(pair[1] ?? ""), start, end: at, from, to });
    } else {
      at = lineEnd();
    }
  }
  return { pairs, headers };
}

/**
 * The keys of an inline table that begins at a brace.
 * @param {string} text
 * @param {number} from
 */
function inlinePairs(text, from) {
  /** @type {Pair[]} */
  const pairs = [];
  let at = from + 1;
  for (;;) {
    const pair = /^[\s,]*((?:"[^"\n]*"|'[^'\n]*'|[^=#"'\n{}])+?)\s*=[ \t]*/.exec(text.slice(at));
    if (!pair) return pairs;
    const start = at;
    const value = at + pair[0].length;
    at = valueEnd(text, value, true);
    pairs.push({ table: "", key: plain(pair[1] ?? ""), start, end: at, from: value, to: at });
  }
}

/**
 * @param {string} text
 * @param {number} from
 * @param {number} to
 * @param {string} by
 */
const spliced = (text, from, to, by) => text.slice(0, from) + by + text.slice(to);

/** @param {string} text */
const ended = (text) => (text === "" || text.endsWith("\n") ? text : `${text}\n`);

/**
 * The value of a key as it is written; null where there is none.
 * @param {string} text
 * @param {string} table the header, empty for the top
 * @param {string} key
 */
export function valueOf(text, table, key) {
  const { pairs } = scanned(text);
  const found = find(text, pairs, table, key);
  return found ? text.slice(found.from, found.to) : null;
}

/**
 * The line that a key stands in, from 1; null where there is none.
 * @param {string} text
 * @param {string} table the header, empty for the top
 * @param {string} key
 */
export function lineOf(text, table, key) {
  const found = find(text, scanned(text).pairs, table, key);
  return found ? text.slice(0, found.from).split("\n").length : null;
}

/**
 * @param {string} text
 * @param {Pair[]} pairs
 * @param {string} table
 * @param {string} key
 */
function find(text, pairs, table, key) {
  const direct = pairs.find((pair) => pair.table === table && pair.key === key);
  if (direct || table === "") return direct;
  const dotted = pairs.find((pair) => pair.table === "" && pair.key === `${table}.${key}`);
  if (dotted) return dotted;
  const inline = pairs.find((pair) => pair.table === "" && pair.key === table && text.charAt(pair.from) === "{");
  return inline && inlinePairs(text, inline.from).find((pair) => pair.key === key);
}

/**
 * The text with a key set, or without it where the value is null.
 * @param {string} text
 * @param {string} table the header, empty for the top
 * @param {string} key
 * @param {string | null} value as it is to be written
 */
export function withValue(text, table, key, value) {
  const { pairs, headers } = scanned(text);
  const inline = table === "" ? undefined : pairs.find((pair) => pair.table === "" && pair.key === table && text.charAt(pair.from) === "{");
  if (inline) return withInline(text, inline, key, value);
  const found = find(text, pairs, table, key);
  if (found) return value === null ? spliced(text, found.start, found.end, "") : spliced(text, found.from, found.to, value);
  if (value === null) return text;
  const line = `${key} = ${value}\n`;
  const header = headers.find((header) => header.name === table && !header.isArray);
  if (table !== "") {
    // A table that is written with dots cannot have a header too.
    const dotted = pairs.filter((pair) => pair.table === "" && pair.key.startsWith(`${table}.`)).at(-1);
    if (dotted) return spliced(ended(text), dotted.end, dotted.end, `${table}.${line}`);
    if (header) return spliced(ended(text), Math.max(header.end, after(pairs, table)), Math.max(header.end, after(pairs, table)), line);
    return `${ended(text)}${text.trim() === "" ? "" : "\n"}[${table}]\n${line}`;
  }
  const last = pairs.filter((pair) => pair.table === "").at(-1);
  if (last) return spliced(ended(text), last.end, last.end, line);
  // No key at the top yet: before the first header, below comments at the head of the file.
  const first = headers[0]?.start ?? text.length;
  return spliced(ended(text), first, first, headers[0] ? `${line}\n` : line);
}

/**
 * Behind the last key of a table.
 * @param {Pair[]} pairs
 * @param {string} table
 */
const after = (pairs, table) => pairs.filter((pair) => pair.table === table).at(-1)?.end ?? 0;

/**
 * @param {string} text
 * @param {Pair} inline
 * @param {string} key
 * @param {string | null} value
 */
function withInline(text, inline, key, value) {
  const pairs = inlinePairs(text, inline.from);
  const found = pairs.find((pair) => pair.key === key);
  if (found && value !== null) return spliced(text, found.from, found.to, value);
  if (found) {
    const left = pairs.filter((pair) => pair !== found).map((pair) => text.slice(pair.start, pair.end).replace(/^[\s,]+/, ""));
    return left.length > 0 ? spliced(text, inline.from, inline.to, `{ ${left.join(", ")} }`) : spliced(text, inline.start, inline.end, "");
  }
  if (value === null) return text;
  const last = pairs.at(-1);
  if (last) return spliced(text, last.end, last.end, `, ${key} = ${value}`);
  return spliced(text, inline.from, inline.to, `{ ${key} = ${value} }`);
}

/**
 * A list of texts as it is written in TOML.
 * @param {string[]} items
 */
export const list = (items) => `[${items.map((item) => JSON.stringify(item)).join(", ")}]`;

/**
 * The names of the models that the file itself describes.
 * @param {string} text
 */
export function ownModels(text) {
  const names = new Set();
  for (const { name } of scanned(text).headers) {
    const parts = name.split(".");
    if (parts[0] === "model" && parts[1]) names.add(parts[1]);
  }
  return /** @type {string[]} */ ([...names]);
}
