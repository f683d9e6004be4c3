import { Random } from '../../support/random.ts';
import { adaptedModules } from '../low-rank/adapted-modules.ts';
import { defaultTargets } from '../low-rank/default-targets.ts';
import { factorGroups } from '../low-rank/factor-groups.ts';
import { factorName, type LowRankModule } from '../low-rank/factors.ts';
import { LowRankTuner } from '../low-rank/low-rank-tuner.ts';
import { orthogonalityTerm } from '../low-rank/orthogonality.ts';
import { checkPatternKeys, patternValue } from '../low-rank/pattern-value.ts';
import { loraScale } from '../low-rank/scales.ts';
import { ParameterLayout, type TrainedParameter } from '../parameter-layout.ts';
import { savedParameters } from '../saved-parameters.ts';
import type { Regularizer, TunableModel } from '../tuner.ts';
import type { LoraConfig } from './config.ts';
import { isRankStabilised } from './scale-of.ts';

/** How pairs of factors are trained. */
export type LoraSettings = Pick<LoraConfig, 'lora_dropout' | 'orth_reg_weight' | 'orthogonality'>;

/**
 * LoRA (Hu et al., 2022) as PEFT computes it: y += alpha / r · x Aᵀ Bᵀ. With a term for orthogonality, it is LoRA +
 * R.
 */
export class LoraTuner extends LowRankTuner {
  protected readonly diagonal = false;
  readonly regularizer?: Regularizer;

  constructor(
    readonly settings: LoraSettings,
    modules: readonly LowRankModule[],
    saved: readonly TrainedParameter[],
  ) {
    const { lora_dropout, orth_reg_weight: weight = 0, orthogonality: form = 'cosine' } = settings;
    const hasSay = ({ rank }: LowRankModule) => rank > (form === 'cosine' ? 1 : 0);
    const groups = weight > 0 ? factorGroups(modules.filter(hasSay)) : [];
    // The factors in the orthogonality term come first.
    const grouped = groups.map(({ members }) => members);
    const names = new Set(grouped.flat().map(({ name }) => name));
    const factors = modules.flatMap(({ path, rank, inFeatures, outFeatures }) => [
      { name: factorName(path, 'A'), shape: [rank, inFeatures] },
      { name: factorName(path, 'B'), shape: [outFeatures, rank] },
    ]);
    const others = factors.filter(({ name }) => !names.has(name));
    super(new ParameterLayout([...grouped, ...others, ...saved]), modules, saved, lora_dropout);
    if (groups.length > 0) this.regularizer = orthogonalityTerm(groups, form, weight, 2 * modules.length);
  }

  /** The tuner of a config: each adapted module with its rank and alpha from the patterns. */
  static create(model: TunableModel, config: LoraConfig): LoraTuner {
    const adapted = adaptedModules(model, config, defaultTargets(model, 'few'));
    const paths = adapted.map(({ path }) => path);
    checkPatternKeys(config.rank_pattern, paths, 'lora.rank_pattern');
    checkPatternKeys(config.alpha_pattern, paths, 'lora.alpha_pattern');
    const modules = adapted.map((module) => {
      const rank = patternValue(config.rank_pattern, module.path) ?? config.r;
      return {
        ...module,
        rank,
        scale: loraScale({ ...config, use_rslora: isRankStabilised(config) }, module.path, rank),
      };
    });
    return new LoraTuner(config, modules, savedParameters(model, config, adapted));
  }

  withModules(modules: readonly LowRankModule[]): LoraTuner {
    return new LoraTuner(this.settings, modules, this.saved);
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
