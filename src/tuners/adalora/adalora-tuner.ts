import { Random } from '../../support/random.ts';
import { adaptedModules } from '../low-rank/adapted-modules.ts';
import type { AdapterSettings, ScaleConfig } from '../low-rank/adapter-config-shape.ts';
import { defaultTargets } from '../low-rank/default-targets.ts';
import { factorName, type LowRankModule } from '../low-rank/factors.ts';
import { LowRankTuner } from '../low-rank/low-rank-tuner.ts';
import { orthogonalityTerm } from '../low-rank/orthogonality.ts';
import { orthonormalise, refuseTooManyVectors } from '../low-rank/orthonormal.ts';
import { adaLoraAlpha, adaLoraScale } from '../low-rank/scales.ts';
import type { TrainedParameter } from '../parameter-layout.ts';
import { savedParameters } from '../saved-parameters.ts';
import type { ReadParameter, Regularizer, TunableModel } from '../tuner.ts';
import { tripletLayout } from './triplet-layout.ts';

/** Standard deviation of the initial P and Q. */
const INITIAL_STD = 0.02;

/** How triplets are trained. */
export interface TripletSettings {
  lora_dropout: number;
  /** The weight γ of the orthogonality term. */
  orth_reg_weight: number;
  /** How P and Q are initialised. Undefined if they come from a file. */
  init?: 'normal' | 'orthonormal';
}

/** AdaLoRA (Zhang et al., 2023): y += alpha / init_r · x Qᵀ diag(λ) Pᵀ. Q, λ and P have PEFT's names. */
export class AdaLoraTuner extends LowRankTuner {
  protected readonly diagonal = true;
  readonly regularizer: Regularizer;

  constructor(
    readonly settings: TripletSettings,
    modules: readonly LowRankModule[],
    saved: readonly TrainedParameter[],
    /** Tensors to train besides the triplets, such as DoRA's magnitudes. */
    beside: readonly TrainedParameter[] = [],
  ) {
    const { layout, groups } = tripletLayout(modules, [...beside, ...saved]);
    super(layout, modules, saved, settings.lora_dropout);
    this.regularizer = orthogonalityTerm(groups, 'mean-norm', settings.orth_reg_weight, 2 * modules.length);
  }

  /** Builds the tuner at the start of a run. Every adapted module has `init_r` triplets; `init_r` must be set. */
  static create(
    model: TunableModel,
    config: AdapterSettings & TripletSettings & ScaleConfig & { init_r?: number },
  ): AdaLoraTuner {
    const { init_r: rank } = config;
    if (rank === undefined)
      throw new Error('init_r follows from the budget, which is to be worked out before');
    const scale = adaLoraScale({ lora_alpha: adaLoraAlpha(config, rank), init_r: rank });
    const modules = adaptedModules(model, config, defaultTargets(model, 'many')).map((module) => ({
      ...module,
      rank,
      scale,
    }));
    if (config.init === 'orthonormal')
      refuseTooManyVectors(modules, "init: orthonormal of the method's section");
    return new AdaLoraTuner(config, modules, savedParameters(model, config, modules));
  }

  withModules(modules: readonly LowRankModule[]): AdaLoraTuner {
    return new AdaLoraTuner(this.settings, modules, this.saved);
  }

  /**
   * Draws P and Q from a normal distribution with standard deviation 0.02 and sets λ to zero, so the increment is zero
   * at first. With `orthonormal`, P and Q are then orthonormalised (the columns of P, the rows of Q). The result is
   * uniform over all such matrices (Saxe et al., 2014, arXiv 1312.6120).
   */
  protected initialiseFactors(values: Float32Array, seed: number, _read: ReadParameter): void {
    for (const { path, rank, inFeatures, outFeatures } of this.modules) {
      for (const [factor, length] of [
        ['A', inFeatures],
        ['B', outFeatures],
      ] as const) {
        const name = factorName(path, factor);
        const tensor = this.layout.read(values, name);
        tensor.set(new Random(seed, `init ${name}`).normals(tensor.length, INITIAL_STD));
        if (this.settings.init !== 'orthonormal') continue;
        // B is stored by rows, so adjacent elements of a column are `rank` apart.
        const at = (i: number, j: number) => (factor === 'A' ? i * length + j : j * rank + i);
        const vectors = Array.from({ length: rank }, (_, i) =>
          Float64Array.from({ length }, (_, j) => tensor[at(i, j)]!),
        );
        orthonormalise(vectors).forEach((vector, i) => {
          for (let j = 0; j < length; j++) tensor[at(i, j)] = vector[j]!;
        });
      }
    }
  }
}
