import type { BankedBottleneck, BankedFactors } from '../../tuners/banked.ts';

/** A linear module that replaces the base model's. */
export interface PackedLinear {
  outFeatures: number;
  /** In the model's layout. */
  weight: Float32Array;
  /** [outFeatures], if the module has one. */
  bias?: Float32Array;
}

/** An adapter in the form of a bank's slot, by the paths of modules. It is never changed. */
export interface PackedAdapter {
  readonly factors: ReadonlyMap<string, BankedFactors>;
  readonly linears: ReadonlyMap<string, PackedLinear>;
  /** Additions to the outputs of modules with trained biases, [outFeatures] each: the bias minus the base's. */
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

/** Its memory in bytes. */
export function packedBytes({ factors, linears, shifts, bottlenecks }: PackedAdapter): number {
  const arrays = [
    ...[...factors.values()].flatMap(({ a, b }) => [a, b]),
    ...[...linears.values()].flatMap(({ weight, bias }) => (bias ? [weight, bias] : [weight])),
    ...shifts.values(),
    ...[...bottlenecks.values()].flatMap(({ down, downBias, up, upBias }) => [down, downBias, up, upBias]),
  ];
  return arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
}
