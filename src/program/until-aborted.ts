import type { Evaluator } from './program.ts';

/** Returns the same program. After the signal is aborted, its next batch throws the signal's reason. */
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
