import { add, matmul } from '../../../engine/graph/build.ts';
import type { LinearModule } from '../../../models/nn/network.ts';
import { type BankedPart, type BankedPiece, type BankForm, NotMixed, sharedByAll } from './bank-form.ts';
import { asRows, byToken, separateExamples, tokenRows, tokensOf } from './bank-rows.ts';

/** The most numbers of a weight that every slot of a bank holds: 16 MB. A language model's head has more. */
const MAX_WEIGHT = 2 ** 22;

/** Linear modules that adapters replace. A head has one output per label. */
const MODULES: BankForm = {
  key: 'module',
  inject: (reader, rooms) => ({
    linear({ path, inFeatures, outFeatures, transposed }, bias, x) {
      if (!rooms.has(path)) return undefined;
      if (tokensOf(x) === undefined) throw sharedByAll(path);
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
  inject: (reader, rooms) => ({
    output(path, y, _x, module) {
      if (!rooms.has(path)) return undefined;
      // A norm may be applied to a table that all texts of a batch share, such as relative positions. With a
      // shift for each text there would be a table for each text, but the next layer takes only one.
      if (tokensOf(y) === undefined && !module) throw sharedByAll(path);
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
