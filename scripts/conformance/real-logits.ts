import type { Batch } from '../../src/input/text/batches.ts';
import type { TaskModel } from '../../src/program/objectives/task-model.ts';

/** The logits at positions without padding, in transformers' order. */
export function realLogits(
  { headKind }: TaskModel,
  logits: Float32Array,
  { attentionMask }: Batch,
): Float32Array {
  switch (headKind) {
    case 'SEQ_CLS':
    case 'SEQ_2_SEQ_LM':
      return logits;
    case 'QUESTION_ANS':
      return logits.filter((_, i) => attentionMask[i % attentionMask.length] !== 0);
  }
  const classes = logits.length / attentionMask.length;
  return logits.filter((_, i) => attentionMask[Math.floor(i / classes)] !== 0);
}

/**
 * Converts our logits to transformers' order. Ours are ordered by position first, if there are logits for
 * each token.
 */
export function inTheirOrder(
  { headKind, config }: TaskModel,
  logits: Float32Array,
  { batch }: Batch,
): Float32Array {
  if (headKind === 'SEQ_CLS' || headKind === 'QUESTION_ANS') return logits;
  const classes = headKind === 'TOKEN_CLS' ? config.numLabels : config.vocabSize;
  const positions = logits.length / (classes * batch);
  const turned = new Float32Array(logits.length);
  for (let position = 0; position < positions; position++) {
    for (let example = 0; example < batch; example++) {
      const from = (position * batch + example) * classes;
      turned.set(logits.subarray(from, from + classes), (example * positions + position) * classes);
    }
  }
  return turned;
}
