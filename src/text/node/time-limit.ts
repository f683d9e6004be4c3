import { createContext, Script } from 'node:vm';

const context: { work?: () => unknown } = {};
createContext(context);
const script = new Script('work()');

/** Thrown when work exceeds its time limit. */
export class TookTooLong extends Error {
  override name = 'TookTooLong';
}

/**
 * Runs synchronous work and stops it after `ms` milliseconds, even inside a regular expression. Starting the timer
 * takes 0.1 ms.
 *
 * @throws TookTooLong, and any error of the work
 */
export function limitTime<T>(work: () => T, ms: number): T {
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
