import type { HostTensor, Tensors } from '../runtime/session.ts';

/** A label that is ignored, as in transformers. */
export const IGNORED = -100;

/** The input with the rows of the hidden states that have a label. */
export const LABEL_ROWS = 'label_rows';

/**
 * The targets of a token model: the rows of the hidden states with a label, and these labels.
 *
 * @param labels [batch, length], {@link IGNORED} for tokens without a label
 * @param shift whether a token predicts the label of the next one, as in causal language models
 */
export function labelledRows(labels: Int32Array, batch: number, length: number, shift: boolean): Tensors {
  const rows: number[] = [];
  const ids: number[] = [];
  const offset = Number(shift);
  for (let position = offset; position < length; position++) {
    for (let example = 0; example < batch; example++) {
      const label = labels[example * length + position];
      if (label === IGNORED) continue;
      rows.push((position - offset) * batch + example);
      ids.push(label);
    }
  }
  return { [LABEL_ROWS]: vector(rows), labels: vector(ids) };
}

function vector(values: readonly number[]): HostTensor {
  return { data: Int32Array.from(values), dims: [values.length] };
}
