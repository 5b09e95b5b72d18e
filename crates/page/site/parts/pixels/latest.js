// Work of which only the newest request counts: one is under way, one waits, older ones are dropped.

/**
 * @template Q, A
 */
export class Latest {
  /** @type {{ question: Q } | null} */
  #next = null;
  #isBusy = false;
  #isClosed = false;
  #last = -Infinity;
  #work;
  #done;
  #failed;
  #pause;

  /**
   * @param {(question: Q) => Promise<A>} work
   * @param {(answer: A, question: Q) => void} done
   * @param {(problem: Error, question: Q) => void} failed
   * @param {number} [pause] Milliseconds between the beginnings of two.
   */
  constructor(work, done, failed, pause = 0) {
    this.#work = work;
    this.#done = done;
    this.#failed = failed;
    this.#pause = pause;
  }

  /** @param {Q} question */
  ask(question) {
    this.#next = { question };
    if (!this.#isBusy) void this.#run();
  }

  /** Forgets what waits, and what is under way. */
  drop() {
    this.#next = null;
    this.#isClosed = this.#isBusy;
  }

  async #run() {
    this.#isBusy = true;
    while (this.#next) {
      const wait = this.#last + this.#pause - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      // What came in the meantime is newer; it may have been dropped.
      const next = /** @type {{ question: Q } | null} */ (this.#next);
      if (!next) break;
      this.#next = null;
      this.#isClosed = false;
      this.#last = performance.now();
      try {
        const answer = await this.#work(next.question);
        if (!this.#isClosed) this.#done(answer, next.question);
      } catch (problem) {
        if (!this.#isClosed) this.#failed(/** @type {Error} */ (problem), next.question);
      }
    }
    this.#isBusy = false;
  }
}
