import type { z } from 'zod';
import type { StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { scoreLogarithms } from '../allocation/importance.ts';
import { type LoraConfig, loraConfigSchema } from '../lora/config.ts';
import { type AlphaOf, loraKind, PAIR_WORDS, rankKeys, storeRanked } from '../lora/lora-files.ts';
import { LoraTuner } from '../lora/lora-tuner.ts';
import { factorName, type LowRankModule, listRanks } from '../low-rank/factors.ts';
import type { AdapterSettings } from '../low-rank/peft-config.ts';
import type { MethodDefinition, MethodTexts } from '../method-definition.ts';
import type { GradientAt, InputsOf, Measurement, MethodRun, MethodState } from '../method-run.ts';
import { withTargets } from '../targets/adapted-modules.ts';
import type { TunableModel } from '../tuner.ts';

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

/** A measurement before the first step. */
export interface Measuring extends Omit<Measurement, 'settle'> {
  measure(seed: number, initial: Float32Array, gradientAt: GradientAt, inputsOf: InputsOf): Promise<Measured>;
}

/** A form of LoRA whose ranks and initial factors depend on the run's model and data. */
export interface MeasuredMethod extends Measuring {
  model: TunableModel;
  /** The settings of the even tuner. */
  config: LoraConfig;
  /** A tuner with all modules at the mean rank. */
  even: LoraTuner;
  /** Returns the alpha of a module at a rank. Default: the alpha that keeps the even tuner's scale. */
  alphaOf?: AlphaOf;
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
    const { tuner, steps, measures } = method;
    this.measurement = {
      tuner,
      steps,
      measures,
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
          pattern: {
            ...rankKeys(modules, method.config, method.alphaOf),
          },
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
    const { model, config, alphaOf } = this.#method;
    return storeRanked({ model, values, baseModel }, withTargets(model, config, 'few'), this.tuner, alphaOf);
  }

  #setRanks(ranks: readonly number[]): void {
    const { even, alphaOf, config } = this.#method;
    const modules = even.modules.map((module, k) => {
      const rank = ranks[k]!;
      const scale =
        alphaOf && rank > 0
          ? alphaOf(module.path, rank) / (config.use_rslora ? Math.sqrt(rank) : rank)
          : module.scale;
      return { ...module, rank, scale };
    });
    this.tuner = even.withModules(modules);
  }
}

type MeasuredConfig = AdapterSettings & { r: number };

/** The parts that differ between methods. */
interface MeasuredParts<Config, Schema extends z.ZodObject> {
  config: Schema;
  learningRate: number;
  chosen: MethodDefinition<Config, Schema>['chosen'];
  words: Pick<MethodTexts, 'title' | 'titleWith' | 'tags'>;
  /** Returns the alpha of a module at its measured rank. */
  alpha(config: Config, module: LowRankModule, rank: number): number;
  method(even: LoraTuner, config: Config): Measuring;
}

/** Defines a method that measures before the first step and then trains plain LoRA. Its files are LoRA's. */
export function measuredLora<Config extends MeasuredConfig, Schema extends z.ZodObject>({
  alpha,
  method,
  words,
  ...parts
}: MeasuredParts<Config, Schema>): MethodDefinition<Config, Schema> {
  return {
    ...parts,
    trains: 'adapter',
    vectors: 5,
    start(model, own) {
      const config = loraConfigSchema.parse(
        Object.fromEntries(Object.entries(own).filter(([key]) => key in loraConfigSchema.shape)),
      );
      const even = LoraTuner.create(model, config);
      const moduleAt = new Map(even.modules.map((module) => [module.path, module]));
      const alphaOf = (path: string, rank: number) => alpha(own, moduleAt.get(path)!, rank);
      return new MeasuredRun({ model, config, even, alphaOf, ...method(even, own) });
    },
    kind: loraKind,
    words: {
      ...words,
      ...PAIR_WORDS,
      summary: ({ r }) => (r === undefined ? undefined : `rank ${r} on average`),
      budgetKeys: ['r', 'lora_alpha'],
    },
  };
}
