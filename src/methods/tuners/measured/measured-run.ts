import { matmul } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import type { StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import type { Injection } from '../../../models/nn/network.ts';
import { scoreLogarithms } from '../allocation/importance.ts';
import type { LoraTuner } from '../lora/lora-tuner.ts';
import { readWeight } from '../lora/top-singular.ts';
import { factorName, type LowRankModule, listRanks } from '../low-rank/factors.ts';
import type { GradientAt, InputsOf, Measurement, MethodRun, MethodState } from '../method-run.ts';
import { ParameterLayout, type TrainedParameter } from '../parameter-layout.ts';
import type { Dropout, ReadParameter, Tuner } from '../tuner.ts';

/**
 * Finds the gradient of whole weights. Each module gets an increment D [out, in] of zeros. The gradient of D is that of
 * the weight. It also works over integer bases.
 */
export class WeightGradientTuner implements Tuner {
  readonly layout: ParameterLayout;
  readonly sites: Tuner['sites'];
  #read: ReadParameter | undefined;

  /** @param saved parameters of the model that the run trains, such as its head */
  constructor(
    readonly modules: readonly LowRankModule[],
    readonly saved: readonly TrainedParameter[],
  ) {
    const whole = modules.map(({ path, inFeatures, outFeatures }) => ({
      name: incrementName(path),
      shape: [outFeatures, inFeatures],
    }));
    this.layout = new ParameterLayout([...whole, ...saved]);
    this.sites = whole.map(({ shape: [out, width] }, k) => ({
      path: modules[k]!.path,
      parameters: out! * width!,
    }));
  }

  initialValues(_seed: number, read: ReadParameter): Float32Array {
    this.#read = read;
    return this.layout.readInto(new Float32Array(this.layout.length), this.saved, read);
  }

  inject(flat: Value, _dropout: Dropout, layout = this.layout): Injection {
    const increment = (path: string, x: Value) =>
      layout.find(incrementName(path)) &&
      matmul(x, layout.value(flat, incrementName(path)), { transposeB: true });
    return {
      parameter: layout.own(flat),
      increments: (paths, x) => paths.map((path) => increment(path, x)),
    };
  }

  /** The gradient of a module's weight, [out, in], as a view. */
  gradientOf(path: string, gradient: Float32Array): Float32Array {
    return this.layout.read(gradient, incrementName(path));
  }

  /** A module's weight as [out, in]. Available after {@link initialValues}. */
  weight(module: LowRankModule): Float32Array {
    const { inFeatures, outFeatures, transposed } = module;
    const stored = this.#read!(...readWeight(module));
    if (!transposed) return stored;
    return stored.map((_, at) => {
      const [row, column] = [Math.floor(at / inFeatures), at % inFeatures];
      return stored[column * outFeatures + row]!;
    });
  }
}

function incrementName(path: string): string {
  return `${path}.increment`;
}

/** A method's decisions before the first step. Modules are in the order of the tuner. */
export interface Measured {
  ranks: readonly number[];
  /** For each module, the scores on which the ranks are based. */
  scores: readonly Iterable<number>[];
  /** The lowest kept score, if all modules have the same. */
  threshold?: number;
  /** The initial factors for these ranks. They replace the tuner's. */
  factors?: readonly { A?: ArrayLike<number>; B?: ArrayLike<number> }[];
}

/** A form of LoRA whose ranks and initial factors depend on the run's model and data. */
export interface MeasuredMethod {
  /** A tuner with all modules at the mean rank. */
  even: LoraTuner;
  measurement: Pick<Measurement, 'tuner' | 'steps' | 'measures'>;
  measure(seed: number, initial: Float32Array, gradientAt: GradientAt, inputsOf: InputsOf): Promise<Measured>;
  /** Returns the scale of a module at a rank. Default: the even tuner's scale. */
  scale?(path: string, rank: number): number;
  /** The ranks and alphas of these modules, in PEFT's keys. */
  keys(modules: readonly LowRankModule[]): Readonly<Record<string, unknown>>;
  store(tuner: LoraTuner, values: Float32Array, baseModel: string): StoredAdapter;
}

/** A LoRA run that measures its ranks before the first step and then keeps them. */
export class MeasuredRun implements MethodRun {
  readonly settled = true;
  readonly measurement: Measurement;
  tuner: LoraTuner;
  readonly #method: MeasuredMethod;

  constructor(method: MeasuredMethod) {
    this.#method = method;
    this.tuner = method.even;
    this.measurement = {
      ...method.measurement,
      settle: async (...given) => {
        const { ranks, scores, threshold = Number.NaN, factors } = await method.measure(...given);
        this.#setRanks(ranks);
        const { modules } = this.tuner;
        return {
          allocation: {
            step: 0,
            budget: ranks.reduce((a, b) => a + b, 0),
            threshold,
            final: true,
            ranks: this.ranks(),
            scores: scores.map(scoreLogarithms),
          },
          pattern: method.keys(modules),
          begin: (values) => {
            modules.forEach(({ path, rank }, k) => {
              for (const factor of ['A', 'B'] as const) {
                const start = factors?.[k]?.[factor];
                if (start && rank > 0) this.tuner.layout.read(values, factorName(path, factor)).set(start);
              }
            });
          },
        };
      },
    };
  }

  ranks(): Record<string, number> {
    return listRanks(this.tuner.modules);
  }

  state(): MethodState {
    return { ranks: Int32Array.from(this.tuner.modules, ({ rank }) => rank) };
  }

  restore({ ranks }: MethodState): void {
    this.#setRanks([...ranks!]);
  }

  store(values: Float32Array, baseModel: string): StoredAdapter {
    return this.#method.store(this.tuner, values, baseModel);
  }

  #setRanks(ranks: readonly number[]): void {
    const { even, scale } = this.#method;
    const modules = even.modules.map((module, k) => ({
      ...module,
      rank: ranks[k]!,
      scale: scale && ranks[k]! > 0 ? scale(module.path, ranks[k]!) : module.scale,
    }));
    this.tuner = even.withModules(modules);
  }
}
