import { suggest } from '../../support/text.ts';
import { UserError } from '../../support/user-error.ts';
import type { TrainingConfig } from '../../training/run/config/training-section.ts';

/**
 * The weight of each class according to a config; undefined if all are equal.
 *
 * @param counts number of training rows of each class
 * @throws UserError for unknown labels
 */
export function classWeights(
  { class_weights: weights }: Pick<TrainingConfig, 'class_weights'>,
  labels: readonly string[],
  counts: readonly number[] = [],
): readonly number[] | undefined {
  if (weights === undefined) return undefined;
  if (weights === 'balanced') {
    const rows = counts.reduce((sum, count) => sum + count, 0);
    return counts.map((count) => rows / (counts.length * Math.max(1, count)));
  }
  const unknown = Object.keys(weights).find((label) => !labels.includes(label));
  if (unknown === undefined) return labels.map((label) => weights[label] ?? 1);
  throw new UserError({
    key: 'training.class_weights',
    fault: `has a label that no training row has: ${JSON.stringify(unknown)}`,
    hint: suggest(unknown, labels),
    code: 'unknown_label',
  });
}
