import { elementCount } from '../../support/element-count.ts';
import { factorName, type LowRankModule } from '../low-rank/factors.ts';
import type { Factored } from '../low-rank/low-rank-tuner.ts';
import type { ReadRange } from '../tuner.ts';
import { WeightMatrix } from './weight-matrix.ts';

/**
 * Reads a model's parameters with DoRA merged: each row of V = W + s B A, rescaled to its magnitude.
 *
 * @param read returns V in memory that may be overwritten
 */
export function doraReader({ modules, layout, values }: Factored, read: ReadRange): ReadRange {
  const adapted = new Map(modules.map((module) => [`${module.path}.weight`, module]));
  const shares = new Map<string, Float64Array>();
  const sharesOf = (name: string, module: LowRankModule) => {
    const known = shares.get(name);
    if (known) return known;
    const magnitude = layout.read(values, factorName(module.path, 'M'));
    const whole = read(name, 0, elementCount([module.outFeatures, module.inFeatures]));
    const made = new WeightMatrix(module, whole).norms().map((norm, row) => magnitude[row]! / norm);
    shares.set(name, made);
    return made;
  };
  return (name, start, end) => {
    const range = read(name, start, end);
    const module = adapted.get(name);
    if (!module) return range;
    const share = sharesOf(name, module);
    const { inFeatures, outFeatures, transposed } = module;
    for (let i = 0; i < range.length; i++) {
      const at = start + i;
      range[i]! *= share[transposed ? at % outFeatures : Math.floor(at / inFeatures)]!;
    }
    return range;
  };
}
