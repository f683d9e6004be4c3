import {
  absolute,
  constant,
  frozen,
  matmul,
  multiply,
  reshape,
  stopGradient,
  sum,
  watch,
  where,
} from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { AdaLoraTuner, type TripletSettings } from '../adalora/adalora-tuner.ts';
import { factorName, type LowRankModule, parseFactor } from '../low-rank/factors.ts';
import { LowRankInjection, type LowRankOptions } from '../low-rank/low-rank-injection.ts';
import type { TrainedParameter, TrainedStack } from '../parameter-layout.ts';
import type { Dropout } from '../tuner.ts';

interface GrowingOptions extends LowRankOptions {
  /** Number of triplets with a constant λ at the end of each module. */
  reserve: number;
}

/**
 * Adds triplets, and measures a statistic of each increment ΔW: the sum of |ΔW ∘ G|. G is the gradient of the weight,
 * the product of the module's output gradient and its input. It is computed for one module at a time, and never leaves
 * the graph.
 */
class GrowingInjection extends LowRankInjection {
  declare readonly options: GrowingOptions;
  readonly #seen = new Map<string, Value>();

  override increments(paths: readonly string[], x: Value): (Value | undefined)[] {
    const read = this.options.dropout(x);
    return this.products(paths, read).map((increment, i) => {
      const module = this.modules.get(paths[i]!);
      if (!increment || !module) return increment;
      const seen = frozen(x.node.graph, `${paths[i]}.seen`, [], () => new Float32Array(1));
      this.#seen.set(paths[i]!, seen);
      return watch(increment, seen, [read, this.#increment(module)], (gradient, [input, increase]) =>
        sum(absolute(multiply(increase, matmul(gradient, input, { transposeA: true }))), [0, 1]),
      );
    });
  }

  watched(): Value[] {
    return [...this.modules.keys()].map((path) => this.#seen.get(path) as Value);
  }

  /** λ of reserved triplets has no gradient. */
  protected override lambdas(stack: TrainedStack): Value {
    const all = super.lambdas(stack);
    const isReserved = this.layout.segments
      .filter(({ name, stack: own }) => own === stack && parseFactor(name)?.factor === 'E')
      .flatMap(({ shape: [rank] }) =>
        Array.from({ length: rank! }, (_, i) => Number(i >= rank! - this.options.reserve)),
      );
    return where(
      constant(all.node.graph, isReserved, [...(all.shape as number[])], 'bool'),
      stopGradient(all),
      all,
    );
  }

  /** ΔW of a module, [out, in]. */
  #increment({ path, rank, scale }: LowRankModule): Value {
    const [a, e, b] = (['A', 'E', 'B'] as const).map((factor) =>
      this.layout.value(this.flat, factorName(path, factor)),
    ) as [Value, Value, Value];
    return matmul(b, multiply(a, reshape(e, [rank, 1])), { scale });
  }
}

/**
 * A tuner whose ranks may still grow. Its modules' scores are measured, and the last `reserve` triplets of each module
 * have a constant λ.
 */
export class IncreLoraTuner extends AdaLoraTuner {
  readonly watches: number;

  constructor(
    settings: TripletSettings,
    modules: readonly LowRankModule[],
    saved: readonly TrainedParameter[],
    readonly reserve: number,
    readonly watchesLast: boolean,
  ) {
    super(settings, modules, saved);
    this.injection = GrowingInjection;
    this.watches = modules.length;
  }

  override withModules(modules: readonly LowRankModule[]): IncreLoraTuner {
    return new IncreLoraTuner(this.settings, modules, this.saved, this.reserve, this.watchesLast);
  }

  protected override options(dropout: Dropout) {
    return { ...super.options(dropout), reserve: this.reserve };
  }
}
