import type { LoadedModel } from '../../program/model-weights.ts';
import { UserError } from '../../support/user-error.ts';
import { factorName } from '../../tuners/low-rank/factors.ts';
import { LowRankTuner } from '../../tuners/low-rank/low-rank-tuner.ts';
import type { TunedValues } from '../../tuners/tuner.ts';

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

/** An adapter as a slot of a bank takes it, by the paths of modules. Whoever has it never changes it. */
export interface PackedAdapter {
  readonly factors: ReadonlyMap<string, PackedFactors>;
  readonly linears: ReadonlyMap<string, PackedLinear>;
}

/**
 * Packs an adapter of low rank, or the model alone where there is none.
 *
 * @param where the adapter's name for messages
 * @throws UserError for methods whose adapters do more than add products of low rank and replace linear modules
 */
export function packAdapter(
  model: LoadedModel,
  { tuner, values }: TunedValues,
  where: string,
): PackedAdapter {
  const factors = new Map<string, PackedFactors>();
  if (tuner.layout.length === 0) return { factors, linears: new Map() };
  if (!(tuner instanceof LowRankTuner)) throw notLowRank(where, 'an adapter of another method');
  const read = (name: string) => tuner.layout.read(values, name);
  for (const { path, rank, scale, inFeatures, outFeatures } of tuner.modules) {
    if (rank === 0) continue;
    const diagonal = tuner.layout.find(factorName(path, 'E')) && read(factorName(path, 'E'));
    const b = read(factorName(path, 'B'));
    factors.set(path, {
      rank,
      a: read(factorName(path, 'A')).map((x, i) => x * (diagonal?.[Math.floor(i / inFeatures)] ?? 1)),
      b: Float32Array.from({ length: rank * outFeatures }, (_, i) => {
        const [k, row] = [Math.floor(i / outFeatures), i % outFeatures];
        return scale * b[row * rank + k];
      }),
    });
  }
  const linears = replacedLinears(model, new Set(tuner.saved.map(({ name }) => name)), read, where);
  return { factors, linears };
}

/** The linear modules of which an adapter brings a parameter; what it does not bring is the base model's. */
function replacedLinears(
  model: LoadedModel,
  saved: ReadonlySet<string>,
  read: (name: string) => Float32Array,
  where: string,
): Map<string, PackedLinear> {
  const linears = new Map<string, PackedLinear>();
  const left = new Set(saved);
  for (const { path, outFeatures } of model.linears) {
    const [weight, bias] = [`${path}.weight`, `${path}.bias`];
    // A bias alone would take a copy of the whole matrix in every slot.
    if (!saved.has(weight)) continue;
    const valuesOf = (name: string) => {
      const shape = model.parameters.get(name);
      return shape && (saved.has(name) ? read(name) : model.reader(0)(name, shape));
    };
    linears.set(path, { outFeatures, weight: valuesOf(weight) as Float32Array, bias: valuesOf(bias) });
    for (const name of [weight, bias]) left.delete(name);
  }
  const [other] = left;
  if (other !== undefined) throw notLowRank(where, `one with ${other} trained whole`);
  return linears;
}

function notLowRank(where: string, got: string): UserError {
  return new UserError({
    where,
    expected:
      'an adapter that can share batches with others: LoRA or AdaLoRA, and linear modules trained whole',
    got,
    hint: 'Merge it into its base (adalora merge) to use it by itself.',
  });
}
