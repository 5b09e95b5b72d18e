// Figures of a summary by name, as the lessons' checks ask for them.

/** @import { Check, Figure, Summary } from "../types.js" */

import { fixed, isNumber, thousands } from "./numbers.js";

/**
 * A figure of a model; null where the summary has none.
 * @param {Summary} summary
 * @param {Figure} term
 * @returns {number | null}
 */
export function figureOf(summary, { figure, model: name }) {
  const model = summary.models.find((model) => model.name === name);
  if (!model) return null;
  const accuracies = model.runs.map((run) => run.test_accuracy).filter(isNumber);
  const bins = model.calibration?.bins ?? [];
  const images = bins.reduce((sum, bin) => sum + bin.count, 0);
  const value = {
    test_accuracy: model.accuracy?.mean,
    test_loss: model.loss?.mean,
    train_accuracy: model.learning?.train_accuracy,
    validation_accuracy: model.learning?.validation_accuracy,
    calibration_error: model.calibration?.error?.mean,
    confidence: images > 0 ? bins.reduce((sum, bin) => sum + bin.confidence * bin.count, 0) / images : null,
    optimism: model.selection_optimism,
    parameters: model.parameters,
    multiply_adds: model.multiply_adds,
    diverged: model.diverged,
    spread: accuracies.length > 0 ? Math.max(...accuracies) - Math.min(...accuracies) : null,
  }[figure];
  return isNumber(value) ? value : null;
}

/**
 * What a check finds, and whether it lies within the limits; null where a figure is missing.
 * @param {Summary} summary
 * @param {Check} check
 */
export function checked(summary, check) {
  const first = figureOf(summary, check);
  const other = check.minus ? figureOf(summary, check.minus) : 0;
  if (first === null || other === null) return null;
  const found = first - other;
  return { found, isAsTold: (check.at_least === undefined || found >= check.at_least) && (check.at_most === undefined || found <= check.at_most) };
}

/** @type {Record<string, string>} */
const WORDS = {
  test_accuracy: "test accuracy",
  test_loss: "test loss",
  train_accuracy: "training accuracy",
  validation_accuracy: "validation accuracy",
  calibration_error: "calibration error",
  confidence: "mean confidence",
  optimism: "optimism of selecting on test images",
  parameters: "parameters",
  multiply_adds: "multiply-adds",
  diverged: "runs that diverged",
  spread: "best run minus worst run",
};

/**
 * The figures of a check: `test accuracy of twenty: 84.60 %; of twenty-four: 85.10 %`.
 * @param {Summary} summary
 * @param {Check} check
 */
export function inFigures(summary, check) {
  const { minus } = check;
  const first = `${WORDS[check.figure] ?? check.figure} of ${check.model}: ${shown(check.figure, figureOf(summary, check))}`;
  if (!minus) return first;
  const figure = minus.figure === check.figure ? "" : `${WORDS[minus.figure] ?? minus.figure} `;
  const model = minus.model === check.model && figure ? "" : `of ${minus.model}`;
  return `${first}; ${`${figure}${model}`.trim()}: ${shown(minus.figure, figureOf(summary, minus))}`;
}

/**
 * @param {string} figure
 * @param {number | null} value
 */
function shown(figure, value) {
  if (value === null) return "–";
  if (figure === "test_loss") return fixed(value, 4);
  if (figure === "parameters" || figure === "multiply_adds" || figure === "diverged") return thousands(value);
  if (figure === "optimism" || figure === "spread") return `${fixed(100 * value, 2)} points`;
  return `${fixed(100 * value, 2)}\u00a0%`;
}
