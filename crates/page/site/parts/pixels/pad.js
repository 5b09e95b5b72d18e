// A sheet to draw on: by mouse, pen, finger, or the arrow keys.

import { html, useEffect, useLayoutEffect, useRef, useState } from "../../lib/preact.js";
import { drawSoon } from "./canvas.js";
import { SIDE, drawSheet } from "./sheet.js";

/** @import { Point, Sheet, Stroke } from "./sheet.js" */

/** Units that an arrow key moves the pen; fewer with Shift. */
const STRIDE = 8;
const SMALL_STRIDE = 2;
/** Points that are nearer to the last one than this are left out. */
const NEAR = 0.7;
/** Milliseconds without a key after which a stroke of the keyboard counts as done. */
const REST = 700;

/** A pen's pressure widens its line; others have none, or always the same. @param {PointerEvent} event */
const weightOf = (event) => (event.pointerType === "pen" && event.pressure > 0 ? 0.45 + 1.1 * event.pressure : 1);

/**
 * @param {{ sheet: Sheet, width: number, onChange: (sheet: Sheet, isDone: boolean, isNew: boolean) => void, onUndo: () => void, onClear: () => void, label: string }} props
 *   `onChange` is told of each part of a stroke: `isNew` with its first, `isDone` with its last.
 */
export function Pad({ sheet, width, onChange, onUndo, onClear, label }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const [side, setSide] = useState(0);
  const [pen, setPen] = useState(/** @type {{ x: number, y: number, isDown: boolean } | null} */ (null));
  const [hasFocus, setHasFocus] = useState(false);
  const stroke = useRef(/** @type {{ pointer: number, sheet: Sheet, points: Point[], width: number } | null} */ (null));
  const rest = useRef(/** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined));
  const newest = useRef({ sheet, width, onChange });
  newest.current = { sheet, width, onChange };

  useEffect(() => {
    const element = /** @type {HTMLCanvasElement} */ (canvas.current);
    const observer = new ResizeObserver(() => setSide(Math.max(1, Math.round(element.clientWidth * devicePixelRatio))));
    observer.observe(element);
    return () => {
      observer.disconnect();
      clearTimeout(rest.current);
    };
  }, []);

  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element || side === 0) return;
    drawSoon(element, () => {
      if (element.width !== side) element.width = element.height = side;
      const context = element.getContext("2d");
      if (context) drawSheet(context, newest.current.sheet, side);
    });
  }, [sheet, side]);

  /** @param {boolean} isDone @param {boolean} isNew */
  const tell = (isDone, isNew) => {
    const current = stroke.current;
    if (!current) return;
    /** @type {Stroke} */
    const drawn = { points: current.points.slice(), width: current.width };
    newest.current.onChange({ ...current.sheet, strokes: [...current.sheet.strokes, drawn] }, isDone, isNew);
  };

  /** @param {PointerEvent} event @returns {Point} */
  const pointOf = (event) => {
    const box = /** @type {HTMLCanvasElement} */ (canvas.current).getBoundingClientRect();
    const scale = SIDE / box.width;
    return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale, weight: weightOf(event) };
  };

  /** @param {Point} point */
  const add = (point) => {
    const points = stroke.current?.points;
    const last = points?.at(-1);
    if (!points || (last && Math.hypot(point.x - last.x, point.y - last.y) < NEAR)) return false;
    // Pressure changes in jumps; a line does not.
    points.push(last ? { ...point, weight: 0.6 * last.weight + 0.4 * point.weight } : point);
    return true;
  };

  /** @param {Point} point @param {number} pointer */
  const begin = (point, pointer) => {
    stroke.current = { pointer, sheet: newest.current.sheet, points: [point], width: newest.current.width };
    tell(false, true);
  };

  const end = () => {
    clearTimeout(rest.current);
    if (!stroke.current) return;
    tell(true, false);
    stroke.current = null;
  };

  /** @param {PointerEvent} event */
  const down = (event) => {
    if (event.button !== 0 || stroke.current) return;
    /** @type {Element} */ (event.currentTarget).setPointerCapture(event.pointerId);
    setPen(null);
    begin(pointOf(event), event.pointerId);
  };
  /** @param {PointerEvent} event */
  const move = (event) => {
    if (stroke.current?.pointer !== event.pointerId) return;
    const events = event.getCoalescedEvents?.() ?? [];
    let isChanged = false;
    for (const one of events.length > 0 ? events : [event]) isChanged = add(pointOf(one)) || isChanged;
    if (isChanged) tell(false, false);
  };
  /** @param {PointerEvent} event */
  const up = (event) => {
    if (stroke.current?.pointer === event.pointerId) end();
  };

  /** @param {KeyboardEvent} event */
  const key = (event) => {
    if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      return onUndo();
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = pen ?? { x: SIDE / 2, y: SIDE / 4, isDown: false };
    const stride = event.shiftKey ? SMALL_STRIDE : STRIDE;
    const [right = 0, below = 0] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [];
    if (event.key === " ") {
      event.preventDefault();
      if (event.repeat) return;
      if (at.isDown) end();
      else begin({ x: at.x, y: at.y, weight: 1 }, -1);
      setPen({ ...at, isDown: !at.isDown });
    } else if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      end();
      setPen({ ...at, isDown: false });
      onClear();
    } else if (right || below) {
      event.preventDefault();
      const next = { ...at, x: Math.max(0, Math.min(SIDE, at.x + stride * right)), y: Math.max(0, Math.min(SIDE, at.y + stride * below)) };
      setPen(next);
      if (!at.isDown) return;
      // After a rest the line goes on as a stroke of its own.
      if (!stroke.current) begin({ x: at.x, y: at.y, weight: 1 }, -1);
      if (add({ x: next.x, y: next.y, weight: 1 })) tell(false, false);
      clearTimeout(rest.current);
      rest.current = setTimeout(end, REST);
    }
  };

  return html`<div class="pad">
    <canvas
      ref=${canvas}
      tabindex="0"
      role="application"
      aria-roledescription="drawing pad"
      aria-label=${label}
      aria-describedby="pad-keys"
      onPointerDown=${down}
      onPointerMove=${move}
      onPointerUp=${up}
      onPointerCancel=${up}
      onLostPointerCapture=${up}
      onKeyDown=${key}
      onFocus=${() => setHasFocus(true)}
      onBlur=${() => {
        setHasFocus(false);
        if (pen) end();
        setPen((last) => last && { ...last, isDown: false });
      }}
    ></canvas>
    ${hasFocus && pen
      ? html`<span class="pen" data-down=${pen.isDown} aria-hidden="true"
          style=${{ left: `${(100 * pen.x) / SIDE}%`, top: `${(100 * pen.y) / SIDE}%`, width: `${(100 * width) / SIDE}%` }}></span>`
      : null}
    <p class="unseen" role="status">${pen ? (pen.isDown ? "Pen down" : "Pen up") : ""}</p>
  </div>`;
}
