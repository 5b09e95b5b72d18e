// The protocol of docs/reference/page.md, and what the page makes of it.

/** What a call is refused with; `line` counts from 1, `mend` is what that line should say. */
export interface ProblemFields {
  message: string;
  hint?: string | null;
  line?: number | null;
  mend?: { line: number; text: string } | null;
}

export interface Engine {
  call<M extends keyof Calls>(method: M, parameters?: Calls[M][0]): Promise<Calls[M][1]>;
  /** Gives every message to a listener until the function that it answers is called. */
  subscribe(listener: (message: Message) => void): () => void;
}

type Nothing = Record<string, never>;

/** Each method: its parameters and its answer. */
export interface Calls {
  catalogue: [Nothing, Catalogue];
  study: [{ text: string }, StudyAnswer];
  start: [{ text: string }, unknown];
  pause: [Nothing, unknown];
  resume: [Nothing, unknown];
  stop: [Nothing, unknown];
  forget: [Nothing, unknown];
  state: [Nothing, StateMessage];
  summary: [Nothing, Summary | null];
  report: [Nothing, { html: string }];
  download: [Nothing, { name: string; bytes: string }];
  images: [{ indices: number[] }, { shape: number[]; count: number; ink: boolean; images: { index: number; label: number; pixels: string }[] }];
  errors: [Nothing, Errors];
  answers_of: [
    { index: number },
    { label: number; models: { name: string; runs: { seed: number; probabilities: number[] }[] }[] },
  ];
  prepare: [Prepare, Prepared];
  answer: [{ image: string }, { models: Answer[] }];
  inside: [{ model: string; image: string }, Inside];
}

export interface Catalogue {
  version: string;
  engine: { kind: "native" | "browser"; kernels: string; threads: number; processor: string };
  datasets: { name: string; title: string }[];
  models: CatalogueModel[];
  layers: { kind: string; arguments: string; meaning: string }[];
  lessons?: Lesson[];
  glossary: { term: string; meaning: string }[];
  study: string;
}

export interface CatalogueModel {
  name: string;
  summary: string;
  citation: string;
  /** Its section of a study file. */
  text: string;
  parameters: number;
  multiply_adds: number;
}

/** A lesson of studies/lessons/lessons.json. */
export interface Lesson {
  number: number;
  slug: string;
  title: string;
  /** The study file's name. */
  study: string;
  /** The study file. */
  text: string;
  view: string;
  /** What to begin with: so many runs of each model. */
  start?: { seeds: number };
  minutes?: number;
  question: { text: string; choices: { text: string; right: boolean; answer: string }[] };
  /** What is to be seen at the end, and what is said where the figures are others. */
  see: { text: string; otherwise: string; check: Check }[];
  why: string[];
  next: { exercise: string; answer: string }[];
  /** Anchors of the glossary. */
  terms: string[];
}

/** A figure of a model in a summary. */
export interface Figure {
  figure: string;
  model: string;
}

export interface Check extends Figure {
  minus?: Figure;
  at_least?: number;
  at_most?: number;
}

export interface StudyAnswer {
  /** Null where the file has none. */
  title: string | null;
  dataset: string;
  protocol: string;
  first_seed: number;
  /** Of each model. */
  runs: number;
  decide_by: string;
  models: StudyModel[];
  /** Height, width, channels. */
  image: number[];
  classes: string[];
}

export interface StudyModel {
  name: string;
  summary: string;
  epochs: number;
  batch_size: number;
  learning_rate: number;
  /** What the products of training steps are computed in. */
  precision: "float32" | "bf16";
  parameters: number;
  multiply_adds: number;
  built_in: boolean;
  /** What is to be doubted in it, such as a layer that does nothing. */
  doubt?: string | null;
  layers: LayerFields[];
}

export interface LayerFields {
  name: string;
  layer: string;
  position: string;
  line: number | null;
  input: number[];
  output: number[];
  parameters: number;
  multiply_adds: number;
}

export interface Errors {
  classes: string[];
  images: number;
  models: { name: string; seeds: number[]; confusion: number[][] }[];
  missed: { index: number; label: number; disputed: boolean; answers: number[][]; confidence: number[][] }[];
}

export interface Prepare {
  pixels?: string;
  width?: number;
  height?: number;
  file?: string;
  polarity?: boolean;
  crop?: boolean;
  scale?: boolean;
  centre?: boolean;
}

export interface Prepared {
  steps: { name: string; applied: boolean; width: number; height: number; pixels: string }[];
  image: string;
  notes: string[];
}

export interface Answer {
  name: string;
  seed: number;
  epoch: number;
  step: number;
  finished: boolean;
  probabilities: number[];
}

export interface Inside {
  epoch: number;
  step: number;
  probabilities: number[];
  layers: InsideLayer[];
}

export interface InsideLayer {
  name: string;
  layer: string;
  kind: string;
  shape: number[];
  values: string;
  low: number;
  high: number;
  filters?: { shape: number[]; values: string; bias: string | null };
  weights?: { shape: number[]; values: string; bias: string | null };
  attention?: { shape: number[]; values: string };
}

export type RunState = "waiting" | "training" | "finished" | "failed";

export interface Epoch {
  epoch: number;
  images: number;
  train_loss: number | null;
  train_accuracy: number | null;
  validation_loss: number | null;
  validation_accuracy: number | null;
  train_seconds: number;
}

export interface Step {
  epoch: number;
  step: number;
  steps: number;
  images: number;
  train_loss: number | null;
  train_accuracy: number | null;
}

export interface Run {
  index: number;
  id: string;
  model: string;
  seed: number;
  state: RunState;
  total_epochs: number;
  epochs: Epoch[];
  step: Step | null;
  test_accuracy: number | null;
  test_loss: number | null;
  train_seconds: number | null;
  problem: string | null;
}

export interface StateMessage {
  type: "state";
  text: string | null;
  title: string | null;
  running: boolean;
  pausing: boolean;
  folder?: string | null;
  runs: Run[];
}

export type StudyEvent = { kind: string; index?: number; model?: string; seed?: number; text?: string } & Partial<Epoch> &
  Partial<Step> & {
    epochs?: number;
    total?: number;
    reused?: boolean;
    test_accuracy?: number;
    test_loss?: number;
    problem?: string;
  };

export type Message =
  | StateMessage
  | { type: "event"; event: StudyEvent }
  | { type: "summary"; summary: Summary | null }
  | ({ type: "weights" } & Weights)
  | { type: "problem"; message: string; hint?: string | null }
  | { type: "connection"; open: boolean };

export interface Weights {
  model: string;
  seed: number;
  epoch: number;
  step: number;
  finished: boolean;
}

export interface Spread {
  mean: number;
  standard_deviation: number | null;
}

/** The parts of summary.json that the page shows. */
export interface Summary {
  dataset: string;
  models: {
    name: string;
    parameters: number;
    multiply_adds: number;
    runs: { seed: number; test_accuracy: number | null; test_loss: number | null; train_seconds: number | null }[];
    accuracy: Spread | null;
    loss: Spread | null;
    train_seconds: Spread | null;
    learning?: { train_accuracy: number | null; validation_accuracy: number | null } | null;
    calibration?: { brier: Spread | null; error: Spread | null; bins: { confidence: number; accuracy: number; count: number }[] } | null;
    selection_optimism: number | null;
    diverged: number;
  }[];
  comparisons: Comparison[];
  decided_by: string;
  ranking: { model: string; accuracy: number; value: number }[];
  failed: { model: string; seed: number; epoch: number; problem: string }[];
  warnings: string[];
  notes: string[];
}

export interface Comparison {
  a: string;
  b: string;
  runs: number;
  measure: string;
  difference: number;
  interval: [number, number];
  confidence: number;
  equivalence_margin: number;
  interval_covers: string;
  outcome: "a-better" | "b-better" | "practically-equal" | "cannot-tell";
  further_runs: number | null;
  verdict: string;
}

/** A comparison as it stood after so many runs. `ids` are the runs that it was made of. */
export interface Interval {
  runs: number;
  difference: number;
  interval: [number, number];
  confidence: number;
  covers: string;
  outcome: Comparison["outcome"];
  ids: string[];
}

/** What every view is given as `state`. It is replaced, never changed: compare parts by `===`. */
export interface State {
  /** The engine answers. */
  open: boolean;
  /** The first `state` message has come. */
  ready: boolean;
  catalogue: Catalogue | null;
  /** The study that the engine has; null where it has none. */
  study: { text: string; title: string; running: boolean; pausing: boolean; folder: string | null } | null;
  runs: Run[];
  /** The models of the runs in the order of the study: a model's place is its colour. */
  models: string[];
  summary: Summary | null;
  /** Comparisons by pair (`a\nb`), in the order of their numbers of runs. */
  history: Record<string, Interval[]>;
  /** The newest weights of each model. */
  weights: Record<string, Weights>;
  /** Counts the messages `weights`: ask again when it has grown. */
  weightsVersion: number;
  /** Training accuracy and loss within epochs, by run: [epochs gone by, accuracy, loss]. */
  trails: Record<string, [number, number, number][]>;
  /** Training images a second of all runs together; null while none is known. */
  rate: number | null;
  /** What went wrong beside calls, newest last. */
  problems: { message: string; hint?: string | null }[];
  notes: string[];
}

export interface AddressFields {
  view: string;
  /** The text of the study that is being edited. */
  study: string | null;
  /** The slug of a lesson. */
  lesson: string | null;
  /** The name of a model. */
  model: string | null;
  /** The index of a test image. */
  image: number | null;
  /** The name of a layer that is looked into, and the place of a value in it. */
  layer: string | null;
  cell: number | null;
}

export interface Address extends AddressFields {
  /** Changes the address; with `replace` without an entry of its own in the history. */
  go(changes: Partial<AddressFields>, replace?: boolean): void;
  /** The address with these changes, for a link. */
  link(changes: Partial<AddressFields>): string;
}

/** The draft, which Compare and Change edit, and what the engine says of it. */
export interface Draft {
  text: string;
  /** The last answer to a text without a problem, and the text that it is of. */
  answer: StudyAnswer | null;
  of: string | null;
  problem: ProblemFields | null;
  /** The newest text has no answer yet. */
  pending: boolean;
  edit(text: string): void;
}

export interface ViewProps {
  engine: Engine;
  state: State;
  address: Address;
  draft: Draft;
}

/** A run that somebody is to make: between the parts of the browser's engine, not of the protocol. */
export interface Assignment {
  /** Its place in the plan, from 0. */
  index: number;
  /** Runs of the plan. */
  total: number;
  id: string;
  /** As in a record. */
  specification: Record<string, unknown>;
}
