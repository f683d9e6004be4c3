import { AdaLoraTuner, type TripletSettings } from '../adalora/adalora-tuner.ts';
import { DoraInjection, doraReader, UNMIXED_LENGTHS } from '../lora/dora-injection.ts';
import { WeightMatrix, weightOf } from '../lora/weight-matrix.ts';
import { factorName, type LowRankModule } from '../low-rank/factors.ts';
import type { TrainedParameter } from '../parameter-layout.ts';
import type { ReadParameter, ReadRange } from '../tuner.ts';

/** AdaLoRA's triplets with DoRA's magnitude: y = x (m / ‖V‖ · V)ᵀ + b with V = W + s P diag(λ) Q. */
export class AdaDoraTuner extends AdaLoraTuner {
  constructor(
    settings: TripletSettings,
    modules: readonly LowRankModule[],
    saved: readonly TrainedParameter[],
  ) {
    const magnitudes = modules.map(({ path, outFeatures }) => ({
      name: factorName(path, 'M'),
      shape: [outFeatures],
    }));
    super(settings, modules, saved, magnitudes);
    this.injection = DoraInjection;
    this.bank = UNMIXED_LENGTHS;
  }

  override withModules(modules: readonly LowRankModule[]): AdaDoraTuner {
    return new AdaDoraTuner(this.settings, modules, this.saved);
  }

  override merged(values: Float32Array, readBase: ReadRange): ReadRange {
    return doraReader(this.factored(values), super.merged(values, readBase));
  }

  /** Sets each magnitude to the length of its weight row, so that the model does not change at first. */
  protected override initialiseFactors(values: Float32Array, seed: number, read: ReadParameter): void {
    super.initialiseFactors(values, seed, read);
    for (const module of this.modules) {
      const norms = new WeightMatrix(module, read(...weightOf(module))).norms();
      this.layout.read(values, factorName(module.path, 'M')).set(norms);
    }
  }
}
