import type { Evaluator } from './program.ts';

/** The same program, whose next batch throws the signal's reason once that is aborted. */
export function untilAborted(program: Evaluator, signal: AbortSignal | undefined): Evaluator {
  if (!signal) return program;
  const { parts, communicator } = program;
  return {
    ...{ parts, communicator },
    async predict(values, batch) {
      signal.throwIfAborted();
      return program.predict(values, batch);
    },
    async loss(values, batch) {
      signal.throwIfAborted();
      return program.loss(values, batch);
    },
  };
}
