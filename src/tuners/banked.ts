import type { BottleneckForm } from './bottleneck/bottleneck-injection.ts';

/** y += x Aᵀ B of a module: λ is in A, the scale in B. */
export interface BankedFactors {
  rank: number;
  /** [rank, inFeatures] */
  a: Float32Array;
  /** [rank, outFeatures] */
  b: Float32Array;
}

/** h += up(activation(down(input))) after a sublayer. */
export interface BankedBottleneck {
  form: BottleneckForm;
  size: number;
  /** [size, width] */
  down: Float32Array;
  /** [size] */
  downBias: Float32Array;
  /** [width, size] */
  up: Float32Array;
  /** [width] */
  upBias: Float32Array;
}

/** A method's trained values for batches in which every row has its own adapter. */
export interface Banked {
  /** Factors by the paths of linear modules. */
  factors?: ReadonlyMap<string, BankedFactors>;
  /** Bottlenecks by the paths of sublayers. */
  bottlenecks?: ReadonlyMap<string, BankedBottleneck>;
  /** Parameters of the model that are fully trained. */
  saved: readonly string[];
}
