import { BASE_BLOCK, fourBitValues, quantizeBlocks } from '../formats/quantize-blocks.ts';
import type { TaskModel } from '../objectives/task-model.ts';
import type { ReadRange } from '../tuners/tuner.ts';
import { quantizedPaths } from './quantized-paths.ts';

/**
 * Reads the parameters of a model with the values that an int4 base has for its linear weights. The matrix of the
 * logits keeps its own values, although an int4 base also has a copy of it in 8 bits.
 */
export function roundedReader(model: TaskModel, readRange: ReadRange): ReadRange {
  const rounded = new Set([...quantizedPaths(model, BASE_BLOCK)].map((path) => `${path}.weight`));
  return (name, start, end) => {
    if (!rounded.has(name) || start === end) return readRange(name, start, end);
    // A block is rounded as a whole. Blocks end with the tensor.
    const from = start - (start % BASE_BLOCK);
    const blocks = readRange(name, from, Math.ceil(end / BASE_BLOCK) * BASE_BLOCK);
    const values = fourBitValues(quantizeBlocks(blocks, 4, BASE_BLOCK), BASE_BLOCK);
    return values.slice(start - from, end - from);
  };
}
