// The engine behind `mnist-study page`: calls are posted, messages are server-sent events.

/** @import { Engine, Message } from "../types.js" */

import { Problem } from "./problem.js";

/** Milliseconds before the first attempt to connect again, and at most. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 8000;

export const ENDED = "The program has ended. Start `mnist-study page` again and open the address that it prints.";
const NO_COOKIE = "This page has no access to the program. Open the address that `mnist-study page` prints.";

/** @returns {Engine} */
export function connect() {
  /** @type {Set<(message: Message) => void>} */
  const listeners = new Set();
  /** @type {EventSource | null} */
  let source = null;
  let wait = FIRST_WAIT;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** @param {Message} message */
  const tell = (message) => {
    for (const listener of [...listeners]) listener(message);
  };

  const listen = () => {
    clearTimeout(timer);
    const opened = new EventSource("api/messages");
    source = opened;
    opened.onopen = () => {
      wait = FIRST_WAIT;
      tell({ type: "connection", open: true });
    };
    opened.onmessage = (event) => {
      tell(JSON.parse(event.data));
    };
    opened.onerror = () => {
      // The browser's own attempts end at an answer that is not a stream: these go on.
      opened.close();
      if (source !== opened) return;
      source = null;
      tell({ type: "connection", open: false });
      timer = setTimeout(listen, wait);
      wait = Math.min(2 * wait, LONGEST_WAIT);
    };
  };

  return {
    async call(method, parameters) {
      let response;
      try {
        response = await fetch("api/call", {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ method, parameters: parameters ?? {} }),
        });
      } catch {
        throw new Problem({ message: ENDED });
      }
      const text = await response.text();
      let body;
      try {
        body = JSON.parse(text);
      } catch {
        const refused = response.status === 401 || response.status === 403;
        throw new Problem({ message: refused ? NO_COOKIE : `The program answered with status ${response.status}: ${text.slice(0, 200)}` });
      }
      if (body.problem) throw new Problem(body.problem);
      return body.answer;
    },
    subscribe(listener) {
      listeners.add(listener);
      if (source === null && listeners.size === 1) listen();
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) {
          clearTimeout(timer);
          source?.close();
          source = null;
        }
      };
    },
  };
}
