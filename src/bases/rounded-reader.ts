import { BASE_BLOCK, fourBitValues, quantizeBlocks } from '../formats/quantize-blocks.ts';
import type { TaskModel } from '../objectives/task-model.ts';
import type { ReadRange } from '../tuners/tuner.ts';
import { quantizedPaths } from './quantized-paths.ts';

/**
 * Reads a model's parameters. Linear weights have the rounded values of an int4 base. The output matrix keeps
 * its exact values, although an int4 base contains an 8-bit copy of it.
 */
export function roundedReader(model: TaskModel, readRange: ReadRange): ReadRange {
  const rounded = new Set([...quantizedPaths(model, BASE_BLOCK)].map((path) => `${path}.weight`));
  return (name, start, end) => {
    if (!rounded.has(name) || start === end) return readRange(name, start, end);
    // Only whole blocks can be rounded, so the range is extended to whole blocks.
    const from = start - (start % BASE_BLOCK);
    const blocks = readRange(name, from, Math.ceil(end / BASE_BLOCK) * BASE_BLOCK);
    const values = fourBitValues(quantizeBlocks(blocks, 4, BASE_BLOCK), BASE_BLOCK);
    return values.slice(start - from, end - from);
  };
}
