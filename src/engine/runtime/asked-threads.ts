import { UserError } from '../../support/user-error.ts';

/** The environment variable for the number of compute threads. */
export const THREADS = 'ADALORA_THREADS';

/**
 * The number of compute threads from the environment; undefined lets the engine decide. Fewer threads leave cores to
 * other programs. One thread is fastest for a model of a few thousand weights.
 *
 * @throws UserError if it is not an integer of at least 1
 */
export function askedThreads(environment: Readonly<Record<string, string | undefined>>): number | undefined {
  const value = environment[THREADS];
  if (!value) return undefined;
  if (/^[1-9]\d{0,3}$/.test(value)) return Number(value);
  throw new UserError({ where: THREADS, fault: `must be a number of threads from 1 to 9999, got ${value}` });
}
