import type { TaskModel } from '../../src/tasks/task-model.ts';
import type { Batch } from '../../src/text/collate.ts';

/** The logits that mean something: of answers, those at positions that are not padding. */
export function realLogits(
  { headKind }: TaskModel,
  logits: Float32Array,
  { attentionMask }: Batch,
): Float32Array {
  if (headKind !== 'QUESTION_ANS') return logits;
  return logits.filter((_, i) => attentionMask[i % attentionMask.length] !== 0);
}
