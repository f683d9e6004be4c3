import { dealNumbers } from '../../parallel/deal.ts';
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
      const batches = planEvaluation(examples, batchSize);
      const losses = await dealNumbers(program.communicator, batches.length, async (number) => {
        const { feeds, weight } = examples.batch(batches[number], number);
        // Counts of tokens are exact in 32 bits, as the loss is that of the graph.
        return Float32Array.of(await program.loss(values, feeds), weight);
      });
      let loss = 0;
      let tokens = 0;
      for (const [number, [ofBatch, weight]] of losses.entries()) {
        if (!Number.isFinite(ofBatch)) throw new NotFinite(Math.min(...batches[number]));
        loss += weight * ofBatch;
        tokens += weight;
      }
      const mean = loss / tokens;
      return { eval_loss: mean, eval_perplexity: Math.exp(mean) };
    },
  };
}
