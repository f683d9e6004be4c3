import type { Value } from '../../graph/graph.ts';
import { Random } from '../../support/random.ts';
import { adaptedModules } from '../low-rank/adapted-modules.ts';
import { LowRankInjection } from '../low-rank/low-rank-injection.ts';
import { ParameterLayout, type TrainedParameter } from '../parameter-layout.ts';
import { checkPatternKeys, patternValue } from '../low-rank/pattern-value.ts';
import { savedParameters } from '../saved-parameters.ts';
import type { LowRankModule, ReadParameter, TunableModel, Tuner } from '../tuner.ts';
import type { LoraConfig } from './config.ts';

/** LoRA (Hu et al., 2022) as PEFT computes it: y += alpha / r · x Aᵀ Bᵀ. */
export class LoraTuner implements Tuner {
  readonly layout: ParameterLayout;

  constructor(
    readonly config: Pick<LoraConfig, 'lora_dropout'>,
    readonly modules: readonly LowRankModule[],
    readonly saved: readonly TrainedParameter[],
  ) {
    this.layout = new ParameterLayout([
      ...modules.flatMap(({ path, rank, inFeatures, outFeatures }) => [
        { name: `${path}.lora_A`, shape: [rank, inFeatures] },
        { name: `${path}.lora_B`, shape: [outFeatures, rank] },
      ]),
      ...saved,
    ]);
  }

  /** The tuner of a config: each adapted module with the rank and alpha that the patterns give it. */
  static create(model: TunableModel, config: LoraConfig): LoraTuner {
    const adapted = adaptedModules(model, config, model.definition.targetModules.lora);
    const paths = adapted.map(({ path }) => path);
    checkPatternKeys(config.rank_pattern, paths, 'lora.rank_pattern');
    checkPatternKeys(config.alpha_pattern, paths, 'lora.alpha_pattern');
    const modules = adapted.map((module) => {
      const rank = patternValue(config.rank_pattern, module.path) ?? config.r;
      return { ...module, rank, scale: loraScale(config, module.path, rank) };
    });
    return new LoraTuner(config, modules, savedParameters(model, config, adapted));
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
    for (const { name, shape } of this.saved) this.layout.read(values, name).set(read(name, shape));
    return values;
  }

  inject(flat: Value, dropout: (x: Value, probability: number) => Value): LowRankInjection {
    return new LowRankInjection(this.layout, flat, this.modules, {
      diagonal: false,
      dropout: (x) => dropout(x, this.config.lora_dropout),
    });
  }
}

/** alpha / r, or alpha / √r with rsLoRA; alpha by module where `alpha_pattern` has one. */
export function loraScale(
  config: Pick<LoraConfig, 'lora_alpha' | 'alpha_pattern' | 'use_rslora'>,
  path: string,
  rank: number,
): number {
  const alpha = patternValue(config.alpha_pattern, path) ?? config.lora_alpha;
  return alpha / (config.use_rslora ? Math.sqrt(rank) : rank);
}
