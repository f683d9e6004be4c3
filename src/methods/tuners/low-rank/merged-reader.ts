import type { ParameterLayout } from '../parameter-layout.ts';
import type { ReadRange } from '../tuner.ts';
import { factorName, type LowRankModule } from './factors.ts';
import type { Factored } from './low-rank-tuner.ts';

/**
 * Reads the parameters of a model with its adapter merged. An adapted weight is W + s B diag(E) A. A fully trained
 * parameter has its trained value. All other parameters are the base model's. Any range can be read, so that no tensor
 * need be in memory as a whole. The sum is computed in 64 bits.
 *
 * @param readBase must return memory of its own, which is changed
 */
export function mergedReader({ layout, modules, values }: Factored, readBase: ReadRange): ReadRange {
  const adapted = new Map(modules.map((module) => [`${module.path}.weight`, module]));
  return (name, start, end) => {
    if (layout.find(name)) return layout.read(values, name).subarray(start, end);
    const weight = readBase(name, start, end);
    const module = adapted.get(name);
    if (module) addIncrement(weight, start, module, layout, values);
    return weight;
  };
}

/** Adds a module's increment to its weight. `range` has the elements from `start` on. */
function addIncrement(
  range: Float32Array,
  start: number,
  { path, rank, scale, inFeatures, outFeatures, transposed }: LowRankModule,
  layout: ParameterLayout,
  values: Float32Array,
): void {
  const a = layout.read(values, factorName(path, 'A'));
  const b = layout.read(values, factorName(path, 'B'));
  const diagonal = layout.find(factorName(path, 'E')) && layout.read(values, factorName(path, 'E'));
  const end = start + range.length;
  const width = transposed ? outFeatures : inFeatures;
  for (let row = Math.floor(start / width); row * width < end; row++) {
    const from = Math.max(start, row * width);
    const to = Math.min(end, (row + 1) * width);
    const sum = Float64Array.from(range.subarray(from - start, to - start));
    const column = from - row * width;
    for (let k = 0; k < rank; k++) {
      const factor = scale * (diagonal ? diagonal[k]! : 1);
      if (transposed) {
        const own = factor * a[k * inFeatures + row]!;
        for (let i = 0; i < sum.length; i++) sum[i]! += own * b[(column + i) * rank + k]!;
      } else {
        const own = factor * b[row * rank + k]!;
        for (let i = 0; i < sum.length; i++) sum[i]! += own * a[k * inFeatures + column + i]!;
      }
    }
    range.set(sum, from - start);
  }
}
