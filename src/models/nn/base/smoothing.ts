import { multiply, weight } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';

/** Suffix of the name of a weight's smoothing factors. They multiply the columns of its operand. */
export const SMOOTHING = '.smoothing';

/**
 * The smoothing of outlier columns in operands (Xiao et al., 2023, SmoothQuant). Modules that read the same x have equal
 * factors, so x is smoothed once for all of them.
 */
export function smoothing() {
  const known = new WeakMap<Value, { factors: Value; smoothed?: Value }>();
  const of = (x: Value, name: string) => {
    const entry = known.get(x) ?? { factors: weight(x.node.graph, name + SMOOTHING, [x.shape[1] as number]) };
    known.set(x, entry);
    return entry;
  };
  return {
    /** The factors of x's columns, from the first weight `name` that reads x. */
    factors: (x: Value, name: string): Value => of(x, name).factors,
    /** x with its columns multiplied by their factors. */
    smoothed(x: Value, name: string): Value {
      const entry = of(x, name);
      entry.smoothed ??= multiply(x, entry.factors);
      return entry.smoothed;
    },
  };
}
