import { planEvaluation } from '../../input/text/batches.ts';
import { NotFinite } from '../../program/check-finite.ts';
import type { Evaluation, ExampleSet } from '../../program/example-set.ts';
import { dealNumbers } from '../../program/parallel/deal.ts';
import { bootstrap } from '../../scores/metrics/score-interval.ts';

/**
 * Scores a language model. `eval_loss` is the mean over all labeled tokens of the set, and `eval_perplexity` its
 * exponential.
 *
 * @throws NotFinite with the first example of a batch without a finite loss
 */
export function lossEvaluation(examples: ExampleSet, batchSize: number): Evaluation {
  return {
    examples,
    output: 'loss',
    async run(program, values, watch) {
      const batches = planEvaluation(examples, batchSize);
      const losses = await dealNumbers(program.communicator, batches.length, async (number) => {
        const { feeds, weight } = examples.batch(batches[number]!, number);
        // float32 is exact here: token counts are small enough, and the graph's loss is float32.
        return Float32Array.of(await program.loss(values, feeds), weight);
      });
      for (const [number, loss] of losses.entries())
        if (!Number.isFinite(loss[0])) throw new NotFinite(Math.min(...batches[number]!));
      // Resamples whole batches, because the losses of single tokens are not known.
      const meanOf = (rows: Iterable<number>) => {
        const drawn = Array.from(rows, (row) => losses[row] as unknown as [loss: number, weight: number]);
        const weights = drawn.reduce((sum, [, weight]) => sum + weight, 0);
        return drawn.reduce((sum, [ofBatch, weight]) => sum + weight * ofBatch, 0) / weights;
      };
      watch?.onCertainty?.({
        groups: Int32Array.from(examples.lengths.keys()),
        interval(score) {
          const batches = Int32Array.from(losses.keys());
          if (score === 'loss') return bootstrap(batches, meanOf);
          if (score === 'perplexity') return bootstrap(batches, (rows) => Math.exp(meanOf(rows)));
          return undefined;
        },
      });
      const mean = meanOf(losses.keys());
      return { eval_loss: mean, eval_perplexity: Math.exp(mean) };
    },
  };
}
