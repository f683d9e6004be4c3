import type { HostTensor } from '../runtime/session.ts';

/** Rows of sequences out of [tokens, rows, width], by their numbers, some several times: [tokens, columns, width]. */
export function selectColumns({ data, dims }: HostTensor, columns: Int32Array): HostTensor {
  const [tokens, rows, width] = dims;
  if (columns.length === rows && columns.every((column, i) => column === i)) return { data, dims };
  const selected = new Float32Array(tokens * columns.length * width);
  let at = 0;
  for (let token = 0; token < tokens; token++) {
    for (const column of columns) {
      const from = (token * rows + column) * width;
      selected.set(data.subarray(from, from + width), at);
      at += width;
    }
  }
  return { data: selected, dims: [tokens, columns.length, width] };
}
