// A slider with a button that plays it, where motion is welcome.

import { html, useEffect, useState } from "../../lib/preact.js";

const isStill = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * @param {{ count: number, at: number, onAt: (at: number) => void, label: string, text: string, play: string, pace: number }} props
 *   `pace`: milliseconds of a step; `text` is what the slider says of its value
 */
export function Player({ count, at, onAt, label, text, play, pace }) {
  const [isPlaying, setPlaying] = useState(false);
  useEffect(() => {
    if (!isPlaying) return;
    if (at >= count - 1) {
      setPlaying(false);
      return;
    }
    const timer = setTimeout(() => onAt(at + 1), pace);
    return () => clearTimeout(timer);
  }, [isPlaying, at, count]);
  return html`<div class="player">
    ${isStill.matches
      ? null
      : html`<button type="button" onClick=${() => {
          if (!isPlaying && at >= count - 1) onAt(0);
          setPlaying(!isPlaying);
        }}>${isPlaying ? "Pause" : play}</button>`}
    <label><span class="unseen">${label}</span>
      <input type="range" min="0" max=${count - 1} step="1" value=${at} aria-valuetext=${text} onInput=${(/** @type {Event} */ event) => {
        setPlaying(false);
        onAt(Number(/** @type {HTMLInputElement} */ (event.currentTarget).value));
      }} /></label>
    <span class="small" aria-hidden="true">${text}</span>
  </div>`;
}
