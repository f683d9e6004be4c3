import { LENGTH_BYTES } from '../safetensors.ts';

/** The metadata that PEFT writes into the header of an adapter's tensor file. */
export const ADAPTER_METADATA = { format: 'pt' };

const encoder = new TextEncoder();
const EMPTY_HEADER = JSON.stringify({ __metadata__: ADAPTER_METADATA }).length;
/** A tensor's entry in the header without its name, sizes and offsets. */
const EMPTY_ENTRY = ',:{"dtype":"F32","shape":[],"data_offsets":[,]}'.length;

/**
 * Returns a function that computes the size of an `adapter_model.safetensors` with its header, if all tensors are
 * float32. Searching for ranks calls it thousands of times, so the file's header is not written.
 *
 * @param keys the keys of the tensors; the function gets the shape of each, or undefined for one that is not stored
 */
export function adapterSize(
  keys: readonly string[],
): (shapeOf: (i: number) => readonly number[] | undefined) => number {
  const ordered = keys
    .map((key, i) => ({ key, i, length: EMPTY_ENTRY + encoder.encode(JSON.stringify(key)).length }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  return (shapeOf) => {
    let header = EMPTY_HEADER;
    let end = 0;
    for (const { i, length } of ordered) {
      const shape = shapeOf(i);
      if (!shape) continue;
      header += length + digits(end) + shape.length - 1;
      let elements = 1;
      for (const size of shape) {
        header += digits(size);
        elements *= size;
      }
      end += elements * Float32Array.BYTES_PER_ELEMENT;
      header += digits(end);
    }
    return LENGTH_BYTES + Math.ceil(header / LENGTH_BYTES) * LENGTH_BYTES + end;
  };
}

function digits(value: number): number {
  let count = 1;
  for (let rest = value; rest >= 10; rest /= 10) count++;
  return count;
}
