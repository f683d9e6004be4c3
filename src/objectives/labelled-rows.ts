import type { HostTensor, Tensors } from '../runtime/session.ts';

/** A label that counts for nothing, as in transformers. */
export const IGNORED = -100;

/** The input that tells which rows of the hidden states have a label. */
export const LABEL_ROWS = 'label_rows';

/**
 * The targets of a token model: which rows of the hidden states have a label, and the labels.
 *
 * @param labels [batch, length], {@link IGNORED} where there is none
 * @param shift whether a token is to tell the label of the one after it, as in causal language models
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
