import type { ParameterLayout } from '../parameter-layout.ts';
import type { LowRankModule } from '../tuner.ts';

/**
 * For each element of the vector laid out as `after`, its index in the one laid out as `before`, when the dropped
 * triplets are removed: gathering values and optimizer moments by it moves them over.
 *
 * @param modules the modules with their ranks before
 * @param keep per module, 1 for each kept triplet
 */
export function keptIndices(
  modules: readonly LowRankModule[],
  keep: readonly Uint8Array[],
  before: ParameterLayout,
  after: ParameterLayout,
): Int32Array {
  const indices = new Int32Array(after.length);
  const triplets = new Map(modules.map(({ path }, k) => [path, keep[k]]));
  for (const { name, start, end } of after.segments) {
    const source = before.get(name);
    const [, path, factor] = /^(.*)\.(lora_[AEB])$/.exec(name) ?? [];
    const kept = factor ? triplets.get(path) : undefined;
    let next = start;
    for (let i = source.start; i < source.end; i++) {
      if (!kept || kept[tripletOf(i - source.start, factor, source.shape)]) indices[next++] = i;
    }
    if (next !== end) throw new Error(`${name}: ${next - start} values kept, ${end - start} expected`);
  }
  return indices;
}

/** Which triplet an element of a factor belongs to: a row of lora_A, an element of lora_E, a column of lora_B. */
function tripletOf(index: number, factor: string, shape: readonly number[]): number {
  if (factor === 'lora_A') return Math.floor(index / shape[1]);
  return factor === 'lora_B' ? index % shape[1] : index;
}
