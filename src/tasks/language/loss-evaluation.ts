import { NotFinite } from '../../program/check-finite.ts';
import type { Evaluation, ExampleSet } from '../../program/example-set.ts';
import { planEvaluation } from '../../text/batches.ts';

/**
 * Scores a language model: `eval_loss`, the mean over all labelled tokens of the set, and `eval_perplexity`, its
 * exponential. Throws NotFinite with the first example of a batch that has none.
 */
export function lossEvaluation(examples: ExampleSet, batchSize: number): Evaluation {
  return {
    examples,
    output: 'loss',
    async run(program, values) {
      let loss = 0;
      let tokens = 0;
      for (const [number, batch] of planEvaluation(examples, batchSize).entries()) {
        const { feeds, weight } = examples.batch(batch, number);
        const ofBatch = await program.loss(values, feeds);
        if (!Number.isFinite(ofBatch)) throw new NotFinite(Math.min(...batch));
        loss += weight * ofBatch;
        tokens += weight;
      }
      const mean = loss / tokens;
      return { eval_loss: mean, eval_perplexity: Math.exp(mean) };
    },
  };
}
