import type { Tensors } from '../engine/runtime/session.ts';
import type { Evaluator } from './program.ts';

/** Returns the same program. After the signal is aborted, its next batch throws the signal's reason. */
export function untilAborted(
  program: Evaluator,
  signal: Pick<AbortSignal, 'throwIfAborted'> | undefined,
): Evaluator {
  if (!signal) return program;
  const { parts, communicator } = program;
  const checked =
    <Result>(compute: (values: Float32Array, batch: Tensors) => Promise<Result>) =>
    async (values: Float32Array, batch: Tensors): Promise<Result> => {
      signal.throwIfAborted();
      return compute.call(program, values, batch);
    };
  return {
    parts,
    communicator,
    predict: checked(program.predict),
    loss: checked(program.loss),
    features: checked(program.features),
    vectors: checked(program.vectors),
  };
}
