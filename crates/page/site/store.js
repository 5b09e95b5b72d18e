// Folds the engine's messages into one state that views draw.

/** @import { Engine, Interval, Lesson, Message, Run, State, StateMessage, StudyEvent, Summary } from "./types.js" */

/** Milliseconds between two drawings of steps; anything else is drawn with the next frame. */
const STEPS_EVERY = 200;
/** Milliseconds that the rate is measured over. */
const RATE_OVER = 4000;
/** Points of a trail in an epoch. */
const TRAIL = 60;
/** Problems and notes that are kept. */
const KEPT = 20;

/**
 * The lessons with their study files, which lie beside the page.
 * @returns {Promise<Lesson[]>}
 */
async function readLessons() {
  /** @param {string} name */
  const file = async (name) => {
    const response = await fetch(`lessons/${name}`);
    if (!response.ok) throw new Error(`lessons/${name}: ${response.status} ${response.statusText}`);
    return response.text();
  };
  const { lessons } = JSON.parse(await file("lessons.json"));
  return Promise.all(lessons.map(async (/** @type {Lesson} */ lesson) => ({ ...lesson, text: await file(lesson.study) })));
}

/** @type {State} */
const FIRST = {
  open: true,
  ready: false,
  catalogue: null,
  study: null,
  runs: [],
  models: [],
  summary: null,
  history: {},
  weights: {},
  weightsVersion: 0,
  trails: {},
  rate: null,
  problems: [],
  notes: [],
};

/**
 * The name of a pair in the history.
 * @param {{ a: string, b: string }} pair
 */
export const pairOf = ({ a, b }) => `${a}\n${b}`;

export class Store {
  #state = FIRST;
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** @type {StudyEvent[]} */
  #steps = [];
  #isAsked = false;
  #drawn = 0;
  /** Images that were trained on, and when. @type {[number, number][]} */
  #work = [];
  #engine;

  /** @param {Engine} engine */
  constructor(engine) {
    this.#engine = engine;
    engine.subscribe((message) => this.#take(message));
    void this.#askCatalogue();
  }

  get() {
    return this.#state;
  }

  /** @param {() => void} listener */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #askCatalogue() {
    try {
      const [catalogue, lessons] = await Promise.all([this.#engine.call("catalogue"), readLessons()]);
      this.#set({ catalogue: { ...catalogue, lessons } });
    } catch (problem) {
      this.#set({ problems: kept(this.#state.problems, { message: /** @type {Error} */ (problem).message }) });
    }
  }

  /** @param {Partial<State>} changes */
  #set(changes) {
    this.#state = { ...this.#state, ...changes };
    this.#ask(0);
  }

  /** Has the listeners called with the next frame, but not before so many milliseconds since the last one. @param {number} pause */
  #ask(pause) {
    if (this.#isAsked) return;
    this.#isAsked = true;
    const draw = () => {
      this.#isAsked = false;
      this.#drawn = performance.now();
      this.#foldSteps();
      for (const listener of [...this.#listeners]) listener();
    };
    const wait = Math.max(0, this.#drawn + pause - performance.now());
    // A hidden page has no frames.
    if (document.hidden) setTimeout(draw, Math.max(wait, 500));
    else if (wait === 0) requestAnimationFrame(draw);
    else setTimeout(() => requestAnimationFrame(draw), wait);
  }

  /** @param {Message} message */
  #take(message) {
    switch (message.type) {
      case "connection":
        if (message.open && this.#state.catalogue === null) void this.#askCatalogue();
        return this.#set({ open: message.open });
      case "state":
        this.#steps = [];
        return this.#set(stated(this.#state, message));
      case "summary":
        this.#foldSteps();
        return this.#set({ summary: message.summary, history: grown(this.#state, message.summary) });
      case "weights": {
        const { model, seed, epoch, step, finished } = message;
        this.#state = {
          ...this.#state,
          weights: { ...this.#state.weights, [model]: { model, seed, epoch, step, finished } },
          weightsVersion: this.#state.weightsVersion + 1,
        };
        return this.#ask(STEPS_EVERY);
      }
      case "problem":
        return this.#set({ problems: kept(this.#state.problems, { message: message.message, hint: message.hint }) });
      case "event":
        if (message.event.kind === "step") {
          this.#steps.push(message.event);
          return this.#ask(STEPS_EVERY);
        }
        this.#foldSteps();
        return this.#set(happened(this.#state, message.event));
    }
  }

  /** All steps that came since the last drawing, at once. */
  #foldSteps() {
    if (this.#steps.length === 0) return;
    const now = performance.now();
    const runs = this.#state.runs.slice();
    const trails = { ...this.#state.trails };
    let images = 0;
    for (const event of this.#steps) {
      const at = runs.findIndex((run) => run.index === event.index);
      const run = runs[at];
      if (!run) continue;
      const { epoch = 1, step = 0, steps = 1, train_loss = null, train_accuracy = null } = event;
      const seen = event.images ?? 0;
      images += Math.max(0, seen - (run.step?.epoch === epoch ? run.step.images : 0));
      runs[at] = { ...run, state: "training", step: { epoch, step, steps, images: seen, train_loss, train_accuracy } };
      if (train_accuracy === null || train_loss === null) continue;
      const trail = trails[run.id] ?? [];
      const x = epoch - 1 + step / steps;
      const last = trail.at(-1);
      if (!last || x - last[0] >= 1 / TRAIL) trails[run.id] = [...trail, [x, train_accuracy, train_loss]];
    }
    this.#steps = [];
    this.#work.push([now, images]);
    this.#work = this.#work.filter(([when]) => when > now - RATE_OVER);
    this.#state = { ...this.#state, runs, trails, rate: this.#rate() ?? this.#state.rate };
  }

  #rate() {
    const [first] = this.#work;
    const last = this.#work.at(-1);
    if (!first || !last || last[0] - first[0] < 400) return null;
    // What the first entry counts was done before it.
    const images = this.#work.slice(1).reduce((sum, [, some]) => sum + some, 0);
    return (1000 * images) / (last[0] - first[0]);
  }
}

/**
 * @template T
 * @param {T[]} items
 * @param {T} item
 */
const kept = (items, item) => [...items, item].slice(-KEPT);

/**
 * @param {State} state
 * @param {StateMessage} message
 * @returns {Partial<State>}
 */
function stated(state, message) {
  const runs = message.runs ?? [];
  const ids = new Set(runs.map((run) => run.id));
  const trails = Object.fromEntries(Object.entries(state.trails).filter(([id]) => ids.has(id)));
  const history = pruned(state.ready ? state.history : restored(), ids);
  const named = [...new Set(runs.map((run) => run.model))];
  const models = named.join("\n") === state.models.join("\n") ? state.models : named;
  // A summary of runs that are not in the plan any more says nothing of it.
  const isOfThese = state.runs.every((run) => run.state !== "finished" || ids.has(run.id));
  const isFinished = runs.some((run) => run.state === "finished");
  return {
    open: true,
    ready: true,
    study:
      message.text
        ? {
            text: message.text,
            title: message.title ?? "",
            running: message.running,
            pausing: message.pausing,
            folder: message.folder ?? null,
          }
        : null,
    runs,
    models,
    trails,
    history,
    summary: isFinished && isOfThese ? state.summary : null,
    weights: Object.fromEntries(Object.entries(state.weights).filter(([model]) => models.includes(model))),
    rate: message.running ? state.rate : null,
    notes: message.running ? state.notes : [],
    problems: message.running && !state.study?.running ? [] : state.problems,
  };
}

/**
 * @param {State} state
 * @param {StudyEvent} event
 * @returns {Partial<State>}
 */
function happened(state, event) {
  if (event.kind === "note" && event.text) return { notes: kept(state.notes, event.text) };
  /** @param {(run: Run) => Run} change */
  const changed = (change) => ({ runs: state.runs.map((run) => (run.index === event.index ? change(run) : run)) });
  switch (event.kind) {
    case "started":
      return {
        ...changed((run) => ({ ...run, state: "training", total_epochs: event.epochs ?? run.total_epochs, epochs: [], step: null })),
        trails: withoutRun(state, event),
      };
    case "epoch": {
      const { epoch = 1, images = 0, train_seconds = 0 } = event;
      const { train_loss = null, train_accuracy = null, validation_loss = null, validation_accuracy = null } = event;
      const done = { epoch, images, train_loss, train_accuracy, validation_loss, validation_accuracy, train_seconds };
      return changed((run) => ({
        ...run,
        state: "training",
        epochs: [...run.epochs.filter((other) => other.epoch < epoch), done],
      }));
    }
    case "finished":
      return changed((run) => ({
        ...run,
        state: "finished",
        step: null,
        test_accuracy: event.test_accuracy ?? null,
        test_loss: event.test_loss ?? null,
        train_seconds: event.train_seconds ?? null,
      }));
    case "failed":
      return changed((run) => ({ ...run, state: "failed", step: null, problem: event.problem ?? null }));
    default:
      return {};
  }
}

/**
 * @param {State} state
 * @param {StudyEvent} event
 */
function withoutRun(state, event) {
  const id = state.runs.find((run) => run.index === event.index)?.id;
  return Object.fromEntries(Object.entries(state.trails).filter(([other]) => other !== id));
}

/**
 * The history with what the summary says.
 * @param {State} state
 * @param {Summary | null} summary
 */
function grown(state, summary) {
  if (summary === null) return state.history;
  const history = { ...state.history };
  for (const comparison of summary.comparisons) {
    const { runs, difference, interval, confidence, interval_covers, outcome } = comparison;
    const of = state.runs.filter((run) => run.state === "finished" && (run.model === comparison.a || run.model === comparison.b));
    /** @type {Interval} */
    const entry = { runs, difference, interval, confidence, covers: interval_covers, outcome, ids: of.map((run) => run.id) };
    const pair = pairOf(comparison);
    history[pair] = [...(history[pair] ?? []).filter((earlier) => earlier.runs < runs), entry];
  }
  try {
    sessionStorage.setItem("history", JSON.stringify(history));
  } catch {
    // A browser without storage forgets the earlier intervals when the page is loaded again.
  }
  return history;
}

/** @returns {State["history"]} */
function restored() {
  try {
    return JSON.parse(sessionStorage.getItem("history") ?? "{}");
  } catch {
    return {};
  }
}

/**
 * The history of runs that are still in the plan.
 * @param {State["history"]} history
 * @param {Set<string>} ids
 */
function pruned(history, ids) {
  /** @type {State["history"]} */
  const left = {};
  for (const [pair, intervals] of Object.entries(history)) {
    const some = intervals.filter((entry) => entry.ids.length > 0 && entry.ids.every((id) => ids.has(id)));
    if (some.length > 0) left[pair] = some;
  }
  return left;
}
