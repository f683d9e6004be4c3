import type { Value } from '../../graph/graph.ts';
import { Random } from '../../support/random.ts';
import { adaptedModules } from '../adapted-modules.ts';
import { LowRankInjection } from '../low-rank/low-rank-injection.ts';
import { ParameterLayout, type TrainedParameter } from '../parameter-layout.ts';
import { checkPatternKeys, patternValue } from '../pattern-value.ts';
import { savedParameters } from '../saved-parameters.ts';
import type { LowRankModule, ReadParameter, TunableModel, Tuner } from '../tuner.ts';
import type { LoraConfig } from './config.ts';

/** LoRA (Hu et al., 2022) as PEFT computes it: y += alpha / r · x Aᵀ Bᵀ. */
export class LoraTuner implements Tuner {
  readonly layout: ParameterLayout;
  readonly modules: readonly LowRankModule[];
  readonly #saved: readonly TrainedParameter[];

  constructor(
    model: TunableModel,
    readonly config: LoraConfig,
  ) {
    const adapted = adaptedModules(model, config);
    const paths = adapted.map(({ path }) => path);
    checkPatternKeys(config.rank_pattern, paths, 'lora.rank_pattern');
    checkPatternKeys(config.alpha_pattern, paths, 'lora.alpha_pattern');
    this.modules = adapted.map((module) => {
      const rank = patternValue(config.rank_pattern, module.path) ?? config.r;
      const alpha = patternValue(config.alpha_pattern, module.path) ?? config.lora_alpha;
      return { ...module, rank, scale: alpha / (config.use_rslora ? Math.sqrt(rank) : rank) };
    });
    this.#saved = savedParameters(model, config.modules_to_save);
    this.layout = new ParameterLayout([
      ...this.modules.flatMap(({ path, rank, inFeatures, outFeatures }) => [
        { name: `${path}.lora_A`, shape: [rank, inFeatures] },
        { name: `${path}.lora_B`, shape: [outFeatures, rank] },
      ]),
      ...this.#saved,
    ]);
  }

  /** A uniform within ±1 / √in (PEFT's Kaiming initialisation with a = √5), B zero. */
  initialValues(seed: number, read: ReadParameter): Float32Array {
    const values = new Float32Array(this.layout.length);
    for (const { path, inFeatures } of this.modules) {
      const random = new Random(seed, `init ${path}.lora_A`);
      const bound = 1 / Math.sqrt(inFeatures);
      const a = this.layout.read(values, `${path}.lora_A`);
      for (let i = 0; i < a.length; i++) a[i] = (2 * random.uniform() - 1) * bound;
    }
    for (const { name, shape } of this.#saved) this.layout.read(values, name).set(read(name, shape));
    return values;
  }

  inject(flat: Value, dropout: (x: Value, probability: number) => Value): LowRankInjection {
    return new LowRankInjection(this.layout, flat, this.modules, {
      diagonal: false,
      dropout: (x) => dropout(x, this.config.lora_dropout),
    });
  }
}
