import type { BankedBottleneck, BankedFactors } from '../../tuners/banked.ts';

/** A linear module in place of the base model's. */
export interface PackedLinear {
  outFeatures: number;
  /** As the model stores it. */
  weight: Float32Array;
  /** [outFeatures], where the module has one. */
  bias?: Float32Array;
}

/** An adapter as a slot of a bank takes it, by the paths of modules. Whoever has it never changes it. */
export interface PackedAdapter {
  readonly factors: ReadonlyMap<string, BankedFactors>;
  readonly linears: ReadonlyMap<string, PackedLinear>;
  /** What is added to the outputs of modules whose biases are trained, [outFeatures] each: the bias without the base's. */
  readonly shifts: ReadonlyMap<string, Float32Array>;
  readonly bottlenecks: ReadonlyMap<string, BankedBottleneck>;
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
