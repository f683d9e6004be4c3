import { add, matmul } from '../../../engine/graph/build.ts';
import type { LinearModule } from '../../../models/nn/network.ts';
import type { ReadParameter, TunableModel, TunedValues } from '../tuner.ts';
import {
  asRows,
  type BankedPart,
  type BankedPiece,
  type BankForm,
  byToken,
  findTokens,
  NotMixed,
  separateExamples,
  sharedByAll,
  tokenRows,
} from './bank-form.ts';

/** The most numbers of a weight that every slot of a bank holds: 16 MB. A language model's head has more. */
const MAX_WEIGHT = 2 ** 22;

/** Linear modules that adapters replace. A head has one output per label. */
const MODULES: BankForm = {
  key: 'module',
  inject: (reader, sizes) => ({
    linear({ path, inFeatures, outFeatures, transposed }, bias, x) {
      if (!sizes.has(path)) return undefined;
      if (findTokens(x) === undefined) throw sharedByAll(path);
      const part = (name: 'weight' | 'bias', shape: number[]) =>
        reader.read(`${name} ${path}`, shape, (pieces, slot) => {
          const piece = pieces.get(path);
          slot.set((piece ? piece.tensors[name] : reader.base(`${path}.${name}`)) ?? []);
        });
      const weight = part('weight', transposed ? [inFeatures, outFeatures] : [outFeatures, inFeatures]);
      const product = matmul(separateExamples(x), weight, { transposeB: !transposed });
      return asRows(bias ? add(product, part('bias', [1, outFeatures])) : product);
    },
  }),
};

/** The addition to the outputs of modules with trained biases: the trained bias minus the base's. */
const BIASES: BankForm = {
  key: 'shift',
  inject: (reader, sizes) => ({
    output(path, y, _x, module) {
      if (!sizes.has(path)) return undefined;
      // A norm may be applied to a table that all texts of a batch share, such as relative positions. With a
      // shift for each text there would be a table for each text, but the next layer takes only one.
      if (findTokens(y) === undefined && !module) throw sharedByAll(path);
      const shift = reader.read(path, [y.shape[1] as number], (pieces, slot) =>
        slot.set(pieces.get(path)?.tensors.shift ?? []),
      );
      return tokenRows(add(byToken(y), shift));
    },
  }),
};

/**
 * Packs parameters in an adapter's file: whole linear modules and biases. Missing parts of a module come from the base.
 *
 * @throws NotMixed for other parameters, and for modules that are too large for every slot
 */
export function wholeParts(
  linears: readonly LinearModule[],
  saved: ReadonlySet<string>,
  read: (name: string) => Float32Array,
  base: (name: string) => Float32Array | undefined,
  where: string,
): BankedPart[] {
  const left = new Set(saved);
  const modules = new Map<string, BankedPiece>();
  for (const { path, inFeatures, outFeatures } of linears) {
    const [weight, bias] = [`${path}.weight`, `${path}.bias`];
    if (!saved.has(weight)) continue;
    if (inFeatures * outFeatures > MAX_WEIGHT) throw new NotMixed(where, `has ${weight} trained in full`);
    const shift = saved.has(bias) ? read(bias) : base(bias);
    modules.set(path, {
      size: outFeatures,
      tensors: { weight: read(weight), ...(shift && { bias: shift }) },
    });
    for (const name of [weight, bias]) left.delete(name);
  }
  const biases = new Map<string, BankedPiece>();
  for (const name of left) {
    if (!name.endsWith('.bias')) throw new NotMixed(where, `has ${name} trained in full`);
    const before = base(name) as Float32Array;
    const shift = read(name).map((x, i) => x - before[i]!);
    biases.set(name.slice(0, -'.bias'.length), { size: 1, tensors: { shift } });
  }
  return [
    { form: MODULES, pieces: modules },
    { form: BIASES, pieces: biases },
  ];
}

/** A model, and the weights of its base. */
interface Base extends Pick<TunableModel, 'linears' | 'parameters'> {
  reader(seed: number): ReadParameter;
}

/** Reads parameters of the base by name; undefined for a name that it does not have. */
export function baseParameters(model: Base): (name: string) => Float32Array | undefined {
  return (name) => {
    const shape = model.parameters.get(name);
    return shape && model.reader(0)(name, shape);
  };
}

/** An adapter for a bank's slots, by the keys of forms. It never changes. */
export type PackedAdapter = ReadonlyMap<string, BankedPart>;

/** The base model without an adapter. */
export const NO_ADAPTER: PackedAdapter = new Map();

/** The size of a packed adapter in bytes. */
export function packedBytes(adapter: PackedAdapter): number {
  const pieces = [...adapter.values()].flatMap(({ pieces }) => [...pieces.values()]);
  const tensors = pieces.flatMap(({ tensors }) => Object.values(tensors));
  return tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/**
 * Packs an adapter, or the base model alone.
 *
 * @param where the adapter's name for messages
 * @throws NotMixed for a method that does not mix, and for parameters trained in full that are neither linear modules
 * nor biases
 */
export function packAdapter(model: Base, { tuner, values }: TunedValues, where: string): PackedAdapter {
  const { layout, bank = 'uses a method that does not support shared batches' } = tuner;
  if (layout.length === 0) return NO_ADAPTER;
  if (typeof bank === 'string') throw new NotMixed(where, bank);
  const { parts, saved } = bank(values);
  const names = new Set(saved.map(({ name }) => name));
  const read = (name: string) => layout.read(values, name);
  const whole = wholeParts(model.linears, names, read, baseParameters(model), where);
  const used = [...parts, ...whole].filter(({ pieces }) => pieces.size > 0);
  return new Map(used.map((part) => [part.form.key, part]));
}
