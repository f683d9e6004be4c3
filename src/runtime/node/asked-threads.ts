import { UserError } from '../../support/user-error.ts';

const VARIABLE = 'ADALORA_THREADS';

/**
 * How many threads the user wants the engine to compute with, from the environment; undefined where it shall decide. Fewer
 * than there are cores leave some to others, and one is the quickest for a model of a few thousand weights.
 *
 * @throws UserError where it is no count from 1
 */
export function askedThreads(environment: NodeJS.ProcessEnv = process.env): number | undefined {
  const given = environment[VARIABLE];
  if (!given) return undefined;
  if (/^[1-9]\d{0,3}$/.test(given)) return Number(given);
  throw new UserError({ where: VARIABLE, expected: 'a count of threads from 1 to 9999', got: given });
}
