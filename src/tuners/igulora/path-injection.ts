import { multiply } from '../../graph/build.ts';
import type { Value } from '../../graph/graph.ts';
import type { LowRankModule } from '../low-rank/factors.ts';
import { LowRankInjection, type LowRankOptions } from '../low-rank/low-rank-injection.ts';
import type { ParameterLayout } from '../parameter-layout.ts';

/** Options with the random fraction α in training, []. */
interface PathOptions extends LowRankOptions {
  fraction(): Value | undefined;
}

/**
 * Increments at a point of the straight path from zero to the factors. P, λ and Q times α give the increment times α³.
 */
export class PathInjection extends LowRankInjection {
  readonly #fraction: PathOptions['fraction'];

  constructor(layout: ParameterLayout, flat: Value, modules: readonly LowRankModule[], options: PathOptions) {
    super(layout, flat, modules, options);
    this.#fraction = options.fraction;
  }

  override increments(paths: readonly string[], x: Value): (Value | undefined)[] {
    const whole = super.increments(paths, x);
    const alpha = this.#fraction();
    if (!alpha) return whole;
    const cube = multiply(multiply(alpha, alpha), alpha);
    return whole.map((increment) => increment && multiply(increment, cube));
  }
}
