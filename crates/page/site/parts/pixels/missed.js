// Images that some run got wrong: counted, filtered, sorted.

/** @import { Errors } from "../../types.js" */

/**
 * @typedef {{ index: number, label: number, disputed: boolean, answers: number[][], confidence: (number | null)[][], wrong: number[], runs: number, wrongRuns: number, sure: number }} Missed
 *   `wrong`: of each model the runs that are wrong; `sure`: the probability of the surest wrong answer
 * @typedef {"all" | "every" | "one" | "sure" | "disputed"} Filter
 * @typedef {"sure" | "runs" | "label" | "index"} Order
 * @typedef {{ model: number, label: number, answer: number } | null} Chosen A cell of a model's matrix
 */

/** An answer with this probability is a sure one. */
export const SURE = 0.9;

/** @type {Record<Filter, string>} */
export const FILTERS = { all: "Any run wrong", every: "Every model wrong", one: "Only one model wrong", sure: "Sure and wrong", disputed: "Disputed label" };

/** @type {Record<Order, string>} */
export const ORDERS = { sure: "surest wrong answer first", runs: "most runs wrong first", label: "by label", index: "by place in the test set" };

/** @param {Errors} errors @returns {Missed[]} */
export function missedOf(errors) {
  return errors.missed.map((image) => {
    let sure = 0;
    let runs = 0;
    const wrong = image.answers.map((answers, model) => {
      runs += answers.length;
      return answers.reduce((count, answer, run) => {
        if (answer === image.label) return count;
        sure = Math.max(sure, image.confidence[model]?.[run] ?? 0);
        return count + 1;
      }, 0);
    });
    return { ...image, wrong, runs, sure, wrongRuns: wrong.reduce((sum, count) => sum + count, 0) };
  });
}

/**
 * A model is wrong about an image where most of its runs are; at half of them it counts as wrong too.
 * @param {Missed} image
 * @param {number} model
 */
export const isWrong = (image, model) => 2 * (image.wrong[model] ?? 0) >= (image.answers[model]?.length ?? 0) && (image.wrong[model] ?? 0) > 0;

/**
 * @param {readonly Missed[]} images
 * @param {Filter} filter
 * @param {number | null} only With `one`: this model alone, or any one.
 * @param {Chosen} chosen
 */
export function filtered(images, filter, only, chosen) {
  return images.filter((image) => {
    if (chosen && (image.label !== chosen.label || !image.answers[chosen.model]?.includes(chosen.answer))) return false;
    switch (filter) {
      case "all":
        return true;
      case "every":
        return image.answers.every((_, model) => isWrong(image, model));
      case "one": {
        const wrong = image.answers.flatMap((_, model) => (isWrong(image, model) ? [model] : []));
        return wrong.length === 1 && (only === null || wrong[0] === only);
      }
      case "sure":
        return image.sure >= SURE;
      case "disputed":
        return image.disputed;
    }
  });
}

/**
 * @param {readonly Missed[]} images
 * @param {Order} order
 */
export function sorted(images, order) {
  /** @type {Record<Order, (one: Missed, other: Missed) => number>} */
  const by = {
    sure: (one, other) => other.sure - one.sure,
    runs: (one, other) => other.wrongRuns - one.wrongRuns || other.sure - one.sure,
    label: (one, other) => one.label - other.label || other.sure - one.sure,
    index: () => 0,
  };
  return images.slice().sort((one, other) => by[order](one, other) || one.index - other.index);
}

/**
 * What an image is mostly taken for, of all runs that are wrong.
 * @param {Missed} image
 */
export function takenFor({ answers, label }) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (const answer of answers.flat()) if (answer !== label) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  return [...counts].sort(([one, some], [other, more]) => more - some || one - other)[0]?.[0] ?? label;
}
