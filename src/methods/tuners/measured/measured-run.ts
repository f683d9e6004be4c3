import type { StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { scoreLogarithms } from '../allocation/component-scores.ts';
import type { LoraTuner } from '../lora/lora-tuner.ts';
import { factorName, type LowRankModule, ranksOf } from '../low-rank/factors.ts';
import type { GradientAt, InputsOf, Measurement, MethodRun, MethodState } from '../method-run.ts';

/** What a method decides before the first step. Modules are in the order of the tuner. */
export interface Measured {
  ranks: readonly number[];
  /** For each module, the scores on which the ranks are based. */
  scores: readonly ArrayLike<number>[];
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
            ...{ step: 0, budget: ranks.reduce((a, b) => a + b, 0), threshold },
            ...{ final: true, ranks: this.ranks() },
            scores: scores.map((own) => scoreLogarithms(Float64Array.from(own))),
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
    return ranksOf(this.tuner.modules);
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
