import type { LowRankModule } from '../low-rank/factors.ts';
import type { MethodState } from '../method-run.ts';

/**
 * The scores of modules: Ī · Ū, AdaLoRA's averages for the importance I = Σ |ΔW ∘ G| / √(in · out) (equation 9 of arXiv
 * 2308.12043, as in its released code).
 */
export class ModuleScores {
  readonly #roots: readonly number[];
  readonly #betas: readonly [number, number];
  #sensitivity: Float32Array;
  #uncertainty: Float32Array;

  constructor(modules: readonly LowRankModule[], betas: readonly [sensitivity: number, uncertainty: number]) {
    this.#roots = modules.map(({ inFeatures, outFeatures }) => Math.sqrt(inFeatures * outFeatures));
    this.#betas = betas;
    this.#sensitivity = new Float32Array(modules.length);
    this.#uncertainty = new Float32Array(modules.length);
  }

  /**
   * Updates the averages.
   *
   * @param watched Σ |ΔW ∘ G| of each module; undefined before the first step, when ΔW is zero
   */
  observe(watched?: Float32Array): void {
    const [beta1, beta2] = this.#betas;
    this.#roots.forEach((root, k) => {
      const importance = (watched?.[k] ?? 0) / root;
      const average = beta1 * this.#sensitivity[k]! + (1 - beta1) * importance;
      this.#sensitivity[k] = average;
      this.#uncertainty[k] =
        beta2 * this.#uncertainty[k]! + (1 - beta2) * Math.abs(importance - this.#sensitivity[k]);
    });
  }

  scores(): Float64Array {
    return Float64Array.from(this.#sensitivity, (value, k) => value * this.#uncertainty[k]!);
  }

  state(): MethodState {
    return { sensitivity: this.#sensitivity, uncertainty: this.#uncertainty };
  }

  restore({ sensitivity, uncertainty }: MethodState): void {
    this.#sensitivity = sensitivity as Float32Array;
    this.#uncertainty = uncertainty as Float32Array;
  }
}
