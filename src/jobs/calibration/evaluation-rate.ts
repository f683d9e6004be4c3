import type { Evaluation } from '../../program/example-set.ts';
import type { Program } from '../../program/program.ts';
import { planEvaluation } from '../../text/batches.ts';
import { spread } from './spread.ts';
import { type Bounds, timed } from './timed.ts';
import { total } from './total.ts';

/**
 * Examples per second in evaluations. The largest batch runs first and is not timed, because it opens the
 * session.
 */
export async function evaluationRate(
  program: Program,
  values: Float32Array,
  { examples, output }: Evaluation,
  {
    batchSize,
    bounds,
    onProgress,
  }: { batchSize: number; bounds: Bounds; onProgress: (share: number) => void },
): Promise<number> {
  const batches = planEvaluation(examples, batchSize);
  const evaluate = async (number: number) => {
    const { feeds } = examples.batch(batches[number]!, number);
    await (output === 'logits' ? program.predict(values, feeds) : program.loss(values, feeds));
  };
  await evaluate(0);
  const done = await timed(spread(batches.length), bounds, evaluate, onProgress);
  return (1000 * total(done.map(({ item }) => batches[item]!.length))) / total(done.map(({ ms }) => ms));
}
