import { shortest } from '../classes/answer-text.ts';
import type { LabelScore } from '../served-answer.ts';

/** An answer's logits. It has probabilities only if labels are classes. */
export interface LabelAnswer {
  logits: Float32Array;
  probabilities?: Readonly<Record<string, number>>;
}

/**
 * The labels of an answer with their scores, the best first.
 *
 * @param raw whether scores are logits even if there are probabilities
 */
export function labelScores(
  { logits, probabilities }: LabelAnswer,
  labels: readonly string[],
  raw: boolean,
): LabelScore[] {
  return Array.from(logits, (logit, id) => ({
    label: labels[id] ?? `LABEL_${id}`,
    score: shortest((raw ? undefined : probabilities?.[labels[id]!]) ?? logit),
  })).sort((a, b) => b.score - a.score);
}
