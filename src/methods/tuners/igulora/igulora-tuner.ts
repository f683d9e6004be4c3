import { multiply } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { AdaLoraTuner, type TripletSettings } from '../adalora/adalora-tuner.ts';
import { factorName, type LowRankModule } from '../low-rank/factors.ts';
import { LowRankInjection, type LowRankOptions } from '../low-rank/low-rank-injection.ts';
import type { ParameterLayout, TrainedParameter } from '../parameter-layout.ts';
import type { ReadParameter } from '../tuner.ts';

/** Options with the random fraction α in training, []. */
interface PathOptions extends LowRankOptions {
  fraction(): Value | undefined;
}

/**
 * Increments at a point of the straight path from zero to the factors. P, λ and Q times α give the increment times α³.
 */
class PathInjection extends LowRankInjection {
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

/**
 * Triplets whose gradients are computed at random points of the path from zero to their values. The mean of these
 * gradients over the steps is an integrated gradient (Cui et al., ICLR 2026, arXiv 2603.13792).
 */
export class IguLoraTuner extends AdaLoraTuner {
  constructor(
    readonly path: { path_points: number; initial_lambda: number },
    settings: TripletSettings,
    modules: readonly LowRankModule[],
    saved: readonly TrainedParameter[],
  ) {
    super(settings, modules, saved);
  }

  /** Returns a plain AdaLoRA tuner. After ranks are final, the kept triplets train without the path. */
  override withModules(modules: readonly LowRankModule[]): AdaLoraTuner {
    return new AdaLoraTuner(this.settings, modules, this.saved);
  }

  override inject(
    flat: Value,
    dropout: (x: Value, probability: number) => Value,
    layout: ParameterLayout = this.layout,
    fraction?: (parts: number) => Value | undefined,
  ): PathInjection {
    const { path_points: points } = this.path;
    const { dropout: probability, modules } = this;
    return new PathInjection(layout, flat, modules, {
      diagonal: this.diagonal,
      dropout: (x) => dropout(x, probability),
      // A function, because the network does not exist before the first increment is built.
      fraction: () => (points > 1 ? fraction?.(points) : undefined),
    });
  }

  protected override initialiseFactors(values: Float32Array, seed: number, read: ReadParameter): void {
    super.initialiseFactors(values, seed, read);
    for (const { path } of this.modules)
      this.layout.read(values, factorName(path, 'E')).fill(this.path.initial_lambda);
  }
}
