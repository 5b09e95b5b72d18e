/** @import { ProblemFields } from "../types.js" */

/** What a call is refused with. */
export class Problem extends Error {
  /** @param {ProblemFields} fields */
  constructor(fields) {
    super(fields.message);
    this.name = "Problem";
    this.hint = fields.hint ?? null;
    this.line = fields.line ?? null;
    this.mend = fields.mend ?? null;
  }
}
