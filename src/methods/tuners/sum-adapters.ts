import type {
  AdapterTensor,
  AdapterTensors,
  StoredAdapter,
} from '../../input/formats/adapters/stored-adapter.ts';
import { largest } from '../../support/numbers.ts';
import { UserError } from '../../support/user-error.ts';
import { topSingular, WeightMatrix } from './lora/top-singular.ts';
import { factorName } from './low-rank/factors.ts';
import { adapterKey, asStored, parseAdapterConfig } from './low-rank/peft-config.ts';
import { findKind } from './registry.ts';

/** An adapter, its weight in a sum, and its name in messages. */
interface WeightedAdapter {
  stored: StoredAdapter;
  weight: number;
  where: string;
}

type Product = { A: AdapterTensor; B: AdapterTensor };

/**
 * The weighted sum of adapters as one LoRA. It is exact: its factors are those of all adapters one after another, so its
 * rank is the sum of theirs. With `rank`, each module's sum is replaced by the closest matrix of this rank. Modules that
 * are trained in full, such as a head, are summed too.
 *
 * @throws UserError for adapters that are no products of two matrices, for other trained parts, and for heads of
 * other shapes
 */
export function sumAdapters(adapters: readonly WeightedAdapter[], rank?: number): StoredAdapter {
  const read = adapters.map(readProducts);
  const paths = [...new Set(read.flatMap(({ modules }) => [...modules.keys()]))];
  const sums = paths.map((path) => {
    const joined = joinProducts(
      read.flatMap(({ modules, weight }) => {
        const own = modules.get(path);
        return own ? [{ ...own, weight }] : [];
      }),
    );
    return [path, rank === undefined ? joined : closest(joined, rank)] as const;
  });
  const r = largest(sums.map(([, { A }]) => A.shape[0]!));
  const key = (name: string) => adapterKey(name, 'LORA', () => true);
  const tensors: AdapterTensors = sumSaved(read);
  for (const [path, { A, B }] of sums) {
    tensors.set(key(factorName(path, 'A')), A);
    tensors.set(key(factorName(path, 'B')), B);
  }
  const [{ stored, where }] = adapters as [WeightedAdapter];
  const { task_type, base_model_name_or_path, modules_to_save } = stored.config;
  const ranks = sums.map(([path, { A }]) => [path, A.shape[0]!] as const);
  const others = Object.fromEntries(ranks.filter(([, own]) => own !== r));
  const settings = {
    ...{ peft_type: 'LORA', task_type, base_model_name_or_path, modules_to_save },
    ...{ r, lora_alpha: r, target_modules: paths, inference_mode: true },
    // Each module's scale is 1.
    ...{ rank_pattern: others, alpha_pattern: others },
  };
  return asStored({ config: parseAdapterConfig(settings, where), tensors });
}

/** An adapter's products, and the modules that it saves in full. */
function readProducts({ stored, weight, where }: WeightedAdapter) {
  const kind = findKind(stored, where);
  const { isOwn } = kind.facts(stored, where);
  const own = new Map([...stored.tensors].filter(([key]) => isOwn(key)));
  const saved = new Map([...stored.tensors].filter(([key]) => !isOwn(key)));
  const found = kind.increments?.({ ...stored, tensors: own }, where);
  const { bias = 'none' } = stored.config;
  if (found && found.more === undefined && bias === 'none')
    return { modules: found.modules, saved, weight, where };
  throw new UserError({
    where,
    fault: `has ${bias === 'none' ? (found?.more ?? `an adapter of kind ${kind.name}`) : 'trained biases'}, which cannot be added to other adapters`,
    hint: 'Sums have LoRA and AdaLoRA.',
    code: 'unsupported',
  });
}

/** A = [A₁; A₂; …] and B = [w₁ B₁, w₂ B₂, …], so that B A is the weighted sum. */
function joinProducts(products: readonly (Product & { weight: number })[]): Product {
  const [inner, outer] = [products[0]!.A.shape[1]!, products[0]!.B.shape[0]!];
  const rank = products.reduce((sum, { A }) => sum + A.shape[0]!, 0);
  const A = { shape: [rank, inner], data: new Float32Array(rank * inner) };
  const B = { shape: [outer, rank], data: new Float32Array(outer * rank) };
  let start = 0;
  for (const { weight, ...own } of products) {
    const count = own.A.shape[0]!;
    A.data.set(own.A.data, start * inner);
    own.B.data.forEach((value, i) => {
      B.data[Math.floor(i / count) * rank + start + (i % count)] = weight * value;
    });
    start += count;
  }
  return { A, B };
}

/** The product of a rank that is closest to another, by its largest singular values (Eckart and Young, 1936). */
function closest({ A, B }: Product, rank: number): Product {
  const [outFeatures, inFeatures] = [B.shape[0]!, A.shape[1]!];
  const before = A.shape[0]!;
  if (before <= rank) return { A, B };
  const data = new Float32Array(outFeatures * inFeatures);
  for (let row = 0; row < outFeatures; row++)
    for (let k = 0; k < before; k++) {
      const factor = B.data[row * before + k]!;
      for (let i = 0; i < inFeatures; i++)
        data[row * inFeatures + i]! += factor * A.data[k * inFeatures + i]!;
    }
  const triplets = topSingular(new WeightMatrix({ path: '', outFeatures, inFeatures }, data), rank);
  return {
    A: { shape: [rank, inFeatures], data: Float32Array.from(triplets.flatMap(({ v }) => [...v])) },
    B: {
      shape: [outFeatures, rank],
      data: Float32Array.from({ length: outFeatures * rank }, (_, i) => {
        const { u, strength } = triplets[i % rank]!;
        return u[Math.floor(i / rank)]! * strength;
      }),
    },
  };
}

function sumSaved(read: readonly ReturnType<typeof readProducts>[]): AdapterTensors {
  const sums: AdapterTensors = new Map();
  for (const [key, { shape }] of read[0]!.saved) {
    const parts = read.map(({ saved, weight, where }) => {
      const data = saved.size === read[0]!.saved.size ? saved.get(key) : undefined;
      if (data && String(data.shape) === String(shape)) return { data: data.data, weight };
      throw new UserError({
        where,
        fault: `has another head than ${read[0]!.where}: ${key}`,
        hint: 'Sum adapters of one task with the same classes.',
      });
    });
    const sum = parts[0]!.data.map((_, i) =>
      parts.reduce((all, { data, weight }) => all + weight * data[i]!, 0),
    );
    sums.set(key, { shape, data: sum });
  }
  return sums;
}
