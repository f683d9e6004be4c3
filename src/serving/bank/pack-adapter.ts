import type { LoadedModel } from '../../program/model-weights.ts';
import { UserError } from '../../support/user-error.ts';
import { type BottleneckPart, partName } from '../../tuners/bottleneck/bottleneck-site.ts';
import { BottleneckTuner } from '../../tuners/bottleneck/bottleneck-tuner.ts';
import { factorName } from '../../tuners/low-rank/factors.ts';
import { LowRankTuner } from '../../tuners/low-rank/low-rank-tuner.ts';
import type { TunedValues, Tuner } from '../../tuners/tuner.ts';
import { WholeParameters } from '../../tuners/whole-parameters.ts';
import {
  NO_ADAPTER,
  type PackedAdapter,
  type PackedBottleneck,
  type PackedFactors,
  type PackedLinear,
} from './packed-adapter.ts';

type Read = (name: string) => Float32Array;

/**
 * Packs an adapter, or the model alone where there is none.
 *
 * @param where the adapter's name for messages
 * @throws UserError for what no bank holds: parameters trained whole that are neither linear modules nor biases
 */
export function packAdapter(
  model: LoadedModel,
  { tuner, values }: TunedValues,
  where: string,
): PackedAdapter {
  if (tuner.layout.length === 0) return NO_ADAPTER;
  const read: Read = (name) => tuner.layout.read(values, name);
  return {
    factors: tuner instanceof LowRankTuner ? packedFactors(tuner, read) : new Map(),
    bottlenecks: tuner instanceof BottleneckTuner ? packedBottlenecks(tuner, read) : new Map(),
    ...packedParameters(model, savedNames(tuner, where), read, where),
  };
}

function savedNames(tuner: Tuner, where: string): Set<string> {
  if (tuner instanceof LowRankTuner || tuner instanceof BottleneckTuner)
    return new Set(tuner.saved.map(({ name }) => name));
  if (tuner instanceof WholeParameters) return new Set(tuner.layout.segments.map(({ name }) => name));
  throw notBanked(where, 'one of a method that does something else');
}

function packedFactors({ modules, layout }: LowRankTuner, read: Read): Map<string, PackedFactors> {
  const factors = new Map<string, PackedFactors>();
  for (const { path, rank, scale, inFeatures, outFeatures } of modules) {
    if (rank === 0) continue;
    const diagonal = layout.find(factorName(path, 'E')) && read(factorName(path, 'E'));
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
  return factors;
}

function packedBottlenecks({ places, form }: BottleneckTuner, read: Read): Map<string, PackedBottleneck> {
  return new Map(
    places.map(({ sublayer, bottleneck }) => {
      const part = (name: BottleneckPart) => read(partName(sublayer, name));
      const parts = {
        down: part('down'),
        downBias: part('downBias'),
        up: part('up'),
        upBias: part('upBias'),
      };
      return [sublayer.path, { form, size: bottleneck, ...parts }];
    }),
  );
}

/** Parameters of the model that an adapter brings: whole linear modules (what it lacks of one is the base's), and biases. */
function packedParameters(
  model: LoadedModel,
  saved: ReadonlySet<string>,
  read: Read,
  where: string,
): Pick<PackedAdapter, 'linears' | 'shifts'> {
  const base = (name: string) => {
    const shape = model.parameters.get(name);
    return shape && model.reader(0)(name, shape);
  };
  const left = new Set(saved);
  const linears = new Map<string, PackedLinear>();
  for (const { path, outFeatures } of model.linears) {
    const [weight, bias] = [`${path}.weight`, `${path}.bias`];
    if (!saved.has(weight)) continue;
    linears.set(path, { outFeatures, weight: read(weight), bias: saved.has(bias) ? read(bias) : base(bias) });
    for (const name of [weight, bias]) left.delete(name);
  }
  const shifts = new Map<string, Float32Array>();
  for (const name of left) {
    if (!name.endsWith('.bias')) throw notBanked(where, `one with ${name} trained whole`);
    const own = base(name) as Float32Array;
    shifts.set(
      name.slice(0, -'.bias'.length),
      read(name).map((x, i) => x - own[i]),
    );
  }
  return { linears, shifts };
}

function notBanked(where: string, got: string): UserError {
  return new UserError({
    where,
    expected:
      'an adapter that can share batches with others: factors, bottlenecks, biases, and linear modules trained whole',
    got,
    hint: 'Merge it into its base (adalora merge) to use it by itself.',
  });
}
