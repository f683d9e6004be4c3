import { Random } from '../../support/random.ts';
import { adaptedModules } from '../low-rank/adapted-modules.ts';
import { factorName, type LowRankModule } from '../low-rank/factors.ts';
import { LowRankTuner } from '../low-rank/low-rank-tuner.ts';
import { checkPatternKeys, patternValue } from '../low-rank/pattern-value.ts';
import { loraScale } from '../low-rank/scales.ts';
import { ParameterLayout, type TrainedParameter } from '../parameter-layout.ts';
import { savedParameters } from '../saved-parameters.ts';
import type { TunableModel } from '../tuner.ts';
import type { LoraConfig } from './config.ts';

/** LoRA (Hu et al., 2022) as PEFT computes it: y += alpha / r · x Aᵀ Bᵀ. */
export class LoraTuner extends LowRankTuner {
  protected readonly diagonal = false;

  constructor(
    { lora_dropout }: Pick<LoraConfig, 'lora_dropout'>,
    modules: readonly LowRankModule[],
    saved: readonly TrainedParameter[],
  ) {
    const layout = new ParameterLayout([
      ...modules.flatMap(({ path, rank, inFeatures, outFeatures }) => [
        { name: factorName(path, 'A'), shape: [rank, inFeatures] },
        { name: factorName(path, 'B'), shape: [outFeatures, rank] },
      ]),
      ...saved,
    ]);
    super(layout, modules, saved, lora_dropout);
  }

  /** The tuner of a config: each adapted module with the rank and alpha that the patterns give it. */
  static create(model: TunableModel, config: LoraConfig): LoraTuner {
    const adapted = adaptedModules(model, config, model.definition.targetModules.few);
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
  protected initialiseFactors(values: Float32Array, seed: number): void {
    for (const { path, inFeatures } of this.modules) {
      const name = factorName(path, 'A');
      const random = new Random(seed, `init ${name}`);
      const bound = 1 / Math.sqrt(inFeatures);
      const a = this.layout.read(values, name);
      for (let i = 0; i < a.length; i++) a[i] = (2 * random.uniform() - 1) * bound;
    }
  }
}
