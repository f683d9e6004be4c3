import type { BottleneckForm } from './bottleneck/bottleneck-injection.ts';

/** The factors of a module, in y += x Aᵀ B. A includes λ, and B includes the scale. */
export interface BankedFactors {
  rank: number;
  /** [rank, inFeatures] */
  a: Float32Array;
  /** [rank, outFeatures] */
  b: Float32Array;
}

/** A bottleneck after a sublayer: h += up(activation(down(input))). */
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
  /** Factors, by the path of a linear module. */
  factors?: ReadonlyMap<string, BankedFactors>;
  /** Bottlenecks, by the path of a sublayer. */
  bottlenecks?: ReadonlyMap<string, BankedBottleneck>;
  /** Names of the model's parameters that are trained in full. */
  saved: readonly string[];
}
