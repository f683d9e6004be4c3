import { createContext, Script } from 'node:vm';

const script = new Script('work()');

/** Thrown when work exceeds its time limit. */
export class TookTooLong extends Error {
  override name = 'TookTooLong';
}

/** Stops synchronous work that takes too long. The first call takes some milliseconds, later ones 0.1 ms. */
export class TimeLimit {
  /** Only work in a context can be stopped. */
  #context: { work?: (() => unknown) | undefined } | undefined;

  /**
   * Runs work and stops it after `ms` milliseconds, even inside a regular expression.
   *
   * @throws TookTooLong, and any error of the work
   */
  run<T>(work: () => T, ms: number): T {
    this.#context ??= createContext({});
    const context = this.#context;
    context.work = work;
    try {
      return script.runInContext(context, { timeout: ms }) as T;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      throw new TookTooLong(`no end after ${ms} ms`);
    } finally {
      context.work = undefined;
    }
  }
}
