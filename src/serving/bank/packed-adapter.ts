import type { BottleneckForm } from '../../tuners/bottleneck/bottleneck-injection.ts';

/** y += x Aᵀ B of a module: λ is in A, the scale in B. */
export interface PackedFactors {
  rank: number;
  /** [rank, inFeatures] */
  a: Float32Array;
  /** [rank, outFeatures] */
  b: Float32Array;
}

/** A linear module in place of the base model's. */
export interface PackedLinear {
  outFeatures: number;
  /** As the model stores it. */
  weight: Float32Array;
  /** [outFeatures], where the module has one. */
  bias?: Float32Array;
}

/** h += up(activation(down(input))) behind a sublayer. */
export interface PackedBottleneck {
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

/** An adapter as a slot of a bank takes it, by the paths of modules. Whoever has it never changes it. */
export interface PackedAdapter {
  readonly factors: ReadonlyMap<string, PackedFactors>;
  readonly linears: ReadonlyMap<string, PackedLinear>;
  /** What is added to the outputs of modules whose biases are trained, [outFeatures] each: the bias without the base's. */
  readonly shifts: ReadonlyMap<string, Float32Array>;
  readonly bottlenecks: ReadonlyMap<string, PackedBottleneck>;
}

/** The base model alone. */
export const NO_ADAPTER: PackedAdapter = {
  factors: new Map(),
  linears: new Map(),
  shifts: new Map(),
  bottlenecks: new Map(),
};

/** Memory that it takes, in bytes. */
export function packedBytes({ factors, linears, shifts, bottlenecks }: PackedAdapter): number {
  const arrays = [
    ...[...factors.values()].flatMap(({ a, b }) => [a, b]),
    ...[...linears.values()].flatMap(({ weight, bias }) => (bias ? [weight, bias] : [weight])),
    ...shifts.values(),
    ...[...bottlenecks.values()].flatMap(({ down, downBias, up, upBias }) => [down, downBias, up, upBias]),
  ];
  return arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
}
