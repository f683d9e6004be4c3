import type { LoadedModel } from '../../program/model-weights.ts';
import { UserError } from '../../support/user-error.ts';
import type { TunedValues } from '../../tuners/tuner.ts';
import { NO_ADAPTER, type PackedAdapter, type PackedLinear } from './packed-adapter.ts';

type Read = (name: string) => Float32Array;

/**
 * Packs an adapter, or the base model alone.
 *
 * @param where the adapter's name for messages
 * @throws UserError for fully trained parameters other than linear modules and biases, because a bank does not support
 * them
 */
export function packAdapter(
  model: LoadedModel,
  { tuner, values }: TunedValues,
  where: string,
): PackedAdapter {
  if (tuner.layout.length === 0) return NO_ADAPTER;
  const read: Read = (name) => tuner.layout.read(values, name);
  const banked = tuner.banked?.(values);
  if (!banked) throw notBanked(where, 'is an adapter of another method');
  const { factors = new Map(), bottlenecks = new Map(), saved } = banked;
  return { factors, bottlenecks, ...packedParameters(model, new Set(saved), read, where) };
}

/** Parameters in an adapter's file: whole linear modules and biases. Missing parts of a module come from the base. */
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
    if (!name.endsWith('.bias')) throw notBanked(where, `has ${name} trained in full`);
    const baseBias = base(name) as Float32Array;
    shifts.set(
      name.slice(0, -'.bias'.length),
      read(name).map((x, i) => x - baseBias[i]),
    );
  }
  return { linears, shifts };
}

function notBanked(where: string, fault: string): UserError {
  return new UserError({
    where,
    fault: `${fault}, so it cannot share batches with others`,
    hint: 'Merge it into its base model (adalora merge) to use it alone.',
  });
}
