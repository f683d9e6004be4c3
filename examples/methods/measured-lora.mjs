import {
  factorName,
  LoraTuner,
  loraConfigSchema,
  loraKind,
  rankKeys,
  scoreLogarithms,
  storeRanked,
  withTargets,
  z,
} from 'adalora/tuners';

/** The schema of a rank. */
export const rank = z.int().min(1).max(65_536);

/** The learning rates of LoRA, and of methods that train it with ranks from the inputs. */
export const LORA_RATES = {
  learningRate: 5e-4,
  chosen: { encoder: { rate: 3e-3, lora_alpha: 32 }, language: { rate: 2e-4, lora_alpha: 16 } },
};

/** Rounds to the nearest whole number. Halves become even, as in Python. */
export function roundHalfEven(value) {
  const down = Math.floor(value);
  const rest = value - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 !== 0) ? down + 1 : down;
}

/** A name with the settings that differ from the usual ones. */
export function withVariants(title, variants) {
  const names = variants.flat();
  return names.length > 0 ? `${title} (${names.join(', ')})` : title;
}

/**
 * Defines a method that measures before the first step and then trains plain LoRA. Its files are LoRA's.
 *
 * @param alpha returns the alpha of a module at its measured rank
 * @param method returns the measurement of a run, from a tuner with all modules at the mean rank and the settings:
 * `tuner`, `steps` and `measures` of `Measurement`, and `measure(seed, initial, gradientAt, inputsOf)`. That function
 * returns `ranks`, `scores`, and perhaps `factors`, the initial A and B, of each of the tuner's modules.
 */
export function measuredLora({ alpha, method, words, ...parts }) {
  return {
    ...parts,
    trains: 'adapter',
    // Values, gradient, two moments, and a copy at a checkpoint.
    vectors: 5,
    start(model, own) {
      const config = loraConfigSchema.parse(
        Object.fromEntries(Object.entries(own).filter(([key]) => key in loraConfigSchema.shape)),
      );
      const even = LoraTuner.create(model, config);
      const moduleAt = new Map(even.modules.map((module) => [module.path, module]));
      const alphaOf = (path, rank) => alpha(own, moduleAt.get(path), rank);
      return new MeasuredRun(model, config, even, alphaOf, method(even, own));
    },
    kind: loraKind,
    words: {
      ...words,
      library: 'peft',
      components: 'doublets',
      factors: ['B', 'A'],
      summary: ({ r }) => (r === undefined ? undefined : `rank ${r} on average`),
      budgetKeys: ['r', 'lora_alpha'],
    },
  };
}

/** A LoRA run that measures its ranks before the first step and then keeps them. */
class MeasuredRun {
  settled = true;
  #model;
  #config;
  #even;
  #alphaOf;

  constructor(model, config, even, alphaOf, { measure, ...measurement }) {
    this.#model = model;
    this.#config = config;
    this.#even = even;
    this.#alphaOf = alphaOf;
    this.tuner = even;
    this.measurement = {
      ...measurement,
      settle: async (...given) => {
        const { ranks, scores, factors } = await measure(...given);
        this.#setRanks(ranks);
        const { modules, layout } = this.tuner;
        return {
          allocation: {
            step: 0,
            budget: ranks.reduce((a, b) => a + b, 0),
            threshold: Number.NaN,
            final: true,
            ranks: this.ranks(),
            scores: scores.map(scoreLogarithms),
          },
          pattern: rankKeys(modules, config, alphaOf),
          begin: (values) => {
            modules.forEach(({ path, rank }, k) => {
              for (const factor of ['A', 'B']) {
                const start = factors?.[k]?.[factor];
                if (start && rank > 0) layout.read(values, factorName(path, factor)).set(start);
              }
            });
          },
        };
      },
    };
  }

  ranks() {
    return Object.fromEntries(this.tuner.modules.map(({ path, rank }) => [path, rank]));
  }

  state() {
    return { ranks: Int32Array.from(this.tuner.modules, ({ rank }) => rank) };
  }

  restore({ ranks }) {
    this.#setRanks([...ranks]);
  }

  store(values, baseModel) {
    const config = withTargets(this.#model, this.#config, 'few');
    return storeRanked({ model: this.#model, values, baseModel }, config, this.tuner, this.#alphaOf);
  }

  #setRanks(ranks) {
    const { use_rslora } = this.#config;
    const modules = this.#even.modules.map((module, k) => {
      const rank = ranks[k];
      if (rank === 0) return { ...module, rank };
      const alpha = this.#alphaOf(module.path, rank);
      return { ...module, rank, scale: alpha / (use_rslora ? Math.sqrt(rank) : rank) };
    });
    this.tuner = this.#even.withModules(modules);
  }
}
