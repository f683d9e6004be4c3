import type { TaskType } from '../data/task-type.ts';
import { evaluateMetrics } from '../metrics/index.ts';
import { evaluationLoss } from '../tasks/evaluation-loss.ts';
import { modelFeeds } from '../tasks/model-inputs.ts';
import { planEvaluation } from '../text/batches.ts';
import { collate } from '../text/collate.ts';
import type { EncodedSet, EncodedTexts } from './encoded-set.ts';
import type { Program } from './program.ts';

/** Logits of all examples in their order, [examples, labels] row-major; computed in batches of like length. */
export async function predictAll(
  program: Program,
  values: Float32Array,
  { encodings, lengths }: EncodedTexts,
  numLabels: number,
  options: { batchSize: number; padId: number },
): Promise<Float32Array> {
  const logits = new Float32Array(encodings.length * numLabels);
  for (const examples of planEvaluation(lengths, options.batchSize)) {
    const batch = collate(
      Array.from(examples, (example) => encodings[example]),
      options.padId,
    );
    const rows = await program.predict(values, modelFeeds(batch));
    examples.forEach((example, row) => {
      logits.set(rows.subarray(row * numLabels, (row + 1) * numLabels), example * numLabels);
    });
  }
  return logits;
}

/** The task's loss and metrics over logits, with the names that events carry: `eval_loss`, `eval_accuracy`, … */
export function evaluationScores(
  task: TaskType,
  logits: Float32Array,
  numLabels: number,
  targets: EncodedSet['targets'],
): Record<`eval_${string}`, number> {
  const scores: Record<`eval_${string}`, number> = {
    eval_loss: evaluationLoss(task, logits, numLabels, targets),
  };
  for (const [name, score] of Object.entries(evaluateMetrics(task, logits, numLabels, targets))) {
    scores[`eval_${name}`] = score;
  }
  return scores;
}
