// An editor of a study file: a text area with numbered lines, and the problem under its line.

/** @import { ProblemFields } from "../types.js" */

import { html, useEffect, useLayoutEffect, useRef, useState } from "../lib/preact.js";
import { coded } from "./memo.js";

/** Pixels of a line and above the first; page.css has the same. */
const LINE = 21;
const ABOVE = 10;
/** Lines that a note covers. */
const COVERED = 4;

const TOKEN = /(#[^\n]*)|("""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'[^'\n]*'?)|(^[ \t]*\[[^\]\n]*\]+)|(^[ \t]*[\w."'-]+[ \t]*(?==))/gm;

/**
 * The text in coloured parts.
 * @param {string} text
 */
function coloured(text) {
  const parts = [];
  let at = 0;
  for (const match of text.matchAll(TOKEN)) {
    parts.push(text.slice(at, match.index));
    const kind = match[1] ? "comment" : match[2] ? "string" : match[3] ? "header" : "key";
    parts.push(html`<span class=${kind}>${match[0]}</span>`);
    at = match.index + match[0].length;
  }
  // A last empty line has no height of its own.
  parts.push(`${text.slice(at)}\n`);
  return parts;
}

/**
 * @param {string} text
 * @param {number} offset
 */
const lineAt = (text, offset) => text.slice(0, offset).split("\n").length;

/**
 * @param {{
 *   text: string, problem: ProblemFields | null, edit: (text: string) => void,
 *   line: number | null, setLine: (line: number) => void, goTo: { line: number } | null,
 * }} properties
 */
export function Editor({ text, problem, edit, line, setLine, goTo }) {
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const [scroll, setScroll] = useState({ top: 0, left: 0 });
  const [height, setHeight] = useState(400);
  const lines = text.split("\n").length;
  const caret = () => {
    const { current } = area;
    if (current) setLine(lineAt(current.value, current.selectionStart));
  };

  useEffect(() => {
    const { current } = area;
    if (!current || !goTo) return;
    const start = text.split("\n").slice(0, goTo.line - 1).join("\n").length + (goTo.line > 1 ? 1 : 0);
    const end = text.indexOf("\n", start);
    current.focus();
    current.setSelectionRange(start, end < 0 ? text.length : end);
    current.scrollTop = Math.max(0, ABOVE + (goTo.line - 1) * LINE - current.clientHeight / 3);
    setLine(goTo.line);
  }, [goTo]);

  useLayoutEffect(() => {
    const { current } = area;
    if (!current) return undefined;
    const observer = new ResizeObserver(() => setHeight(current.clientHeight));
    observer.observe(current);
    return () => observer.disconnect();
  }, []);

  const mend = () => {
    const { current } = area;
    const fields = problem?.mend;
    if (!current || !fields) return;
    const all = current.value.split("\n");
    const start = all.slice(0, fields.line - 1).join("\n").length + (fields.line > 1 ? 1 : 0);
    current.focus();
    current.setSelectionRange(start, start + (all[fields.line - 1] ?? "").length);
    // The one way that leaves the browser's undo as it was.
    if (!document.execCommand("insertText", false, fields.text)) {
      current.setRangeText(fields.text, current.selectionStart, current.selectionEnd, "end");
      edit(current.value);
    }
  };

  const wrong = problem?.line ?? null;
  const top = (/** @type {number} */ number) => ABOVE + (number - 1) * LINE - scroll.top;
  const note = problem && html`<${Note} problem=${problem} mend=${mend} />`;
  /** @type {{ top?: string, bottom?: string }} */
  let place = { bottom: "8px" };
  if (wrong !== null) {
    const below = top(wrong + 1);
    const isTypedIn = line !== null && line > wrong && line <= wrong + COVERED;
    const above = top(wrong);
    if (isTypedIn && above > COVERED * LINE) place = { bottom: `${height - above + 2}px` };
    else if (!isTypedIn && below >= 0 && below < height - COVERED * LINE) place = { top: `${below + 2}px` };
    else if (!isTypedIn && above > COVERED * LINE && above < height) place = { bottom: `${height - above + 2}px` };
  }
  return html`<div class="editor">
    <div class="gutter" aria-hidden="true">
      <div style=${{ transform: `translateY(${-scroll.top}px)` }}>
        ${Array.from({ length: lines }, (_, index) => html`<span class=${index + 1 === wrong ? "wrong" : index + 1 === line ? "current" : ""}>${index + 1}</span>`)}
      </div>
    </div>
    <div class="page">
      <div class="back" aria-hidden="true">
        ${wrong !== null && html`<div class="stripe wrong" style=${{ top: `${top(wrong)}px` }}></div>`}
        <pre style=${{ transform: `translate(${-scroll.left}px, ${-scroll.top}px)` }}>${coloured(text)}</pre>
      </div>
      <textarea
        ref=${area}
        aria-label="Study file"
        aria-invalid=${problem ? "true" : undefined}
        aria-describedby="editor-problem"
        spellcheck="false"
        autocomplete="off"
        autocapitalize="off"
        wrap="off"
        value=${text}
        onInput=${(/** @type {Event} */ event) => {
          edit(/** @type {HTMLTextAreaElement} */ (event.target).value);
          caret();
        }}
        onScroll=${(/** @type {Event} */ event) => {
          const { scrollTop, scrollLeft } = /** @type {HTMLTextAreaElement} */ (event.target);
          setScroll({ top: scrollTop, left: scrollLeft });
        }}
        onKeyUp=${caret}
        onClick=${caret}
        onFocus=${caret}
      ></textarea>
      <div id="editor-problem" class="note" role="status" style=${place}>${note}</div>
    </div>
  </div>`;
}

/** @param {{ problem: ProblemFields, mend: () => void }} properties */
function Note({ problem, mend }) {
  return html`<div class="note-inner">
    <p><strong>${problem.line ? `Line ${problem.line}: ` : ""}${coded(problem.message)}</strong>${problem.hint && html`<span>${coded(problem.hint)}</span>`}</p>
    ${problem.mend && html`<button type="button" onClick=${mend}>Write <code>${problem.mend.text.trim()}</code></button>`}
  </div>`;
}
