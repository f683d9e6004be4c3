import type { BankedBottleneck, BankedFactors } from '../../tuners/banked.ts';

/** A linear module that replaces the base model's. */
export interface PackedLinear {
  outFeatures: number;
  /** In the model's memory layout. */
  weight: Float32Array;
  /** [outFeatures], if the module has a bias. */
  bias?: Float32Array;
}

/** An adapter in the form of a bank's slot, by module path. It never changes. */
export interface PackedAdapter {
  readonly factors: ReadonlyMap<string, BankedFactors>;
  readonly linears: ReadonlyMap<string, PackedLinear>;
  /**
   * What to add to the outputs of modules with trained biases, [outFeatures] each: the trained bias minus the base's.
   */
  readonly shifts: ReadonlyMap<string, Float32Array>;
  readonly bottlenecks: ReadonlyMap<string, BankedBottleneck>;
}

/** The base model without an adapter. */
export const NO_ADAPTER: PackedAdapter = {
  factors: new Map(),
  linears: new Map(),
  shifts: new Map(),
  bottlenecks: new Map(),
};

/** The size of a packed adapter in bytes. */
export function packedBytes({ factors, linears, shifts, bottlenecks }: PackedAdapter): number {
  const arrays = [
    ...[...factors.values()].flatMap(({ a, b }) => [a, b]),
    ...[...linears.values()].flatMap(({ weight, bias }) => (bias ? [weight, bias] : [weight])),
    ...shifts.values(),
    ...[...bottlenecks.values()].flatMap(({ down, downBias, up, upBias }) => [down, downBias, up, upBias]),
  ];
  return arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
}
