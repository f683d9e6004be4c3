import { Random } from '../../support/random.ts';
import { adaptedModules } from '../low-rank/adapted-modules.ts';
import type { AdapterSettings } from '../low-rank/adapter-config-shape.ts';
import { factorGroups } from '../low-rank/factor-groups.ts';
import { factorName, type LowRankModule } from '../low-rank/factors.ts';
import { LowRankTuner } from '../low-rank/low-rank-tuner.ts';
import { type Orthogonality, orthogonalityTerm } from '../low-rank/orthogonality.ts';
import { adaLoraScale } from '../low-rank/scales.ts';
import { ParameterLayout, type TrainedParameter } from '../parameter-layout.ts';
import { savedParameters } from '../saved-parameters.ts';
import type { Regularizer, TunableModel } from '../tuner.ts';

/** Standard deviation of the initial P and Q. */
const INITIAL_STD = 0.02;

/** How triplets are trained. */
export interface TripletSettings {
  lora_dropout: number;
  /** γ */
  orth_reg_weight: number;
  orthogonality: Orthogonality;
}

/** AdaLoRA (Zhang et al., 2023): y += alpha / init_r · x Qᵀ diag(λ) Pᵀ, with Q, λ and P in PEFT's names. */
export class AdaLoraTuner extends LowRankTuner {
  protected readonly diagonal = true;
  readonly regularizer: Regularizer;

  constructor(
    readonly settings: TripletSettings,
    modules: readonly LowRankModule[],
    saved: readonly TrainedParameter[],
  ) {
    const groups = factorGroups(modules.filter(({ rank }) => rank > 0));
    const empty = factorGroups(modules.filter(({ rank }) => rank === 0));
    const layout = new ParameterLayout([
      ...[...groups, ...empty].flatMap(({ members }) => members),
      ...modules.map(({ path, rank }) => ({ name: factorName(path, 'E'), shape: [rank] })),
      ...saved,
    ]);
    super(layout, modules, saved, settings.lora_dropout);
    const { orthogonality, orth_reg_weight } = settings;
    this.regularizer = orthogonalityTerm(groups, orthogonality, orth_reg_weight, 2 * modules.length);
  }

  /** The tuner of a run's start: every adapted module with `init_r` triplets, which must be known by now. */
  static create(
    model: TunableModel,
    config: AdapterSettings & TripletSettings & { init_r?: number },
  ): AdaLoraTuner {
    const { init_r: rank } = config;
    if (rank === undefined)
      throw new Error('init_r follows from the budget, which is to be worked out before');
    const scale = adaLoraScale({ lora_alpha: config.lora_alpha, init_r: rank });
    const modules = adaptedModules(model, config, model.definition.targetModules.many).map((module) => ({
      ...module,
      rank,
      scale,
    }));
    return new AdaLoraTuner(config, modules, savedParameters(model, config, modules));
  }

  withModules(modules: readonly LowRankModule[]): AdaLoraTuner {
    return new AdaLoraTuner(this.settings, modules, this.saved);
  }

  /** P and Q normal with standard deviation 0.02, λ zero: the increment starts at zero. */
  protected initialiseFactors(values: Float32Array, seed: number): void {
    for (const { path } of this.modules) {
      for (const factor of ['A', 'B'] as const) {
        const name = factorName(path, factor);
        const tensor = this.layout.read(values, name);
        tensor.set(new Random(seed, `init ${name}`).normals(tensor.length, INITIAL_STD));
      }
    }
  }
}
