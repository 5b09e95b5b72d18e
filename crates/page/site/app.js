// The page: its header, the view that the address names, and the draft of a study that views share.

/** @import { Address, Catalogue, Draft, Engine, ProblemFields, State, StudyAnswer, ViewProps } from "./types.js" */
/** @import { FunctionComponent } from "./lib/preact.js" */

import { AddressBook } from "./address.js";
import { connect } from "./connect.js";
import { html, render, useEffect, useRef, useState } from "./lib/preact.js";
import { coded } from "./parts/memo.js";
import { Store } from "./store.js";

/** Milliseconds of rest before a text is sent to be read. */
const REST = 150;

/** @type {[string, string][]} */
const TABS = [
  ["compare", "Compare"],
  ["draw", "Draw"],
  ["inside", "Inside"],
  ["errors", "Errors"],
  ["change", "Change"],
  ["lessons", "Lessons"],
];

/**
 * The draft: what the address has, and where nobody changed that, the engine's study.
 * @param {Engine} engine
 * @param {State} state
 * @param {Address} address
 * @returns {Draft}
 */
function useDraft(engine, state, address) {
  const base = state.ready && state.catalogue ? (state.study?.text ?? state.catalogue.study) : null;
  const followed = useRef(/** @type {string | null} */ (null));
  const text = address.study ?? base ?? "";
  const [read, setRead] = useState(
    /** @type {{ text: string | null, answer: StudyAnswer | null, of: string | null, problem: ProblemFields | null }} */ ({ text: null, answer: null, of: null, problem: null }),
  );
  const turn = useRef(0);

  useEffect(() => {
    if (base === null) return;
    if (address.study === null || address.study === followed.current) address.go({ study: base }, true);
    followed.current = base;
  }, [base]);

  useEffect(() => {
    if (text === "" || !state.open) return undefined;
    const own = ++turn.current;
    const ask = async () => {
      try {
        const answer = await engine.call("study", { text });
        if (own === turn.current) setRead({ text, answer, of: text, problem: null });
      } catch (problem) {
        if (own === turn.current) setRead((last) => ({ ...last, text, problem: /** @type {ProblemFields} */ (problem) }));
      }
    };
    const timer = setTimeout(() => void ask(), turn.current === 1 ? 0 : REST);
    return () => clearTimeout(timer);
  }, [text, state.open]);

  return {
    text,
    answer: read.answer,
    of: read.of,
    problem: read.text === text ? read.problem : null,
    pending: read.text !== text,
    edit: (next) => address.go({ study: next }, true),
  };
}

/** Views with a style sheet of their own. */
const STYLED = ["draw", "inside", "errors"];

/** Style sheets that were asked for. @type {Map<string, Promise<unknown>>} */
const sheets = new Map();

/**
 * Loads a style sheet, once. Their order is that of the calls.
 * @param {string} href
 */
function styled(href) {
  const known = sheets.get(href);
  if (known) return known;
  const link = document.createElement("link");
  const loaded = new Promise((resolve, reject) => {
    link.rel = "stylesheet";
    link.href = href;
    link.onload = resolve;
    link.onerror = () => {
      // It may come when it is asked for again.
      sheets.delete(href);
      link.remove();
      reject(new Error(href));
    };
    document.head.append(link);
  });
  sheets.set(href, loaded);
  return loaded;
}

/** Views that were loaded. @type {Record<string, FunctionComponent<ViewProps>>} */
const views = {};

/**
 * @param {string} name
 * @returns {FunctionComponent<ViewProps> | null}
 */
function useView(name) {
  const [, setLoaded] = useState("");
  const [failed, setFailed] = useState("");
  useEffect(() => {
    if (views[name]) return;
    // What views share comes before what is their own, whichever is opened first.
    const styles = STYLED.includes(name) ? ["parts/pixels/pixels.css", `views/${name}.css`] : [];
    Promise.all([import(`./views/${name}.js`), ...styles.map(styled)]).then(
      ([module]) => {
        views[name] = module.default;
        setLoaded(name);
      },
      () => setFailed(name),
    );
  }, [name]);
  if (failed === name && !views[name]) return () => html`<p class="warning">This view could not be loaded. Load the page again.</p>`;
  return views[name] ?? null;
}

/**
 * @param {{ engine: Engine, store: Store, book: AddressBook }} properties
 */
function Page({ engine, store, book }) {
  const [, redraw] = useState(0);
  useEffect(() => store.subscribe(() => redraw((count) => count + 1)), []);
  useEffect(() => book.subscribe(() => redraw((count) => count + 1)), []);
  const state = store.get();
  /** @type {Address} */
  const address = { ...book.fields, go: (changes, replace) => book.go(changes, replace), link: (changes) => book.link(changes) };
  const draft = useDraft(engine, state, address);
  const View = useView(address.view);
  const title = TABS.find(([view]) => view === address.view)?.[1] ?? "";
  useEffect(() => {
    document.title = `${title} · mnist-study`;
  }, [title]);
  const main = useRef(/** @type {HTMLElement | null} */ (null));
  const skip = (/** @type {Event} */ event) => {
    event.preventDefault();
    main.current?.focus();
  };
  return html`<a class="skip" href="#main" onClick=${skip}>Skip to the content</a>
    <${Header} state=${state} address=${address} />
    ${!state.open && html`<p class="gone" role="alert">${coded(lostWords(state.catalogue))}</p>`}
    <main id="main" tabindex="-1" ref=${main} class=${`view-${address.view}`}>
      ${View && (state.catalogue || state.ready) ? html`<${View} engine=${engine} state=${state} address=${address} draft=${draft} />` : html`<h1 class="visually-hidden">${title}</h1><${Waiting} problems=${state.problems} />`}
    </main>
    <${Footer} state=${state} />`;
}

/** Before the engine has answered: that it will, or why it cannot. @param {{ problems: State["problems"] }} properties */
function Waiting({ problems }) {
  const last = problems.at(-1);
  if (!last) return html`<p class="small">Loading…</p>`;
  return html`<p class="warning" role="alert"><strong>The engine cannot be started.</strong> ${coded(last.message)}. Load the page again.</p>`;
}

/** @param {Catalogue | null} catalogue */
const lostWords = (catalogue) =>
  catalogue?.engine.kind === "browser"
    ? "The engine in this browser has stopped. Load the page again."
    : "The program has ended. Start `mnist-study page` again and open the address that it prints.";

/**
 * @param {{ state: State, address: Address }} properties
 */
function Header({ state, address }) {
  const follow = (/** @type {MouseEvent} */ event, /** @type {string} */ view) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0) return;
    event.preventDefault();
    if (view !== address.view) address.go({ view });
  };
  return html`<header class="top">
    <div class="bar-inner">
      <p class="brand"><svg viewBox="0 0 28 16" aria-hidden="true"><path d="M2 4h14M2 12h24" /><circle cx="9" cy="4" r="3" /><circle cx="16" cy="12" r="3" /></svg>mnist-study</p>
      <nav aria-label="Views">
        <ul>
          ${TABS.map(
            ([view, title]) => html`<li>
              <a href=${address.link({ view })} aria-current=${view === address.view ? "page" : undefined} onClick=${(/** @type {MouseEvent} */ event) => follow(event, view)}>${title}</a>
            </li>`,
          )}
        </ul>
      </nav>
      <${EngineChip} state=${state} />
    </div>
  </header>`;
}

/** @param {{ state: State }} properties */
function EngineChip({ state }) {
  const { catalogue, study, problems } = state;
  const engine = catalogue?.engine;
  const open = state.open && (engine !== undefined || problems.length === 0);
  const where = engine ? (engine.kind === "browser" ? "In this browser" : "This machine") : "The engine";
  const threads = engine ? `${engine.threads} ${engine.kind === "browser" ? "worker" : "thread"}${engine.threads === 1 ? "" : "s"}` : "";
  const mode = !open ? "lost" : study?.running ? "busy" : "idle";
  const words = !open ? "not connected" : !engine ? "connecting" : study?.running ? "training" : "ready";
  return html`<p class=${`engine ${mode}`} title=${engine?.processor ?? ""}>
    <span class="lamp" aria-hidden="true"></span><span>${where}: ${words}</span>${engine && html`<span class="kernels">${engine.kernels} · ${threads}</span>`}
  </p>`;
}

/** @param {{ state: State }} properties */
function Footer({ state }) {
  const { catalogue, study } = state;
  return html`<footer class="small">
    ${catalogue && html`mnist-study ${catalogue.version}. `}${study?.folder
      ? html`Records are in <code>${study.folder}</code>.`
      : catalogue?.engine.kind === "browser"
        ? "Nothing leaves this machine."
        : ""}
  </footer>`;
}

async function begin() {
  const root = document.getElementById("page");
  if (!root) return;
  const engine = connect();
  const store = new Store(engine);
  const book = new AddressBook();
  await book.open();
  render(html`<${Page} engine=${engine} store=${store} book=${book} />`, root);
}

void begin();
