import { createContext, Script } from 'node:vm';

const context: { work?: () => unknown } = {};
createContext(context);
const script = new Script('work()');

/** Work that was ended. */
export class TookTooLong extends Error {
  override name = 'TookTooLong';
}

/**
 * Does work that yields to nobody, and ends it where it takes longer than so many milliseconds, be it in the midst of a regular
 * expression. Starting the clock takes a tenth of a millisecond.
 *
 * @throws TookTooLong, and what the work throws
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
