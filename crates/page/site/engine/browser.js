// The engine in the browser: the program as WebAssembly in workers. One worker answers calls, the others make runs, one at a time each.
// What is finished stays in the browser's own database, so that a page that is closed or reloaded loses the runs in flight alone.

/** @import { Assignment, Engine, Message, StudyEvent } from "../types.js" */

import { Problem } from "./problem.js";
import { keepRecord, keepStudy, keepWeights, forgetAll, readAll } from "./kept.js";

/** The study that a page begins with: some of the images, so that the verdict comes in a minute or two. */
const FIRST = `models = ["cnn", "lstm"]
seeds = 3

[recipe]
epochs = 3
training_images = 6000
`;

/** More runs at once are of no use: each worker holds the data. */
const MOST_WORKERS = 4;

/** One processor is the page's. */
const workers = Math.max(1, Math.min(MOST_WORKERS, (navigator.hardwareConcurrency || 2) - 1));

/** A worker whose calls are promises. */
class Caller {
  /** @param {(message: any) => void} hear */
  constructor(hear) {
    this.worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    this.number = 0;
    /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
    this.waiting = new Map();
    this.worker.onmessage = ({ data }) => {
      const waiting = this.waiting.get(data.id);
      if (waiting === undefined) return;
      if ("result" in data || "error" in data) {
        this.waiting.delete(data.id);
        if ("error" in data) waiting.reject(new Problem({ message: data.error }));
        else waiting.resolve(data.result);
      } else {
        hear(data);
      }
    };
    this.worker.onerror = (event) => {
      event.preventDefault();
      const message = `The engine cannot be started: ${event.message || "its files cannot be read"}`;
      for (const { reject } of this.waiting.values()) reject(new Problem({ message, hint: "reload the page" }));
      this.waiting.clear();
    };
  }

  /**
   * @param {string} method
   * @param {object} [parameters]
   * @param {Transferable[]} [transfer]
   * @returns {Promise<any>}
   */
  ask(method, parameters = {}, transfer = []) {
    const id = this.number++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, method, parameters }, transfer);
    });
  }

  end() {
    this.worker.terminate();
    for (const { reject } of this.waiting.values()) reject(new Problem({ message: "given up" }));
    this.waiting.clear();
  }
}

/** @param {string} answered */
function unwrapped(answered) {
  const { answer, problem } = JSON.parse(answered);
  if (problem) throw new Problem(problem);
  return answer;
}

/** @returns {Engine} */
export function connect() {
  /** @type {Set<(message: Message) => void>} */
  const listeners = new Set();
  const desk = new Caller(() => {});
  /** @type {{ caller: Caller, ready: Promise<any>, id: string | null }[]} */
  let makers = [];
  /** @type {Assignment[]} */
  let queue = [];
  let pausing = false;

  /** @param {Message} message */
  const tell = (message) => {
    for (const listener of [...listeners]) listener(message);
  };
  /** @param {unknown} error */
  const tellProblem = (error) => {
    const { message, hint } = error instanceof Problem ? error : { message: String(error), hint: null };
    tell({ type: "problem", message, hint });
  };
  /** @param {string} method @param {object} parameters */
  const ask = async (method, parameters) => unwrapped(await desk.ask("call", { method, parameters }));

  const isRunning = () => makers.some((maker) => maker.id !== null) || (queue.length > 0 && !pausing);

  const tellState = async () => {
    await desk.ask("set-running", { running: isRunning(), pausing: pausing && (isRunning() || queue.length > 0) });
    tell(await ask("state", {}));
  };
  const tellSummary = async () => {
    tell({ type: "summary", summary: await ask("summary", {}) });
  };

  const ready = (async () => {
    await desk.ask("open", { agent: navigator.userAgent, workers });
    await desk.ask("desk", { first: FIRST });
    const kept = await readAll();
    for (const text of kept.records.values()) {
      // What was damaged is made again.
      await desk.ask("keep", { text }).catch(() => {});
    }
    const text = kept.study ?? FIRST;
    await desk.ask("take-up", { text }).then(unwrapped).catch(() => {});
    for (const [id, { values, epoch }] of kept.weights) {
      await desk.ask("learn", { id, epoch, step: 0, finished: true, values });
    }
  })();

  const maker = () => {
    const caller = new Caller(({ event, weights }) => {
      if (weights) void learn(made.id, weights);
      else void hear(made.id, event);
    });
    const made = { caller, ready: caller.ask("open", { agent: navigator.userAgent, workers }), id: /** @type {string | null} */ (null) };
    // Told where a run is given to it.
    made.ready.catch(() => {});
    return made;
  };

  /** @param {string | null} id @param {StudyEvent} event */
  const hear = async (id, event) => {
    if (id === null) return;
    const heard = await desk.ask("hear", { id, event });
    if (heard !== "") tell({ type: "event", event: JSON.parse(heard) });
  };

  /** @param {string | null} id @param {{ epoch: number, step: number, values: Float32Array, finished: boolean }} weights */
  const learn = async (id, { epoch, step, values, finished }) => {
    if (id === null) return;
    if (finished) void keepWeights(id, { values: values.slice(), epoch }).catch(tellProblem);
    const told = await desk.ask("learn", { id, epoch, step, finished, values }, [values.buffer]);
    if (told !== "") tell(JSON.parse(told));
  };

  /** Gives waiting runs to workers that are free. */
  const assign = () => {
    while (!pausing && queue.length > 0) {
      let free = makers.find((made) => made.id === null);
      if (free === undefined && makers.length < workers) {
        free = maker();
        makers.push(free);
      }
      const assignment = free && queue.shift();
      if (free === undefined || assignment === undefined) return;
      free.id = assignment.id;
      void make(free, assignment);
    }
  };

  /** @param {{ caller: Caller, ready: Promise<any>, id: string | null }} made @param {Assignment} assignment */
  const make = async (made, { id, index, total, specification }) => {
    try {
      await made.ready;
      const text = await made.caller.ask("run", { specification, index, total });
      await keepRecord(id, text);
      await desk.ask("keep", { text });
    } catch (error) {
      // Given up on purpose.
      if (!makers.includes(made)) return;
      queue = [];
      tellProblem(error);
      await desk.ask("give-up", { id });
    }
    made.id = null;
    assign();
    await tellState();
    await tellSummary();
  };

  /** Ends the runs in flight that `isWanted` does not want: a worker that computes hears nothing. */
  const giveUp = async (/** @type {(id: string) => boolean} */ isWanted) => {
    const ended = makers.filter((made) => made.id !== null && !isWanted(made.id));
    makers = makers.filter((made) => !ended.includes(made));
    for (const { caller } of ended) caller.end();
    for (const { id } of ended) await desk.ask("give-up", { id });
  };

  /** @type {Record<string, (parameters: any) => Promise<any>>} */
  const own = {
    async start({ text }) {
      const left = unwrapped(await desk.ask("take-up", { text }));
      const { runs } = await ask("state", {});
      const planned = new Set(runs.map((/** @type {{ id: string }} */ run) => run.id));
      await giveUp((id) => planned.has(id));
      queue = left.filter((/** @type {Assignment} */ { id }) => !makers.some((made) => made.id === id));
      pausing = false;
      await keepStudy(text).catch(tellProblem);
      assign();
      await tellState();
      await tellSummary();
      return {};
    },
    async pause() {
      pausing = true;
      await tellState();
      return {};
    },
    async resume() {
      pausing = false;
      assign();
      await tellState();
      return {};
    },
    async stop() {
      queue = [];
      await giveUp(() => false);
      await tellState();
      return {};
    },
    async forget() {
      queue = [];
      await giveUp(() => false);
      await forgetAll();
      await desk.ask("forget");
      await tellState();
      await tellSummary();
      return {};
    },
  };

  return {
    async call(method, parameters) {
      await ready;
      const answer = own[method];
      return answer ? answer(parameters ?? {}) : ask(method, parameters ?? {});
    },
    subscribe(listener) {
      listeners.add(listener);
      ready.then(
        async () => {
          listener({ type: "connection", open: true });
          // The data is fetched and unpacked while a person reads.
          if (makers.length === 0) makers.push(maker());
          await tellState();
          await tellSummary();
        },
        (error) => tellProblem(error),
      );
      return () => listeners.delete(listener);
    },
  };
}
