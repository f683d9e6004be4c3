import type { HostTensor, Tensors } from '../../engine/runtime/session.ts';

/** The label of positions that the loss ignores, as in transformers. */
export const IGNORED_LABEL = -100;

/** Name of the input with the indices of the labeled rows of the hidden states. */
export const LABEL_ROWS = 'label_rows';

/**
 * Returns the targets of a token model: the indices of labeled rows in the hidden states, and their labels.
 *
 * @param labels [batch, length], {@link IGNORED_LABEL} for tokens without a label
 * @param shift whether a token predicts the label of the next token, as in causal language models
 */
export function labeledRows(labels: Int32Array, batch: number, length: number, shift: boolean): Tensors {
  const rows: number[] = [];
  const ids: number[] = [];
  const offset = Number(shift);
  for (let position = offset; position < length; position++) {
    for (let example = 0; example < batch; example++) {
      const label = labels[example * length + position]!;
      if (label === IGNORED_LABEL) continue;
      rows.push((position - offset) * batch + example);
      ids.push(label);
    }
  }
  return { [LABEL_ROWS]: vector(rows), labels: vector(ids) };
}

/**
 * Divides the labeled rows of a batch into parts of equal size: [parts, rows of a part]. The last row is repeated
 * without a label, if their number is not a multiple.
 *
 * @param parts see `TaskModel.labelParts`. By default the batch stays as it is
 */
export function inParts(feeds: Tensors, parts?: number): Tensors {
  const rows = feeds[LABEL_ROWS];
  if (parts === undefined || !rows) return feeds;
  const each = Math.ceil(rows.data.length / parts);
  const divided = ({ data }: HostTensor, more: number): HostTensor => {
    const whole = new Int32Array(parts * each).fill(more);
    whole.set(data as Int32Array);
    return { data: whole, dims: [parts, each] };
  };
  const last = Number(rows.data.at(-1));
  return { ...feeds, [LABEL_ROWS]: divided(rows, last), labels: divided(feeds.labels!, IGNORED_LABEL) };
}

/**
 * The labels of some examples of a batch. Undefined for a batch with one label for each example.
 *
 * @returns their inputs, with rows of the hidden states of these examples; the indices of their labels, and their share
 */
export function labelsOfPart(
  { [LABEL_ROWS]: labelRows, labels }: Tensors,
  batch: number,
  { start, end }: { start: number; end: number },
): { feeds: Tensors; rows: Int32Array; share: number } | undefined {
  if (!labelRows) return undefined;
  const exampleOf = (row: number) => row % batch;
  const all = labelRows.data as Int32Array;
  const rows = Int32Array.from(all.keys()).filter((i) => {
    const example = exampleOf(all[i]!);
    return example >= start && example < end;
  });
  const moved = (row: number) => Math.floor(row / batch) * (end - start) + exampleOf(row) - start;
  const data = rows.map((i) => moved(all[i]!));
  return {
    feeds: { [LABEL_ROWS]: { data, dims: [rows.length] }, labels: select(labels!, 0, rows) },
    rows,
    share: rows.length / all.length,
  };
}

/** Selects indices of an axis. Returns the tensor unchanged if it has no such axis. */
export function select(tensor: HostTensor, axis: number, indices: Int32Array): HostTensor {
  if (axis < 0) return tensor;
  const { data, dims } = tensor;
  const inner = dims.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = dims.slice(0, axis).reduce((a, b) => a * b, 1);
  const chosen = new (data.constructor as typeof Float32Array)(outer * indices.length * inner) as typeof data;
  for (let i = 0; i < outer; i++) {
    indices.forEach((index, j) => {
      const from = (i * dims[axis]! + index) * inner;
      chosen.set(data.subarray(from, from + inner), (i * indices.length + j) * inner);
    });
  }
  return { data: chosen, dims: dims.map((size, at) => (at === axis ? indices.length : size)) };
}

function vector(values: readonly number[]): HostTensor {
  return { data: Int32Array.from(values), dims: [values.length] };
}
